"""The tests that docs/edges.md names are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = [line for line in (ROOT / "docs/edges.md").read_text().splitlines() if line.startswith("| ")]
NAMED = sorted({name for row in ROWS for name in re.findall(r"`(tests/[^`]*)`", row)})


def test_each_row_names_a_test() -> None:
    rules = [row for row in ROWS if not row.endswith("| test |")]
    assert rules
    assert [row for row in rules if not re.search(r"`tests/[^`]*::[^`]*` \|$", row)] == []


@pytest.mark.parametrize("name", NAMED)
def test_a_named_test_exists(name: str) -> None:
    file, _, function = name.partition("::")
    tree = ast.parse((ROOT / file).read_text())
    assert function in [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
