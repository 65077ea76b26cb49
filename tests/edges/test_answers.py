"""Answers that come back, over real sockets: what reaches the client of a proxy target, and what a fan-out shows."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

import pytest
from support.client import get
from support.goto_process import Goto
from support.scripted import Scripted, answering, read_head
from support.site import Site
from support.waiting import PATIENCE

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n"
BIG = b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"


@pytest.fixture(scope="module", params=[(), ("--no-fast-path",)], ids=["", "no-fast-path"])
def process(goto: Callable[..., Goto], request: pytest.FixtureRequest) -> Goto:
    return goto("answers", *request.param)


@pytest.fixture
def site(process: Goto) -> Site:
    return Site(process)


def through(site: Site, answer: bytes, request: bytes = b"") -> bytes:
    """All that a client gets for a request that is answered so, until the connection ends."""
    with Scripted(answering(answer)) as server:
        site.target(server.port)
        return site.raw(request or b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")


# ---------------------------------------------------------------- 1xx
def test_interim_answers_pass_at_once_and_ahead_of_a_delay(site: Site) -> None:
    site.api("PUT", "/response/delay/set/300ms")
    go = threading.Event()

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(HINTS)
        go.wait(PATIENCE)
        connection.sendall(b"HTTP/1.1 199 Odd\r\nContent-Length: 5\r\n\r\n" + OK)

    with Scripted(behave) as server, site.client() as client:
        site.target(server.port)
        client.send(get("/"))
        assert client.head() == (103, "Early Hints", [("Link", "</a.css>")])
        go.set()
        assert client.head() == (199, "Odd", [])
        assert client.answer().body == b"ok"
    assert site.reported == {"200": 1}


def test_interim_answers_do_not_reach_http_1_0_or_a_fan_out(site: Site) -> None:
    got = through(site, HINTS + OK, b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
    assert b" 103 " not in got
    assert got.endswith(b"ok")
    with Scripted(answering(HINTS + OK)) as server:
        site.target(server.port, replicas=2)
        answer = site.call("GET", "/")
        assert [(one["StatusCode"], one["Body"]) for one in answer.json()] == [(200, "ok")] * 2


# ---------------------------------------------------------------- early answers
def early(connection: socket.socket) -> None:
    read_head(connection)
    connection.sendall(BIG)  # and is closed with bytes unread: a reset


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_refused_and_reset_is_answered_each_time(site: Site, chunked: bool) -> None:
    size = 20_000_000
    piece = b"x" * 65_536
    with Scripted(early) as server:
        site.target(server.port)
        for _ in range(25):
            with site.client() as client:
                framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
                with contextlib.suppress(OSError):
                    client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
                    for _ in range(40):
                        client.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                answer = client.answer()
                assert (answer.status, answer.body) == (413, b"big")
    assert site.reported == {"413": 25}


def test_an_answer_before_the_request_is_its_answer_each_time(site: Site) -> None:
    def busy(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy")

    with Scripted(busy) as server:
        site.target(server.port)
        answers = [site.call("POST" if number % 2 else "GET", "/", b"hello" if number % 2 else None) for number in range(100)]
    assert {(answer.status, answer.body) for answer in answers} == {(503, b"busy")}


def test_so_it_is_where_a_reset_is_right_behind_it(site: Site) -> None:
    def busy(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Scripted(busy) as server:
        site.target(server.port)
        answers = [site.call("POST" if number % 2 else "GET", "/", b"hello" if number % 2 else None) for number in range(100)]
    assert {(answer.status, answer.body) for answer in answers} == {(503, b"busy")}


# ---------------------------------------------------------------- lengths
@pytest.mark.parametrize(
    ("answer", "length"),
    [
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", b"99"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", None),
        (b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n", b"7"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 99\r\n\r\n", None),
        (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", None),
    ],
)
def test_the_length_of_what_has_no_body(site: Site, answer: bytes, length: bytes | None) -> None:
    got = through(site, answer).lower()
    assert got.startswith(answer[:12].lower())
    assert (b"content-length: " + (length or b"") in got) is (length is not None)
    assert b"transfer-encoding" not in got
    assert got.endswith(b"\r\n\r\n")


# ---------------------------------------------------------------- what is no HTTP
def test_a_blank_before_a_colon_is_taken_out(site: Site) -> None:
    assert b"\r\nX-Frame-Options: DENY\r\n" in through(site, OK.replace(b"\r\nC", b"\r\nX-Frame-Options \t: DENY\r\nC", 1))


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length : 2",
        b"Trailer\t: X",
        b"Served by Big Iron:",
        b" folded",
        b"no colon",
        b"Content-Length: 3",
    ],
)
def test_a_line_at_fault_is_told(site: Site, line: bytes) -> None:
    got = through(site, OK.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n"))
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b'target /: answered with what is no HTTP: "' + line.replace(b"\t", b"\\u0009") + b'"\n' in got


@pytest.mark.parametrize(
    "first", [b"RTSP/1.1 200 OK", b"ICE/1.1 200 OK", b"HTTP/1.1 099 X", b"HTTP/1.1 600 X", b"HTTP/1.1 999 X"]
)
def test_status_lines_that_are_none(site: Site, first: bytes) -> None:
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    got = through(site, first + b"\r\nContent-Length: %d\r\n\r\n" % len(evil) + evil)
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"evil" not in got


def test_http_1_0_in_chunks_is_decoded_and_not_kept(site: Site) -> None:
    connections = []

    def behave(connection: socket.socket) -> None:
        connections.append(connection)
        while read_head(connection):
            connection.sendall(
                b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n2\r\nok\r\n0\r\n\r\n"
            )

    with Scripted(behave) as server:
        site.target(server.port)
        assert [site.call("GET", "/").body for _ in range(3)] == [b"ok"] * 3
    assert len(connections) == 3


# ---------------------------------------------------------------- trailers
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Content-MD5\r\n\r\n"
CHUNKS += b"2\r\nok\r\n0\r\nX-Sum: 1\r\nContent-MD5: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("te", "passes"),
    [
        (b"trailers", True),
        (b"deflate, Trailers;q=0.5", True),
        (b"trailers;q=0", False),
        (b"trailers; q=0.0", False),
        (b"gzip", False),
    ],
)
def test_trailers_pass_to_who_takes_them(site: Site, te: bytes, passes: bool) -> None:
    heads = []

    def behave(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(CHUNKS)

    with Scripted(behave) as server:
        site.target(server.port)
        got = site.raw(b"GET / HTTP/1.1\r\nHost: a\r\nTE: " + te + b"\r\nConnection: close, TE\r\n\r\n")
    assert (b"\r\nTrailer: X-Sum\r\n" in got, got.endswith(b"0\r\nX-Sum: 1\r\n\r\n")) == (passes, passes)
    assert b"MD5" not in got
    assert passes or got.endswith(b"2\r\nok\r\n0\r\n\r\n")
    assert (b"\r\nTE: trailers\r\n" in heads[0], b"\r\nTE:" in heads[0]) == (passes, passes)


def test_trailers_are_dropped_for_http_1_0(site: Site) -> None:
    got = through(site, CHUNKS, b"GET / HTTP/1.0\r\nHost: a\r\nTE: trailers\r\n\r\n")
    assert got.endswith(b"\r\n\r\nok")
    assert b"X-Sum" not in got


@pytest.mark.parametrize("trailer", [b" folded", b"no colon", b"X: \x00", b"X: " + b"y" * 300_000])
def test_malformed_trailers_break_an_answer_off(site: Site, trailer: bytes) -> None:
    got = through(site, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n" + trailer + b"\r\n\r\n")
    assert not got.endswith(b"0\r\n\r\n")


# ---------------------------------------------------------------- pauses
@pytest.mark.parametrize(
    ("content", "fields", "whole"),
    [
        (b"text/plain", {"requestTimeout": "200ms"}, True),
        (b"text/plain", {"bodyTimeout": "200ms"}, False),
        (b"text/event-stream", {"bodyTimeout": "200ms"}, False),
        (b"text/event-stream", {"requestTimeout": "200ms"}, True),
        (b"text/plain", {"requestTimeout": "200ms", "bodyTimeout": "0"}, True),
    ],
)
def test_a_body_may_pause_for_its_own_time(site: Site, content: bytes, fields: dict[str, str], whole: bool) -> None:
    over = threading.Event()

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: " + content + b"\r\nContent-Length: 2\r\n\r\no")
        over.wait(0.6 if whole else PATIENCE)
        connection.sendall(b"k")

    with Scripted(behave) as server:
        site.target(server.port, **fields)
        got = site.raw(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        over.set()
    assert got.endswith(b"\r\n\r\nok" if whole else b"\r\n\r\no")
