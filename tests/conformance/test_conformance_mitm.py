"""The shared conformance suites through mitmdump, in reverse mode in front of nginx; without what only the standalone host does.

They lie beside the repository and are skipped where they are not.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import yaml
from mitm_process import Mitmdump
from support import ROOT, Nginx

FOLDER = ROOT.parent / "shared" / "conformance"

SLACK = 3.0
"""Multiplies every longest time a suite allows, for busy machines. Shortest times stay as they are."""

SUITES = sorted(FOLDER.glob("*.yaml"))

pytestmark = pytest.mark.skipif(not SUITES, reason=f"the shared conformance suites are not at {FOLDER}")


def scenarios() -> Iterator[Any]:
    for suite in SUITES:
        for scenario in yaml.safe_load(suite.read_text()):
            if "standalone" not in scenario.get("tags", []):
                yield pytest.param(scenario, id=f"{suite.stem}: {scenario['name']}".replace("/", "∕"))


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
def server(nginx: Callable[[], Nginx]) -> Iterator[Mitmdump]:
    """One mitmdump for all scenarios; each clears it first. What it logs besides ports that could not be had is an error."""
    with Mitmdump(f"reverse:{nginx().base}", expect_errors=True) as mitmdump:
        yield mitmdump
        said = [line for line in mitmdump.log.splitlines() if not re.search("failed to listen on .* in use", line)]
    assert said == []


@pytest.mark.parametrize("scenario", list(scenarios()))
def test_scenario(scenario: dict[str, Any], runner: ModuleType, server: Mitmdump) -> None:
    problem = runner.run_scenario(server.base, scenario, {"base": server.base})
    assert not problem, f"{problem}\n{json.dumps(scenario, indent=1, ensure_ascii=False)[:3000]}"
