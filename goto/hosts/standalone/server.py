"""The connections of one listener on the standalone host."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from goto.hosts.standalone.connection import ClientConnection, Exchange, ServePlain
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import Listener
from goto.upstream.batch import Batch

if TYPE_CHECKING:
    from goto.hosts.standalone.secure import SecureConnection


class Server(web.Server):
    """Makes a connection of each client that is accepted, and has them until they end."""

    def __init__(
        self,
        handler: Any,
        listener: Listener,
        log: AccessLog,
        serve_plain: ServePlain,
        batch: Batch,
        *,
        admin: bool = False,
    ) -> None:
        super().__init__(handler)
        self.listener = listener
        self._parts = (self, listener, log, serve_plain, batch, asyncio.get_running_loop())
        self._admin = admin
        self._ended = asyncio.Event()
        self.handshakes = 0
        """Clients that are to be connections over TLS."""

    def __call__(self) -> ClientConnection:
        return ClientConnection(*self._parts, admin=self._admin)

    def secured(self, raw: asyncio.Transport) -> SecureConnection:
        """A connection over TLS; `raw` is the transport below it."""
        from goto.hosts.standalone.secure import SecureConnection

        return SecureConnection(raw, *self._parts, admin=self._admin)

    @property
    def in_flight(self) -> Iterator[Exchange]:
        """Exchanges of traffic. A connection that is lost stays among the others until its exchange is over."""
        for connection in self.connections:
            assert isinstance(connection, ClientConnection)
            exchange = connection.exchange
            if exchange is not None and exchange.traffic:
                yield exchange

    async def emptied(self) -> None:
        """Wait until the last connection has ended, once `finish` was called."""
        while self.connections:
            self._ended.clear()
            await self._ended.wait()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        assert isinstance(handler, ClientConnection)
        handler.when_over(self._ended.set)

    def finish(self) -> None:
        for connection in self.connections:
            assert isinstance(connection, ClientConnection)
            connection.finish()
