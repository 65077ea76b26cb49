"""The shared conformance suites through mitmdump, in reverse mode in front of nginx; without standalone ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.conforming import conforms, scenarios, suites_here
from support.mitm_process import Mitmdump
from support.nginx import Nginx

pytestmark = suites_here


@pytest.fixture(scope="module")
def server(nginx: Callable[[], Nginx]) -> Iterator[Mitmdump]:
    """One mitmdump for all scenarios; each clears it first. What it logs besides ports that could not be had is an error."""
    with Mitmdump(f"reverse:{nginx().base}", expect_errors=True) as mitmdump:
        yield mitmdump
        said = [line for line in mitmdump.log.splitlines() if not re.search("failed to listen on .* in use", line)]
    assert said == []


@pytest.mark.parametrize("scenario", list(scenarios(without={"standalone"})))
def test_scenario(scenario: dict[str, Any], server: Mitmdump) -> None:
    conforms(server.base, scenario)
