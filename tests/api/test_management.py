"""Management calls: from route and body to an answer, every error a clear one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from support.goto_process import Goto
from support.site import Site

from goto.api.access import Access, Hosts
from goto.api.management import Management, Served, refusal, wants_json
from goto.api.table import RouteTable
from goto.errors import Conflict, NotFound, Unauthorized, WrongMethod
from goto.exchange.waiting import step_in_task
from goto.feature import Feature
from goto.flow import Call, Flow, Headers, Origin, Request, Response
from goto.routes import Accepted, Forward, get, post, put
from goto.traffic.listener import Listener, ListenerSpec
from goto.upstream.answer import Upstream
from goto.words.token import Token

CALL = Call("t", Origin("http", "up", 80), "GET", "/")


class Sample(Feature):
    @get("/sample/{what}")
    def show(self, what: str) -> Any:
        """Show a thing."""
        return {"text": "done", "list": [1], "none": [], "map": {"a": 1}, "response": Response(299, b"x")}[what]

    @post("/sample/send/{count}")
    def send(self, count: str) -> Forward:
        """Send."""
        return Forward([CALL] * int(count))

    @put("/sample/refuse")
    def refuse(self) -> str:
        """Refuse."""
        raise Conflict("name: not now")

    @put("/sample/accept")
    async def accept(self) -> Accepted:
        """Accept."""
        return Accepted("later")

    @put("/sample/break")
    def broken(self) -> str:
        """Break."""
        raise RuntimeError("a secret")


class Service:
    @get("/service")
    def show(self) -> str:
        """Show it."""
        return f"service of {type(self).__name__}"


def served(method: str, path: str, accept: str = "") -> Served:
    listeners = {port: Listener(ListenerSpec(port), "h", Upstream(), features=(Sample,)) for port in (1, 2)}
    management = Management(RouteTable((Sample, Service, Listener)), {Service: Service()}, listeners.get, Access())
    request = Request(method, path, Headers([(b"Accept", accept.encode())] if accept else ()))
    asked = management.find(listeners[1], request)
    assert asked
    return asyncio.run(step_in_task(management.serve(management.admit(asked), Flow(request), b"")))


def answer(method: str, path: str, accept: str = "") -> tuple[int, bytes]:
    response = served(method, path, accept)
    assert isinstance(response, Response)
    return response.status, response.body


@pytest.mark.parametrize(
    ("method", "path", "text", "document"),
    [
        ("GET", "/sample/text", (200, b"done\n"), (200, b'{"message":"done"}\n')),
        ("PUT", "/sample/accept", (202, b"later\n"), (202, b'{"message":"later"}\n')),
        ("POST", "/sample/refuse", (409, b"name: not now\n"), (409, b'{"error":"name: not now"}\n')),
        ("GET", "/sample/map", (200, b'{"a":1}\n'), (200, b'{"a":1}\n')),
        ("GET", "/sample/list", (200, b"[1]\n"), (200, b"[1]\n")),
        ("GET", "/sample/none", (200, b"[]\n"), (200, b"[]\n")),
        ("GET", "/sample/response", (299, b"x"), (299, b"x")),
        ("GET", "/service", (200, b"service of Service\n"), (200, b'{"message":"service of Service"}\n')),
        ("GET", "/label", (200, b"Label: 1\n"), (200, b'{"message":"Label: 1"}\n')),
        ("GET", "/goto/port/2/label", (200, b"Label: 2\n"), (200, b'{"message":"Label: 2"}\n')),
    ],
)
def test_answers_in_both_forms(method: str, path: str, text: tuple[int, bytes], document: tuple[int, bytes]) -> None:
    assert answer(method, path) == text
    assert answer(method, path, "text/html, Application/JSON;q=0.5") == document


@pytest.mark.parametrize("count", [1, 2])
def test_calls_are_handed_to_the_host(count: int) -> None:
    assert served("POST", f"/sample/send/{count}") == Forward([CALL] * count)


def fields(method: str, path: str, accept: str = "") -> dict[str, str]:
    response = served(method, path, accept)
    assert isinstance(response, Response)
    return dict(response.headers)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("text?a=1&b", None),
        ("map?a=1&b", "ignored unknown parameters: a, b"),
        ("list?a", "ignored unknown parameters: a"),
        ("response?a", "ignored unknown parameters: a"),
        ("map", None),
        ("map?" + "a" * 500, f"ignored unknown parameters: {'a' * 500}"[:200]),
    ],
)
def test_where_an_answer_has_no_room_for_a_remark_a_header_has(path: str, said: str | None) -> None:
    assert fields("GET", f"/sample/{path}").get("Goto-Hint") == said


def test_nobody_is_to_keep_an_answer_that_may_be_in_either_form() -> None:
    for method, path, either in (
        ("GET", "/sample/text", True),
        ("PUT", "/sample/accept", True),
        ("PUT", "/sample/refuse", True),
        ("PUT", "/sample/break", True),
        ("GET", "/sample/map", False),
        ("GET", "/sample/response", False),
    ):
        for accept in ("", "application/json"):
            answered = fields(method, path, accept)
            assert answered["Cache-Control"] == "no-store"
            assert (answered.get("Vary") == "Accept") is either, path


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/goto/port/1/labels", "/goto/port/1/labels is no route; did you mean /goto/port/1/label?"),
        ("/goto/port/1/a/b/c/d", "/goto/port/1/a/b/c/d is no route: GET /goto/help lists those there are"),
        ("/goto/nope", "/goto/nope is no route; did you mean /sample/{what}?"),
        ("/goto", "/goto is no route; did you mean /sample/{what}?"),
        ("/goto/", "/goto/ is no route; did you mean /sample/{what}?"),
        ("/goto/x/y/z", "/goto/x/y/z is no route: GET /goto/help lists those there are"),
    ],
)
def test_what_is_gotos_and_no_route_is_not_found_once_the_caller_is_let_in(path: str, reason: str) -> None:
    management, listener = managed(token="secret")
    stranger = management.find(listener, Request("GET", path, Headers()))
    assert stranger is not None
    with pytest.raises(Unauthorized):
        management.admit(stranger)
    asked = management.find(listener, Request("GET", path, Headers(TOKEN)))
    assert asked is not None
    with pytest.raises(NotFound) as caught:
        management.admit(asked)
    assert caught.value.message == reason
    assert management.hint(listener, Request("GET", path, Headers())) == "" or path.startswith("/goto")


def test_traffic_that_looks_like_a_call_gets_a_hint_where_management_is_served() -> None:
    management, listener = managed(hosts="goto.example")
    ours, other = (Headers([(b"Host", host)]) for host in (b"goto.example", b"other.example"))
    assert management.hint(listener, Request("PUT", "/label/edge?x", ours)) == (
        "no route PUT /label/edge; did you mean /label/set/{label}?"
    )
    assert management.hint(listener, Request("PUT", "/sample/a/b/c/d", ours)) == "no route PUT /sample/a/b/c/d"
    assert management.hint(listener, Request("PUT", "/label/edge", other)) == ""
    for path in ("/", "/labels/x", "//label", "*", ""):
        assert management.hint(listener, Request("PUT", path, ours)) == ""


def test_sending_nothing_is_an_error_of_the_route(caplog: pytest.LogCaptureFixture) -> None:
    assert answer("POST", "/sample/send/0") == (500, b"goto: POST /sample/send/0 failed\n")
    assert "Forward needs at least one call" in caplog.text


TOKEN = [(b"Authorization", b"Bearer secret")]


def managed(*, token: str | None = None, hosts: str | None = None) -> tuple[Management, Listener]:
    """Management of one listener, and that listener, with an admin token and hosts that management goes by."""
    listener = Listener(ListenerSpec(1), "h", Upstream(), features=(Sample,))
    access = Access()
    access.token, access.hosts = Token.parse(token) if token else None, Hosts.parse(hosts) if hosts else None
    return Management(RouteTable((Sample, Listener)), {}, {1: listener}.get, access), listener


@pytest.mark.parametrize("path", ["/label", "/goto/port/1/label", "/goto/port/2/label", "/label/clear"])
def test_finding_changes_nothing_and_refuses_nobody(path: str) -> None:
    management, listener = managed(token="secret")
    request = Request("GET", path, Headers(TOKEN))
    assert management.find(listener, request) is not None
    assert request.headers.fields == TOKEN
    assert management.find(listener, Request("GET", path, Headers())) is not None


def test_who_is_let_in_loses_the_token_and_who_is_not_learns_nothing_of_the_path() -> None:
    management, listener = managed(token="secret")
    for path, error in (("/label", None), ("/goto/port/2/label", NotFound), ("/label/clear", WrongMethod)):
        stranger = management.find(listener, Request("GET", path, Headers()))
        request = Request("GET", path, Headers(TOKEN))
        admin = management.find(listener, request)
        assert stranger is not None
        assert admin is not None
        with pytest.raises(Unauthorized):
            management.admit(stranger)
        if error is None:
            assert management.admit(admin) == admin.asks
        else:
            with pytest.raises(error):
                management.admit(admin)
        assert "authorization" not in request.headers


@pytest.mark.parametrize(("method", "path"), [("GET", "/label"), ("DELETE", "/label"), ("GET", "/goto/port/2/label")])
def test_a_call_where_management_is_not_served_is_traffic(method: str, path: str) -> None:
    management, listener = managed(hosts="goto.example")
    assert management.find(listener, Request(method, path, Headers([(b"Host", b"other.example")]))) is None
    assert management.find(listener, Request(method, path, Headers([(b"Host", b"goto.example")]))) is not None
    assert management.find(listener, Request(method, path, Headers([(b"Host", b"other.example")])), apart=True) is not None


def test_what_breaks_is_logged_and_tells_a_client_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "goto"):
        assert answer("PUT", "/sample/break") == (500, b"goto: PUT /sample/break failed\n")
    assert "a secret" in caplog.text


@pytest.mark.parametrize("path", ["/goto/port/3/label", "/goto/port/x/label", "/goto/port/2/nope", "/goto/port/2", "/goto/port/"])
def test_a_route_on_another_listener_that_is_not_there(path: str) -> None:
    with pytest.raises(NotFound):
        served("GET", path)


def test_a_wrong_method_names_the_right_ones() -> None:
    request = Request("DELETE", "/label", Headers())
    response = refusal(WrongMethod("DELETE", "/label", ["GET", "HEAD"]), request)
    assert response.status == 405
    assert response.headers.get_all("allow") == ["GET, HEAD"]


@pytest.mark.parametrize(("accept", "wanted"), [("application/json", True), ("*/*", False), ("", False), ("text/plain", False)])
def test_who_wants_json(accept: str, wanted: bool) -> None:
    assert wants_json(Request("GET", "/", Headers([(b"ACCEPT", accept.encode())]))) is wanted
    assert Flow(Request("GET", "/", Headers())).request.has_body is False


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "named"),
    [
        ("DELETE", "/label", None, 405, "GET"),
        ("PUT", "/goto/health", None, 405, "GET"),
        ("GET", "/response/delay/set/1s", None, 405, "PUT"),
        ("PUT", "/response/delay/set/1x", None, 400, "delay: "),
        ("PUT", "/response/status/set/600", None, 400, "status: "),
        ("PUT", "/label/set/a%0D%0Ab", None, 400, "label: "),
        ("PUT", "/label/set/%FF", None, 400, "label: "),
        ("PUT", "/response/headers/add/a%20b/c", None, 400, "header: "),
        ("PUT", "/response/headers/add/a/b%0Ac", None, 400, "value: "),
        ("PUT", "/response/headers/add/content-length/1", None, 400, "header: "),
        ("PUT", "/request/headers/track/add/a,,b", None, 400, "headers: "),
        ("PUT", "/request/uri/bypass/add", None, 400, "uri: "),
        ("PUT", "/request/uri/bypass/add?uri=x", None, 400, "uri: "),
        ("PUT", "/listeners/70000/open", None, 400, "port: "),
        ("PUT", "/listeners/abc/open", None, 400, "port: "),
        ("PUT", "/listeners/1/open", None, 404, "port: "),
        ("POST", "/listeners/add", "{", 400, "body: "),
        ("POST", "/listeners/add", "", 400, "body: "),
        ("POST", "/listeners/add", "[]", 400, ""),
        ("POST", "/listeners/add", {"port": "x"}, 400, "port"),
        ("POST", "/listeners/add", {"label": "x"}, 400, "port"),
        ("POST", "/listeners/add", {"port": 12000, "protocol": "tcp"}, 400, "protocol: "),
        ("POST", "/listeners/add", {"port": 12000, "label": "a\nb"}, 400, "label"),
        ("POST", "/request/proxy/targets/add", {"name": "t"}, 400, "url"),
        ("POST", "/request/proxy/targets/add", {"name": "t", "url": "ftp://x"}, 400, "url"),
        ("PUT", "/request/proxy/targets/nope/remove", None, 404, "nope"),
        ("POST", "/request/proxy/targets/nope/invoke", None, 404, "nope"),
    ],
)
def test_bad_input_says_which_field_and_changes_nothing(
    goto: Callable[..., Goto], method: str, path: str, body: Any, status: int, named: str
) -> None:
    process = _process(goto)
    reads = ("/listeners", "/label", "/response/delay", "/response/headers", "/request/headers/track", "/request/uri/bypass")
    before = [process.call("GET", read).text for read in (*reads, "/request/proxy/targets")]
    for accept in ("*/*", "application/json"):
        answer = process.call(method, path, body, {"Accept": accept})
        assert answer.status == status
        text = answer.json()["error"] if accept == "application/json" else answer.text
        assert (answer.value("allow") or "" if status == 405 else text).find(named) >= 0, text
        assert text.strip()
    assert [process.call("GET", read).text for read in (*reads, "/request/proxy/targets")] == before


_started: dict[int, Goto] = {}


def _process(goto: Callable[..., Goto]) -> Goto:
    """One process for all of these."""
    if id(goto) not in _started:
        _started[id(goto)] = goto("management")
    return _started[id(goto)]


def test_every_route_takes_a_slash_and_head(goto: Callable[..., Goto]) -> None:
    process = _process(goto)
    for path in ("/label", "/listeners", "/goto/health", "/request/headers/track/counts"):
        assert process.call("GET", path + "/").body == process.call("GET", path).body
        head, full = process.call("HEAD", path), process.call("GET", path)
        assert (head.status, head.body, head.value("content-length")) == (200, b"", full.value("content-length"))


@pytest.mark.parametrize(
    "path", ["/request/this", "/clients", "/gotos", "/labels", "/label/x", "/response", "/LABEL", "//label", "/status/202"]
)
def test_a_path_that_matches_no_route_is_traffic(goto: Callable[..., Goto], path: str) -> None:
    site = Site(_process(goto))
    site.call("GET", path)
    assert sum(site.reported.values()) == 1


def test_management_is_neither_counted_tracked_delayed_proxied_forced_nor_given_headers(goto: Callable[..., Goto]) -> None:
    site = Site(_process(goto))
    for path in (
        "/request/headers/track/add/x",
        "/request/timeout/track/all",
        "/response/headers/add/y/z",
        "/response/status/set/503",
        "/response/delay/set/1h",
    ):
        site.api("PUT", path)
    site.target(1)
    answer = site.call("GET", "/label", headers={"x": "1"})
    assert (answer.status, answer.value("y")) == (200, None)
    assert site.reported == {}
    assert site.ends == {"ConnectionClosed": 0, "RequestCompleted": 0}
    assert site.api("GET", "/request/headers/track/x/counts").json()["RequestCountsByHeaderValue"] == {}


def test_the_content_type_does_not_matter_and_keys_come_in_any_case(goto: Callable[..., Goto]) -> None:
    site = Site(_process(goto))
    spec = '{"NAME": "t", "Url": "http://127.0.0.1:1", "sendid": true, "odd": 1, "Match": null}'
    answer = site.call("POST", "/request/proxy/targets/add", spec, {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200
    assert "odd" in answer.text
    assert site.api("GET", "/request/proxy/targets").json()["t"]["sendId"] is True


def test_a_body_over_the_limit_is_refused_and_read_no_further(goto: Callable[..., Goto]) -> None:
    process = _process(goto)
    body = b'{"port":1' + b" " * (1 << 20) + b"}"
    answer = process.call("POST", "/listeners/add", body)
    assert (answer.status, "limit" in answer.text) == (413, True)
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    got = process.raw(b"POST /listeners/add HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 17)
    assert got.startswith(b"HTTP/1.1 413 ")
    got = process.raw(b"POST /listeners/add HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 413 ")
