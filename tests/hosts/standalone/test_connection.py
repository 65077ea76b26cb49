"""A client's connection: what is answered, in which order, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterable

import pytest
from support.client import Client, get
from support.goto_process import Goto
from support.ports import free_port
from support.resources import memory
from support.scrape import scraped
from support.scripted import Scripted, read_head
from support.site import Site
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, eventually, until

from goto.hosts.standalone import connection as connection_module
from goto.hosts.standalone.host import StandaloneHost
from goto.traffic.accesslog import AccessLog
from goto.traffic.limits import LIMITS
from goto.traffic.listener import ListenerSpec

HOST = b"Host: a\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("connection")


@pytest.fixture
def site(process: Goto) -> Site:
    return Site(process)


# ---------------------------------------------------------------- one after the other
@pytest.mark.parametrize("count", [2, 7, 300])
def test_pipelined_requests_are_answered_in_order(site: Site, count: int) -> None:
    with site.client() as client:
        client.send(b"".join(get(f"/status/{200 + n % 300}") for n in range(count)))
        for n in range(count):
            answer = client.answer()
            assert (answer.status, answer.body == b"") == (200 + n % 300, 200 + n % 300 in (204, 205, 304))


@pytest.mark.parametrize("method", ["BREW", "get", "ANNOUNCE-2", "A!#$%&'*+.^_`|~1"])
def test_a_method_may_be_any_token(site: Site, upstream: Upstream, method: str) -> None:
    site.target(upstream.port, "/up")
    with site.client() as client:
        client.send(get("/status/201", method=method) + get("/status/202") + get("/echo", method=method, body=b"abc"))
        assert [client.answer().status for _ in range(2)] == [201, 202]
        assert client.answer().json()["RequestBody"] == "abc"
        for body in (b"", b"abc"):
            client.send(get("/up", method=method, body=body))
            assert client.answer().status == 200
            (seen,) = upstream.take(1)
            assert (seen.method, seen.body) == (method, body)
        client.send(get("/label", method=method))
        assert client.answer().status == 405


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"BREW /x HTTP/1.1\r\n\r\n", 400),
        (b"BREW /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"BREW /x HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 1001 + b"\r\n", 431),
        (b"B(EW /x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"BREW /x\r\nHost: a\r\n\r\n", 400),
    ],
)
def test_what_is_malformed_is_that_with_any_method(site: Site, head: bytes, status: int) -> None:
    with site.client() as client:
        client.send(head)
        assert client.answer().status == status
        assert client.socket.recv(1) == b""


@pytest.mark.parametrize("first", [get("/echo", method="POST", body=b"abc"), get("/echo", method="BREW", body=b"abc")])
def test_the_end_of_a_body_is_no_part_of_a_method(site: Site, upstream: Upstream, first: bytes) -> None:
    """What comes in one read with it may be refused, but never misread."""
    site.target(upstream.port, "/up")
    with site.client() as client:
        client.send(first + get("/up", method="BREW"))
        assert client.answer().json()["RequestBody"] == "abc"
        client.answer()
    assert [one.method for one in upstream.take()] in ([], ["BREW"])


@pytest.mark.parametrize("together", [True, False])
def test_requests_behind_a_proxied_one_wait_for_it(site: Site, upstream: Upstream, together: bool) -> None:
    with held() as event:
        upstream.on("/held", Reply(201, hold=event))
        site.target(upstream.port, "/held")
        with site.client() as client:
            client.send(get("/held") + (get("/status/202") + get("/held") if together else b""))
            upstream.take(1)
            if not together:
                client.send(get("/status/202") + get("/held"))
            client.socket.settimeout(0.1)
            with pytest.raises(TimeoutError):
                client.socket.recv(1)
            client.socket.settimeout(PATIENCE)
            event.set()
            client.stream = client.socket.makefile("rb")
            assert [client.answer().status for _ in range(3)] == [201, 202, 201]
            upstream.take(1)


def test_requests_behind_a_delayed_one_wait_for_it(site: Site) -> None:
    site.api("PUT", "/response/delay/set/100ms:1")
    with site.client() as client:
        client.send(get("/status/201") + get("/status/202") + get("/label"))
        assert [client.answer().status for _ in range(3)] == [201, 202, 200]


def test_a_request_in_pieces(site: Site) -> None:
    data = get("/a?b=c", "X: y", method="POST", body=b"hello") + get("/status/202")
    for step in (1, 2, 7):
        with site.client() as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(data), step):
                client.send(data[at : at + step])
            answer = client.answer()
            assert (answer.json()["RequestURI"], answer.json()["RequestBody"], answer.value("x")) == ("/a?b=c", "hello", "y")
            assert client.answer().status == 202


def test_the_head_of_a_next_request_may_come_in_two_parts(site: Site) -> None:
    with site.client() as client:
        client.send(get("/status/201") + get("/status/202")[:10])
        assert client.answer().status == 201
        client.send(get("/status/202")[10:])
        assert client.answer().status == 202


def test_what_is_behind_connection_close_is_not_answered(site: Site) -> None:
    with site.client() as client:
        client.send(get("/status/201", "Connection: close"))
        answer = client.answer()
        assert (answer.status, answer.value("connection"), client.rest()) == (201, "close", b"")
    assert site.reported == {"201": 1}


@pytest.mark.parametrize("behind", [b"NONSENSE\r\n\r\n", get("/late")])
def test_what_is_malformed_behind_a_request_does_not_take_its_answer(site: Site, behind: bytes) -> None:
    with site.client() as client:
        client.send(get("/status/201", *(["Connection: close"] if b"late" in behind else [])) + behind)
        assert client.answer().status == 201


def test_a_body_that_breaks_after_the_answer_ends_the_connection_at_once(site: Site) -> None:
    """Well within the time for which a body that nobody wants is read."""
    with site.client() as client:
        client.send(get("/status/201", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n")
        assert client.answer().status == 201
        client.socket.settimeout(connection_module.LINGER_SECONDS / 2)
        client.send(b"zz\r\n")
        assert client.rest() == b""


# ---------------------------------------------------------------- versions and forms
@pytest.mark.parametrize(
    ("request_line", "status", "stays"),
    [
        (b"GET /status/201 HTTP/1.1\r\n" + HOST, 201, True),
        (b"GET /status/201 HTTP/1.0\r\n", 201, False),
        (b"GET /status/201 HTTP/1.0\r\nConnection: keep-alive\r\n", 201, True),
        (b"GET http://b/status/201 HTTP/1.1\r\n" + HOST, 201, True),
        (b"GET http://b/label HTTP/1.1\r\n" + HOST, 200, True),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST, 200, True),
        (b"CONNECT a:1 HTTP/1.1\r\n" + HOST, 501, False),
        (b"PROPFIND /status/207 HTTP/1.1\r\n" + HOST, 207, True),
    ],
)
def test_forms_of_requests(site: Site, request_line: bytes, status: int, stays: bool) -> None:
    with site.client() as client:
        client.send(request_line + b"\r\n")
        answer = client.answer()
        assert answer.status == status
        said = answer.value("connection")
        if stays:
            assert said == (None if b"HTTP/1.1" in request_line else "keep-alive")
            client.send(get("/status/202"))
            assert client.answer().status == 202
        else:
            assert said == "close"
            assert client.rest() == b""


def test_the_authority_of_an_absolute_form_stands_for_the_host(site: Site, upstream: Upstream) -> None:
    with site.client() as client:
        client.send(b"GET http://other:81/a?b HTTP/1.1\r\n" + HOST + b"\r\n")
        shown = client.answer().json()
    assert (shown["RequestURI"], shown["RequestHeaders"]["Host"]) == ("/a?b", ["other:81"])
    site.target(upstream.port)
    site.raw(b"GET http://other:81/a?b HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
    assert upstream.take(1)[0].target == "/a?b"


# ---------------------------------------------------------------- malformed
@pytest.mark.parametrize(
    "data",
    [
        b"NONSENSE\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
        b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET foo HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"x: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"x : a\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"x: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"x: a\rb\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\nabc",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    ],
)
def test_what_is_malformed_is_400_and_ends_the_connection(site: Site, data: bytes) -> None:
    with site.client() as client:
        client.send(get("/status/202"))
        assert client.answer().status == 202
        client.send(data)
        answer = client.answer()
        assert (answer.status, answer.value("connection"), answer.value("via-goto")) == (400, "close", str(site.port))
        assert answer.text.strip()
        assert client.rest() == b""
    assert set(site.reported) <= {"202", "400"}


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n" + HOST + b"x: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + (b"x: " + b"a" * 7_000 + b"\r\n") * 10 + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"x: a\r\n" * 1_100 + b"\r\n",
    ],
)
def test_a_head_that_is_too_large_is_431(site: Site, data: bytes) -> None:
    with site.client() as client:
        client.send(data)
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (431, "close")
    assert site.call("GET", "/status/202").status == 202


@pytest.mark.parametrize("target", ["/" + "a" * 60_000, "/a?" + "b" * 60_000])
def test_a_large_head_that_is_not_too_large(site: Site, target: str) -> None:
    assert site.call("GET", target).json()["RequestURI"] == target


# ---------------------------------------------------------------- time
def ends_by_itself(monkeypatch: pytest.MonkeyPatch, pieces: Iterable[bytes]) -> bytes:
    """What a client gets that sends these pieces for as long as it can and then waits, on a host that gives heads 0.1 s."""
    monkeypatch.setattr(LIMITS, "head_time", 0.1)

    async def run() -> bytes:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        port = free_port()
        await host.instance.listeners.start(ListenerSpec(port))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        got = b""
        for piece in pieces:
            if reader.at_eof() or reader.exception() is not None:
                break
            writer.write(piece)
            await asyncio.sleep(0.03)
        with contextlib.suppress(ConnectionError):  # it may have ended before the last piece came
            got = await reader.read()
        writer.close()
        await host.stop(1)
        return got

    return asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_a_head_that_does_not_come_in_time_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ends_by_itself(monkeypatch, [b"GET / HTTP/1.1\r\nHost"]) == b""
    assert ends_by_itself(monkeypatch, itertools.chain([b"GET / HTTP/1.1\r\nX: "], itertools.repeat(b"x"))) == b""


def test_a_second_head_that_does_not_come_in_time_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ends_by_itself(monkeypatch, [get("/status/202"), b"GET / HT"]).startswith(b"HTTP/1.1 202 ")


CHUNKED = get("/status/202", "Transfer-Encoding: chunked", method="POST")
POSTED = get("/status/202", "Content-Length: 3", method="POST")


@pytest.mark.parametrize(
    "pieces", [(POSTED, b"abcGET / HT"), (CHUNKED, b"3\r\nabc\r\n0\r\n\r\nGET / HT"), (POSTED, b"abc", b"GE", b"T")]
)
def test_a_head_behind_a_body_has_to_come_in_time_too(monkeypatch: pytest.MonkeyPatch, pieces: tuple[bytes, ...]) -> None:
    assert ends_by_itself(monkeypatch, pieces).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize(
    "pieces",
    [
        (POSTED + b"abc",),
        (POSTED, b"abc"),
        (POSTED[:-2], b"\r\na", b"b", b"c"),
        (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n",),
        (CHUNKED, b"3\r\nabc\r\n", b"0\r\nTrailer: a\r\n\r\n"),
    ],
)
def test_an_idle_connection_waits_for_no_head(monkeypatch: pytest.MonkeyPatch, pieces: tuple[bytes, ...]) -> None:
    """However the body of the request before ended."""
    monkeypatch.setattr(LIMITS, "head_time", 1.0)
    before = LIMITS.hit["head_time"]

    async def run() -> None:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        port = free_port()
        await host.instance.listeners.start(ListenerSpec(port))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.03)
        for status in (202, 203):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 %d " % status)
            await reader.readline()
            if status == 202:
                await asyncio.sleep(1.2)
                writer.write(get("/status/203"))
        writer.close()
        await host.stop(1)

    asyncio.run(asyncio.wait_for(run(), PATIENCE))
    assert LIMITS.hit["head_time"] == before


def test_a_head_that_began_behind_another_request_has_to_come_in_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ends_by_itself(monkeypatch, [get("/status/202") + b"GET / HT"]).startswith(b"HTTP/1.1 202 ")


def test_an_idle_connection_and_a_body_in_pieces_have_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n", *[b"x"] * 10]
    got = ends_by_itself(monkeypatch, [get("/status/202"), b"", b"", b"", b"", b"", *pieces])
    assert got.count(b"HTTP/1.1 2") == 2
    assert b'"RequestBody":"xxxxxxxxxx"' in got


# ---------------------------------------------------------------- the client leaves
LEAVING = ["fin", "reset", "half"]


def leave(client: Client, how: str) -> None:
    match how:
        case "fin":
            client.close()
        case "reset":
            client.reset()
        case _:
            client.socket.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("how", LEAVING)
def test_a_client_that_leaves_during_a_delay(site: Site, how: str) -> None:
    site.api("PUT", "/request/timeout/track/all")
    site.api("PUT", "/request/headers/track/add/x")
    site.api("PUT", "/response/delay/set/1h:1")
    client = site.client()
    client.send(get("/status/418", "X: 1"))
    eventually(lambda: site.reported, lambda counts: counts == {"418": 1})  # counts do not wait
    leave(client, how)
    site.ended(closed=1)
    client.close()
    site.call("GET", "/")
    site.ended(closed=1, completed=1)
    eventually(site.log, lambda lines: any("GET /status/418 - " in line and line.endswith("client-gone") for line in lines))
    counts = site.api("GET", "/request/headers/track/x/counts").json()
    assert counts["RequestCountsByHeaderValue"] == {"1": 1}


@pytest.mark.parametrize("how", LEAVING)
def test_a_client_that_leaves_while_the_upstream_is_slow(site: Site, upstream: Upstream, how: str) -> None:
    site.api("PUT", "/request/timeout/track/headers/x")
    site.api("PUT", "/request/headers/track/add/x")
    with held() as event:
        upstream.on("/held", Reply(hold=event))
        site.target(upstream.port, "/held")
        client = site.client()
        client.send(get("/held", "X: 1"))
        (received,) = upstream.take(1)
        leave(client, how)
        assert received.aborted.wait(PATIENCE)
        ends = eventually(lambda: site.api("GET", "/request/timeout/status").json()["headers"]["x"])
        eventually(lambda: site.api("GET", "/request/timeout/status").json()["headers"]["x"]["1"]["ConnectionClosed"])
        client.close()
    assert ends.keys() == {"1"}
    counts = site.api("GET", "/request/headers/track/x/counts").json()
    assert counts["RequestCountsByHeaderValue"] == {"1": 1}
    assert counts["RequestCountsByHeaderValueAndResponseStatus"] == {}  # none is known
    assert site.reported == {}


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_client_that_leaves_in_the_middle_of_an_answer(site: Site, how: str) -> None:
    def pours(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(OK + b"\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    site.api("PUT", "/request/timeout/track/all")
    with Scripted(pours) as server:
        site.target(server.port)
        client = site.client(small=True)
        client.send(get("/"))
        assert client.head()[0] == 200
        leave(client, how)
        eventually(lambda: server.ended, lambda ended: ended == 1)
    site.ended(closed=1)


def test_a_client_that_leaves_a_large_local_answer_unread(site: Site) -> None:
    site.api("PUT", "/request/timeout/track/all")
    client = site.client(small=True)
    client.send(get("/echo", method="POST", body=b"\x01" * 900_000))  # six times as long in JSON
    assert client.head()[0] == 200
    eventually(lambda: site.reported, lambda counts: counts == {"200": 1})
    client.close()
    site.ended(closed=1)


@pytest.mark.parametrize("path", ["/status/202", "/echo", "/x"])
def test_a_client_that_leaves_after_its_answer_has_completed(site: Site, path: str) -> None:
    site.api("PUT", "/request/timeout/track/all")
    for how in (*LEAVING, "close"):
        client = site.client()
        client.send(get(path, *(["Connection: close"] if how == "close" else [])))
        client.answer()
        leave(client, "fin" if how == "close" else how)
        client.close()
    site.ended(completed=4)


def test_each_of_many_exchanges_ends_one_way(site: Site) -> None:
    site.api("PUT", "/request/timeout/track/all")
    site.api("PUT", "/response/delay/set/20ms")
    clients = [site.client() for _ in range(60)]
    for client in clients:
        client.send(get("/"))
    for client in clients[::2]:
        client.close()
    for client in clients[1::2]:
        assert client.answer().status == 200
        client.close()
    ends = eventually(lambda: site.ends, lambda ends: sum(ends.values()) >= 60)
    assert sum(ends.values()) == 60
    assert ends["RequestCompleted"] >= 30


def test_a_client_that_leaves_during_a_delay_in_the_middle_of_its_body(site: Site) -> None:
    site.api("PUT", "/request/timeout/track/all")
    site.api("PUT", "/response/delay/set/1h:1")
    client = site.client()
    client.send(b"POST /status/200 HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 600_000)
    eventually(lambda: site.reported, lambda counts: counts == {"200": 1})
    client.close()
    site.ended(closed=1)


def test_a_client_that_leaves_pipelined_requests_behind(site: Site, upstream: Upstream) -> None:
    site.api("PUT", "/request/timeout/track/all")
    with held() as event:
        upstream.on("/held", Reply(hold=event))
        site.target(upstream.port)
        client = site.client()
        client.send(get("/held") + get("/never", method="POST", body=b"x"))
        upstream.take(1)
        client.close()
        site.ended(closed=1)
    assert upstream.take() == []


def test_what_is_behind_an_answer_that_broke_off_is_not_sent_on(site: Site) -> None:
    seen: list[bytes] = []

    def cuts(connection: socket.socket) -> None:
        seen.append(read_head(connection)[:4])
        connection.sendall(OK + b"Content-Length: 100\r\n\r\nhello")

    with Scripted(cuts) as server:
        site.target(server.port)
        for together in (True, False):
            with site.client() as client:
                first, second = get("/"), get("/", method="POST", body=b"")
                for data in [first + second] if together else [first, second]:
                    client.send(data)
                client.rest()
        eventually(lambda: server.ended, lambda ended: ended == 2)
    assert seen == [b"GET "] * 2


def test_a_client_that_leaves_while_the_rest_of_its_body_is_waited_for_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_module, "LINGER_SECONDS", 3600.0)

    async def run() -> None:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        port = free_port()
        listener = await host.instance.listeners.start(ListenerSpec(port))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        target = b'{"name": "t", "url": "http://127.0.0.1:%d", "match": {"uris": ["/t"]}}' % free_port()
        writer.write(get("/request/proxy/targets/add", method="POST", body=target))
        writer.write(get("/t", "Content-Length: 5", method="POST") + b"hel")
        assert b" 502 " in await reader.readuntil(b" 502 ")
        assert host.loads()[listener].connections == 1
        writer.transport.abort()
        await until(lambda: listener not in host.loads())
        await host.stop(1)

    asyncio.run(asyncio.wait_for(run(), 2 * PATIENCE))


def test_what_only_the_end_of_the_connection_would_end_is_reset_where_it_breaks(site: Site) -> None:
    """A FIN would say that it is whole (RFC 9112, 8)."""
    go = threading.Event()

    def cuts(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        go.wait(PATIENCE)

    with Scripted(cuts) as server, site.client() as client:
        site.target(server.port)
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        got = b""
        while not got.endswith(b"hello"):
            got += client.socket.recv(100)
        go.set()
        with pytest.raises(ConnectionResetError):
            client.socket.recv(100)


def test_a_client_that_does_not_read_its_answers_is_not_read_on(site: Site) -> None:
    """Answers to what it pipelines would fill the memory."""
    before = memory(site.goto.process.pid)
    client = site.client(small=True)
    client.socket.setblocking(False)
    request, sent, idle = get("/" + "x" * 2000), 0, 0
    while idle < 5 and sent < 200 << 20:
        try:
            sent += client.socket.send(request * 100)
            idle = 0
        except BlockingIOError:
            idle += 1
            threading.Event().wait(0.05)
    assert sent < 100 << 20
    assert memory(site.goto.process.pid) - before < 30 << 20
    client.socket.setblocking(True)
    for _ in range(200):
        assert client.answer().status == 200
    client.close()


# ---------------------------------------------------------------- clients that are held back, and those that do not read
@pytest.mark.parametrize("how", ["FIN", "reset"])
def test_a_client_that_is_held_back_is_seen_leaving(site: Site, how: str) -> None:
    """What it sends waits in its socket, and its end behind that."""
    site.api("PUT", "/request/timeout/track/all")
    site.api("PUT", "/response/delay/set/60s")
    client = site.client()
    client.send(get("/x") + get("/status/202") * 4_000)
    scraped(site.goto, lambda seen: seen("goto_exchanges_in_flight", listener=str(site.port)) == 1)
    if how == "FIN":
        client.close()
    else:
        client.reset()
    site.ended(closed=1)


def test_so_is_one_whose_body_nobody_takes(site: Site) -> None:
    site.api("PUT", "/request/timeout/track/all")
    over = threading.Event()

    def deaf(connection: socket.socket) -> None:
        connection.recv(1)
        over.wait(3 * PATIENCE)

    with Scripted(deaf) as server:
        site.target(server.port, "/deaf")
        client = site.client()
        client.socket.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            client.send(get("/deaf", method="POST", body=b"x" * (64 << 20)))
        client.reset()
        site.ended(closed=1)
        over.set()


def test_a_client_that_does_not_read_its_last_answer_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "FAREWELL_SECONDS", 0.2)

    async def run() -> None:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        port = free_port()
        await host.instance.listeners.start(ListenerSpec(port))
        ((_, server),) = host._servers.values()
        with await asyncio.to_thread(Client, port):
            await until(lambda: server.clients)
            (client,) = server.clients
            client.transport.write(b"x" * (64 << 20))
            client.finish()
            await until(lambda: not server.connections)
        await host.stop(0)

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_a_client_of_a_server_that_has_closed_is_not_served_by_it(process: Goto) -> None:
    """Its listener may be open again by then, with another server."""

    async def run() -> None:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        port = free_port()
        listener = await host.instance.listeners.start(ListenerSpec(port))
        ((_, old),) = host._servers.values()
        await host.close(listener)
        await host.open(listener)
        assert listener.open
        with socket.create_server(("127.0.0.1", 0)) as server:
            reader, writer = await asyncio.open_connection(*server.getsockname())
            accepted, _ = await asyncio.to_thread(server.accept)
        await asyncio.get_running_loop().connect_accepted_socket(old, accepted)
        writer.write(get("/status/202"))
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        await host.stop(0)

    asyncio.run(asyncio.wait_for(run(), PATIENCE))
