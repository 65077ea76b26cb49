"""What is made of declarations is as it would be made, and Python that pages show is that of docs/examples."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from support import ROOT
from support.pages import DOCS, blocks, pages
from support.reference import BOUND, TABLES, written

EXAMPLES = [*(DOCS / "examples").glob("*.py"), *(ROOT / "configs" / "features").glob("*.py")]
SOURCES = "\n".join(re.sub(r"\n\s*\n", "\n", file.read_text()) for file in EXAMPLES)
"""Without blank lines, of which there are more where a part of a class stands by itself."""
SKETCHES = {"docs/features.md": 5, "docs/configuration.md": 1}
"""Blocks of Python that show no file of docs/examples: what such a file may look like on the way, or elsewhere."""


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_it_is_as_it_would_be_made(page: Path) -> None:
    assert page.read_text() == written(page), "run make reference"


def test_every_table_is_on_a_page() -> None:
    shown = set(re.findall(r"<!-- reference: ([\w-]+) -->", "".join(page.read_text() for page in pages())))
    assert shown == TABLES.keys()


def test_each_bound_says_where_it_is() -> None:
    table = (DOCS / "limits.md").read_text().split("\n## Bounds\n")[1]
    assert len(BOUND.findall(table)) == len(re.findall(r"^\| ", table, re.M)) - 1


def test_python_that_is_shown_is_run() -> None:
    """As a whole file, or as a part of one."""
    sketches: dict[str, int] = {}
    for page in pages():
        for block in blocks(page):
            text = textwrap.dedent(re.sub(r"\n\s*\n", "\n", re.sub(r"^# [\w.]+\n", "", block.text))).strip()
            parts = {textwrap.indent(text, " " * by) for by in (0, 4)}
            if block.language == "python" and not any(part in SOURCES for part in parts):
                name = str(page.relative_to(ROOT))
                sketches[name] = sketches.get(name, 0) + 1
    assert sketches == SKETCHES
