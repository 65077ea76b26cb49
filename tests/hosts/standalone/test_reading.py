"""What a client sends, read without a socket: however it is cut, and whoever reads the head."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.client import get

from goto.flow import Request
from goto.hosts.standalone import reading
from goto.hosts.standalone.reading import BROKEN, HEAD, TURN, WHOLE, Reader, Reading
from goto.http.fields import Field
from goto.http.heads import CHUNKED
from goto.http.requests import Refused, request_of
from goto.traffic.limits import LIMITS

HELLO = b"5\r\nhello\r\n0\r\n\r\n"


class Told(Reader):
    """Writes down what it is told. With `answers`, each request has been answered by the time its body has come."""

    def __init__(self, *, answers: bool = True) -> None:
        self.requests: list[tuple[Request, str, int, bool, bool]] = []
        self.bodies: list[bytes] = []
        self.ends: list[list[Field]] = []
        self.broken: list[Refused] = []
        self._answers = answers
        self.reading = Reading()

    def on_request(self, request: Request, target: str, length: int, keep: bool, expects: bool) -> None:
        assert not self.broken
        self.requests.append((request, target, length, keep, expects))
        self.bodies.append(b"")
        if not length and self._answers:
            self.reading.next()

    def on_data(self, data: bytes) -> None:
        assert data
        self.bodies[-1] += data

    def on_end(self, trailers: list[Field]) -> None:
        self.ends.append(trailers)
        if self._answers:
            self.reading.next()

    def on_broken(self, refused: Refused) -> None:
        assert self.reading.state == BROKEN
        self.broken.append(refused)

    def feed(self, *pieces: bytes) -> Told:
        for piece in pieces:
            self.reading.feed(piece, self)
        return self

    @property
    def seen(self) -> list[Any]:
        """All of it, as values to compare."""
        heads = [
            (one.method, one.target, one.version, one.has_body, one.headers.fields, target, length, keep, expects)
            for one, target, length, keep, expects in self.requests
        ]
        return [heads, self.bodies, self.ends, [(one.status, one.reason) for one in self.broken]]


# ---------------------------------------------------------------- however it is cut
PIECES = [
    get("/a"),
    get("/b", "X: 1", method="HEAD"),
    get("/c", method="POST", body=b"hello\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    get("/d", method="PUT", body=b""),
    get("/e", "Transfer-Encoding: chunked", method="POST") + b"7\r\n\r\n\r\n0\r\n\r\n4;x=y\r\n\r\n\r\n\r\n0\r\nT: 1\r\n\r\n",
    get("/f", "Transfer-Encoding: chunked", method="BREW") + HELLO,
    get("/g", "Connection: keep-alive, Upgrade", "Upgrade: websocket"),
    get("/h", "Upgrade: h2c", "Connection: Upgrade", method="POST", body=b"abc"),
    get("/i", "Expect: 100-continue", method="POST", body=b"abc"),
    b"\r\n\r\n" + get("/j"),
    b"GET /k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    get("/l", "Connection: close", method="ANNOUNCE-2", body=b"x"),
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://h/m HTTP/1.1\r\nHost: a\r\n\r\n",
]
ENDS = [b"", get("/last"), b"NONSENSE\r\n\r\n", b"GET /x HT", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"B(D / HTTP/1.1\r\n\r\n"]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=5), st.sampled_from(ENDS), st.lists(st.integers(0, 900), max_size=12))
def test_it_is_the_same_however_it_is_cut_and_whoever_reads_the_heads(parts: list[bytes], end: bytes, cuts: list[int]) -> None:
    data = b"".join(parts) + end
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    whole = Told().feed(data)
    assert Told().feed(*[data[at:to] for at, to in pairwise(edges)]).seen == whole.seen
    assert len(whole.requests) == len(parts) + (end == get("/last"))
    reading.GLANCE = False
    try:
        assert Told().feed(data).seen == whole.seen
    finally:
        reading.GLANCE = True


@pytest.mark.parametrize("part", PIECES)
def test_it_is_the_same_byte_by_byte(part: bytes) -> None:
    data = part + get("/next")
    told = Told().feed(*[data[at : at + 1] for at in range(len(data))])
    assert told.seen == Told().feed(data).seen
    assert told.requests[-1][1] == "/next"


def test_bodies_come_as_they_are() -> None:
    told = Told().feed(*PIECES)
    assert told.bodies[2] == b"hello\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    assert told.bodies[4] == b"\r\n\r\n0\r\n\r\n\r\n"
    lengths = [length for _, _, length, _, _ in told.requests]
    assert lengths == [0, 0, 27, 0, CHUNKED, CHUNKED, 0, 3, 3, 0, 0, 1, 0, 0]
    assert [one.has_body for one, *_ in told.requests] == [length != 0 for length in lengths]
    assert [number for number, (*_, expects) in enumerate(told.requests) if expects] == [8]
    assert [number for number, (_, _, _, keep, _) in enumerate(told.requests) if not keep] == [11]
    assert (told.requests[5][0].method, told.requests[13][0].target) == ("BREW", "/m")


# ---------------------------------------------------------------- one at a time
def test_what_stands_behind_a_request_waits_for_its_turn() -> None:
    told = Told(answers=False)
    told.feed(get("/a") + get("/b", method="POST", body=b"hello") + b"GET /c")
    assert [target for _, target, *_ in told.requests] == ["/a"]
    assert (told.reading.state, told.reading.partial) == (WHOLE, False)
    told.feed(b" HTTP/1.1\r\n")
    told.reading.next()
    told.feed(b"")
    assert [target for _, target, *_ in told.requests] == ["/a", "/b"]
    assert (told.bodies, told.ends) == ([b"", b"hello"], [[]])
    told.reading.next()
    told.feed(b"")
    assert (told.reading.state, told.reading.partial, told.reading.rest) == (HEAD, True, b"")


def test_what_stands_behind_a_switch_is_data() -> None:
    told = Told(answers=False)
    told.feed(get("/a", "Connection: Upgrade", "Upgrade: websocket") + b"early")
    told.reading.switch()
    told.feed(b"")
    told.feed(get("/b"))
    assert (len(told.requests), told.bodies) == (1, [b"early" + get("/b")])


def test_many_requests_in_one_read_let_others_have_their_turn() -> None:
    told = Told().feed(get("/a") * (TURN + 5))
    assert len(told.requests) == TURN
    assert told.reading.rest == get("/a") * 5
    assert len(told.feed(b"").requests) == TURN + 5


# ---------------------------------------------------------------- what a head asks
@pytest.mark.parametrize(
    ("target", "origin", "host"),
    [
        ("/a?b", "/a?b", b"sent"),
        ("//a/../%2F", "//a/../%2F", b"sent"),
        ("*", "*", b"sent"),
        ("http://h/a?b", "/a?b", b"h"),
        ("HTTP://h:81/a", "/a", b"h:81"),
        ("https://h", "/", b"h"),
        ("http://h?b", "/?b", b"h"),
        ("http://h/a?u=http://x/", "/a?u=http://x/", b"h"),
        ("http://[::1]:8/a", "/a", b"[::1]:8"),
        ("ftp://h/a", "ftp://h/a", b"sent"),
    ],
)
def test_targets_become_origin_form(target: str, origin: str, host: bytes) -> None:
    request = request_of("GET", target, [(b"X", b"1"), (b"hOST", b"sent"), (b"Y", b"2")], (1, 1), has_body=True)
    assert (request.target, request.has_body) == (origin, True)
    assert request.headers.get_all("host") == [host.decode()]
    assert [value for name, value in request.headers.fields if name in (b"X", b"Y")] == [b"1", b"2"]


def test_fields_come_as_they_are() -> None:
    told = Told().feed(b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\r\nx:\r\nX:  2 \t\r\n\r\n")
    assert told.requests[0][0].headers.fields == [(b"Host", b"a"), (b"X", b"\xff"), (b"x", b""), (b"X", b"2")]


# ---------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "CONNECT is not served"),
        (get("/", "Transfer-Encoding: gzip, chunked", method="POST"), 501, "the only transfer coding"),
        (get("/", "Transfer-Encoding:", method="POST"), 400, ""),
        (b"GET /x\r\nHost: a\r\n\r\n", 400, ""),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "HTTP/2 is not spoken here: use HTTP/1.1"),
        (b"\x16\x03\x01\x02\x00", 400, "this port speaks http: use http://"),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400, ""),
        (b"x" * (LIMITS.head + 1), 414, ""),
        (b" /x HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""),
        (get("/" + "a" * LIMITS.head), 414, "the request line is over"),
        (b"GET /" + b"a" * LIMITS.head, 414, "the request line is over"),
        (get("/", *["X: " + "y" * 1000] * 66), 431, "the head is over"),
        (get("/", *["X: y"] * 1001), 431, "the head is over"),
    ],
)
def test_what_is_refused(data: bytes, status: int, reason: str) -> None:
    for pieces in ([data], [data[:30], data[30:]], [data[at : at + 1000] for at in range(0, len(data), 1000)]):
        told = Told().feed(*pieces)
        (broken,) = told.broken
        assert (broken.status, told.requests) == (status, [])
        assert broken.reason.startswith(reason)
        told.feed(get("/"))
        assert told.requests == []


def test_a_refusal_names_the_request_where_its_head_was_read() -> None:
    (broken,) = Told().feed(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n").broken
    assert (broken.method, broken.target) == ("CONNECT", "a:1")
    (broken,) = Told().feed(b"NONSENSE\r\n\r\n").broken
    assert (broken.method, broken.target) == ("-", "-")


def test_a_head_at_the_limit_is_none_over_it() -> None:
    head = get("/" + "a" * (LIMITS.head - len(get("/"))))
    assert len(head) == LIMITS.head
    assert len(Told().feed(head).requests) == 1
    assert len(Told().feed(head[:100], head[100:]).requests) == 1


@pytest.mark.parametrize("later", [b"zz\r\n", b"5\r\nhelloXX\r\n", b"-1\r\n", b"0x5\r\nhello\r\n0\r\n\r\n"])
def test_a_body_that_breaks(later: bytes) -> None:
    told = Told().feed(get("/", "Transfer-Encoding: chunked", method="POST") + b"2\r\nab\r\n", later)
    (broken,) = told.broken
    assert (broken.status, told.ends) == (400, [])
    assert told.bodies[0].startswith(b"ab")
    assert broken.reason
