"""Connections over TLS: all that holds without it, and handshakes that come to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from support.calls import raw
from support.certificates import Authority
from support.client import Client, get
from support.goto_process import Goto
from support.ports import free_port
from support.scripted import Scripted, read_head
from support.secure import SecureClient
from support.site import Site
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, eventually

from goto.command import runtime
from goto.hosts.standalone import secure
from goto.hosts.standalone.host import StandaloneHost
from goto.tls.settings import FilePath, ListenerTls
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import ListenerSpec
from goto.words import Port

LARGE = 24 << 20
"""Bytes that no socket buffers hold."""


class SecureSite(Site):
    """A listener with protocol https; calls of its API go through a listener without."""

    def __init__(self, goto: Goto, context: ssl.SSLContext, tls: dict[str, str]) -> None:
        self.goto = goto
        self.port = free_port()
        self.context = context
        goto.api("POST", "/listeners/add", {"port": self.port, "protocol": "https", "tls": tls})
        goto.api("PUT", f"/listeners/{self.port}/open")

    def api(self, method: str, path: str, body: object = None):
        return self.goto.api(method, f"/goto/port/{self.port}{path}", body)

    def secure(self) -> SecureClient:
        return SecureClient(self.port, self.context)


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("plain")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> dict[str, str]:
    pair = authority.issue("127.0.0.1")
    return {"cert": str(pair.cert), "key": str(pair.key)}


@pytest.fixture
def site(process: Goto, authority: Authority, files: dict[str, str]) -> SecureSite:
    return SecureSite(process, authority.client, files)


# ---------------------------------------------------------------- serving
def test_a_connection_stays_for_many_requests(site: SecureSite, upstream: Upstream) -> None:
    site.target(upstream.port, "/up")
    with site.secure() as client:
        for path, status in (("/status/418", 418), ("/up", 200), ("/label", 200), ("/echo", 200)):
            client.send(get(path))
            assert client.answer().status == status
        client.send(get("/status/201") + get("/up") + get("/status/202", "Connection: close"))
        assert [client.answer().status for _ in range(3)] == [201, 200, 202]
        assert client.rest() == b""


def test_only_http_1_1_over_tls_1_2_and_newer(site: SecureSite, authority: Authority) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = authority.client
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
        with SecureClient(site.port, context) as client:
            assert isinstance(client.socket, ssl.SSLSocket)
            assert client.socket.selected_alpn_protocol() == "http/1.1"
    context = authority.client
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        SecureClient(site.port, context)


def test_large_bodies_stream_both_ways(site: SecureSite, upstream: Upstream) -> None:
    upstream.on("/large", Reply(body=[b"x" * (1 << 20)] * 24))
    site.target(upstream.port, "/large")
    with site.secure() as client:
        client.send(b"POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % LARGE)
        for _ in range(24):
            client.send(b"y" * (1 << 20))
        assert client.answer().body == b"x" * LARGE
        (received,) = upstream.take(1)
        assert received.body == b"y" * LARGE
        client.send(get("/status/202"))
        assert client.answer().status == 202


def test_many_clients_at_once(site: SecureSite) -> None:
    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port, ssl=site.context)
        writer.write(get("/status/202"))
        status = int((await reader.readuntil(b"\r\n\r\n"))[9:12])
        writer.transport.abort()
        return status

    async def every() -> list[int]:
        return await asyncio.gather(*(one() for _ in range(150)))

    assert asyncio.run(asyncio.wait_for(every(), 3 * PATIENCE)) == [202] * 150


def test_a_websocket_passes_through(site: SecureSite) -> None:
    def echoing(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        while data := connection.recv(65536):
            connection.sendall(data)

    with Scripted(echoing) as server:
        site.target(server.port, "/chat")
        with site.secure() as client:
            client.send(get("/chat", "Connection: Upgrade", "Upgrade: websocket"))
            assert client.head()[0] == 101
            client.send(b"hello")
            assert client.stream.read(5) == b"hello"


def test_an_answer_that_breaks_off_is_not_taken_for_whole(site: SecureSite) -> None:
    def breaking(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    with Scripted(breaking) as server:
        site.target(server.port, "/half")
        with site.secure() as client:
            client.send(get("/half"))
            client.head()
            with contextlib.suppress(ssl.SSLEOFError):
                assert client.stream.read(100) == b"half"


@pytest.mark.parametrize("step", [5, 1000])
def test_the_preface_of_http_2_is_refused(site: SecureSite, step: int) -> None:
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    with site.secure() as client:
        for at in range(0, len(preface), step):
            client.send(preface[at : at + step])
        answer = client.answer()
        assert (answer.status, answer.text) == (400, "goto: HTTP/2 is not spoken here: use HTTP/1.1\n")
        assert client.rest() == b""
    assert b"HTTP/2 is not spoken here" in site.goto.raw(preface)


# ---------------------------------------------------------------- clients that leave
@pytest.mark.parametrize("how", ["close_notify", "fin", "reset"])
def test_a_client_that_leaves_during_a_delay(site: SecureSite, how: str) -> None:
    site.api("PUT", "/request/timeout/track/all")
    site.api("PUT", "/response/delay/set/60s")
    client = site.secure()
    client.send(get("/"))
    eventually(lambda: site.reported, bool)
    client.leave(how)
    site.ended(closed=1)


@pytest.mark.parametrize("how", ["close_notify", "fin", "reset"])
def test_a_client_that_leaves_while_the_upstream_is_slow(site: SecureSite, upstream: Upstream, how: str) -> None:
    site.api("PUT", "/request/timeout/track/all")
    with held() as event:
        upstream.on("/held", Reply(hold=event))
        site.target(upstream.port, "/held")
        client = site.secure()
        client.send(get("/held"))
        (received,) = upstream.take(1)
        client.leave(how)
        site.ended(closed=1)
        assert received.aborted.wait(PATIENCE)


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_client_that_leaves_a_large_answer_unread(site: SecureSite, upstream: Upstream, how: str) -> None:
    upstream.on("/large", Reply(body=b"x" * LARGE))
    site.target(upstream.port, "/large")
    site.api("PUT", "/request/timeout/track/all")
    client = site.secure()
    client.send(get("/large"))
    assert client.head()[0] == 200
    client.leave(how)
    site.ended(closed=1)


def test_an_answer_is_not_over_before_the_kernel_has_it(site: SecureSite, upstream: Upstream) -> None:
    upstream.on("/large", Reply(body=b"x" * LARGE))
    site.target(upstream.port, "/large")
    site.api("PUT", "/request/timeout/track/all")
    with site.secure() as client:
        client.send(get("/large"))
        assert client.head()[0] == 200
        site.goto.api("GET", "/goto/health")
        assert sum(site.ends.values()) == 0
        assert len(client.stream.read(LARGE)) == LARGE
        site.ended(completed=1)


@pytest.mark.parametrize("how", ["close_notify", "fin", "reset"])
@pytest.mark.parametrize("path", ["/", "/up", "/large"])
def test_a_client_that_leaves_after_its_answer_has_completed(site: SecureSite, upstream: Upstream, path: str, how: str) -> None:
    upstream.on("/large", Reply(body=b"x" * (4 << 20)))
    site.target(upstream.port, "/up")
    site.target(upstream.port, "/large")
    site.api("PUT", "/request/timeout/track/all")
    client = site.secure()
    client.send(get(path))
    assert client.answer().status == 200
    client.leave(how)
    site.ended(completed=1)


# ---------------------------------------------------------------- closing
def test_a_listener_that_closes_ends_idle_connections_and_lets_exchanges_finish(site: SecureSite, upstream: Upstream) -> None:
    with held() as event, site.secure() as idle, site.secure() as busy:
        upstream.on("/held", Reply(hold=event))
        site.target(upstream.port, "/held")
        idle.send(get("/status/201"))
        assert idle.answer().status == 201
        busy.send(get("/held"))
        upstream.take(1)
        site.goto.api("PUT", f"/listeners/{site.port}/close")
        assert idle.rest() == b""
        event.set()
        answer = busy.answer()
        assert (answer.status, answer.value("connection")) == (200, "close")
    with pytest.raises(ConnectionRefusedError):
        site.secure()


def test_the_end_does_not_wait_for_a_client_that_keeps_an_idle_connection(
    goto: Callable[..., Goto], authority: Authority, files: dict[str, str]
) -> None:
    options = ("--grace", "10m", "--protocol", "https", "--cert", files["cert"], "--key", files["key"])
    process = goto("secure", *options)
    with SecureClient(process.port, authority.client) as idle:
        assert isinstance(idle.socket, ssl.SSLSocket)
        idle.socket.suppress_ragged_eofs = False  # so that an end without a close_notify is an error
        idle.send(get("/status/201"))
        assert idle.answer().status == 201
        process.process.terminate()
        # the client has not said that it agrees, and has not closed
        assert process.process.wait(PATIENCE) == 0
        assert idle.rest() == b""


@pytest.mark.parametrize("run", [asyncio.run, runtime.run])
def test_the_end_waits_for_all_that_was_written(
    run: Callable[[Coroutine[Any, Any, int]], object], authority: Authority, files: dict[str, str]
) -> None:
    async def main() -> int:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        port = free_port()
        await host.instance.listeners.start(
            ListenerSpec(port, "https", tls=ListenerTls(FilePath(files["cert"]), FilePath(files["key"])))
        )
        client = await asyncio.to_thread(SecureClient, port, authority.client)
        ((_, server),) = host._servers.values()
        while not server.connections:
            await asyncio.sleep(0)
        (connection,) = server.clients
        connection.send(b"x" * LARGE)
        connection.finish()
        with client:
            assert len(await asyncio.to_thread(client.stream.read)) == LARGE
        await host.stop(0)
        return 0

    run(asyncio.wait_for(main(), 3 * PATIENCE))


# ---------------------------------------------------------------- handshakes
def test_handshakes_that_fail_leave_the_listener_as_it_is(site: SecureSite) -> None:
    raw(site.port, get("/"))
    raw(site.port, b"\x16\x03\x01\xff\xff" + b"\0" * 70000)
    raw(site.port, b"\x16\x03\x01", half_close=True)
    socket.create_connection(("127.0.0.1", site.port)).close()
    Client(site.port).reset()
    with pytest.raises(ssl.SSLCertVerificationError):
        SecureClient(site.port, ssl.create_default_context())
    with site.secure() as client:
        client.send(get("/status/202"))
        assert client.answer().status == 202
    assert "Traceback" not in site.goto.log
    assert "SSL" not in site.goto.log


def test_a_handshake_that_stalls_is_ended(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(secure, "HANDSHAKE_SECONDS", 0.05)

    async def run() -> None:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        await host.instance.listeners.start(ListenerSpec(free_port()))
        port = free_port()
        tls = ListenerTls(FilePath(files["cert"]), FilePath(files["key"]))
        host.instance.listeners.add(ListenerSpec(Port(port), "https", tls=tls))
        await host.instance.listeners.open(Port(port))
        for hello in (b"", b"\x16\x03\x01"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(hello)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
        await host.stop(0)

    asyncio.run(asyncio.wait_for(run(), PATIENCE))
    assert caplog.records == []


def test_no_more_handshakes_at_a_time_than_connections(
    goto: Callable[..., Goto], authority: Authority, files: dict[str, str]
) -> None:
    tls = ("--protocol", "https", "--cert", files["cert"], "--key", files["key"])
    process = goto("few", "--limit", "connections=3", *tls)
    with contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(Client(process.port)) for _ in range(3)]
        with Client(process.port) as surplus:
            assert surplus.rest() == b""
        stalled[0].close()

        def hits() -> int:
            with contextlib.suppress(OSError), SecureClient(process.port, authority.client) as client:
                client.send(get("/goto/limits"))
                return int(json.loads(client.answer().body)["connections"]["hit"])
            return 0

        # as soon as one of them is over there is room again
        assert eventually(hits)


@pytest.fixture
def on_asyncio(files: dict[str, str], authority: Authority) -> Callable[[Callable[[StandaloneHost, int], object]], None]:
    """Run a check in a host on asyncio's own loop, with a listener with protocol https."""

    def run(check: Callable[[StandaloneHost, int], object]) -> None:
        async def main() -> None:
            host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
            tls = ListenerTls(FilePath(files["cert"]), FilePath(files["key"]))
            port = free_port()
            await host.instance.listeners.start(ListenerSpec(port, "https", tls=tls))
            await asyncio.to_thread(check, host, port)
            await host.stop(0)

        asyncio.run(asyncio.wait_for(main(), 3 * PATIENCE))

    return run


