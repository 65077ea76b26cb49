"""A port of its own for management calls, on either host. A call acts on the start-up listener."""

from __future__ import annotations

import asyncio
from itertools import count

from goto.hosts.standalone.connection import Shared
from goto.hosts.standalone.exchange import HostedExchange
from goto.hosts.standalone.ports import Ports
from goto.hosts.standalone.server import Server
from goto.instance.wiring import Instance
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import Listener


class AdminPort:
    """Serves the API and nothing else."""

    def __init__(self, instance: Instance, log: AccessLog, listener: Listener) -> None:
        self._instance = instance
        self._log = log
        self._listener = listener
        self._sockets: list[asyncio.AbstractServer] = []
        self._server: Server | None = None

    async def open(self, port: int, ports: Ports) -> None:
        """Raises OSError with the reason."""
        instance = self._instance
        number = count(1).__next__
        shared = Shared(self._listener, instance.management, instance.upstream, self._log, HostedExchange, number, admin=True)
        self._server = Server(shared)
        self._sockets = await ports.serve(port, self._server)

    async def close(self) -> None:
        for sockets in self._sockets:
            sockets.close()
        if self._server is not None:
            self._server.finish()
        await asyncio.sleep(0)
