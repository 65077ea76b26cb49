"""What goto says of itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.goto_process import Goto

from goto import __version__
from goto.errors import Unavailable
from goto.instance.about import About
from goto.instance.build import COMPILED
from goto.instance.wiring import route_table

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("about")


def test_health_readiness_and_version(process: Goto) -> None:
    assert process.call("GET", "/goto/health").text == f"goto {__version__} is healthy\n"
    assert process.call("GET", "/goto/ready").text == "ready\n"
    assert process.call("GET", "/goto/ready", headers=JSON).json() == {"message": "ready"}
    assert process.call("GET", "/goto/version").json() == {"version": __version__, "compiled": COMPILED}
    assert process.call("HEAD", "/goto/health").status == 200


def test_it_is_not_ready_before_the_start_and_after_the_end() -> None:
    about = About(route_table)
    with pytest.raises(Unavailable, match=r"^not ready$"):
        about.readiness()
    about.ready = True
    assert about.readiness() == "ready"


def test_help_lists_every_route_with_what_it_does(process: Goto) -> None:
    text = process.call("GET", "/goto/help").text
    listed = process.call("GET", "/goto/help", headers=JSON).json()
    routes = {(route.path, route.description) for route in route_table().routes}
    assert {(one["path"], one["description"]) for one in listed} == routes
    for one in listed:
        line = [line for line in text.splitlines() if one["path"] in line.replace("?", " ").split()]
        assert any(one["description"] in each and ", ".join(one["methods"]) in each for each in line), one
    assert "/request/uri/bypass/add?uri={uri}" in text


def test_a_service_behind_goto_keeps_its_own(process: Goto) -> None:
    for path in ("/health", "/metrics", "/docs", "/ready", "/version", "/gotos"):
        assert '"RequestURI"' in process.call("GET", path).text, path
