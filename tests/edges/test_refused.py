"""Requests that are refused: each row of the table, over http and https, however cut, and heard to its end."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.client import Client, get
from support.goto_process import Goto
from support.ports import free_port
from support.site import Site
from support.upstream import Upstream
from support.waiting import PATIENCE

from goto.traffic.limits import LIMITS

HOST = b"Host: h\r\n"
LONG = b"a" * LIMITS.head

KINDS: dict[str, tuple[int, bytes]] = {
    "fragment": (400, b"GET /up?b# HTTP/1.1\r\n" + HOST + b"\r\n"),
    "scheme": (400, b"GET ftp://h/up HTTP/1.1\r\n" + HOST + b"\r\n"),
    "user info": (400, b"GET http://u@h/up HTTP/1.1\r\n" + HOST + b"\r\n"),
    "no host": (400, b"GET http:///up HTTP/1.1\r\n" + HOST + b"\r\n"),
    "asterisk": (400, b"GET * HTTP/1.1\r\n" + HOST + b"\r\n"),
    "h2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "no slash": (400, b"GET up HTTP/1.1\r\n" + HOST + b"\r\n"),
    "CONNECT": (501, b"CONNECT h:80 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "byte": (400, b"GET /up/\xe9 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "method": (400, b"G(T /up HTTP/1.1\r\n" + HOST + b"\r\n"),
    "shape": (400, b"GET  /up HTTP/1.1\r\n" + HOST + b"\r\n"),
    "no version": (400, b"GET /up\r\n" + HOST + b"\r\n"),
    "HTTP/0.9": (505, b"GET /up HTTP/0.9\r\n\r\n"),
    "HTTP/2.0": (505, b"GET /up HTTP/2.0\r\n" + HOST + b"\r\n"),
    "long line": (414, b"GET /up?" + LONG + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
    "long line without an end": (414, b"GET /up?" + LONG),
    "long method": (414, LONG + b"b"),
    "long field": (431, b"GET /up HTTP/1.1\r\n" + HOST + b"X: " + LONG + b"\r\n\r\n"),
    "many fields": (431, b"GET /up HTTP/1.1\r\n" + HOST + b"X: y\r\n" * LIMITS.fields + b"\r\n"),
    "many fields and all else": (431, b"G(T up# HTTP/2.0\r\n" + b"X : y\r\n" * (LIMITS.fields + 1) + b"\r\n"),
    "without Host": (400, b"GET /up HTTP/1.1\r\n\r\n"),
    "two Host": (400, b"GET /up HTTP/1.1\r\n" + HOST + HOST + b"\r\n"),
    "malformed Host": (400, b"GET /up HTTP/1.1\r\nHost: a,b\r\n\r\n"),
    "malformed Host beside an absolute target": (400, b"GET http://h/up HTTP/1.1\r\nHost: a b\r\n\r\n"),
    "two Host in HTTP/1.0": (400, b"GET /up HTTP/1.0\r\n" + HOST + HOST + b"\r\n"),
    "chunks in HTTP/1.0": (400, b"POST /up HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    "chunks and a length in HTTP/1.0": (400, b"POST /up HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"),
    "chunks and a length": (400, b"POST /up HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"),
    "gzip": (501, b"POST /up HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\nabc"),
    "blank before a colon": (400, b"GET /up HTTP/1.1\r\n" + HOST + b"X : y\r\n\r\n"),
    "fold": (400, b"GET /up HTTP/1.1\r\n" + HOST + b"X: y\r\n z\r\n\r\n"),
    "bare LF": (400, b"GET /up HTTP/1.1\n" + b"Host: h\n\n"),
    "bare CR": (400, b"GET /up HTTP/1.1\r\n" + HOST + b"X: y\rz: 1\r\n\r\n"),
    "CR alone": (400, b"GET /up HTTP/1.1\r" + b"Host: h\r\r"),
    "name": (400, b"GET /up HTTP/1.1\r\n" + HOST + b"X(y: z\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
}


@pytest.fixture(scope="module")
def site(process: Goto, shared_upstream: Upstream) -> Site:
    site = Site(process)
    site.target(shared_upstream.port, "/up")
    return site


@pytest.fixture(scope="module")
def shared_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


def ended(client: Client) -> bytes:
    """What comes behind an answer up to its FIN; a reset fails."""
    rest = b""
    while data := client.stream.read1(65536):
        rest += data
    return rest


def refused(client: Client, data: bytes, status: int) -> None:
    """The whole answer comes, and a FIN, while the client goes on sending; then its own FIN ends the connection."""
    client.send(data)
    answer = client.answer()
    assert (answer.status, answer.value("connection")) == (status, "close")
    assert answer.text.startswith("goto: ")
    assert answer.value("via-goto")
    for _ in range(20):
        client.send(b"x" * 65536)
    assert ended(client) == b""


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_refused_and_heard(site: Site, shared_upstream: Upstream, kind: str) -> None:
    status, data = KINDS[kind]
    with site.client() as client:
        refused(client, data, status)
    with site.client() as client:  # behind others, and pipelined
        client.send(get("/status/201") + get("/status/202") + data)
        assert [client.answer().status for _ in range(3)] == [201, 202, status]
        assert ended(client) == b""
    assert shared_upstream.take() == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "TLS"])
def test_over_https_too(secure: Callable[[], Client], kind: str) -> None:
    status, data = KINDS[kind]
    with secure() as client:
        refused(client, data, status)


def test_the_reason_of_a_byte_ends_with_what_to_do(site: Site) -> None:
    with site.client() as client:
        client.send(KINDS["byte"][1])
        assert client.answer().text.rstrip("\n").endswith("percent-encode it")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([kind for kind in KINDS if not kind.startswith("long")]), st.sets(st.integers(1, 60), max_size=8))
def test_however_it_is_cut(site: Site, kind: str, cuts: set[int]) -> None:
    status, data = KINDS[kind]
    with site.client() as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            for at, to in pairwise(sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})):
                client.send(data[at:to])
        assert client.answer().status == status
        assert ended(client) == b""


METHODS = ["FOO", "MKCOLA", "get", "PROPFIND", "M-SEARCH", "VERSION-CONTROL", "A" * 40, "PRIx", "!#$%&'*+.^_`|~"]


@pytest.mark.parametrize("method", METHODS)
def test_any_token_is_a_method_however_its_head_is_cut(site: Site, secure: Callable[[], Client], method: str) -> None:
    plain = get("/status/201", method=method)
    for client in (site.client(), secure()):
        with client:
            for data in (
                plain,
                get("/status/201", "X: " + "y" * 30000, method=method),
                get("/status/201", method=method, body=b"hi"),
            ):
                client.send(data)
                assert client.answer().status == 201
            chunked = get("/status/201", "Transfer-Encoding: chunked", method=method) + b"2\r\nhi\r\n0\r\n\r\n"
            client.send(get("/status/202") + chunked + plain)
            assert [client.answer().status for _ in range(3)] == [202, 201, 201]
            for at in range(len(plain)):
                client.send(plain[at : at + 1])
            assert client.answer().status == 201


@pytest.mark.parametrize("host", ["h", "h.", "H:80", "h:", "", "[::1]:80", "x_y", "a%20b", "a.b-c~d"])
def test_what_host_may_be(site: Site, host: str) -> None:
    with site.client() as client:
        client.send(b"GET /status/201 HTTP/1.1\r\nHost: %b\r\n\r\n" % host.encode() * 2)
        assert [client.answer().status for _ in range(2)] == [201, 201]


def test_a_higher_minor_version_is_http_1_1(site: Site) -> None:
    with site.client() as client:
        client.send(get("/status/201").replace(b"1.1", b"1.2") + get("/status/202").replace(b"1.1", b"1.9"))
        assert [client.answer().status for _ in range(2)] == [201, 202]


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("OPTIONS http://h", "*"),
        ("OPTIONS http://h:80", "*"),
        ("OPTIONS http://h/", "/"),
        ("OPTIONS http://h?a", "/?a"),
        ("OPTIONS *", "*"),
        ("GET http://h", "/"),
    ],
)
def test_options_without_a_path_is_for_the_server(site: Site, process: Goto, upstream: Upstream, asked: str, sent: str) -> None:
    own = Site(process)
    with own.client() as client:
        client.send(f"{asked} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert client.answer().json()["RequestURI"] == sent
    for more, base in (({}, ""), ({"sendId": True}, ""), ({"addQuery": [["x", "y"]]}, "")):
        own.target(upstream.port, "/", **more)
        with own.client() as client:
            client.send(f"{asked} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            assert client.answer().status == 200
        (seen,) = upstream.take(1)
        assert seen.target == sent if sent == "*" else seen.target.startswith(base + sent.partition("?")[0])
    spec = {"name": "/", "url": f"http://127.0.0.1:{upstream.port}/base?q=1", "match": {"uris": ["/"]}, "sendId": True}
    for more, wanted in (({}, "/base"), ({"replaceURI": "/other?x=1"}, "/base/other")):
        own.api("POST", "/request/proxy/targets/add", {**spec, **more})
        with own.client() as client:
            client.send(b"OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n")
            assert client.answer().status == 200
        (seen,) = upstream.take(1)
        assert seen.target == wanted


# ---------------------------------------------------------------- an Upgrade that is not followed
@pytest.mark.parametrize("upgrade", ["foo", "h2c", "websocket"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("apart", [False, True])
def test_behind_an_upgrade_comes_its_body_and_the_next_request(site: Site, upgrade: str, framing: str, apart: bool) -> None:
    smuggled = get("/smuggled")
    body = b"Content-Length: 3\r\n\r\nabc" if framing == "length" else b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    first = b"POST /first HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: " + upgrade.encode() + b"\r\n" + body
    second = get("/second", method="PUT", body=smuggled)
    with site.client() as client:
        if apart:
            client.send(first + second[: -len(smuggled)])
            status = client.answer().status
            client.send(smuggled)
        else:
            client.send(first + second)
            status = client.answer().status
        assert status == (501 if upgrade == "websocket" else 200)
        shown = client.answer().json()
        assert (shown["RequestURI"], shown["RequestBody"]) == ("/second", smuggled.decode())
        client.send(get("/status/202"))
        assert client.answer().status == 202


# ---------------------------------------------------------------- refusals are heard
def uploads(port: int, body: int, path: str, framing: str) -> tuple[bytes, bool]:
    """Send all of a body before a byte of the answer is read: what comes, and whether a FIN ended it."""
    with Client(port) as client:
        head = f"POST {path} HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n".encode()
        client.send(head)
        with contextlib.suppress(OSError):
            for _ in range(body // 65536):
                client.send(b"x" * 65536)
            client.socket.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while data := client.socket.recv(65536):
                got += data
        except OSError:
            return got, False
        return got, True


@pytest.mark.parametrize(
    ("path", "framing", "status"),
    [
        ("/label", "Content-Length: 8000000", b"405"),
        ("/listeners/add", "Content-Length: 8000000", b"413"),
        ("/both", f"Content-Length: {LIMITS.body + 1}", b"413"),
        ("/x", "Transfer-Encoding: gzip", b"501"),
        ("/#", "Content-Length: 8000000", b"400"),
    ],
)
def test_a_client_that_reads_when_it_has_sent_all_has_its_answer(site: Site, path: str, framing: str, status: bytes) -> None:
    site.target(free_port(), "/both", replicas=2)
    for _ in range(5):
        got, fin = uploads(site.port, 8_000_000, path, framing)
        assert got.startswith(b"HTTP/1.1 " + status)
        assert (b"Connection: close\r\n" in got, fin) == (status != b"405", True)


def test_one_connection_too_many_is_answered_and_heard(goto: Callable[..., Goto]) -> None:
    with Goto("few", "--limit", "connections=2") as process, contextlib.ExitStack() as held:
        for _ in range(2):
            client = held.enter_context(Client(process.port))
            client.send(get("/status/201"))
            assert client.answer().status == 201
        with Client(process.port) as turned_away:
            turned_away.send(get("/status/201", method="POST", body=b"x" * 100_000))
            answer = turned_away.answer()
            assert (answer.status, answer.value("connection")) == (503, "close")
            assert ended(turned_away) == b""


def test_a_client_that_never_ends_is_waited_for_10_seconds_at_most(site: Site) -> None:
    with site.client() as client:
        client.send(KINDS["fragment"][1])
        assert client.answer().status == 400
        assert ended(client) == b""
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < PATIENCE:
                client.send(b"x")
                time.sleep(0.05)
        assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize("behind", [b"", get("/status/202"), b"\r\n"])
def test_a_client_that_says_close_is_closed(site: Site, behind: bytes) -> None:
    with site.client() as client:
        client.send(get("/status/201", "Connection: close") + behind)
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (201, "close")
        assert ended(client) == b""
