"""The command as a process: what every test of a real process runs, and how it ends."""

from __future__ import annotations

from support.goto_process import run_goto


def test_the_status_of_a_command_is_that_of_the_process() -> None:
    assert run_goto("--version")[0] == 0
    assert run_goto("--nope")[0] == 2
    assert run_goto("health", "http://127.0.0.1:1")[0] == 1
