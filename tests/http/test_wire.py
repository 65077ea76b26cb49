"""The bytes of heads."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from goto.flow import Call, Headers, Origin, Request, Response
from goto.http import wire as http1

ORIGIN = Origin("http", "up", 80)
IDENTITY = b"Via-Goto: x\r\n"
DATE = (b"Date", b"now")


def call(method: str, path: str = "/p?q", **fields: object) -> Call:
    return Call("t", ORIGIN, method, path, [(b"Host", b"up"), (b"X", b"\xff")], **fields)


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        (200, None, b"HTTP/1.1 200 OK\r\n"),
        (418, None, b"HTTP/1.1 418 I'm a teapot\r\n"),
        (299, None, b"HTTP/1.1 299 \r\n"),
        (200, "Fine", b"HTTP/1.1 200 Fine\r\n"),
        (200, "", b"HTTP/1.1 200 \r\n"),
        (999, "Odd \xe9", b"HTTP/1.1 999 Odd \xe9\r\n"),
    ],
)
def test_status_lines(status: int, reason: str | None, line: bytes) -> None:
    assert http1.status_line(status, reason) == line


@pytest.mark.parametrize(
    ("version", "keep_alive", "status", "said"),
    [
        ((1, 1), True, 200, b""),
        ((1, 1), False, 200, b"Connection: close\r\n"),
        ((1, 0), True, 200, b"Connection: keep-alive\r\n"),
        ((1, 0), False, 200, b"Connection: close\r\n"),
        ((1, 1), False, 101, b""),
    ],
)
def test_what_a_response_says_of_its_connection(version: tuple[int, int], keep_alive: bool, status: int, said: bytes) -> None:
    response = Response(status, headers=Headers([DATE]))
    head = http1.response_bytes(response, IDENTITY, b"F: 1\r\n", version, keep_alive=keep_alive, body=b"body")
    assert head == http1.status_line(status) + IDENTITY + b"Date: now\r\nF: 1\r\n" + said + b"\r\nbody"


def test_a_date_is_given_once() -> None:
    head = http1.response_bytes(Response(200, headers=Headers([(b"dATE", b"now")])), b"", b"", (1, 1), keep_alive=True)
    assert head.lower().count(b"\r\ndate:") == 1
    head = http1.response_bytes(Response(200), b"", b"", (1, 1), keep_alive=True)
    dates = [line for line in head.split(b"\r\n") if line.startswith(b"Date: ")]
    assert len(dates) == 1
    assert parsedate_to_datetime(dates[0][6:].decode()).tzinfo is not None


@pytest.mark.parametrize(
    ("status", "length", "method", "version", "framing"),
    [
        (200, 5, "GET", (1, 1), (b"Content-Length: 5\r\n", "length")),
        (200, 0, "GET", (1, 1), (b"Content-Length: 0\r\n", "length")),
        (200, 5, "HEAD", (1, 1), (b"Content-Length: 5\r\n", "length")),
        (200, None, "HEAD", (1, 1), (b"", "length")),
        (200, None, "GET", (1, 1), (b"Transfer-Encoding: chunked\r\n", "chunks")),
        (200, None, "GET", (1, 0), (b"", "close")),
        (204, 0, "GET", (1, 1), (b"", "length")),
        (304, 9, "GET", (1, 1), (b"Content-Length: 9\r\n", "length")),
        (304, None, "GET", (1, 1), (b"", "length")),
        (204, None, "GET", (1, 1), (b"", "length")),
        (101, None, "GET", (1, 1), (b"", "length")),
    ],
)
def test_framing_of_streams(
    status: int, length: int | None, method: str, version: tuple[int, int], framing: tuple[bytes, str]
) -> None:
    assert http1.framing_of_stream(status, length, Request(method, "/", Headers(), version=version)) == framing


@pytest.mark.parametrize(
    ("status", "method", "length", "body"),
    [
        (200, "GET", b"Content-Length: 4\r\n", b"body"),
        (205, "POST", b"Content-Length: 0\r\n", b""),
        (205, "HEAD", b"Content-Length: 0\r\n", b""),
        (200, "HEAD", b"Content-Length: 4\r\n", b""),
        (204, "GET", b"", b""),
        (304, "GET", b"", b""),
        (204, "HEAD", b"", b""),
    ],
)
def test_a_response_that_is_here_whole(status: int, method: str, length: bytes, body: bytes) -> None:
    response = Response(status, b"body", Headers([DATE]))
    data = http1.whole_response(response, IDENTITY, method, (1, 1), keep_alive=True)
    assert data == http1.status_line(status) + IDENTITY + b"Date: now\r\n" + length + b"\r\n" + body


def head_of(call: Call, length: int | None) -> bytes:
    return http1.request_head(call.method, call.path, call.headers, length, call.upgrade)


@pytest.mark.parametrize(
    ("method", "length", "framing"),
    [
        ("GET", 0, b""),
        ("HEAD", 0, b""),
        ("OPTIONS", 0, b""),
        ("DELETE", 0, b""),
        ("POST", 0, b"Content-Length: 0\r\n"),
        ("PUT", 0, b"Content-Length: 0\r\n"),
        ("PATCH", 0, b"Content-Length: 0\r\n"),
        ("ODD", 0, b"Content-Length: 0\r\n"),
        ("GET", 5, b"Content-Length: 5\r\n"),
        ("POST", 5, b"Content-Length: 5\r\n"),
        ("GET", None, b"Transfer-Encoding: chunked\r\n"),
        ("POST", None, b"Transfer-Encoding: chunked\r\n"),
    ],
)
def test_request_heads(method: str, length: int | None, framing: bytes) -> None:
    assert head_of(call(method), length) == b"%b /p?q HTTP/1.1\r\nHost: up\r\nX: \xff\r\n%b\r\n" % (
        method.encode(),
        framing,
    )


def test_an_upgrade_is_asked_for_anew() -> None:
    head = head_of(call("GET", upgrade="websocket"), 0)
    assert head.endswith(b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")


def test_paths_go_out_byte_for_byte() -> None:
    assert head_of(call("GET", "//a/../%2F\udcff"), 0).startswith(b"GET //a/../%2F\xff HTTP/1.1\r\n")


def test_chunks() -> None:
    assert http1.chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert http1.LAST_CHUNK == b"0\r\n\r\n"
