"""A port of its own for management calls, on either host. A call acts on the start-up listener."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from goto.flow import Request
from goto.hosts.standalone.connection import ClientConnection, Sent, parts_of
from goto.hosts.standalone.exchange import HostedExchange
from goto.hosts.standalone.server import Server
from goto.traffic.listener import Listener


class AdminPort:
    """Serves the API and nothing else."""

    def __init__(self, host: Any, listener: Listener) -> None:
        self._host = host
        self._listener = listener
        self._sockets: asyncio.Server | None = None
        self._server: Server | None = None

    async def open(self, port: int, address: str | None) -> None:
        """Raises OSError with the reason."""
        batch = self._host.instance.upstream.batch
        self._server = Server(self._handle, self._listener, self._host.log, never_plain, batch, admin=True)
        self._sockets = await asyncio.get_running_loop().create_server(self._server, address, int(port))

    async def close(self) -> None:
        if self._sockets is not None:
            self._sockets.close()
        if self._server is not None:
            self._server.finish()
        await asyncio.sleep(0)

    async def _handle(self, request: web.BaseRequest) -> Sent:
        connection = request.protocol
        assert isinstance(connection, ClientConnection)
        return await HostedExchange.of(self._host, connection, *parts_of(request)).run()


def never_plain(connection: ClientConnection, request: Request) -> bool:
    """For ports that serve every request in a task."""
    return False
