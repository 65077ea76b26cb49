"""Between mitmproxy's messages and goto's own."""

from __future__ import annotations

import pytest

pytest.importorskip("mitmproxy", reason="mitmproxy is not installed in this Python")

from mitmproxy import http
from mitmproxy.test import tflow, tutils

from goto.flow import Call, Headers, Origin, Response
from goto.hosts.mitm.messages import (
    aim_at_own_upstream,
    aim_at_target,
    framing,
    made,
    may_have_body,
    passed_on,
    request_of,
    spoken_error,
)
from goto.hosts.mitm.private import Mode
from goto.http.messages import NOT_COME


def asked(**how: object) -> http.Request:
    fields: dict[str, object] = {"authority": b"", "path": b"/a%2Fb?q", "headers": http.Headers([(b"Host", b"a"), (b"X", b"1")])}
    return tutils.treq(**{**fields, **how})


def test_a_request_as_features_see_it() -> None:
    seen = request_of(asked(method=b"PUT", path="/ü".encode() + b"\xff?q"))
    assert (seen.method, seen.target, seen.path, seen.version) == ("PUT", "/ü\udcff?q", "/ü\udcff", (1, 1))
    assert seen.headers.fields == [(b"Host", b"a"), (b"X", b"1")]
    assert request_of(asked(http_version=b"HTTP/1.0")).version == (1, 0)


def test_an_authority_stands_for_host() -> None:
    assert request_of(asked(authority=b"u:p@other:1")).headers.fields == [(b"Host", b"other:1"), (b"X", b"1")]


@pytest.mark.parametrize(
    ("request_", "may"),
    [
        (asked(headers=http.Headers(content_length="0")), False),
        (asked(headers=http.Headers(content_length="1")), True),
        (asked(headers=http.Headers(transfer_encoding="chunked")), True),
        (asked(headers=http.Headers()), False),
        (asked(headers=http.Headers(), http_version=b"HTTP/2.0", method=b"POST"), True),
        (asked(headers=http.Headers(), http_version=b"HTTP/2.0", method=b"GET"), False),
    ],
)
def test_whether_there_is_a_body(request_: http.Request, may: bool) -> None:
    assert may_have_body(request_) is may


@pytest.mark.parametrize(
    ("address", "keeps", "host"),
    [(("up", 80), False, "up"), (("up", 81), False, "up:81"), (("::1", 80), False, "[::1]"), (("up", 80), True, "a")],
)
def test_a_request_for_mitmproxys_own_upstream(address: tuple[str, int], keeps: bool, host: str) -> None:
    flow = tflow.tflow(req=asked(authority=b"a", scheme=b"http", host=address[0], port=address[1]))
    flow.client_conn.proxy_mode = Mode.parse("reverse:http://up")
    flow.request.headers["Upgrade"] = "h2c"
    aim_at_own_upstream(flow, NOT_COME, keeps_host=keeps, websocket=False)
    assert (flow.request.authority, flow.request.headers["host"], flow.request.headers.get("upgrade")) == ("", host, None)


def test_a_request_for_a_target() -> None:
    call = Call("t", Origin("https", "up", 8443), "PUT", "/there?q", [(b"Host", b"up:8443"), (b"X", b"1")])
    request = asked(headers=http.Headers([(b"Content-Length", b"4"), (b"Expect", b"100-continue"), (b"Y", b"1")]))
    aim_at_target(request, call, "")
    assert (request.scheme, request.host, request.port, request.path) == ("https", "up", 8443, "/there?q")
    names = [name for name, _ in request.headers.fields]
    assert names == [b"Host", b"X", b"Content-Length", b"Expect"]
    aim_at_target(request, call, "websocket")
    assert (request.headers["connection"], request.headers["upgrade"]) == ("Upgrade", "websocket")
    request = asked(http_version=b"HTTP/2.0", authority=b"a")
    aim_at_target(request, call, "")
    assert (request.authority, "host" in request.headers) == ("up:8443", False)


@pytest.mark.parametrize(
    ("status", "method", "body", "length"),
    [(200, "GET", b"body", "4"), (200, "HEAD", b"", "4"), (204, "GET", b"", None), (304, "GET", b"", None)],
)
def test_an_own_response_has_a_body_only_where_it_may(status: int, method: str, body: bytes, length: str | None) -> None:
    response = made(Response(status, b"body", Headers([(b"X", b"1")])), [(b"Via-Goto", b"me")], method)
    assert (response.raw_content, response.headers.get("content-length")) == (body, length)
    assert (response.headers["via-goto"], response.headers["x"]) == ("me", "1")
    assert "date" in response.headers
    assert "connection" not in response.headers


def test_an_own_response_says_what_it_is() -> None:
    response = made(Response(418, headers=Headers([(b"Date", b"then")])), [], "GET", close=True)
    assert (response.reason, response.headers.get_all("date"), response.headers["connection"]) == (
        "I'm a teapot",
        ["then"],
        "close",
    )
    assert made(Response(599), [], "GET").reason == ""
    assert made(Response(200, reason="Fine"), [], "GET").reason == "Fine"


def test_an_upstreams_response_goes_on_without_what_belongs_to_its_connection() -> None:
    fields = [(b"Connection", b"close, X"), (b"X", b"1"), (b"A", b"1"), (b"a", b"2"), (b"Transfer-Encoding", b"chunked")]
    upstreams = tutils.tresp(http_version=b"HTTP/1.0", status_code=218, reason=b"Fine", headers=http.Headers(fields))
    response = passed_on(upstreams)
    assert response.headers.fields == ((b"A", b"1"), (b"a", b"2"), (b"Transfer-Encoding", b"chunked"))
    assert (response.http_version, response.status_code, response.reason) == ("HTTP/1.1", 218, "Fine")
    assert upstreams.headers.fields == tuple(fields)


def test_a_switch_of_protocols_keeps_what_makes_it() -> None:
    fields = ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"))
    assert passed_on(tutils.tresp(status_code=101, headers=http.Headers(fields))).headers.fields == fields


def test_framing() -> None:
    assert framing(((b"content-Length", b"1"), (b"X", b"1"))) == [(b"content-Length", b"1")]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("[Errno 111] Connect call failed ('127.0.0.1', 1)", "Connection refused"),
        ("[Errno -2] Name or service not known", "[Errno -2] Name or service not known"),
        ("server closed connection", "closed the connection without an answer"),
        ("Cannot parse HTTP response: bad", "answered with invalid HTTP: bad"),
        ("something else", "something else"),
        ("", "failed"),
    ],
)
def test_why_an_upstream_failed(message: str, said: str) -> None:
    assert spoken_error(message) == said
