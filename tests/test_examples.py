"""The examples of docs/examples are tests that pass, and are well typed."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from support import ROOT

EXAMPLES = [file for file in sorted((ROOT / "docs" / "examples").glob("test_*.py")) if "Goto" in file.read_text()]
"""Those with the plug-in; others test features."""
LOADED = [] if any(found.name == "goto" for found in entry_points(group="pytest11")) else ["-p", "goto.testing.plugin"]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[str]]:
    """What came of the tests of each file, by its name."""
    for module in ("httpx", "requests"):
        pytest.importorskip(module)
    command = [sys.executable, "-m", "pytest", *LOADED, "-p", "no:cacheprovider", "-rA", "-q", "docs/examples"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    found: dict[str, list[str]] = {file.name: [] for file in EXAMPLES}
    for outcome, name in re.findall(r"^([A-Z]+) docs/examples/(\w+\.py)", ran.stdout, re.M):
        found.setdefault(name, []).append(outcome)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return found


def test_there_are_ten():
    assert len(EXAMPLES) >= 10
    assert {"httpx", "requests"} <= {word for file in EXAMPLES for word in re.findall(r"^import (\w+)$", file.read_text(), re.M)}


@pytest.mark.parametrize("name", [file.name for file in EXAMPLES])
def test_each_passes(name: str, outcomes: dict[str, list[str]]):
    assert outcomes[name]
    assert set(outcomes[name]) == {"PASSED"}


def test_they_are_well_typed():
    command = [sys.executable, "-m", "mypy", "--strict", *map(str, EXAMPLES)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout


def test_each_is_in_the_page():
    page = (ROOT / "docs" / "pytest.md").read_text()
    assert [file.name for file in EXAMPLES if f"(examples/{file.name})" not in page] == []
