"""Each control of the page: the click does what its call says, and so do its copies as curl, for goto ctl and as YAML."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import pytest
from support.browser import Browser
from support.goto_process import Goto
from support.ports import free_port
from support.ui import Control, Ui, ui
from support.waiting import PATIENCE, eventually

from goto.command.check import check
from goto.command.ctl.command import ctl

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


@pytest.mark.parametrize("port", [None, OTHER], ids=["own", "other"])
def test_a_click_and_what_is_copied_do_the_same(
    port: int | None, process: Goto, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("GOTO_ADMIN_TOKEN", raising=False)
    state = State(process, port)
    tried: set[tuple[str, str]] = set()

    async def look() -> None:
        async with ui(browser, process.base, tmp_path) as shown:
            await shown.show("verify")
            for place in PLACES if port is None else PLACES[:1]:
                where = place.format(other=OTHER) + (f"?port={port}" if port else "")
                for control in await _filled(shown, where):
                    if control.enabled and not control.label.startswith(NOT_SETTINGS) and control.key not in tried:
                        tried.add(control.key)
                        await _try(shown, state, where, control.key)

    asyncio.run(look())
    eventually(lambda: state.has_logged(state.made))
    assert len(tried) > 40 or port


class State:
    """What is set in a goto where every control is there, and whether it has changed since."""

    def __init__(self, process: Goto, port: int | None) -> None:
        self.process = process
        self.port = port
        self.begin = len(process.log)
        self.made: list[Control] = []
        """What was called: by a click, a shell and goto ctl, one after another."""
        self._set()
        self.known = self.config()

    def _set(self) -> None:
        self.process.api("POST", "/goto/config?replace=y", STATE)
        if self.port:
            self.process.api("POST", f"/goto/port/{self.port}/response/rules/add", STATE["response"]["rules"][0])

    def restore(self, now: Any) -> bool:
        """Bring it about. Returns whether it is otherwise now."""
        if now != self.known:
            self._set()
        return bool(now != self.known)

    def config(self) -> Any:
        return self.process.call("GET", "/goto/config", headers={"Accept": "application/json"}).json()

    def has_logged(self, made: Sequence[Control]) -> bool:
        """Whether the log has the calls of these controls, in their order; there may be others between them."""
        calls = (" ".join(line.split()[3:5]) for line in self.process.log[self.begin :].splitlines() if line.endswith(" api"))
        return all(any(map(control.means, calls)) for control in made)


async def _filled(shown: Ui, place: str) -> list[Control]:
    """Show a view as if for the first time, and fill its fields in. Its controls."""
    await shown.go("verify")
    await shown.page.until("!!document.querySelector('main[aria-label=Verify] .act')")
    await shown.go(place)
    view, _, item = place.split("?")[0].partition("/")
    await shown.page.until(f"!!document.querySelector('main[aria-label={view.title()}] {'.detail .act' if item else '.act'}')")
    await shown.settled()
    await shown.page.run("document.querySelectorAll('main details:not(.copies)').forEach(one => { one.open = true; })")
    await shown.fill(FILLED)
    await shown.settled()
    return await shown.controls()


async def _try(shown: Ui, state: State, place: str, key: tuple[str, str]) -> None:
    control = next(one for one in await shown.controls() if one.key == key)
    await shown.act(control)
    await shown.called(control)
    state.made.append(control)
    clicked = state.config()
    changed = state.restore(clicked)
    for run in (_in_a_shell, _as_goto_ctl):
        run(control)
        state.made.append(control)
        assert state.config() == clicked, (run, control)
        state.restore(clicked)
    if "YAML" in control.copies:
        text = control.copies["YAML"]
        assert await asyncio.to_thread(_passes_check, text), (control, text)
        state.process.api("POST", "/goto/config", text)
        assert state.config() == clicked, (control, text)
        state.restore(clicked)
    if changed:
        await _filled(shown, place)


def _in_a_shell(control: Control) -> None:
    """What is refused when it is said again is none of our business."""
    here = f'curl() {{ command curl -sS "$@"; }}; {control.copies["curl"]}'
    subprocess.run(["bash", "-c", here], stdout=DEVNULL, stderr=DEVNULL, timeout=PATIENCE, check=False)


def _as_goto_ctl(control: Control) -> None:
    """A shell reads its words; what carries them out is here, since a process for each takes its time."""
    here = f'goto() {{ printf "%s\\0" $# "$@"; cat; }}; {control.copies["goto ctl"]}'
    read = subprocess.run(["bash", "-c", here], stdin=DEVNULL, stdout=PIPE, timeout=PATIENCE, check=True).stdout
    number, _, rest = read.decode().partition("\0")
    first, *words, body = rest.split("\0", int(number))
    assert first == "ctl"
    given, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(body.encode()))
    try:
        ctl(words)
    finally:
        sys.stdin = given


def _passes_check(text: str) -> bool:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        return check([file.name]) == 0
