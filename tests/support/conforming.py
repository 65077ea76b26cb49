"""The shared conformance suites as tests: their scenarios as parameters, and what runs one.

They lie beside the repository; `suites_here` skips where they are not.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Container, Iterator
from types import ModuleType
from typing import Any

import pytest
import yaml

from support import ROOT

FOLDER = ROOT.parent / "shared" / "conformance"

SUITES = [*sorted(FOLDER.glob("*.yaml")), *sorted(FOLDER.glob("next/*.yaml"))]

SLACK = 3.0
"""Multiplies every longest time a suite allows, for busy machines. Shortest times stay as they are."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""In C where there is one: every worker of a run reads all suites."""

suites_here = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the shared conformance suites are not at {FOLDER}")


def scenarios(*, without: Container[str] = ()) -> Iterator[Any]:
    """Every scenario but those that bear one of these tags, as parameters of a test."""
    for suite in SUITES:
        for scenario in yaml.load(suite.read_text(), LOADER):
            if not any(tag in without for tag in scenario.get("tags", [])):
                yield pytest.param(scenario, id=f"{suite.stem}: {scenario['name']}".replace("/", "∕"))


def conforms(base: str, scenario: dict[str, Any], slack: float = SLACK) -> None:
    """Run a scenario against the instance at a URL; it is cleared first."""
    runner = _runner()
    runner.SLACK = slack
    problem = runner.run_scenario(base, scenario, {"base": base})
    assert not problem, f"{problem}\n{json.dumps(scenario, indent=1, ensure_ascii=False)[:3000]}"


@functools.cache
def _runner() -> ModuleType:
    """run.py as a module."""
    spec = importlib.util.spec_from_file_location("conformance_run", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
