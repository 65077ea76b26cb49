"""The pages of the documentation, as Markdown: their blocks and tables, each with the line that it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support import ROOT

DOCS = ROOT / "docs"
GENERATED = re.compile(r"<!-- (reference|example): [\w.-]+ -->\n.*?<!-- /\1 -->\n?", re.S)
"""What `make reference` writes."""


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: Path
    line: int
    """The line of the page that its first line is, from 1."""
    language: str
    text: str
    not_run: str = ""
    """Why it is not run, if it is not."""

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Row:
    """A row of a table, without its head."""

    page: Path
    line: int
    cells: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page that users read."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    lines = page.read_text().splitlines()
    fence, language, begin, why = "", "", 0, ""
    for number, line in enumerate(lines, 1):
        if fence:
            if line.strip() == fence:
                yield Block(page, begin, language, "\n".join(lines[begin - 1 : number - 1]) + "\n", why)
                fence = why = ""
        elif found := re.fullmatch(r"\s*(`{3,})(.*)", line):
            fence, language, begin = found[1], found[2].strip(), number + 1
        elif found := re.fullmatch(r"\s*<!-- not run: (.+) -->", line):
            why = found[1]
        elif line.strip():
            why = ""


def rows(page: Path) -> Iterator[Row]:
    """The rows of all its tables. A `\\|` within a cell is a `|`."""
    begun = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if not line.startswith("|"):
            begun = False
        elif re.fullmatch(r"\|[-:| ]+\|", line):
            begun = True
        elif begun:
            cells = re.split(r"(?<!\\)\|", line.strip()[1:-1])
            yield Row(page, number, tuple(cell.strip().replace("\\|", "|") for cell in cells))


def links(page: Path) -> Iterator[tuple[str, str]]:
    """The links to other files and their headings: path, and what is behind `#`."""
    text = re.sub(r"^(```+).*?^\1$", "", page.read_text(), flags=re.S | re.M)
    yield from re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text)


def headings(page: Path) -> list[str]:
    """The anchors of its headings, as GitHub and the site name them."""
    text = re.sub(r"^(```+).*?^\1$", "", page.read_text(), flags=re.S | re.M)
    titles = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in re.findall(r"^#+ (.*)$", text, re.M))
    return [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]
