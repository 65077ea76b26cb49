"""What an output can show: its width, colour, and characters past ASCII."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from typing import TextIO

from goto.words.escapes import is_utf8

LEAST_COLUMNS = 20
"""A narrower terminal is taken for one of so many columns."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How an output is written to."""

    columns: int | None = None
    """Of a terminal; None for a pipe or a file, where no line is folded."""
    colour: bool = False
    moves: bool = False
    """The cursor can go back, so that a line is written over."""
    blocks: bool = True
    """It can show block characters."""

    @classmethod
    def of(cls, out: TextIO) -> Looks:
        """As `NO_COLOR` (no-color.org), `TERM` and the encoding have it."""
        blocks = is_utf8(out.encoding)
        try:
            if not out.isatty():
                return cls(blocks=blocks)
            columns = os.get_terminal_size(out.fileno()).columns or 80
        except OSError:
            return cls(blocks=blocks)
        moves = os.environ.get("TERM", "") not in ("", "dumb")
        return cls(max(columns, LEAST_COLUMNS), moves and not os.environ.get("NO_COLOR"), moves, blocks)

    def bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text

    def red(self, text: str) -> str:
        return f"\x1b[31m{text}\x1b[0m" if self.colour else text

    def cyan(self, text: str) -> str:
        return f"\x1b[36m{text}\x1b[0m" if self.colour else text

    def cut(self, text: str, columns: int) -> str:
        """Text that takes no more columns than that."""
        if width(text) <= columns:
            return text
        more = "…" if self.blocks else "~"
        while text and width(text) > columns - 1:
            text = text[:-1]
        return text + more

    def folded(self, text: str) -> list[str]:
        """A sentence in lines of a terminal, folded between its words only."""
        lines = [""]
        for word in text.split(" "):
            if self.columns and lines[-1] and width(lines[-1]) + 1 + width(word) > self.columns:
                lines.append(word)
            else:
                lines[-1] += f" {word}" if lines[-1] else word
        return lines


def width(text: str) -> int:
    """The columns that text takes on a terminal (UAX 11)."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
