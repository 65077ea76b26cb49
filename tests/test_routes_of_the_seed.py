"""Every route that the API documents is there, in each of its methods and spellings. The list is written by hand."""

from __future__ import annotations

import pytest

from goto.api.table import RouteTable
from goto.errors import WrongMethod
from goto.flow import Headers, Request
from goto.instance.wiring import route_table
from goto.traffic.listener import Listener, ListenerSpec
from goto.upstream.answer import Upstream

GET, POST, PUT = ("GET", "HEAD"), ("POST",), ("PUT", "POST")
Table = list[tuple[tuple[str, ...], str]]

CHAPTERS: dict[str, Table] = {
    "listeners": [
        (POST, "/listeners/add"),
        (PUT, "/listeners/{port}/remove"),
        (PUT, "/listeners/{port}/open"),
        (PUT, "/listeners/{port}/close"),
        (GET, "/listeners"),
    ],
    "label": [
        (PUT, "/label/set/{label}"),
        (PUT, "/label/clear"),
        (GET, "/label"),
    ],
    "request headers tracking": [
        (POST, "/request/headers/track/clear"),
        (PUT, "/request/headers/track/add/{headers}"),
        (PUT, "/request/headers/track/{header}/remove"),
        (PUT, "/request/headers/track/remove/{header}"),
        (GET, "/request/headers/track"),
        (GET, "/request/headers/track/list"),
        (GET, "/request/headers/track/{header}/counts"),
        (PUT, "/request/headers/track/counts/clear/{headers}"),
        (PUT, "/request/headers/track/counts/clear"),
        (GET, "/request/headers/track/counts"),
    ],
    "request timeout": [
        (PUT, "/request/timeout/track/headers/{headers}"),
        (PUT, "/request/timeout/track/all"),
        (PUT, "/request/timeout/track/headers/all"),
        (POST, "/request/timeout/track/clear"),
        ((*GET, "POST"), "/request/timeout/status"),
    ],
    "URI bypass": [
        (PUT, "/request/uri/bypass/add?uri=/foo"),
        (PUT, "/request/uri/bypass/remove?uri=/foo"),
        (PUT, "/request/uri/bypass/clear"),
        (PUT, "/request/uri/bypass/status/set/{status}"),
        (GET, "/request/uri/bypass/list"),
        (GET, "/request/uri/bypass"),
        (GET, "/request/uri/bypass/status"),
        (GET, "/request/uri/bypass/counts?uri=/foo"),
    ],
    "response delay": [
        (PUT, "/response/delay/set/{delay}"),
        (PUT, "/response/delay/clear"),
        (GET, "/response/delay"),
    ],
    "response headers": [
        (PUT, "/response/headers/add/{header}/{value}"),
        (PUT, "/response/headers/remove/{header}"),
        (PUT, "/response/headers/clear"),
        (GET, "/response/headers/list"),
        (GET, "/response/headers"),
    ],
    "response status": [
        (PUT, "/response/status/set/{status}"),
        (PUT, "/response/status/clear"),
        (PUT, "/response/status/counts/clear"),
        (GET, "/response/status/counts/{status}"),
        (GET, "/response/status/counts"),
        (GET, "/response/status"),
    ],
    "proxy": [
        (POST, "/request/proxy/targets/add"),
        (PUT, "/request/proxy/targets/{target}/remove"),
        (PUT, "/request/proxy/targets/{target}/enable"),
        (PUT, "/request/proxy/targets/{target}/disable"),
        (POST, "/request/proxy/targets/{targets}/invoke"),
        (POST, "/request/proxy/targets/invoke/{targets}"),
        (PUT, "/request/proxy/targets/clear"),
        (GET, "/request/proxy/targets"),
    ],
    "client": [
        (POST, "/client/targets/add"),
        (PUT, "/client/targets/{target}/remove"),
        (POST, "/client/targets/{targets}/invoke"),
        (POST, "/client/targets/invoke/all"),
        (POST, "/client/targets/{targets}/stop"),
        (POST, "/client/targets/stop/all"),
        (GET, "/client/targets/list"),
        (GET, "/client/targets"),
        (PUT, "/client/targets/clear"),
        (PUT, "/client/reporting/set/{flag}"),
        (PUT, "/client/blocking/set/{flag}"),
        (GET, "/client/reporting"),
        (GET, "/client/blocking"),
        (PUT, "/client/track/headers/add/{headers}"),
        (PUT, "/client/track/headers/remove/{headers}"),
        (POST, "/client/track/headers/clear"),
        (GET, "/client/track/headers/list"),
        (GET, "/client/track/headers"),
        (GET, "/client/results"),
        (POST, "/client/results/{targets}/clear"),
        (POST, "/client/results/clear"),
    ],
    "registry": [
        (POST, "/registry/peers/add"),
        (PUT, "/registry/peers/{peer}/remove/{address}"),
        (POST, "/registry/peers/clear"),
        (POST, "/registry/peers/{peer}/targets/add"),
        (PUT, "/registry/peers/{peer}/targets/{target}/remove"),
        (POST, "/registry/peers/{peer}/targets/clear"),
        (GET, "/registry/peers/{peer}/targets"),
        (GET, "/registry/peers"),
    ],
    "goto": [
        (GET, "/goto/health"),
        (GET, "/goto/ready"),
        (GET, "/goto/help"),
        (GET, "/goto/config"),
        (POST, "/goto/config"),
    ],
}

