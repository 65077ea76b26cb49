"""`goto ctl status`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support.ctl import Run
from support.goto_process import Goto

from goto.command.ctl import status as module


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates of a moment."""
    monkeypatch.setattr(module, "SPAN", 0.01)


def test_one_screen(run: Run, process: Goto):
    port = int(process.api("POST", "/listeners/add", {"port": 0, "open": True, "label": "second"}).text.split()[-1])
    process.api("POST", "/response/rules/add", {"name": "flaky", "when": {"uris": ["/a"]}, "status": 503, "count": 1})
    assert process.call("GET", "/a").status == 503
    ran = run("status")
    assert ran.status == 0
    lines = ran.out.splitlines()
    assert lines[0].endswith(f"at {process.base}: ready")
    assert lines[2].startswith("listener\tlabel\tprotocol\topen\tper second")
    assert lines[3].startswith(f"{process.port}\tctl\thttp\tyes\t")
    assert lines[4].startswith(f"{port}\tsecond\thttp\tyes\t")
    assert f"{process.port}\tflaky\tspent\t1\t1\t0\t0" in lines
    shows_more = f"goto ctl --port {process.port} response rules flaky reset"
    assert f"rule flaky of {process.port} is spent\t{shows_more}" in lines
    process.api("PUT", "/response/rules/clear")
    process.api("PUT", f"/listeners/{port}/close")
    assert f"listener {port} is closed\tgoto ctl listeners {port} open" in run("status").out
    process.api("PUT", f"/listeners/{port}/remove")
    assert run("status").out.endswith("\nnothing is odd\n")


def test_what_a_rule_was_unable_to_do(run: Run, process: Goto):
    rule = {"name": "cut", "truncate": {"after": 10**6}}
    process.api("POST", "/response/rules/add", rule)
    process.call("GET", "/a")
    assert f"rule cut of {process.port} was unable to do all it should: 1\t" in run("status").out
    process.api("PUT", "/response/rules/clear")


def test_as_json(run: Run, process: Goto):
    assert str(process.port) in json.loads(run("status", "--json").out)["counts"]


def test_a_limit_that_was_reached(run: Run, goto: Callable[..., Goto]):
    process = goto("limited", "--limit", "fields=8")
    process.call("GET", "/a", headers={f"X{n}": "1" for n in range(9)})
    assert "limit fields was reached 1 times\t" in run("--url", process.base, "status").out
