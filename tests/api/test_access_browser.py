"""What a page in a real browser can do to a goto on the same machine: nothing, but from goto's own pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from support.browser import Browser, Page, page
from support.goto_process import Goto
from support.ports import free_port
from support.upstream import Reply, Upstream
from support.waiting import eventually

ADMIN_HOSTS = ("--admin-host", "127.0.0.1,localhost")
NOTHING = b"<!doctype html><title>evil</title><body></body>"


@pytest.fixture(scope="module")
def evil() -> Iterator[Upstream]:
    """A site with an empty page."""
    with Upstream() as site:
        site.on("/", Reply(body=NOTHING, headers=[("Content-Type", "text/html")]))
        yield site


@asynccontextmanager
async def at(browser: Browser, url: str) -> AsyncIterator[Page]:
    """A browser that shows a page."""
    async with page(browser) as shown:
        await shown.open(url)
        await shown.until(f"location.href === {url!r} && document.readyState === 'complete'")
        yield shown


def forgery(base: str, way: str) -> str:
    """A script that tries to set a label, or to ask for one, without being let by CORS; done once the answer is here."""
    return {
        "fetch": f"fetch('{base}/label/set/forged', {{method: 'POST', mode: 'no-cors', body: 'x'}}).then(() => 1, () => 1)",
        "cors": f"fetch('{base}/label/set/forged', {{method: 'PUT'}}).then(() => 1, () => 1)",
        "beacon": f"navigator.sendBeacon('{base}/label/set/forged', 'x')",
        "form": f"""new Promise(done => {{
            const frame = document.createElement('iframe'), form = document.createElement('form');
            frame.name = 'answer'; document.body.append(frame, form);
            form.method = 'post'; form.target = 'answer'; form.action = '{base}/label/set/forged';
            frame.onload = () => done(1); form.submit(); }})""",
        "image": f"""new Promise(done => {{
            const image = new Image(); image.onload = image.onerror = () => done(1); image.src = '{base}/label'; }})""",
        "frame": f"""new Promise(done => {{
            const frame = document.createElement('iframe'); frame.onload = () => done(1);
            frame.src = '{base}/label'; document.body.append(frame); }})""",
    }[way]


WAYS = ("fetch", "cors", "beacon", "form", "image", "frame")


def management_of(log: str) -> list[tuple[str, str, str]]:
    """Method, target and status of the management calls of a log."""
    lines = [line.split() for line in log.splitlines()]
    return [(line[3], line[4], line[5]) for line in lines if line[-1] == "api"]


# a page of another site, and one of another port of the same one
@pytest.mark.parametrize("site", ["evil.localhost", "127.0.0.1"])
def test_a_page_of_another_origin_changes_nothing(site: str, evil: Upstream, goto: Callable[..., Goto], browser: Browser) -> None:
    process = goto(f"attacked-by-{site}", "--host", "127.0.0.1")

    async def attack() -> None:
        async with at(browser, f"http://{site}:{evil.port}/") as shown:
            for way in WAYS:
                assert await shown.run(forgery(process.base, way)), way
            # traffic is none of management's business
            assert await shown.run(f"fetch('{process.base}/traffic', {{mode: 'no-cors'}}).then(() => 'sent')") == "sent"

    asyncio.run(attack())
    assert process.api("GET", "/label").text == f"Label: attacked-by-{site}\n"
    # nobody is told when a beacon has come
    eventually(lambda: management_of(process.log), lambda calls: [call[1] for call in calls].count("/label/set/forged") >= 4)
    log = process.stop()
    refused = [(method, target) for method, target, status in management_of(log) if status == "403"]
    assert refused.count(("POST", "/label/set/forged")) == 3
    assert refused.count(("GET", "/label")) == 2
    # what a preflight asks is no method of that route, and nothing allows what it asks for
    assert [status for method, _, status in management_of(log) if method == "OPTIONS"] in (["403"], ["405"])
    assert [call for call in management_of(log) if call[2] == "200"] == [("GET", "/label", "200")]
    assert "GET /traffic 200" in log


def test_a_name_that_was_turned_to_this_machine_changes_nothing(goto: Callable[..., Goto], browser: Browser) -> None:
    """DNS rebinding: to the browser it is all one origin, and only the name of the host tells."""
    admin = free_port()
    process = goto("rebound", "--host", "127.0.0.1", *ADMIN_HOSTS, "--admin-port", str(admin))

    async def attack() -> None:
        for port in (process.port, admin):
            async with at(browser, f"http://rebound.localhost:{port}/x") as shown:
                tried = await shown.run("fetch('/label/set/forged', {method: 'PUT'}).then(answer => answer.status)")
                assert tried == (200 if port == process.port else 421)

    asyncio.run(attack())
    assert process.call("GET", "/x").value("via-goto") == "rebound"
    # without --admin-host it would have worked
    open_one = goto("open", "--host", "127.0.0.1")

    async def succeed() -> None:
        async with at(browser, f"http://rebound.localhost:{open_one.port}/x") as shown:
            await shown.run("fetch('/label/set/forged', {method: 'PUT'}).then(answer => answer.status)")

    asyncio.run(succeed())
    assert open_one.api("GET", "/label").text == "Label: forged\n"


def test_a_page_of_its_own_and_a_link_work(evil: Upstream, goto: Callable[..., Goto], browser: Browser) -> None:
    process = goto("own", "--host", "127.0.0.1")

    async def use() -> None:
        async with at(browser, f"{process.base}/goto/help") as shown:
            script = "fetch('/label/set/by-page', {method: 'PUT'}).then(answer => answer.text())"
            assert await shown.run(script) == f"Port {process.port} is labelled by-page\n"
            await shown.open(f"http://evil.localhost:{evil.port}/")
            await shown.until("document.title === 'evil'")
            await shown.run(f"location.href = '{process.base}/label'")
            assert await shown.until("location.pathname === '/label' && document.body.innerText") == "Label: by-page\n"

    asyncio.run(use())


def test_the_page_of_the_api_works_with_a_token(goto: Callable[..., Goto], browser: Browser) -> None:
    """It loads without one; what it calls needs it."""
    process = goto("documented", "--host", "127.0.0.1", env={"GOTO_ADMIN_TOKEN": "admin-s3cr3t"})

    async def use() -> None:
        async with at(browser, f"{process.base}/goto/docs") as shown:
            await shown.until("!!document.querySelector('.authorize') && !!document.querySelector('.opblock-tag')")
            script = "fetch('/label', {headers: %s}).then(answer => answer.status)"
            assert await shown.run(script % "{}") == 401
            assert await shown.run(script % "{Authorization: 'Bearer admin-s3cr3t'}") == 200

    asyncio.run(use())
