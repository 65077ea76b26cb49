"""The page while goto works under it: many exchanges, a goto that ends and comes again, a token, several pages, markup."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.browser import Browser, Page, another
from support.calls import call
from support.goto_process import Goto
from support.ports import free_port
from support.ui import READY, Ui, ui
from support.waiting import eventually, until

LOCAL = ("--host", "127.0.0.1")
SECONDS = float(os.environ.get("GOTO_UI_SECONDS", "3"))
"""How long it stands 1,000 exchanges a second."""
MOST_HEAP = 50_000_000
MOST_TASK = 200.0
"""Milliseconds of the longest task. A busy machine has longer ones, so it is asserted where somebody asks for a long run."""

ROWS = "document.querySelectorAll('main tr[data-row]').length"
FRESH = "document.querySelector('.fresh').innerText"
TEXT = "document.querySelector('main').innerText"


def shows(text: str) -> str:
    return f"{TEXT}.includes({json.dumps(text)})"


At = Callable[[Goto, str], AbstractAsyncContextManager[Ui]]


@pytest.fixture
def at(browser: Browser, tmp_path: Path) -> At:
    """`at(process, "rules")`: the page of a goto, where it shows its rules."""

    @asynccontextmanager
    async def shown_at(process: Goto, place: str) -> AsyncIterator[Ui]:
        async with ui(browser, process.base, tmp_path) as shown:
            await shown.show(place)
            yield shown

    return shown_at


@pytest.fixture(scope="module")
def common(goto: Callable[..., Goto]) -> Goto:
    return goto("live", *LOCAL)


@pytest.fixture
def process(common: Goto) -> Goto:
    """One that has seen nothing, as far as a page can tell."""
    common.api("POST", "/goto/config?replace=y", {"label": "live"})
    for path in ("/goto/journal/clear", "/goto/journal/expectations/clear", "/client/results/clear"):
        common.api("POST", path)
    return common


def test_a_rule_by_the_keys_alone(process: Goto, at: At) -> None:
    async def type_it() -> None:
        async with at(process, "exchanges") as shown:
            page = shown.page
            await page.press("2")
            await page.until("location.hash === '#rules' && document.querySelector('main [data-new]')")
            await page.press("n")
            await page.until("document.activeElement.closest('.form') && document.activeElement.matches('input')")
            await page.write("flaky")
            await page.press("j")  # a letter like others, in a field
            await page.press("Tab", "Tab")
            await page.write("/orders")
            while not await page.run("document.activeElement.labels?.[0]?.innerText === 'status'"):
                await page.press("Tab")
            await page.write("503")
            while not await page.run("document.activeElement.matches('.form .act > button')"):
                await page.press("Tab")
            await page.press("Enter")
            await page.until("location.hash === '#rules/flakyj'")
            assert process.call("GET", "/orders").status == 503
            await page.until("document.querySelector('tr[data-row]')?.innerText.match(/\\t1\\t1\\t0\\t0/)")
            await page.press("Escape")  # leaves what has the focus, if it is a field, and closes the row
            await page.press("Escape")
            await page.until("location.hash === '#rules' && !document.querySelector('.detail')")
            await page.press("j", "Enter")
            await page.until("location.hash === '#rules/flakyj'")
            while not await page.run("document.activeElement.innerText === 'Remove'"):
                await page.press("Tab")
            await page.press("Enter")
            await page.until("document.activeElement.matches('dialog[open] button')")
            await page.press("Enter")
            await page.until(shows("No rules"))
            assert process.call("GET", "/orders").status == 200
            # the others
            await page.press("1")
            await page.until(f"{ROWS} === 2")
            await page.press("p")
            await page.until("document.querySelector('[aria-pressed=\"true\"]')?.innerText === 'go on'")
            await page.press("/")
            await page.write("nowhere")
            await page.until(shows("No exchange fits"))
            await page.press("Escape")
            await page.until(f"{ROWS} === 2 && document.activeElement === document.body")
            await page.press("?")
            await page.until("!!document.querySelector('dialog[open] kbd')")
            await page.press("Escape")
            await page.until("!document.querySelector('dialog')")
            # what the rule would do next may have been asked for at the moment that it was removed
            assert not [complaint for complaint in page.complaints if "404" not in complaint]

    asyncio.run(type_it())
    assert process.api("GET", "/response/rules").json() == {}


def test_a_row_stands_still_under_a_thousand_exchanges_a_second(goto: Callable[..., Goto], at: At) -> None:
    process, sender = goto("busy", *LOCAL), goto("sender", *LOCAL)
    target = {"name": "load", "method": "GET", "url": f"{process.base}/busy", "rate": 1000, "replicas": 8}
    sender.api("POST", "/client/targets/add", {**target, "requestCount": int(SECONDS * 1000 / 8)})

    async def look() -> None:
        async with at(process, "exchanges") as shown:
            page = shown.page
            await page.run(
                "window.longest = 0; new PerformanceObserver(list => list.getEntries().forEach("
                "one => { longest = Math.max(longest, one.duration); })).observe({type: 'longtask'}); 1"
            )
            sender.api("POST", "/client/targets/load/invoke")
            await page.until(f"{ROWS} > 50")
            await page.run("document.querySelectorAll('main tr[data-row] .open')[5].focus(); 1")
            row = "document.activeElement.closest('tr')"
            where = f"[{row}.getBoundingClientRect().y, {row}.innerText]"
            before = await page.run(where)
            seen = 0
            while sender.call("GET", "/client/results").json().get("targetInvocationCounts", {}).get("load", 0) < SECONDS * 990:
                await asyncio.sleep(0.2)
                assert await page.run(where) == before
                fresh = int((await page.run(FRESH)).split()[0].replace(",", ""))
                assert fresh >= seen
                seen = fresh
            await page.until(f"Number({FRESH}.split(' ')[0].replace(',', '')) >= 500")
            assert await page.run(ROWS) <= 200
            await page.click("document.querySelector('.fresh')")
            await page.until(f"{FRESH} === '0 new' && {ROWS} === 200")
            assert "in memory" in await page.run("document.querySelector('tfoot').innerText")
            await page.tell("HeapProfiler.collectGarbage")
            heap = (await page.tell("Runtime.getHeapUsage"))["usedSize"]
            assert heap < MOST_HEAP
            if SECONDS >= 20:
                assert await page.run("longest") < MOST_TASK
            assert page.complaints == []

    asyncio.run(look())


def test_goto_ends_under_it_and_comes_again(at: At) -> None:
    port = free_port()
    process = Goto("first", *LOCAL, port=port)

    async def look() -> None:
        nonlocal process
        async with at(process, "exchanges") as shown:
            page = shown.page
            process.call("GET", "/before")
            await page.until(shows("/before"))
            process.stop()
            await page.until("!!document.querySelector('.gone')?.innerText.match(/since \\d\\d:\\d\\d:\\d\\d/)")
            process = Goto("second", *LOCAL, port=port)
            await page.until("!document.querySelector('.gone')")
            process.call("GET", "/after")
            await page.until(shows("/after"))
            assert await page.run("[...document.querySelectorAll('main tbody tr')].map(row => row.className)") == ["", "mark", ""]
            assert "started again" in await page.run("document.querySelector('.mark').innerText")
            await page.until("document.querySelector('.choice').innerText.includes('second')")
            # what was of the one before cannot be asked for any more, which is said
            await page.run("[...document.querySelectorAll('main tr[data-row] .open')].at(-1).click()")
            await page.until(shows("the goto before"))

    try:
        asyncio.run(look())
    finally:
        process.stop()


def test_a_token_is_asked_for_kept_and_forgotten(goto: Callable[..., Goto], browser: Browser, tmp_path: Path) -> None:
    process = goto("guarded", *LOCAL, env={"GOTO_ADMIN_TOKEN": "admin-s3cr3t"})

    async def use() -> None:
        async with ui(browser, process.base, tmp_path) as shown:
            page = shown.page
            await page.open(f"{process.base}/goto/ui#traffic")
            for token, then in (
                ("wrong", "document.querySelector('#why')?.innerText.includes('does not open')"),
                ("admin-s3cr3t", READY),
            ):
                await page.until("!!document.querySelector('dialog[open] input[type=password]')")
                await page.run("document.querySelector('dialog[open] input').focus(); 1")
                await page.write(token)
                await page.press("Enter")
                await page.until(then)
            assert not await page.run("!!document.querySelector('dialog')")
            set_delay = await shown.control("Clear", "/delay/")
            assert set_delay.copies["curl"].startswith('curl -X PUT -H "Authorization: Bearer $GOTO_ADMIN_TOKEN" http://')
            await shown.act(set_delay)
            assert (await shown.answer(set_delay)).startswith("No response delay") or await shown.answer(set_delay)
            # what is odd is linked to what the page reads itself, since a browser that follows a link sends no token
            for place, said in (("limits", '"hit"'), ("metrics", "goto_hook_errors_total")):
                await shown.go(place)
                await page.until(f"document.querySelector('.told')?.innerText.includes({json.dumps(said)})")
            # a page that is loaded again has it, and its address does not
            await page.open("about:blank")
            await page.open(f"{process.base}/goto/ui#rules")
            await page.until(READY)
            assert "s3cr3t" not in await page.run("location.href + document.documentElement.innerHTML")
            await page.click("[...document.querySelectorAll('button')].find(one => one.innerText.includes('Forget'))")
            await page.until("!!document.querySelector('dialog[open] input[type=password]')")
            assert await page.run("sessionStorage.length") == 0
            assert not any("s3cr3t" in url for url in page.requests)

    asyncio.run(use())
    assert "s3cr3t" not in process.log


def latest_watch(page: Page) -> str:
    return next(url for url in reversed(page.requests) if "/goto/watch" in url)


def test_eight_pages_follow(process: Goto, at: At) -> None:
    async def look() -> None:
        async with at(process, "rules") as shown:
            pages = [shown.page, *[await another(shown.page) for _ in range(7)]]
            for page in pages[1:]:
                await page.open(f"{process.base}/goto/ui#rules")
            for page in pages:
                await page.until(READY)
                await page.until(shows("No rules"))
            # a browser has six connections for them all, so that none is held to wait for news
            await until(lambda: not any("wait=" in latest_watch(page) for page in pages))
            process.api("POST", "/response/rules/add", {"name": "seen by all", "delay": "1ms"})
            process.call("GET", "/x")
            for page in pages:
                await page.until(shows("seen by all"))
                await page.until("document.querySelector('tr[data-row]')?.innerText.match(/\\t1\\t1\\t0\\t0/)")
                assert page.complaints == []

    asyncio.run(look())


def test_a_hidden_page_asks_nothing_and_says_what_it_has_missed(process: Goto, at: At) -> None:
    async def look() -> None:
        async with at(process, "rules") as shown:
            page = shown.page
            await shown.settled()
            async with page.hidden():
                await until(lambda: not page.asking)
                before = len(page.requests)
                for _ in range(3):
                    process.call("GET", "/meanwhile")
                process.api("POST", "/response/rules/add", {"name": "meanwhile", "delay": "1ms"})
                await asyncio.sleep(0.5)  # in which a page that is shown would have asked
                assert page.requests[before:] == []
            await page.until(
                "document.querySelector('.note')?.innerText.startsWith('3 exchanges passed while this page was hidden')"
            )
            assert "since=" in page.requests[before]
            await page.until(shows("meanwhile"))
            await page.push("document.querySelector('.note button')")
            await page.until("!document.querySelector('.note')")
            assert page.complaints == []

    asyncio.run(look())


def test_what_a_run_came_to_is_reconciled_and_kept_as_csv(process: Goto, at: At, tmp_path: Path) -> None:
    process.api("PUT", "/goto/journal/set/y")
    target = {"name": "run", "method": "GET", "url": f"{process.base}/sent", "requestCount": 5, "reconcile": True}
    process.api("POST", "/client/targets/add", target)
    process.api("POST", "/client/targets/run/invoke")
    process.api("GET", "/client/results?wait=20s")  # once nothing runs any more

    async def look() -> None:
        async with at(process, "client/run") as shown:
            page = shown.page
            await page.keep_downloads(tmp_path)
            await shown.act(await shown.control("Reconcile"))
            bars = "[...document.querySelectorAll('.bars tr')].map(row => row.innerText.trim().split(/\\s+/).join(' '))"
            await page.until(f"{bars}.join() === 'sent 5,arrived 5,answered 5'")
            await shown.act(await shown.control("Series as CSV"))
            file = tmp_path / "run.csv"
            await asyncio.to_thread(eventually, file.exists)
            heads, *rows = file.read_text().splitlines()
            assert heads == "target,at,every,requests,errors,bytes,p50_ms,p99_ms,max_ms"
            assert sum(int(row.split(",")[3]) for row in rows) == 5

    asyncio.run(look())


def test_verify_answers_on_the_page(process: Goto, at: At) -> None:
    process.api("PUT", "/goto/journal/set/y")
    process.call("POST", "/order")

    async def look() -> None:
        async with at(process, "verify") as shown:
            told = "(document.querySelector('.told')?.innerText ?? '')"
            control = await shown.control("Verify")
            await shown.act(control)
            assert await shown.answer(control) == "it does not hold"
            asked = {"when": {"uris": ["/orders"]}, "count": {"atLeast": 1}, "timeout": "0s"}
            assert await shown.page.run(told) == process.call("POST", "/goto/journal/verify", asked).text.strip()
            assert "wanted /orders, was /order" in await shown.page.run(told)
            process.call("POST", "/orders")
            await shown.act(control)
            await shown.page.until(f"{told}.includes('/orders') && !{told}.includes('nearest')")
            assert await shown.answer(control) == "it holds"

    asyncio.run(look())


MARKUP = ["<script>document.title = 1</script>", '"><img src=/stolen onerror=document.title=1>', "\u202etxt.exe"]


def test_markup_is_text(process: Goto, at: At) -> None:
    evil = "".join(MARKUP[:2])
    for at_, name in enumerate(MARKUP[:2]):
        process.api("POST", "/response/rules/add", {"name": name, "when": {"uris": ["/x"]}, "headers": [["x", name]]})
        target = {"name": name, "method": "GET", "url": process.base, "body": name}
        process.api("POST", "/client/targets/add", target)
        process.api("POST", "/request/proxy/targets/add", {"name": name, "url": process.base, "match": {"uris": [f"/p{at_}"]}})
        process.api("POST", "/goto/journal/expectations/add", {"name": name, "when": {"uris": ["/x"]}})
    process.api("POST", "/goto/config", {"label": evil, "journal": {}})
    head = f"POST /x?{MARKUP[0]} HTTP/1.1\r\nHost: a\r\nx: {evil}\r\ny: {MARKUP[2]}\r\n".replace(" = ", "=").encode()
    body = json.dumps({"a": [*MARKUP, "\r"]}, ensure_ascii=False).encode()
    process.raw(head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
    number = process.api("GET", "/goto/journal?uri=/x").json()["entries"][-1]["seq"]

    async def look() -> None:
        async with at(process, f"exchanges/{number}") as shown:
            page = shown.page
            await page.until("!!document.querySelector('.entry .body')")
            seen = await page.run(TEXT)
            assert "<script>document.title=1</script>" in seen
            assert '"><img src=/stolen' in seen
            assert "\\u202e" in seen
            assert "\u202e" not in seen
            for place in ("rules", "traffic", "client", "listeners", "verify"):
                await shown.go(place)
                await page.until(shows("<img src=/stolen"))
                await page.click("[...document.querySelectorAll('main tr[data-row] .open')].at(-1)")
                await page.until("!!document.querySelector('.detail')")
                await shown.settled()
            await shown.go("config")
            await page.until(shows("<script>"))
            assert "goto" in await page.run("document.title")
            assert not any(urlsplit(url).path == "/stolen" for url in page.requests)
            assert await page.run("document.querySelectorAll('main img, main script').length") == 0
            assert page.complaints == []

    asyncio.run(look())


def test_a_har_has_what_the_filter_shows(process: Goto, at: At, tmp_path: Path) -> None:
    process.api("PUT", "/goto/journal/set/y")
    for path in ("/orders?x=1", "/other", "/orders?x=2", "/status/404"):
        process.call("GET", path)

    async def look() -> None:
        async with at(process, "exchanges?uri=x%3D&status=2xx") as shown:
            await shown.page.keep_downloads(tmp_path)
            await shown.page.until(f"{ROWS} === 2")
            await shown.act(await shown.control("Download as HAR"))
            file = tmp_path / "goto.har"
            await asyncio.to_thread(eventually, file.exists)
            entries = json.loads(file.read_text())["log"]["entries"]
            assert [entry["request"]["url"].split("/")[-1] for entry in entries] == ["orders?x=1", "orders?x=2"]
            await shown.go("exchanges?slow=60000")
            await shown.page.until(shows("No exchange fits"))
            await shown.write("ms at least", "0")
            await shown.page.until(f"{ROWS} === 4")

    asyncio.run(look())


def test_a_document_is_compared_before_it_is_applied(process: Goto, at: At, tmp_path: Path) -> None:
    process.api("PUT", "/response/delay/set/1ms")

    async def look() -> None:
        async with at(process, "config") as shown:
            page = shown.page
            await page.until(shows("delay: 1ms"))
            (tmp_path / "other.yaml").write_text("response: {delay: 2ms}")
            await page.drop(tmp_path / "other.yaml", "document.querySelector('.drop')")
            await page.until("document.querySelector('.taken')?.innerText.includes('delay: 1ms')")
            assert "delay: 2ms" in await page.run("document.querySelector('.added').innerText")
            assert process.api("GET", "/response/delay").text == "Response delay: 1ms\n"
            await shown.act(await shown.control("Apply"))
            await page.until("document.querySelector('.config').innerText.includes('delay: 2ms')")
            await shown.write("Drop a file here, choose one, or write: YAML or JSON", "response: {dealy: 2ms}")
            await page.until(shows("did you mean delay?"))

    asyncio.run(look())
    assert process.api("GET", "/response/delay").text == "Response delay: 2ms\n"


def test_what_fails_is_said_beside_the_control_and_tied_to_the_field(process: Goto, at: At) -> None:
    async def look() -> None:
        async with at(process, "traffic") as shown:
            page = shown.page
            await shown.write("Delay", "soon")
            control = await shown.control("Set", "/delay/")
            await shown.act(control)
            said = call(process.port, "PUT", "/response/delay/set/soon").text.strip()
            assert await shown.answer(control) == f"400: {said}"
            delay = "document.querySelector('[aria-label=Delay] input')"
            assert (
                await page.until(f"document.getElementById({delay}.getAttribute('aria-describedby'))?.innerText")
                == f"400: {said}"
            )
            await shown.show("rules?new=" + json.dumps({"name": "a", "status": 503}))
            await shown.page.until("!!document.querySelector('.form')")
            await page.run("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
            await shown.write("probability", "1.5")
            await shown.act(await shown.control("Add"))
            await page.until("document.querySelector('[aria-invalid]')?.labels[0].innerText === 'probability'")
            hint = "document.getElementById(document.querySelector('[aria-invalid]').getAttribute('aria-describedby')).innerText"
            assert "1.5 is not a number from 0 to 1" in await page.run(hint)
            # the JSON and the fields say the same, both ways
            json_side = "document.querySelector('.json textarea')"
            assert json.loads(await page.run(f"{json_side}.value"))["probability"] == 1.5
            await page.run(f"{json_side}.focus(), {json_side}.select()")
            await page.write('{"name": "b", "status": 418, "when": {"headers": [["x", "{y}"]]}}')
            await page.until(
                "[...document.querySelectorAll('label')].find(one => one.innerText === 'status').control.value === '418'"
            )
            await shown.act(await shown.control("Add"))
            await page.until("location.hash === '#rules/b'")

    asyncio.run(look())
    assert process.api("GET", "/response/rules/b").json()["when"]["headers"] == [["x", "{y}"]]
