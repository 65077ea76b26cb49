"""A request's body as it comes in, at a real listener."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.client import get
from support.goto_process import Goto
from support.site import Site
from support.upstream import Upstream

from goto.errors import BadInput
from goto.hosts.standalone.body import RequestBody
from goto.upstream.sink import Sink

MB = 1 << 20
EXPECT = "Expect: 100-continue"


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("body")


@pytest.fixture(scope="module")
def site(process: Goto) -> Site:
    return Site(process)


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5), st.lists(st.integers(1, 400), max_size=4))
def test_chunks_are_one_body_wherever_reads_cut_them(site: Site, pieces: list[bytes], cuts: list[int]) -> None:
    pieces = [piece.decode("latin-1").encode() for piece in pieces]
    data = get("/", "Transfer-Encoding: chunked", method="POST") + chunked(*pieces) + get("/status/202")
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    with site.client() as client:
        for start, end in pairwise(edges):
            client.send(data[start:end])
        assert client.answer().json()["RequestBody"] == b"".join(pieces).decode()
        assert client.answer().status == 202


@pytest.mark.parametrize(
    "data", [chunked(b"hello", end=b"0\r\nX: trailer\r\n\r\n"), b"5;ext=1\r\nhello\r\n0\r\n\r\n", b"00005\r\nhello\r\n0\r\n\r\n"]
)
def test_trailers_and_extensions_are_no_body(site: Site, data: bytes) -> None:
    with site.client() as client:
        client.send(get("/", "Transfer-Encoding: chunked", method="PUT") + data + get("/status/202"))
        assert client.answer().json()["RequestBody"] == "hello"
        assert client.answer().status == 202


def test_echo_shows_the_first_mebibyte_and_says_so(site: Site) -> None:
    for size in (MB, MB + 1, 3 * MB):
        answer = json.loads(site.call("POST", "/echo", b"x" * size).body)
        assert len(answer["RequestBody"]) == MB
        assert (answer.get("RequestBodySize"), answer.get("RequestBodyTruncated")) == (
            (None, None) if size == MB else (size, True)
        )


def test_status_drops_the_body(site: Site) -> None:
    with site.client() as client:
        client.send(get("/status/418", method="POST", body=b"x" * MB) + get("/status/202"))
        assert [client.answer().status, client.answer().status] == [418, 202]


# ---------------------------------------------------------------- Expect
def test_a_client_that_waits_is_told_to_go_on_once(site: Site) -> None:
    with site.client() as client:
        client.send(get("/", EXPECT, "Content-Length: 5", method="POST"))
        assert client.head()[0] == 100
        client.send(b"hello" + get("/status/202"))
        assert client.answer().json()["RequestBody"] == "hello"
        assert client.answer().status == 202


def test_a_client_that_does_not_wait_need_not_be_told(site: Site) -> None:
    with site.client() as client:
        client.send(get("/", EXPECT, method="POST", body=b"hello"))
        answer = client.answer()
        if answer.status == 100:
            answer = client.answer()
        assert answer.json()["RequestBody"] == "hello"


def test_an_answer_that_needs_no_body_comes_without_it_and_ends_the_connection(site: Site) -> None:
    with site.client() as client:
        client.send(get("/status/202", EXPECT, "Content-Length: 5", method="POST"))
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (202, "close")
        assert client.rest() == b""


def test_an_expectation_without_a_body_is_answered_at_once(site: Site) -> None:
    with site.client() as client:
        client.send(get("/", EXPECT, method="POST", body=b""))
        assert client.answer().status == 200


def test_http_1_0_is_never_told_to_go_on(site: Site) -> None:
    got = site.raw(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
    assert got.startswith(b"HTTP/1.1 200 ")
    assert b'"RequestBody":"hello"' in got


def test_an_upstream_that_says_nothing_is_not_waited_for_long(process: Goto, upstream: Upstream) -> None:
    site = Site(process)
    site.target(upstream.port)
    with site.client() as client:
        client.send(get("/", EXPECT, "Content-Length: 5", method="POST"))
        assert client.head()[0] == 100
        client.send(b"hello")
        assert client.answer().status == 200
    (received,) = upstream.take(1)
    assert (received.body, received.values("expect")) == (b"hello", ["100-continue"])


# ---------------------------------------------------------------- what breaks
@pytest.mark.parametrize("path", ["/", "/label/set/x"])
@pytest.mark.parametrize("later", [b"zz\r\n", b"5\r\nhelloXX\r\n", b"-1\r\n", b"0x5\r\nhello\r\n0\r\n\r\n"])
def test_a_malformed_chunk_ends_the_connection(process: Goto, path: str, later: bytes) -> None:
    site = Site(process)
    with site.client() as client:
        client.send(get(path, "Transfer-Encoding: chunked", method="POST") + b"2\r\nab\r\n")
        assert site.goto.call("GET", "/goto/health").status == 200  # it waits for the rest
        client.send(later)
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (400, "close")
        assert client.rest() == b""


def test_a_malformed_chunk_of_a_body_nobody_reads_is_no_crash(process: Goto) -> None:
    site = Site(process)
    with site.client() as client:
        client.send(get("/status/200", "Transfer-Encoding: chunked", method="POST") + b"2\r\nab\r\n")
        assert client.answer().status == 200
        client.send(b"zz\r\n")
    assert site.call("GET", "/status/202").status == 202


def test_a_body_cut_short_is_a_client_that_left(process: Goto) -> None:
    site = Site(process)
    site.api("PUT", "/request/timeout/track/all")
    for data in (
        get("/", "Content-Length: 9", method="POST") + b"hello",
        get("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhel",
    ):
        client = site.client()
        client.send(data)
        client.socket.shutdown(1)
        client.rest()
        client.close()
    site.ended(closed=2)


# ---------------------------------------------------------------- looked at before it goes on
class Kept(Sink):
    def __init__(self) -> None:
        super().__init__()
        self.data = b""
        self.error: Exception | None = None

    def more(self, data: bytes) -> None:
        self.data += data

    def broken(self, error: Exception) -> None:
        self.error = error


def body(length: int | None, *, expected: bool = False) -> tuple[RequestBody, list[str]]:
    told: list[str] = []
    return RequestBody(length, expected, lambda: told.append("invited"), lambda: None), told


@pytest.mark.parametrize(
    ("length", "pieces", "ended", "here", "whole"),
    [
        (None, [b"ab"], False, False, False),
        (None, [b"abcd"], False, False, False),  # whether there is more is not known
        (None, [b"abcd"], True, True, True),
        (None, [b"abcd", b"e"], False, True, False),
        (9, [b"abcd"], False, True, False),
        (9, [b"abc"], False, False, False),
        (4, [b"abcd"], True, True, True),
        (2, [b"ab"], True, True, True),
    ],
)
def test_so_much_is_looked_at(length: int | None, pieces: list[bytes], ended: bool, here: bool, whole: bool) -> None:
    for before in (True, False):
        made, _ = body(length)
        wait = made.here(4) if before else None
        for piece in pieces:
            made.more(piece)
        if ended:
            made.end([])
        wait = wait or made.here(4)
        assert wait.here is here
        data = b"".join(pieces)
        assert made.first(4) == (data[:4], len(data), whole)
        sink = Kept()
        made.to(sink)
        assert sink.data == data


def test_a_client_that_waits_is_asked_to_go_on_where_its_body_is_looked_at() -> None:
    made, told = body(9, expected=True)
    made.here(4)
    assert (told, made.awaited) == (["invited"], False)


def test_more_is_held_where_more_is_looked_at() -> None:
    made, _ = body(None)
    made.here(1 << 20)
    made.more(b"x" * (1 << 20))
    assert not made.congested
    made.more(b"x")
    assert made.congested


def test_one_that_breaks_meanwhile_is_an_error_for_whoever_looks() -> None:
    made, _ = body(9)
    wait = made.here(4)
    made.broken("cut")
    assert isinstance(wait.error, BadInput)
    assert made.here(4).here