SPELLINGS = [
    ("PUT", "/request/headers/track/x/remove", "/request/headers/track/remove/x"),
    ("GET", "/request/headers/track", "/request/headers/track/list"),
    ("PUT", "/request/timeout/track/all", "/request/timeout/track/headers/all"),
    ("GET", "/request/uri/bypass", "/request/uri/bypass/list"),
    ("GET", "/response/headers", "/response/headers/list"),
    ("POST", "/request/proxy/targets/x/invoke", "/request/proxy/targets/invoke/x"),
    ("GET", "/client/targets", "/client/targets/list"),
    ("PUT", "/client/reporting/set/y", "/client/blocking/set/y"),
    ("GET", "/client/reporting", "/client/blocking"),
    ("GET", "/client/track/headers", "/client/track/headers/list"),
]
"""Two spellings of one route."""

WORDS = {
    "{port}": "8081",
    "{label}": "Server-8081",
    "{header}": "x",
    "{headers}": "x,y",
    "{status}": "503",
    "{delay}": "2s",
    "{value}": "x1",
    "{target}": "t1",
    "{targets}": "t2,t3",
    "{flag}": "n",
    "{peer}": "web",
    "{address}": "10.0.0.7:8080",
}

ROUTES = [(method, path) for chapter, table in CHAPTERS.items() for methods, path in table for method in methods]


@pytest.fixture(scope="module")
def table() -> RouteTable:
    return route_table()


def spelled_out(path: str) -> str:
    for name, word in WORDS.items():
        path = path.replace(name, word)
    return path


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_is_there_and_takes_its_words(table: RouteTable, method: str, path: str, slash: str):
    written, _, query = spelled_out(path).partition("?")
    request = Request(method, f"{written}{slash}?{query}", Headers())
    hit = table.find(request.method, request.path)
    assert hit is not None, f"{method} {path} would be answered as traffic"
    route, words = hit
    assert len(words) == path.count("{"), f"{route.path} answers instead"
    assert route.description, f"{route.path} says nothing of itself"
    assert route.description.endswith(".")
    if not any(parameter.source == "payload" for parameter in route.parameters):
        route.arguments(Listener(ListenerSpec(1), "h", Upstream(), features=()), request, words, b"")


@pytest.mark.parametrize("path", sorted({path.partition("?")[0] for _, path in ROUTES}))
def test_other_methods_are_405_and_say_which_are_right(table: RouteTable, path: str):
    wanted = {method for method, one in ROUTES if one.partition("?")[0] == path}
    with pytest.raises(WrongMethod) as caught:
        table.find("DELETE", spelled_out(path))
    assert wanted <= set(caught.value.allowed)


@pytest.mark.parametrize(("method", "one", "other"), SPELLINGS)
def test_two_spellings_are_one_route(table: RouteTable, method: str, one: str, other: str):
    first, second = table.find(method, one), table.find(method, other)
    assert first is not None
    assert second is not None
    assert (first[0].owner, first[0].method, first[1]) == (second[0].owner, second[0].method, second[1])


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/status/418",
            "/echo",
            "/echo/headers",
            "/health",
            "/metrics",
            "/docs",
            "/favicon.ico",
            "/clients",
            "/api/listeners",
        ),
        *("/request", "/response", "/request/this", "/listeners/8081", "/request/headers/track/x"),
    ],
)
def test_nothing_else_is_taken_from_traffic(table: RouteTable, path: str):
    assert table.find("GET", path) is None


def test_only_documented_prefixes_are_the_apis_own(table: RouteTable):
    assert table.prefixes <= {"listeners", "label", "request", "response", "client", "registry", "goto"}


def test_no_two_routes_share_a_method_and_a_path(table: RouteTable):
    seen = [(method, route.path) for route in table.routes for method in route.methods]
    assert sorted(seen) == sorted(set(seen))
