"""Connections to origins over TLS: how they end, and what the system keeps of an answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable

import pytest
import uvloop
from support.certificates import Authority
from support.scripted import Scripted, read_head

from goto.flow import Call, Origin
from goto.tls.client import client_tls
from goto.upstream.answer import Answer, Upstream
from goto.upstream.errors import UpstreamError
from goto.upstream.kept import Budget, KeptBody

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    authority = Authority(tmp_path_factory.mktemp("secure"))
    return authority.server(authority.issue("127.0.0.1"))


def asked(make: Callable[[], asyncio.AbstractEventLoop], server: Scripted, body: bytes = b"") -> tuple[int, bytes]:
    """The status and the body of the answer to one request. Raises `UpstreamError`."""

    async def run() -> tuple[int, bytes]:
        origin = Origin("https", "127.0.0.1", server.port, client_tls(verify=False))
        upstream = Upstream()
        try:
            answer: Answer = await upstream.head(Call("up", origin, "POST", "/", [(b"Host", b"a")]), body)
            kept = KeptBody(Budget(1 << 20))
            answer.pipe(kept)
            return answer.status, await kept.read()
        finally:
            await upstream.close()

    with asyncio.Runner(loop_factory=make) as runner:
        return runner.run(run())


def plain(connection: socket.socket) -> socket.socket:
    """The TCP connection below a TLS one, without a close_notify."""
    assert isinstance(connection, ssl.SSLSocket)
    return socket.socket(fileno=connection.detach())


@pytest.mark.parametrize("make", LOOPS)
def test_a_close_notify_ends_a_body_that_only_the_end_ends(
    make: Callable[[], asyncio.AbstractEventLoop], context: ssl.SSLContext
) -> None:
    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(HEAD + b"whole")
        assert isinstance(connection, ssl.SSLSocket)
        with contextlib.suppress(OSError):
            connection.unwrap()

    with Scripted(behave, tls=context) as server:
        assert asked(make, server) == (200, b"whole")


@pytest.mark.parametrize("make", LOOPS)
@pytest.mark.parametrize("how", ["fin", "reset"])
def test_without_one_it_is_broken(make: Callable[[], asyncio.AbstractEventLoop], context: ssl.SSLContext, how: str) -> None:
    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(HEAD + b"half")
        with plain(connection) as below:
            if how == "reset":
                below.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Scripted(behave, tls=context) as server, pytest.raises(UpstreamError, match="closed the connection"):
        asked(make, server)


@pytest.mark.parametrize("make", LOOPS)
def test_what_came_before_a_reset_is_the_answer(make: Callable[[], asyncio.AbstractEventLoop], context: ssl.SSLContext) -> None:
    def behave(connection: socket.socket) -> None:
        # what Nagle's algorithm would hold back never leaves a system that resets
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        read_head(connection)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        plain(connection).close()  # with bytes unread: a reset

    with Scripted(behave, tls=context) as server:
        for _ in range(20):
            assert asked(make, server, b"x" * 8_000_000) == (413, b"big")


@pytest.mark.parametrize("make", LOOPS)
def test_a_failed_handshake_is_told_in_the_words_of_openssl(make: Callable[[], asyncio.AbstractEventLoop]) -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(1 << 16)

    with Scripted(behave) as server, pytest.raises(UpstreamError, match=r"wrong version number|record layer"):
        asked(make, server)
