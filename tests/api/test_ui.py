"""The page as it is served: its files, how they are found, and that they stay small."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support import ROOT
from support.browser import Browser
from support.goto_process import Goto
from support.ports import free_port
from support.ui import READY, ui

from goto.api.files import POLICY
from goto.api.ui import FOLDER, files

UI = ROOT / "goto" / "api" / FOLDER
OWN = [name for name in files() if name != "preact.js"]

MOST, MOST_COMPRESSED = 140_000, 50_000
"""Bytes of all files together."""
MOST_STYLE = 400
"""Lines of the style sheet."""


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("ui", "--host", "127.0.0.1")


def test_the_page_is_small() -> None:
    contents = [file.read() for file in files().values()]
    assert sum(map(len, contents)) <= MOST
    assert sum(len(gzip.compress(content, 9, mtime=0)) for content in contents) <= MOST_COMPRESSED
    assert len((UI / "style.css").read_text().splitlines()) <= MOST_STYLE


def test_nothing_is_set_as_markup_and_nothing_is_made_of_text() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|style=|https?://(?!localhost)[a-z]"
    )
    for name in OWN:
        assert not forbidden.findall((UI / name).read_text()), name
    page = (UI / "index.html").read_text()
    assert not re.findall(r"<style|\son\w+=|<script(?![^>]* src=)", page)


def test_each_module_is_loaded_by_another_and_says_what_it_is_for() -> None:
    imported = {"main.js"}
    for name in OWN:
        imported |= set(re.findall(r'from "\./([\w.]+)"', (UI / name).read_text()))
    assert imported == {name for name in files() if name.endswith(".js")}
    for name in OWN:
        if name.endswith(".js"):
            assert (UI / name).read_text().startswith("// "), name


def test_what_is_from_others_has_its_licence() -> None:
    assert "Apache License" in (UI / "LICENSE-htm").read_text()
    assert "The MIT License" in (UI / "LICENSE-preact").read_text()
    versions = re.findall(r"^(HTM|PREACT|AXE) := ([\d.]+)$", (ROOT / "Makefile").read_text(), re.M)
    assert {name for name, _ in versions} == {"HTM", "PREACT", "AXE"}
    axe = ROOT / "tests" / "support" / "axe"
    assert f"axe v{dict(versions)['AXE']}" in (axe / "axe.min.js").read_text()[:200]


def test_its_files(process: Goto) -> None:
    paths = {"/goto/ui": files()["index.html"], **{f"/goto/ui/{name}": file for name, file in files().items()}}
    for path, file in paths.items():
        answer = process.call("GET", path)
        assert (answer.status, answer.body, answer.value("content-type")) == (200, file.read(), file.media)
        assert (answer.value("content-security-policy"), answer.value("x-content-type-options")) == (POLICY, "nosniff")
        assert (answer.value("referrer-policy"), answer.value("cache-control")) == ("no-referrer", "no-cache")
        again = process.call("GET", path, headers={"If-None-Match": answer.value("etag") or ""})
        assert (again.status, again.body) == (304, b"")
    for name in ("nope.js", "..%2Fui.py", "LICENSE-htm", ".", "index.html%00"):
        assert process.call("GET", f"/goto/ui/{name}").status in (400, 404)


def test_it_is_found(goto: Callable[..., Goto], process: Goto) -> None:
    for path in ("/goto", "/goto/"):
        answer = process.call("GET", path)
        assert (answer.status, answer.value("location")) == (302, "/goto/ui")
    assert "; its page there: /goto/ui\n" in process.log
    admin = free_port()
    apart = goto("apart", "--host", "127.0.0.1", "--no-admin", "--admin-port", str(admin))
    assert f" curl http://127.0.0.1:{admin}/goto/help; its page there: /goto/ui\n" in apart.log
    assert b'href="/goto/ui"' in process.call("GET", "/goto/docs").body
    guarded = goto("guarded", "--host", "127.0.0.1", env={"GOTO_ADMIN_TOKEN": "admin-s3cr3t"})
    assert guarded.call("GET", "/goto/ui").status == 200
    assert guarded.call("GET", "/goto/ui/main.js").status == 200
    assert guarded.call("GET", "/goto/").status == 302


def test_it_asks_nobody_else_and_acts_on_the_one_chosen(goto: Callable[..., Goto], browser: Browser, tmp_path: Path) -> None:
    admin, other = free_port(), free_port()
    process = goto("chosen", "--host", "127.0.0.1", "--no-admin", "--admin-port", str(admin))
    base = f"http://127.0.0.1:{admin}"

    async def look() -> None:
        async with ui(browser, base, tmp_path) as shown:
            await shown.page.open(f"{base}/goto")
            await shown.page.until(READY)
            assert await shown.page.run("location.pathname") == "/goto/ui"
            assert await shown.page.run("document.querySelector('header a').getAttribute('href')") == "/goto/docs"
            await shown.page.run(f"fetch('/listeners/add', {{method: 'POST', body: '{{\"port\": {other}, \"open\": true}}'}}); 1")
            # on the admin port it is the first listener
            await shown.go("traffic")
            control = await shown.control("Clear", "/delay/")
            assert control.path == f"/goto/port/{process.port}/response/delay/clear"
            await shown.page.until("document.querySelectorAll('.choice option').length === 2")
            await shown.write("Listener", str(other))
            await shown.write("Delay", "3ms")
            control = await shown.control("Set", f"/goto/port/{other}/response/delay/")
            await shown.act(control)
            assert await shown.answer(control)
            assert await shown.page.run("location.hash") == f"#traffic?port={other}"
            hosts = {urlsplit(url).netloc for url in shown.page.requests if not url.startswith(("data:", "about:"))}
            assert (hosts, shown.page.complaints) == ({f"127.0.0.1:{admin}"}, [])

    asyncio.run(look())
    from support.calls import call

    assert call(admin, "GET", f"/goto/port/{other}/response/delay").text == "Response delay: 3ms\n"
    assert call(admin, "GET", "/response/delay").text == "No response delay\n"
