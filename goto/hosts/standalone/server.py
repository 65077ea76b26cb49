"""The connections of one listener on the standalone host, on aiohttp's low-level server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from goto.hosts.standalone.connection import ClientConnection, Exchange, Shared

IDLE_SECONDS = 3600.0
"""A connection on which nothing was asked for so long is closed, after twice the time at the latest."""


class ClientProtocol(RequestHandler):
    """aiohttp's protocol without its loop of requests: it hands all that happens to a `ClientConnection`."""

    __slots__ = ("_below", "_server", "connection")

    def __init__(self, server: Server, below: Any = None) -> None:
        super().__init__(server, loop=server.loop, access_log=None)  # type: ignore[arg-type]  # the exchange writes its own line
        self._server = server
        self._below = below
        """The transport that bytes leave by, where that is another one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's is no subclass of asyncio.Transport
        below = transport if self._below is None else self._below
        self.connection = ClientConnection(self._server.shared, transport, below, self._gone)
        self._server.connection_made(self, transport)  # type: ignore[arg-type]  # likewise
        self.connection.made()

    def data_received(self, data: bytes) -> None:
        self.connection.data_received(data)

    def eof_received(self) -> bool | None:  # type: ignore[override]  # asyncio asks whether the other direction stays
        stays = self.connection.eof_received()
        return stays if self._below is None else None  # TLS ends both

    def connection_lost(self, exc: BaseException | None) -> None:
        self.connection.connection_lost(exc)

    def pause_writing(self) -> None:
        self.connection.pause_writing()

    def resume_writing(self) -> None:
        self.connection.resume_writing()

    def _gone(self) -> None:
        super().connection_lost(None)  # which tells the server, and leaves no circle behind


class Server(web.Server):
    """Makes a connection of each client that is accepted, and has them until they and their last exchanges have ended."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(_never)
        self.shared = shared
        self.listener = shared.listener
        self.loop = shared.loop
        self.handshakes = 0
        """Clients that are to be connections over TLS."""
        self._ended = asyncio.Event()
        self._requests: dict[ClientConnection, int] = {}
        self._sweeper = self.loop.call_later(IDLE_SECONDS, self._sweep)

    def __call__(self, below: Any = None) -> ClientProtocol:
        return ClientProtocol(self, below)

    @property
    def clients(self) -> list[ClientConnection]:
        """Connections, those included that were lost while an exchange is under way."""
        return [protocol.connection for protocol in self.connections if isinstance(protocol, ClientProtocol)]

    @property
    def in_flight(self) -> Iterator[Exchange]:
        """Exchanges of traffic. A connection that is lost stays among the others until its exchange is over."""
        for client in self.clients:
            if client.exchange is not None and client.exchange.traffic:
                yield client.exchange

    async def emptied(self) -> None:
        """Wait until the last connection has ended, once `finish` was called."""
        while self.connections:
            self._ended.clear()
            await self._ended.wait()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._ended.set()

    def finish(self, linger: float | None = None) -> None:
        """The listener closes. `linger`: seconds for which connections are read on behind their last answers."""
        self.shared.finished = True
        if linger is not None:
            self.shared.linger = linger
        self._sweeper.cancel()
        for client in self.clients:
            client.finish()

    def _sweep(self) -> None:
        """Close what has been idle since the last time."""
        self._sweeper = self.loop.call_later(IDLE_SECONDS, self._sweep)
        clients = self.clients
        for client in clients:
            if client.exchange is None and self._requests.get(client) == client.peer.requests:
                client.finish()
        self._requests = {client: client.peer.requests for client in clients}


async def _never(request: web.BaseRequest) -> web.StreamResponse:
    """aiohttp's loop, which would call this, is not run."""
    raise NotImplementedError
