"""How far a run is, said on standard error."""

from __future__ import annotations

import pytest

from goto.client.results import Results
from goto.command.send import progress as module
from goto.command.send.progress import Bar, Lines, Speed, progress
from goto.upstream.connection import Broken


def some() -> Results:
    results = Results()
    for _ in range(1500):
        results.of("t").answer(200, b"OK", [], {}, sent=1.0, due=None, now=1.1, size=1, body=1)
    results.of("u").failure(Broken("closed"), sent=1.0, now=2.0, size=0, body=0)
    return results


def test_without_a_terminal_there_are_lines(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LINE_SECONDS", 0.0)
    shown = progress(some(), 2000)
    assert isinstance(shown, Lines)
    shown.update()
    shown.close()
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("goto: 1,501 of 2,000 requests, ")
    assert err.endswith("/s, 1 error\n")


def test_lines_come_every_few_seconds_only(capfd: pytest.CaptureFixture[str]):
    shown = progress(some(), 2000)
    for _ in range(10):
        shown.update()
    assert capfd.readouterr().err == ""


def test_speed_is_that_of_late():
    results = some()
    speed = Speed(results)
    assert speed.read() > 0
    assert (speed.done, speed.errors) == (1501, 1)


def test_a_bar_can_be_shown_and_goes(capfd: pytest.CaptureFixture[str]):
    shown = Bar(some(), 2000)
    shown.update()
    shown.close()
    assert capfd.readouterr().out == ""