def test_it_is_the_same_on_asyncios_own_loop(
    on_asyncio: Callable[[Callable[[StandaloneHost, int], object]], None], authority: Authority, upstream: Upstream
) -> None:
    def check(host: StandaloneHost, port: int) -> None:
        upstream.on("/large", Reply(body=b"x" * LARGE))

        def api(method: str, path: str, body: bytes = b"") -> bytes:
            with SecureClient(port, authority.client) as client:
                client.send(get(path, method=method, body=body))
                return client.answer().body

        api("PUT", "/request/timeout/track/all")
        target = b'{"name": "t", "url": "%s", "match": {"uris": ["/large"]}}' % upstream.base.encode()
        api("POST", "/request/proxy/targets/add", target)
        with SecureClient(port, authority.client) as client:
            client.send(get("/large"))
            assert len(client.answer().body) == LARGE
        eventually(lambda: api("GET", "/request/timeout/status"), lambda got: b'"RequestCompleted":1' in got)
        for number, how in enumerate(("close_notify", "fin", "reset"), 1):
            client = SecureClient(port, authority.client)
            client.send(get("/large"))
            client.head()
            client.leave(how)
            wanted = b'"ConnectionClosed":%d' % number
            eventually(lambda: api("GET", "/request/timeout/status"), lambda got, wanted=wanted: wanted in got)

    on_asyncio(check)


