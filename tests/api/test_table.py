"""The table of routes: found by method and path, called with arguments parsed from words, query and body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.api.table import RouteTable, remarks, routes_of, unknown_parameters
from goto.errors import BadInput, Conflict, NotFound, WrongMethod
from goto.flow import Headers, Request
from goto.routes import Accepted, get, post, put
from goto.traffic.listener import Listener, ListenerSpec
from goto.upstream.answer import Upstream
from goto.words import CountedDuration, Duration, Names, Port, Status


class Payload(msgspec.Struct):
    name: str
    size: int = 0


HTTP = Port(80)


class Things:
    """An API of every kind of route there is."""

    @get("/things", "/things/list")
    def list(self) -> list[str]:
        """List the things.

        In the order they were added.
        """
        return ["a"]

    @post("/things/add", body_limit=10)
    def add(self, payload: Payload) -> str:
        """Add a thing."""
        return f"added {payload.name}"

    @put("/things/{name}/remove", "/things/remove/{name}", raises=[NotFound, Conflict])
    def remove(self, name: Names) -> str:
        return f"removed {','.join(name)}"

    @get("/things/{name}")
    def show(self, name: str) -> str:
        return name

    @post("/things/{name}")
    async def change(self, name: str) -> Accepted:
        return Accepted(name)

    @put("/things/clear")
    def clear(self) -> str:
        return "cleared"

    @put("/things/{name}/wait/{wait}/{status}")
    def swapped(self, status: Status, wait: CountedDuration, name: str) -> dict[str, Any]:
        return {"name": name, "wait": str(wait), "status": status}

    @get("/query")
    def query(self, uri: str, port: Port = HTTP) -> tuple[str, int]:
        return uri, port

    @post("/raw", media=["text/csv"], answers={200: {"text/csv": bytes}})
    def raw(self, body: bytes, call: Request) -> tuple[bytes, str]:
        return body, call.method

    @get("/on")
    def on(self, acted_on: Listener, request: Request) -> tuple[int, str]:
        return acted_on.port, request.method

    @get("/maybe/on")
    def maybe_on(self, acted_on: Listener | None = None) -> int:
        return acted_on.port if acted_on is not None else 0

    @post("/map")
    def map(self, payload: Payload) -> dict[str, str]:
        return {"name": payload.name}


class More:
    @get("/things/more/{x}/{y}")
    def more(self, x: str, y: str) -> str:
        return x + y

    @get("/things/{x}/end/here")
    def end(self, x: str) -> str:
        return x


TABLE = RouteTable((Things, More))


def found(method: str, path: str) -> tuple[str, list[str]] | None:
    hit = TABLE.find(method, path)
    return hit and (hit[0].method, hit[1])


def serve(method: str, target: str, body: bytes = b"") -> Any:
    request = Request(method, target, Headers())
    hit = TABLE.find(method, request.path)
    assert hit is not None
    route, words = hit
    result, unknown = route.call(
        route.owner(), Listener(ListenerSpec(8081), "host", Upstream(), features=()), request, words, body
    )
    if isinstance(result, Awaitable):

        async def awaited() -> Any:
            return await result

        result = asyncio.run(awaited())
    return remarks(result, unknown, unknown_parameters(route, request.query))[0]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("/things/a/remove", ""),
        ("/things/a/remove?", ""),
        ("/things/a/remove?x=1", " (ignored unknown parameters: x)"),
        ("/things/a/remove?%78&y=2&&=3&y=4", " (ignored unknown parameters: %78, y)"),
    ],
)
def test_parameters_that_are_not_known_are_named(target: str, text: str):
    assert serve("PUT", target) == serve("PUT", "/things/a/remove") + text


def test_remarks_that_an_answer_has_no_room_for():
    assert remarks("done", ["a"], ["b"]) == ("done (ignored unknown keys: a) (ignored unknown parameters: b)", [])
    assert remarks(Accepted("done"), [], ["b"]) == (Accepted("done (ignored unknown parameters: b)"), [])
    assert remarks({"a": 1}, ["k"], ["b"]) == ({"a": 1, "ignored": ["k"]}, ["b"])
    assert remarks([1], [], ["b"]) == ([1], ["b"])
    assert remarks(7, ["k"], []) == (7, [])


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/things", ("list", [])),
        ("GET", "/things/list", ("list", [])),
        ("POST", "/things/add", ("add", [])),
        ("PUT", "/things/clear", ("clear", [])),
        ("POST", "/things/clear", ("clear", [])),
        ("GET", "/things/a", ("show", ["a"])),
        ("POST", "/things/a", ("change", ["a"])),
        ("PUT", "/things/a/remove", ("remove", ["a"])),
        ("PUT", "/things/remove/a", ("remove", ["a"])),
        ("GET", "/things/more/1/2", ("more", ["1", "2"])),
        ("GET", "/things/x/end/here", ("end", ["x"])),
        # words stay encoded, so that an encoded slash divides nothing
        ("GET", "/things/a%2Fb", ("show", ["a%2Fb"])),
    ],
)
def test_a_path_finds_its_route(method: str, path: str, expected: tuple[str, list[str]]):
    assert found(method, path) == expected


def test_a_literal_wins_over_a_variable():
    assert found("GET", "/things/list") == ("list", [])
    assert found("PUT", "/things/remove/remove") == ("remove", ["remove"])
    assert found("GET", "/things/more/end/here") == ("more", ["end", "here"])  # the leftmost literal decides


def test_a_literal_that_leads_nowhere_does_not_hide_a_variable():
    assert found("PUT", "/things/list/remove") == ("remove", ["list"])
    assert found("PUT", "/things/more/wait/1s/200") == ("swapped", ["more", "1s", "200"])


def test_what_a_route_declares_of_its_answers():
    by_path = {route.path: route for route in TABLE.routes}
    assert by_path["/things/{name}/remove"].raises == by_path["/things/remove/{name}"].raises == (NotFound, Conflict)
    assert (by_path["/raw"].media, by_path["/raw"].answers) == (("text/csv",), {200: {"text/csv": bytes}})
    assert by_path["/map"].returns == dict[str, str]
    assert by_path["/things"].raises == by_path["/things"].media == ()


@pytest.mark.parametrize("path", ["/things", "/things/list", "/things/a", "/things/more/1/2"])
def test_a_trailing_slash_does_not_matter(path: str):
    assert found("GET", path + "/") == found("GET", path) is not None


def test_head_works_wherever_get_does():
    assert found("HEAD", "/things/a") == found("GET", "/things/a")
    with pytest.raises(WrongMethod):
        found("HEAD", "/raw/")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/things", {"GET", "HEAD"}),
        ("GET", "/raw", {"POST"}),
        ("PATCH", "/things/a/remove", {"PUT", "POST"}),
        ("PUT", "/things/a", {"GET", "HEAD", "POST"}),
        ("OPTIONS", "/query/", {"GET", "HEAD"}),
        ("get", "/things", {"GET", "HEAD"}),  # methods are case-sensitive (RFC 9110, 9.1)
    ],
)
def test_another_method_is_405_and_says_which_are_allowed(method: str, path: str, allowed: set[str]):
    with pytest.raises(WrongMethod) as caught:
        TABLE.find(method, path)
    assert set(caught.value.allowed) == allowed
    assert len(caught.value.allowed) == len(allowed)
    assert all(word in caught.value.message for word in allowed)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "", "*", "//", "/thing", "/thingsandmore", "/Things", "/x/things", "//things", "things", "/%74hings", "/query/x"),
        *("/things//", "/things//remove", "/things/a/b", "/things/a/remove/b", "/things/more/1"),
    ],
)
def test_other_paths_are_traffic(path: str):
    assert TABLE.find("PUT", path) is None


@given(st.sampled_from(["GET", "PUT", "HEAD", "DELETE"]), st.text(alphabet="/{}%things.*ü\udc80", max_size=30))
def test_no_path_breaks_the_search(method: str, path: str):
    try:
        hit = TABLE.find(method, path)
    except WrongMethod:
        return
    assert hit is None or path.startswith("/")


def test_words_are_percent_decoded_and_parsed():
    assert serve("GET", "/things/a%2Fb%20c+d%C3%BC") == "a/b c+dü"
    assert serve("PUT", "/things/a%2Cb,c/remove") == "removed a,b,c"


def test_words_go_to_the_parameter_of_their_name_whatever_the_order():
    assert serve("PUT", "/things/n/wait/1m30s:2/503") == {"name": "n", "wait": "1m30s:2", "status": 503}


def test_an_async_method_is_awaited():
    assert serve("POST", "/things/a") == Accepted("a")


@pytest.mark.parametrize("word", ["a%0D%0AX:1", "a%0Ab", "a%0db", "a%00", "%7F"])
def test_a_line_break_in_a_word_is_refused_naming_it(word: str):
    with pytest.raises(BadInput, match=r"^name: .*control characters"):
        serve("GET", f"/things/{word}")
    with pytest.raises(BadInput, match=r"^uri: .*control characters"):
        serve("GET", f"/query?uri={word}")


@pytest.mark.parametrize("word", ["%FF", "%C3", "a\udcff"])
def test_a_word_that_is_no_utf8_is_refused_naming_it(word: str):
    with pytest.raises(BadInput, match=r"^name: not valid UTF-8$"):
        serve("GET", f"/things/{word}")
    with pytest.raises(BadInput, match=r"^uri: not valid UTF-8$"):
        serve("GET", f"/query?uri={word}")


def test_a_word_its_type_refuses_is_bad_input_naming_it():
    with pytest.raises(BadInput, match=r"^status: 199 is not a status from 200 to 599$"):
        serve("PUT", "/things/n/wait/1s/199")
    with pytest.raises(BadInput, match=r"^wait: "):
        serve("PUT", "/things/n/wait/soon/200")


def test_query_parameters():
    assert serve("GET", "/query?uri=/a%3Fb+c&port=8080") == ("/a?b+c", 8080)
    assert serve("GET", "/query?x=1&uri=/a&uri=/b") == ("/a", 80)
    assert serve("GET", "/query?uri=/a&port=") == ("/a", 80)
    for target in ("/query", "/query?", "/query?URI=/a", "/query?uri", "/query?uri="):
        with pytest.raises(BadInput, match=r"^uri: missing"):
            serve("GET", target)
    with pytest.raises(BadInput, match=r"^port: "):
        serve("GET", "/query?uri=/a&port=0")


def test_bodies():
    assert serve("POST", "/raw", b"\xff") == (b"\xff", "POST")
    assert serve("POST", "/things/add", b'{"name": "n"}') == "added n"
    with pytest.raises(BadInput, match=r"^name: missing$"):
        serve("POST", "/things/add", b"{}")
    with pytest.raises(BadInput, match=r"^body: not JSON"):
        serve("POST", "/things/add", b"{")


def test_the_listener_that_a_call_acts_on():
    assert serve("GET", "/on") == (8081, "GET")
    assert serve("GET", "/maybe/on") == 8081


def test_unknown_keys_are_named_in_the_answer():
    assert serve("POST", "/things/add", b'{"name": "n", "x": 1, "Y": 2}') == "added n (ignored unknown keys: x, Y)"
    assert serve("POST", "/map", b'{"name": "n", "x": 1}') == {"name": "n", "ignored": ["x"]}


def test_a_declaration_says_all_there_is_to_know():
    routes = {(route.method, route.path): route for route in routes_of(Things)}
    assert [route.path for route in routes.values()][:3] == ["/things", "/things/list", "/things/add"]
    listing, adding = routes["list", "/things"], routes["add", "/things/add"]
    assert (listing.methods, listing.description, listing.parameters) == (("GET",), "List the things.", ())
    assert (adding.methods, adding.body_limit, adding.parameters[0].source) == (("POST",), 10, "payload")
    assert [(p.name, p.source, p.required) for p in routes["query", "/query"].parameters] == [
        ("uri", "query", True),
        ("port", "query", False),
    ]
    assert [p.source for p in routes["raw", "/raw"].parameters] == ["raw", "request"]
    assert TABLE.prefixes == {"things", "query", "raw", "map", "on", "maybe"}


def test_routes_of_a_base_class_belong_to_the_class_that_inherits_them():
    class Child(Things):
        @get("/child")
        def child(self) -> str:
            return str(Duration(0))

    assert {route.path for route in routes_of(Child)} == {route.path for route in routes_of(Things)} | {"/child"}
    assert {route.owner for route in routes_of(Child)} == {Child}
