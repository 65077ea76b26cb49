"""Outcomes as a table, for a terminal and for a page."""

from __future__ import annotations

import re
from pathlib import Path

from bench.measure import Outcome, Row

HEAD = ("row", "what", "measured", "ratio", "at least", "aim", "met?")
MARKS = ("<!-- bench -->", "<!-- /bench -->")
"""What stands between them in a page is replaced."""

_MET = {"aim": "yes, and the aim", "yes": "yes", "no": "**no**", "–": "–"}


def cells(row: Row, outcome: Outcome) -> tuple[str, ...]:
    what = f"{row.what}; beside {row.beside}" if row.beside else row.what
    return row.name, what, outcome.measured, outcome.ratio, *row.demands, _MET[outcome.met]


def aligned(lines: list[tuple[str, ...]]) -> str:
    """For a terminal."""
    lines = [tuple(cell.replace("`", "").replace("*", "") for cell in line) for line in (HEAD, *lines)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def markdown(lines: list[tuple[str, ...]], machine: str) -> str:
    """For a page: the table, and below it what it was measured on."""
    rows = [HEAD, tuple("---" for _ in HEAD), *lines]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in rows), "", f"Measured on {machine}."])


def save(page: Path, text: str) -> None:
    """Put a text between a page's marks. Raises ValueError where they are not."""
    before, after = map(re.escape, MARKS)
    old = page.read_text()
    new, count = re.subn(f"({before}\n).*?({after})", lambda found: f"{found[1]}{text}\n{found[2]}", old, flags=re.S)
    if count != 1:
        raise ValueError(f"{page}: the marks {' and '.join(MARKS)} are not there once")
    page.write_text(new)