# ---------------------------------------------------------------- what is no TLS
@pytest.mark.parametrize("request_", [get("/x"), b"BREW /", get("/x", method="POST", body=b"x" * 100_000)])
def test_a_request_without_tls_is_told_so(site: SecureSite, request_: bytes) -> None:
    with Client(site.port) as client:
        client.send(request_)
        answer = client.answer()
        assert (answer.status, answer.text) == (400, "goto: this port speaks https: use https:// instead of http://\n")
        assert (answer.value("connection"), answer.value("via-goto")) == ("close", str(site.port))
        assert client.rest() == b""
    (line,) = eventually(lambda: site.log())
    assert line.split(" ")[3:6] == ["-", "-", "400"]


def test_so_it_is_on_asyncios_own_loop(on_asyncio: Callable[[Callable[[StandaloneHost, int], object]], None]) -> None:
    def check(host: StandaloneHost, port: int) -> None:
        assert raw(port, get("/x")).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        head, _, body = raw(port, get("/x", method="HEAD")).partition(b"\r\n\r\n")
        assert (head[:12], body) == (b"HTTP/1.1 400", b"")

    on_asyncio(check)


# ---------------------------------------------------------------- the listener closes meanwhile
def test_a_handshake_that_ends_behind_the_closing_is_not_served(site: SecureSite) -> None:
    """Not even if the listener is open again by then."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", site.port), PATIENCE)) as bare:
        site.goto.api("GET", "/goto/health")
        for action in ("close", "open"):
            site.goto.api("PUT", f"/listeners/{site.port}/{action}")
        with contextlib.suppress(OSError):
            client = site.context.wrap_socket(bare, server_hostname="127.0.0.1")
            client.sendall(get("/status/202"))
            assert client.recv(1) == b""
    with site.secure() as client:
        client.send(get("/status/202"))
        assert client.answer().status == 202
