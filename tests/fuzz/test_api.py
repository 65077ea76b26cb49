"""The API under schemathesis: what the OpenAPI document allows and what it forbids, sent to a real goto.

Nothing may break it, and each answer must be as the document says. Each operation gets the calls that schemathesis derives from
the bounds of its schema, and some random ones, the same in every run. With GOTO_FUZZ_EXAMPLES, as in `make fuzz`, there are that
many random ones, others in every run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks
from support.goto_process import Goto
from support.ports import free_port

from goto.api.openapi import document
from goto.errors import WrongMethod
from goto.instance.wiring import route_table
from goto.journal.wanted import UpToAMinute

GIVEN = os.environ.get("GOTO_FUZZ_EXAMPLES")
EXAMPLES = int(GIVEN or 3)

LEFT_OUT = "|".join(
    [
        r"^/listeners/\{port\}/",  # opens any port there is, or ends the process that is tested
        "/invoke",  # sends
        r"^/registry/peers/add$",  # with a peer there are pushes to its address
    ]
)
# Not those for data that is to be accepted or refused: a schema cannot say all that makes a duration or an address, and "" is
# taken for *not given*. Not `allow_header_conformance`: that knows
# nothing of a fixed word that stands where another route has a variable
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.unsupported_method,
]

WAITS = {"wait", "timeout", "settle"}
"""Where calls that wait are told how long."""

CLOSED = free_port()
"""Where targets lead to: nobody listens there."""

TABLE = route_table()
CONFIG = schemathesis.Config.from_dict({"generation": {"deterministic": not GIVEN}, "request-timeout": 20.0})
SCHEMA = schemathesis.openapi.from_dict(document(TABLE), config=CONFIG).exclude(path_regex=LEFT_OUT)


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("fuzzed")


def a_test_of(operation: str) -> Callable[..., None]:
    """The test of one operation, by its id."""

    @SCHEMA.include(operation_id=operation).parametrize()
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=not GIVEN, database=None, suppress_health_check=list(HealthCheck))
    def test(case: Any, process: Goto) -> None:
        case.body = brief(harmless(case.body))
        case.query = brief(case.query)
        path = urlsplit(case.as_transport_kwargs(base_url=process.base)["url"]).path
        assume(is_call_of(case.path, case.method, path))
        for accept in ("*/*", "application/json"):
            case.call_and_validate(base_url=process.base, headers={"Accept": accept}, checks=CHECKS)

    return test


# a function each: items that schemathesis makes of one function share a node id in pytest 9.2, and xdist runs one of an id
OPERATIONS = [found.ok().definition.raw["operationId"] for found in SCHEMA.get_all_operations()]
globals().update({f"test_{operation}": a_test_of(operation) for operation in OPERATIONS})


def test_each_operation_has_a_test_of_its_own(request: pytest.FixtureRequest) -> None:
    items = [item.nodeid for item in request.session.items if item.path == request.path]
    assert len(set(items)) == len(items)
    assert len(OPERATIONS) > 100


def is_call_of(route: str, method: str, path: str) -> bool:
    """Not traffic, as a path without its word is, nor a call of another route that has a fixed word for a variable."""
    try:
        found = TABLE.find(method, path)
    except WrongMethod:
        return True
    return found is not None and found[0].path == route


def harmless(value: Any) -> Any:
    """A payload that sends nothing by itself, and never to another machine."""
    if isinstance(value, dict):
        closed = f"127.0.0.1:{CLOSED}"
        unsent = {"url": f"http://{closed}/", "server": f"http://{closed}", "connectto": closed, "autoinvoke": False}
        return {key: unsent.get(key.lower(), harmless(item)) for key, item in value.items()}
    return [harmless(item) for item in value] if isinstance(value, list) else value


def brief(given: Any) -> Any:
    """A payload or a query that waits where it did, but for 5 ms at most. What is no time to wait stays as it is."""
    if not isinstance(given, Mapping):
        return given
    return {key: "5ms" if str(key).lower() in WAITS and is_long(value) else value for key, value in given.items()}


def is_long(value: Any) -> bool:
    try:
        return isinstance(value, str) and UpToAMinute.parse(value) > UpToAMinute.parse("5ms")
    except ValueError:
        return False


def test_what_is_left_out_is_what_sends_or_ends() -> None:
    left_out = {route.path for route in TABLE.routes if re.search(LEFT_OUT, route.path)}
    assert left_out == {
        *(f"/listeners/{{port}}/{how}" for how in ("open", "close", "remove")),
        *(f"/request/proxy/targets/{path}" for path in ("{targets}/invoke", "invoke/{targets}")),
        *(f"/client/targets/{path}" for path in ("{targets}/invoke", "invoke/all", "invoke")),
        "/registry/peers/add",
    }


def test_the_process_is_as_well_as_before(process: Goto) -> None:
    assert process.call("GET", "/goto/health").status == 200
    assert "Traceback" not in process.log
