"""How far a run is, said on standard error."""

from __future__ import annotations

import pytest
from support.counting import count_answer, count_failure

from goto.client.results import Results
from goto.command.send import progress as module
from goto.command.send.progress import HIDE, SHOW, Goal, Lines, Live, State, progress
from goto.command.send.terminal import Looks
from goto.upstream.errors import Broken


def some() -> Results:
    results = Results()
    for _ in range(1500):
        count_answer(results.of("t"), now=1.1)
    count_failure(results.of("u"), Broken("closed"))
    return results


def test_without_a_terminal_there_are_lines(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LINE_SECONDS", 0.0)
    shown = progress(some(), Goal(2000))
    assert isinstance(shown, Lines)
    shown.update()
    shown.close()
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("goto: 1,501 of 2,000 requests, ")
    assert err.endswith("/s, 1 error\n")


def test_lines_come_every_few_seconds_only(capfd: pytest.CaptureFixture[str]):
    shown = progress(some(), Goal(2000))
    for _ in range(10):
        shown.update()
    assert capfd.readouterr().err == ""


def test_a_run_of_a_duration_says_how_far_it_is():
    state = State(some(), Goal(None, 30.0))
    state.read()
    assert state.done == "1,501 requests, 0 of 30 s"
    state = State(some(), Goal(2000, 30.0))
    state.read()
    assert state.done == "1,501 of 2,000 requests, 0 of 30 s"


def test_speed_is_that_of_late():
    state = State(some(), Goal(2000))
    state.read()
    assert state.speed > 0
    assert (state.requests, state.errors) == (1501, "1 error")


@pytest.mark.parametrize("columns", [200, 80, 40, 20])
def test_a_live_line_is_never_wider_than_the_terminal_and_goes(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
):
    monkeypatch.setattr(Looks, "of", lambda _: Looks(columns, moves=True))
    shown = progress(some(), Goal(2000))
    assert isinstance(shown, Live)
    shown.update()
    line = capfd.readouterr().err
    assert line.startswith(f"{HIDE}\r")
    assert line.endswith("\x1b[K")
    assert len(line) - len(HIDE) - 4 < columns
    assert ("p99 " in line) == (columns >= 80)
    shown.close()
    out, err = capfd.readouterr()
    assert (out, err) == ("", f"\r\x1b[K{SHOW}")
