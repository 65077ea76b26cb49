"""`goto ctl journal`, and following it."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from support import ROOT
from support.client import Client, get
from support.ctl import Run
from support.goto_process import Goto
from support.waiting import PATIENCE

from goto.command.ctl.journal import Followed, line
from goto.command.ctl.session import Session


@pytest.fixture
def journal(process: Goto) -> Goto:
    """The goto, with an empty journal."""
    process.api("PUT", "/goto/journal/set/n")
    process.api("PUT", "/goto/journal/set/y")
    return process


def test_what_went_through(run: Run, journal: Goto):
    for path in ("/a", "/status/503", "/b"):
        journal.call("GET", path)
    assert [" GET /a 200 " in shown for shown in run("journal").out.splitlines()] == [True, False, False]
    assert "GET /status/503 503" in run("journal", "--status", "5xx").out
    assert run("journal", "--uri", "/nothing") == (0, "", "")
    assert len(json.loads(run("journal", "--json").out)["entries"]) == 3
    assert json.loads(run("journal", "--har", "--limit", "2").out)["log"]["version"] == "1.2"
    assert json.loads(run("goto", "journal", "--json").out)["next"] == 3


def test_where_it_is_off(run: Run, journal: Goto):
    journal.api("PUT", "/goto/journal/set/n")
    ran = run("journal")
    assert (ran.status, ran.out) == (3, "")
    assert ran.error.startswith("goto: journal: it is off: PUT /goto/journal/set/y")


def test_har_is_not_followed(run: Run):
    assert run("journal", "-f", "--har").error == "goto: --har: not with -f\n"


def test_each_exchange_is_shown_once_when_it_has_ended(journal: Goto, capsys: pytest.CaptureFixture[str]):
    followed = Followed(Session({"url": journal.base}), {"since": "0", "uri": "/{rest:.*}"})
    journal.api("POST", "/response/rules/add", {"name": "held", "when": {"uris": ["/held"]}, "abort": "hang"})
    with Client(journal.port) as client:
        client.send(get("/held"))
        journal.call("GET", "/a")
        followed.look()
        assert "/a" in capsys.readouterr().out
        journal.api("PUT", "/response/rules/held/remove")
        assert client.answer().status == 200
        until = time.monotonic() + PATIENCE
        while not (shown := capsys.readouterr().out):
            assert time.monotonic() < until
            followed.look()
    assert "/held" in shown
    assert followed.sum == "2 exchanges: 2 2xx"


ENTRY: dict[str, Any] = {
    "seq": 1,
    "listener": 8080,
    "time": "2026-11-26T10:45:12.123456Z",
    "method": "GET",
    "uri": "/a\x1b",
    "status": 503,
    "ms": {"end": 1.25},
    "by": ["rule:flaky"],
    "end": "completed",
}


def test_a_line():
    assert line(ENTRY) == "10:45:12.123\t8080\t503\t1.2ms\tGET\t/a\\u001b\trule:flaky"
    aborted = {**ENTRY, "status": 0, "ms": {"end": None}, "end": "aborted"}
    assert line(aborted) == "10:45:12.123\t8080\t-\t-\tGET\t/a\\u001b\trule:flaky aborted"


def test_followed_on_a_terminal_until_ctrl_c(journal: Goto):
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "goto", "ctl", "--url", journal.base, "journal", "-f"]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env={**os.environ, "TERM": "xterm"})
    os.close(slave)
    shown = ""
    until = time.monotonic() + PATIENCE
    while "/followed" not in shown:
        journal.call("GET", "/followed")
        assert time.monotonic() < until, shown
        while select.select([master], [], [], 0.1)[0]:
            shown += os.read(master, 65536).decode()
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    while select.select([master], [], [], 0.1)[0]:
        try:
            shown += os.read(master, 65536).decode()
        except OSError:
            break
    os.close(master)
    assert " exchange" in shown.splitlines()[-1]
    assert "Traceback" not in shown
