"""Each control of the page: the click does what its call says, and so do its copies as curl, for goto ctl and as YAML."""

from __future__ import annotations

import asyncio
import shlex
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import ROOT
from support.browser import find_chromium
from support.goto_process import Goto
from support.ports import free_port
from support.ui import Ui, ui
from support.waiting import PATIENCE, eventually

from goto.command.check import check

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="no browser is installed (Debian, Ubuntu: chromium)")

OTHER = free_port()

STATE: dict[str, Any] = {
    "label": "edge",
    "response": {
        "delay": "1ms",
        "status": "200:1000",
        "headers": [["x", "x1"], ["y", "y1"]],
        "setHeaders": [["z", "z1"]],
        "rules": [
            {"name": "flaky", "when": {"uris": ["/orders"]}, "seed": 7, "status": 503},
            {"name": "<b>", "seed": 8, "enabled": False, "delay": "1ms"},
        ],
    },
    "request": {
        "headers": {"track": ["user", "version"]},
        "timeout": {"track": ["all", "user"]},
        "uri": {"bypass": {"uris": ["/healthz", "/b?x=1"], "status": 204}},
        "proxy": {"targets": [{"name": "t1", "url": "http://127.0.0.1:9", "match": {"uris": ["/t1"]}, "enabled": False}]},
    },
    "client": {"targets": [{"name": "c1", "method": "GET", "url": "http://127.0.0.1:9/"}]},
    "listeners": [{"port": OTHER, "label": "inner", "response": {"delay": "2ms"}}],
}
"""So that every control is there."""

FILLED = {"Delay": "20ms", "Status": "418", "Header": "w", "Value": "w/1", "URI": "/ready", "Headers": "team", "Label": "in ner"}
"""What is written into the fields of the views, by their labels."""

PLACES = ("rules/flaky", "rules/%3Cb%3E", "traffic", "traffic/t1", "client/c1", "listeners/{other}", "exchanges")

NOT_SETTINGS = ("Download", "Series", "Invoke", "Stop", "Ask", "Verify")
"""How the labels begin of controls that are no calls which set something, or whose effect takes its time."""


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("edge", "--host", "127.0.0.1")


def config(process: Goto) -> Any:
    return process.call("GET", "/goto/config", headers={"Accept": "application/json"}).json()


def restore(process: Goto) -> None:
    process.api("POST", "/goto/config?replace=y", STATE)


def calls(process: Goto) -> list[str]:
    """Method and target of the management calls so far."""
    return [" ".join(line.split()[3:5]) for line in process.log.splitlines() if line.endswith(" api")]


@pytest.mark.parametrize("port", [None, OTHER], ids=["own", "other"])
def test_a_click_and_what_is_copied_do_the_same(port: int | None, process: Goto, tmp_path: Path) -> None:
    async def look() -> None:
        async with ui(tmp_path / "chromium", process.base) as shown:
            for place in PLACES if port is None else PLACES[:1]:
                where = place.format(other=OTHER) + (f"?port={port}" if port else "")
                restore(process)
                if port:
                    process.api("POST", f"/goto/port/{port}/response/rules/add", STATE["response"]["rules"][0])
                for at in range(await _filled(shown, where)):
                    await _try(shown, process, where, at, port)

    asyncio.run(look())
    assert len(SEEN) > 40 or port


SEEN: set[tuple[str, str]] = set()


async def _filled(shown: Ui, place: str) -> int:
    """Show a view, and fill its fields in. Returns how many controls it has."""
    await shown.show(place)
    await shown.page.until("document.querySelectorAll('.act').length > 1")
    item = place.split("?")[0].partition("/")[2]
    if item:
        await shown.page.until("!!document.querySelector('.detail .act')")
    await shown.settled()
    await shown.page.run("document.querySelectorAll('main details:not(.copies)').forEach(one => { one.open = true; })")
    for label, text in FILLED.items():
        for nth in range(await shown.fields(label)):
            await shown.write(label, text, nth)
    return len(await shown.controls())


async def _try(shown: Ui, process: Goto, place: str, at: int, port: int | None) -> None:
    await shown.page.until(f"document.querySelectorAll('.act').length > {at}")
    control = (await shown.controls())[at]
    if control.label.startswith(NOT_SETTINGS) or not control.enabled or (control.label, control.path) in SEEN:
        return
    SEEN.add((control.label, control.path))
    before, made = config(process), len(calls(process))
    await shown.act(control)
    await asyncio.to_thread(eventually, lambda: control.call in calls(process)[made:])
    clicked = config(process)
    for name in ("curl", "goto ctl"):
        if clicked != before:
            _again(process, port)
        made = len(calls(process))
        await _run(control.copies[name])
        await asyncio.to_thread(eventually, lambda made=made: any(control.means(call) for call in calls(process)[made:]))
        assert config(process) == clicked, (name, control)
    # as YAML
    if "YAML" in control.copies:
        _again(process, port)
        text = control.copies["YAML"]
        assert await _passes_check(text), (control, text)
        process.api("POST", "/goto/config", text)
        assert config(process) == clicked, (control, text)
    if config(process) != before:
        _again(process, port)
        await _filled(shown, place)


async def _run(command: str) -> None:
    """Run what was copied in a shell, where `goto` is this one. What is refused when it is said again is none of our business."""
    here = f'goto() {{ {shlex.quote(sys.executable)} -m goto "$@"; }}; curl() {{ command curl -sS "$@"; }}; {command}'
    ran = await asyncio.create_subprocess_exec("bash", "-c", here, stdout=DEVNULL, stderr=DEVNULL, cwd=ROOT)
    await asyncio.wait_for(ran.wait(), 3 * PATIENCE)


def _again(process: Goto, port: int | None) -> None:
    restore(process)
    if port:
        process.api("POST", f"/goto/port/{port}/response/rules/add", STATE["response"]["rules"][0])


async def _passes_check(text: str) -> bool:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        return await asyncio.to_thread(check, [file.name]) == 0
