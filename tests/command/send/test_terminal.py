"""What an output can show."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios
from collections.abc import Iterator
from typing import TextIO

import pytest

from goto.command.send.terminal import Looks, width


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    """One of 60 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 60, 0, 0))
    with open(theirs, "w", encoding="utf-8") as out:
        yield out
    os.close(ours)


@pytest.mark.parametrize(
    ("env", "looks"),
    [
        ({"TERM": "xterm"}, Looks(60, colour=True, moves=True)),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Looks(60, moves=True)),
        ({"TERM": "xterm", "NO_COLOR": ""}, Looks(60, colour=True, moves=True)),
        ({"TERM": "dumb"}, Looks(60)),
        ({"TERM": ""}, Looks(60)),
    ],
)
def test_a_terminal_is_asked_and_the_environment_followed(
    terminal: TextIO, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], looks: Looks
):
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert Looks.of(terminal) == looks


def test_a_pipe_has_neither_columns_nor_colour(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert Looks.of(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) == Looks()
    assert Looks.of(io.TextIOWrapper(io.BytesIO(), encoding="ascii")) == Looks(blocks=False)


def test_text_is_cut_and_folded_by_the_columns_it_takes():
    assert (width("abc"), width("好a"), width("e\u0301")) == (3, 3, 1)
    assert Looks().cut("hello", 5) == "hello"
    assert Looks().cut("hello!", 5) == "hell…"
    assert Looks(blocks=False).cut("hello!", 5) == "hell~"
    assert Looks().cut("好好好", 5) == "好好…"
    assert Looks(10).folded("one two three fourteen characters") == ["one two", "three", "fourteen", "characters"]
    assert Looks().folded("one two three") == ["one two three"]
