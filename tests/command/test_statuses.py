"""What the exit statuses say."""

from __future__ import annotations

import pytest
from support.goto_process import run_goto
from support.ports import free_port

from goto.command.statuses import STATUSES, help_of


def test_the_help_has_those_of_all_commands_and_its_own() -> None:
    assert "a condition of --fail-if holds" in help_of("goto send")
    assert "it is done" in help_of("goto send")
    assert "refused" not in help_of("goto send")
    assert run_goto("send", "--help")[1].endswith(help_of("goto send"))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("2", ["check"]),
        ("0", ["addon"]),
        ("3", ["send", "http://127.0.0.1:{port}/"]),
        ("1", ["health", "http://127.0.0.1:{port}/"]),
        ("4", ["ctl", "--url", "http://127.0.0.1:{port}", "label"]),
    ],
)
def test_a_command_ends_so(status: str, words: list[str]) -> None:
    ended, _, _ = run_goto(*(word.replace("{port}", str(free_port())) for word in words))
    assert str(ended) == status
    assert any(one == status and name in ("goto", f"goto {words[0]}") for name, one, _ in STATUSES)
