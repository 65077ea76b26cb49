"""The shared conformance suites, each scenario a test of its own, against a real goto process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import ROOT
from support.conforming import FOLDER, conforms, scenarios, suites_here
from support.goto_process import Goto

PLAYS = [
    "a service fails for exactly two requests",
    "requests are counted per instance and header",
    "timeouts are tracked",
    "chain of three proxies",
    "client sends requests and tracks results",
    "a registry and its workers",
    "a worker started before its registry",
    "curl lines of the readme",
]
"""The scenarios of scenarios.py to run, each with goto processes of its own."""

pytestmark = suites_here


@pytest.fixture(scope="module")
def server(goto: Callable[..., Goto]) -> Goto:
    """One goto for all scenarios; each clears it first. Its label is its port, which is what clearing the label brings back."""
    return goto()


@pytest.mark.parametrize("scenario", list(scenarios()))
def test_scenario(scenario: dict[str, Any], server: Goto):
    conforms(server.base, scenario)


@pytest.mark.parametrize("play", PLAYS)
def test_play(play: str, tmp_path: Path):
    command = f"{sys.executable} -m goto --port {{port}} --label {{label}} {{extra}}"
    ran = subprocess.run(
        [sys.executable, str(FOLDER / "scenarios.py"), "--goto", command, "--only", play, "--keep-logs", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.strip().endswith("1 passed, 0 failed")
    for log in tmp_path.glob("*.log"):
        assert "Traceback" not in log.read_text()
