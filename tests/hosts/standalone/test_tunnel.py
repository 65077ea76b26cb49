"""Connections that switch protocols: passed through to one target, refused elsewhere."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from support.certificates import Authority
from support.client import Client, get
from support.goto_process import Goto
from support.ports import free_port
from support.resources import memory
from support.scripted import Scripted, read_head
from support.secure import SecureClient
from support.site import Site
from support.upstream import Reply, Upstream
from support.waiting import PATIENCE, eventually, until

from goto.command import runtime
from goto.features.proxy.feature import Proxy
from goto.features.proxy.target import ProxyTarget
from goto.hosts.standalone.host import StandaloneHost
from goto.tls.settings import FilePath, ListenerTls
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import ListenerSpec
from goto.words.reading import read_struct

UPGRADE = ("Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Key: abc", "Sec-WebSocket-Version: 13")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"
MB = 1 << 20


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("tunnel")


@pytest.fixture
def site(process: Goto) -> Site:
    made = Site(process)
    made.api("PUT", "/request/timeout/track/all")
    return made


heads: list[bytes] = []


def shouting(connection: socket.socket) -> None:
    """Greets, then answers all that comes in upper case until the other side leaves or says `bye`."""
    heads.append(read_head(connection))
    connection.sendall(SWITCHED + b"HELLO")
    while data := connection.recv(65536):
        connection.sendall(data.upper())
        if data.endswith(b"bye"):
            return


@pytest.fixture
def server() -> Iterator[Scripted]:
    heads.clear()
    with Scripted(shouting) as made:
        yield made


def opened(site: Site, server: Scripted, more: bytes = b"") -> Client:
    site.target(server.port)
    client = site.client()
    client.send(get("/chat?room=1", *UPGRADE) + more)
    status, _, fields = client.head()
    assert status == 101
    named = {name.lower(): value for name, value in fields}
    assert named["upgrade"] == "websocket"
    assert named["connection"] == "Upgrade"
    assert named["sec-websocket-accept"] == "x"
    assert "content-length" not in named
    assert "transfer-encoding" not in named
    assert client.stream.read(5) == b"HELLO"
    return client


def test_bytes_go_both_ways_until_the_client_leaves(site: Site, server: Scripted) -> None:
    with opened(site, server) as client:
        for data in (b"abc", b"\x00\xff", b"get / http/1.1\r\n\r\n"):
            client.send(data)
            assert client.stream.read(len(data)) == data.upper()
    eventually(lambda: server.ended, lambda ended: ended == 1)
    site.ended(completed=1)
    head = heads[0].lower()
    assert b"\r\nconnection: upgrade\r\nupgrade: websocket\r\n" in head
    assert b"\r\nsec-websocket-key: abc\r\n" in head
    assert head.startswith(b"get /chat?room=1 http/1.1\r\n")


def test_what_was_sent_behind_the_request_goes_through_too(site: Site, server: Scripted) -> None:
    with opened(site, server, b"early") as client:
        assert client.stream.read(5) == b"EARLY"


def test_the_upstream_may_end_it(site: Site, server: Scripted) -> None:
    with opened(site, server) as client:
        client.send(b"bye")
        assert client.rest() == b"BYE"
    site.ended(completed=1)
    assert site.reported == {"101": 1}


# ---------------------------------------------------------------- each way ends by itself
def to_the_end(connection: socket.socket) -> bytes:
    got = b""
    while data := connection.recv(1 << 20):
        got += data
    return got


def test_a_client_that_has_ended_is_answered(site: Site) -> None:
    sent = b"abc" * MB

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        connection.sendall(to_the_end(connection).upper())

    with Scripted(behave) as server, opened(site, server) as client:
        client.send(sent)
        client.socket.shutdown(socket.SHUT_WR)
        assert client.stream.read() == sent.upper()
        site.ended(completed=1)


def test_an_upstream_that_has_ended_is_still_sent_to(site: Site) -> None:
    received: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO" + b"x" * MB)
        connection.shutdown(socket.SHUT_WR)
        received.append(to_the_end(connection))

    with Scripted(behave) as server, opened(site, server) as client:
        assert client.stream.read() == b"x" * MB
        assert sum(site.ends.values()) == 0
        client.send(b"abc" * MB)
        client.socket.shutdown(socket.SHUT_WR)
        eventually(lambda: received, bool)
        assert received == [b"abc" * MB]
        site.ended(completed=1)


def test_an_end_right_behind_the_head_is_one_way_too(site: Site) -> None:
    """Here the upstream has ended before the tunnel is there."""
    received: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        connection.shutdown(socket.SHUT_WR)
        received.append(to_the_end(connection))

    site.api("PUT", "/response/delay/set/200ms")
    with Scripted(behave) as server, opened(site, server) as client:
        assert client.stream.read() == b""
        client.send(b"abc")
        client.socket.shutdown(socket.SHUT_WR)
        eventually(lambda: received, bool)
        assert received == [b"abc"]
        site.ended(completed=1)


def end_of(connection: socket.socket) -> object:
    """All that comes before a FIN, or the error that comes in its place."""
    try:
        return to_the_end(connection)
    except OSError as error:
        return type(error)


@pytest.mark.parametrize("half", [False, True])
def test_a_reset_of_the_client_is_passed_as_one(site: Site, half: bool) -> None:
    ends: list[object] = []

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        if half:
            connection.shutdown(socket.SHUT_WR)
        ends.append(end_of(connection))

    with Scripted(behave) as server:
        client = opened(site, server)
        if half:
            assert client.stream.read() == b""
        client.reset()
        eventually(lambda: ends, bool)
        assert ends == [ConnectionResetError]
        site.ended(closed=1)


def test_a_reset_of_the_upstream_is_passed_as_one(site: Site) -> None:
    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Scripted(behave) as server, opened(site, server) as client:
        client.send(b"x")
        with pytest.raises(ConnectionResetError):
            client.socket.recv(1)
    site.ended(broken=1)


@pytest.fixture(scope="module")
def impatient() -> Iterator[Goto]:
    with Goto("impatient", "--limit", "bodyTime=300ms") as process:
        yield process


def test_an_upstream_that_stands_still_behind_the_clients_end_is_broken(impatient: Goto) -> None:
    site = Site(impatient)
    site.api("PUT", "/request/timeout/track/all")
    over = threading.Event()

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        over.wait(20)

    with Scripted(behave) as server, opened(site, server) as client:
        client.socket.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionResetError):
            client.socket.recv(1)
        over.set()
        site.ended(broken=1)


def test_a_client_that_stands_still_behind_the_upstreams_end_has_left(impatient: Goto) -> None:
    site = Site(impatient)
    site.api("PUT", "/request/timeout/track/all")
    ends: list[object] = []

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        connection.shutdown(socket.SHUT_WR)
        ends.append(end_of(connection))

    with Scripted(behave) as server, opened(site, server) as client:
        assert client.stream.read() == b""
        site.ended(closed=1)
        eventually(lambda: ends, bool)
        assert ends == [ConnectionResetError]


# ---------------------------------------------------------------- TLS has no half: either end ends both
@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.mark.parametrize("how", ["close_notify", "FIN"])
def test_the_end_of_a_client_over_tls_ends_both(process: Goto, authority: Authority, how: str) -> None:
    pair, port = authority.issue("127.0.0.1"), free_port()
    process.api(
        "POST", "/listeners/add", {"port": port, "protocol": "https", "tls": {"cert": str(pair.cert), "key": str(pair.key)}}
    )
    process.api("PUT", f"/listeners/{port}/open")
    received: list[object] = []

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        received.append(end_of(connection))

    with Scripted(behave) as server:
        target = {"name": "up", "url": f"http://127.0.0.1:{server.port}", "match": {"uris": ["/"]}}
        for method, path, body in (("POST", "/request/proxy/targets/add", target), ("PUT", "/request/timeout/track/all", None)):
            process.api(method, f"/goto/port/{port}{path}", body)
        client = SecureClient(port, authority.client)
        client.send(get("/chat", *UPGRADE))
        assert client.head()[0] == 101
        assert client.stream.read(5) == b"HELLO"
        client.send(b"abc" * 100_000)
        client.leave(how)
        eventually(lambda: received, bool)
        assert received == [b"abc" * 100_000]
        status = f"/goto/port/{port}/request/timeout/status"
        expected = {"ConnectionClosed": 0, "RequestCompleted": 1}
        assert eventually(lambda: process.api("GET", status).json()["all"], lambda all_: sum(all_.values()) == 1) == expected


@pytest.mark.parametrize("first", ["client", "upstream"])
def test_either_end_beside_an_upstream_over_tls_ends_both(site: Site, authority: Authority, first: str) -> None:
    received: list[object] = []

    def behave(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO" + b"x" * MB)
        if first == "upstream":
            connection.unwrap()
        else:
            received.append(end_of(connection))

    with Scripted(behave, tls=authority.server(authority.issue("127.0.0.1", file="up"))) as server:
        site.target(server.port, scheme="https", verifyTLS=False)
        with site.client() as client:
            client.send(get("/chat", *UPGRADE))
            assert client.head()[0] == 101
            if first == "client":
                assert client.stream.read(5 + MB) == b"HELLO" + b"x" * MB
                client.send(b"abc" * 100_000)
                client.socket.shutdown(socket.SHUT_WR)
                assert client.stream.read() == b""
                eventually(lambda: received, bool)
                assert received == [b"abc" * 100_000]
            else:
                assert client.stream.read() == b"HELLO" + b"x" * MB
            site.ended(completed=1)


def test_an_upstream_that_declines_is_answered_as_usual(site: Site, upstream: Upstream) -> None:
    upstream.on("/chat", Reply(403, b"no"))
    site.target(upstream.port)
    with site.client() as client:
        client.send(get("/chat", *UPGRADE))
        answer = client.answer()
        assert (answer.status, answer.body) == (403, b"no")
        client.send(get("/chat"))
        assert client.answer().status == 403


@pytest.mark.parametrize("path", ["/chat", "/echo"])
def test_without_a_target_it_is_501_at_once(site: Site, path: str) -> None:
    with site.client() as client:
        client.send(get(path, *UPGRADE))
        assert client.answer().status == 501
    assert site.reported == {"501": 1}


def test_with_several_targets_it_is_501(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, replicas=2)
    with site.client() as client:
        client.send(get("/chat", *UPGRADE))
        assert client.answer().status == 501
    assert upstream.take() == []


@pytest.mark.parametrize(
    "fields",
    [
        ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAA"),
        ("Connection: Upgrade", "Upgrade: TLS/1.0"),
        ("Upgrade: websocket",),
    ],
)
def test_any_other_upgrade_is_ignored_and_not_passed_on(site: Site, upstream: Upstream, fields: tuple[str, ...]) -> None:
    with site.client() as client:
        client.send(get("/x", *fields))
        answer = client.answer()
        assert (answer.status, answer.json()["RequestURI"], answer.value("upgrade")) == (200, "/x", None)
        client.send(get("/status/202"))
        assert client.answer().status == 202
    site.target(upstream.port)
    with site.client() as client:
        client.send(get("/x", *fields, method="POST", body=b"hello"))
        assert client.answer().status == 200
    (received,) = upstream.take(1)
    names = {name.lower() for name, _ in received.headers}
    assert not names & {"upgrade", "connection", "http2-settings"}
    assert received.body == b"hello"


def test_a_request_right_behind_an_ignored_upgrade_is_answered(site: Site) -> None:
    with site.client() as client:
        client.send(get("/x", "Connection: Upgrade", "Upgrade: h2c") + get("/status/202"))
        assert client.answer().status == 200
        client.send(get("/status/203"))  # or the next one's answer is taken for its
        assert client.answer().status == 202


def test_who_does_not_read_holds_back_the_other_side(site: Site) -> None:
    sent = 0

    def pours(connection: socket.socket) -> None:
        nonlocal sent
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        for _ in range(300):
            connection.sendall(b"x" * MB)
            sent += MB

    before = memory(site.goto.process.pid)
    with Scripted(pours) as server:
        client = opened(site, server)
        threading.Event().wait(0.7)
        assert sent < 100 * MB
        client.close()
        eventually(lambda: server.ended, lambda ended: ended == 1)

    stop = threading.Event()

    def deaf(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        stop.wait(20)

    with Scripted(deaf) as server:
        client = opened(site, server)
        client.socket.setblocking(False)
        poured, idle = 0, 0
        while idle < 10 and poured < 300 * MB:
            try:
                poured += client.socket.send(b"x" * MB)
                idle = 0
            except BlockingIOError:
                idle += 1
                threading.Event().wait(0.05)
        assert poured < 100 * MB
        assert memory(site.goto.process.pid) - before < 30 * MB
        stop.set()
        client.close()


# ---------------------------------------------------------------- ends that nobody reads
@pytest.mark.parametrize("first", ["client", "upstream"])
def test_a_reset_behind_a_fin_is_passed_on(site: Site, first: str) -> None:
    """Behind its FIN a side is not read any more."""
    ends: list[object] = []
    go = threading.Event()

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        if first == "client":
            assert connection.recv(1) == b""
            go.set()
            threading.Event().wait(0.2)
            ends.append(reset_of(connection))
        else:
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b"x"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Scripted(behave) as server:
        client = opened(site, server)
        if first == "client":
            client.socket.shutdown(socket.SHUT_WR)
            assert go.wait(20)
            client.reset()
            eventually(lambda: ends, bool)
            assert ends == [True]
            site.ended(closed=1)
        else:
            assert client.stream.read() == b""
            client.send(b"x")
            assert reset_of(client.socket)
            client.close()
            site.ended(broken=1)


def reset_of(connection: socket.socket) -> bool:
    """Wait until a connection is reset whose other side has sent a FIN, so that reading tells nothing."""
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(20_000))


@pytest.mark.parametrize("run", [asyncio.run, runtime.run])
def test_what_tls_has_not_handed_over_goes_on_ahead_of_the_end(
    run: Callable[[Coroutine[Any, Any, int]], object], authority: Authority
) -> None:
    """The upstream takes nothing, so that the client is held back, and leaves then."""
    received: list[object] = []
    go = threading.Event()
    piece = b"abcd" * 16_384

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(SWITCHED + b"HELLO")
        go.wait(20)
        received.append(end_of(connection))

    async def main() -> int:
        pair, port = authority.issue("127.0.0.1", file="held"), free_port()
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        tls = ListenerTls(FilePath(str(pair.cert)), FilePath(str(pair.key)))
        listener = await host.instance.listeners.start(ListenerSpec(port, "https", tls=tls))
        ((_, hosting),) = host._servers.values()
        spec = {"name": "up", "url": f"http://127.0.0.1:{server.port}", "match": {"uris": ["/"]}}
        listener.feature(Proxy).add(read_struct(spec, ProxyTarget)[0])
        client = await asyncio.to_thread(SecureClient, port, authority.client)
        await asyncio.to_thread(client.send, get("/chat", *UPGRADE))
        assert (await asyncio.to_thread(client.head))[0] == 101
        (connection,) = hosting.clients
        sent = 0
        while not connection.held_back:
            await asyncio.to_thread(client.send, piece)
            await asyncio.sleep(0.005)
            sent += 1
        for _ in range(2):
            await asyncio.to_thread(client.send, piece)
            sent += 1
        client.socket.shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.1)
        go.set()
        await until(lambda: received)
        assert isinstance(received[0], bytes)
        assert received[0] == piece * sent
        client.close()
        await host.stop(1)
        return 0

    with Scripted(behave) as server:
        run(asyncio.wait_for(main(), 2 * PATIENCE))
