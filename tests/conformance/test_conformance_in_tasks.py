"""The shared conformance suites with every request served in a task: the two ways are one to a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.conforming import conforms, scenarios, suites_here
from support.goto_process import Goto

pytestmark = suites_here


@pytest.fixture(scope="module")
def server(goto: Callable[..., Goto]) -> Goto:
    """One goto for all scenarios; each clears it first."""
    return goto(None, "--no-fast-path")


@pytest.mark.parametrize("scenario", list(scenarios()))
def test_scenario(scenario: dict[str, Any], server: Goto) -> None:
    conforms(server.base, scenario)
