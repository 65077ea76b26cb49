"""The shared conformance suites, each scenario a test of its own, against a real goto process.

They lie beside the repository and are skipped where they are not.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from support import ROOT, Goto

FOLDER = ROOT.parent / "shared" / "conformance"

SUITES = ["server", "proxy", "client", "registry", "details"]
"""The YAML files to run."""

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

SLACK = 3.0
"""Multiplies every longest time a suite allows, for busy machines. Shortest times stay as they are."""

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the shared conformance suites are not at {FOLDER}")


def scenarios() -> Iterator[Any]:
    for suite in SUITES:
        file = FOLDER / f"{suite}.yaml"
        for scenario in yaml.safe_load(file.read_text()) if file.exists() else []:
            yield pytest.param(scenario, id=f"{suite}: {scenario['name']}".replace("/", "∕"))


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    """run.py as a module."""
    spec = importlib.util.spec_from_file_location("conformance_run", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.SLACK = SLACK  # type: ignore[attr-defined]
    return module


@pytest.fixture(scope="module")
def server(goto: Callable[..., Goto]) -> Goto:
    """One goto for all scenarios; each clears it first. Its label is its port, which is what clearing the label brings back."""
    return goto()


@pytest.mark.parametrize("scenario", list(scenarios()))
def test_scenario(scenario: dict[str, Any], runner: ModuleType, server: Goto):
    problem = runner.run_scenario(server.base, scenario, {"base": server.base})
    assert not problem, f"{problem}\n{json.dumps(scenario, indent=1, ensure_ascii=False)[:3000]}"


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
