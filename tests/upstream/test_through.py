"""Connections through an http proxy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

import pytest
import uvloop
from support.certificates import Authority
from support.scripted import Scripted, read_head

from goto.flow import Origin
from goto.tls.client import client_tls
from goto.upstream.addresses import Addresses
from goto.upstream.errors import TooSlow, Unreachable
from goto.upstream.pool import Pool
from goto.upstream.through import HEAD_LIMIT, Through
from goto.words.urls import ProxyUrl

GRANTED = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("through"))


async def connect(server: Scripted, authority: Authority, seconds: float = 20.0) -> None:
    """Connect to https://origin.test through a proxy. Raises `Unreachable` and `TooSlow`."""
    origin = Origin("https", "origin.test", 443, client_tls(ca=str(authority.file)))
    proxy = ProxyUrl.parse(f"http://me:secret@127.0.0.1:{server.port}")
    addresses = Addresses(proxy.host, proxy.port)
    addresses.begin()
    pool = Pool()
    try:
        connection = await pool.own(origin, seconds, addresses, Through.of(proxy, origin))
        assert connection.opening[1] > 0
        assert connection.opening[2] > 0
    finally:
        await pool.close()


@pytest.mark.parametrize("make", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("step", [1, 1000])
def test_a_tunnel_leads_to_an_https_origin(
    make: Callable[[], asyncio.AbstractEventLoop], authority: Authority, step: int
) -> None:
    asked: list[bytes | str | None] = []
    context = authority.server(authority.issue("origin.test"))
    context.sni_callback = lambda tls, name, _: asked.append(name)

    def proxy(connection: socket.socket) -> None:
        asked.append(read_head(connection))
        for at in range(0, len(GRANTED), step):
            connection.sendall(GRANTED[at : at + step])
        with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)

    server = Scripted(proxy)
    try:
        with asyncio.Runner(loop_factory=make) as runner:
            runner.run(connect(server, authority))
    finally:
        server.stop()
    head = b"CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
    assert asked == [head, "origin.test"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 407 Who\x1b?\r\n\r\n", r"the proxy answered 407 Who\\u001b\?$"),
        (b"HTTP/1.0 502\r\nX: y\n\nsorry", "the proxy answered 502$"),
        (b"220 mail.test\r\n\r\n", "the proxy answered with what is no HTTP$"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "the proxy sent more than it was asked for$"),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * HEAD_LIMIT, "the proxy answered with a head over 65536 bytes$"),
        (b"HTTP/1.1 200", "the proxy closed the connection without an answer$"),
    ],
)
def test_a_proxy_that_makes_none(answer: bytes, why: str, authority: Authority) -> None:
    def proxy(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(answer)

    server = Scripted(proxy)
    where = rf"^cannot connect to https://origin\.test through the proxy 127\.0\.0\.1:{server.port}: "
    try:
        with pytest.raises(Unreachable, match=where + why):
            asyncio.run(connect(server, authority))
    finally:
        server.stop()


def test_one_that_is_silent_has_the_time_for_connecting(authority: Authority) -> None:
    server = Scripted(lambda connection: connection.recv(1 << 16) and connection.recv(1))  # until this side ends it
    try:
        with pytest.raises(TooSlow, match=r" through the proxy 127\.0\.0\.1:\d+ within 100ms$"):
            asyncio.run(connect(server, authority, 0.1))
    finally:
        server.stop()


def test_an_http_origin_needs_no_tunnel() -> None:
    assert Through.of(ProxyUrl.parse("http://[::1]"), Origin.of("http://a")) == ("[::1]:80", b"")
    tunnel = Through.of(ProxyUrl.parse("http://p"), Origin.of("https://[::1]:8443")).tunnel
    assert tunnel == b"CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n"
