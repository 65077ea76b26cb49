"""The examples of docs/examples are in the page, and are run and read by the tools as all else is."""

from __future__ import annotations

import re
import tomllib

from support import ROOT

EXAMPLES = [file for file in sorted((ROOT / "docs" / "examples").glob("test_*.py")) if "Goto" in file.read_text()]
"""Those with the plug-in; others test features."""


def test_there_are_ten():
    assert len(EXAMPLES) >= 10
    assert {"httpx", "requests"} <= {word for file in EXAMPLES for word in re.findall(r"^import (\w+)$", file.read_text(), re.M)}


def test_they_are_run_and_read_with_all_tests():
    assert "docs/examples" in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["testpaths"]
    assert "$(1)/bin/mypy docs/examples" in (ROOT / "Makefile").read_text()


def test_each_is_in_the_page():
    page = (ROOT / "docs" / "pytest.md").read_text()
    assert [file.name for file in EXAMPLES if f"(examples/{file.name})" not in page] == []
