"""Tables of text: a column of words, then columns of figures, one row a line."""

from __future__ import annotations

from collections.abc import Sequence

from goto.command.send.terminal import Looks, width

GAP = 2
"""Blanks between two columns; a terminal with no room for them gets one."""

LEAST_WORDS = 8
"""Columns that the words keep before a column of figures is left out."""


def table(looks: Looks, head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table. The first column holds words, the others figures, which are at the right.

    On a terminal with too little room the words are cut, and then columns of figures are left out, the last one first; a figure
    is never split. Without words, which is where the first column is all empty, there is no such column.
    """
    every = [list(head), *map(list, rows)]
    if not any(row[0] for row in every):
        every = [row[1:] for row in every]
        wordless = True
    else:
        wordless = False
    gap = GAP
    widths = _widths(every)
    if looks.columns is not None:
        least = widths[0] if wordless else min(widths[0], LEAST_WORDS)
        for gap in (GAP, 1):
            if least + sum(widths[1:]) + gap * (len(widths) - 1) <= looks.columns:
                break
        while len(widths) > 1 and least + sum(widths[1:]) + gap * (len(widths) - 1) > looks.columns:
            widths.pop()
        if not wordless:
            widths[0] = min(widths[0], looks.columns - sum(widths[1:]) - gap * (len(widths) - 1))
    lines = []
    for number, row in enumerate(every):
        cells = [
            _left(looks.cut(cell, room), room) if place == 0 and not wordless else " " * (room - width(cell)) + cell
            for place, (cell, room) in enumerate(zip(row, widths, strict=False))
        ]
        line = (" " * gap).join(cells).rstrip()
        lines.append(looks.bold(line) if number == 0 else line)
    return lines


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]


def _left(text: str, room: int) -> str:
    return text + " " * (room - width(text))
