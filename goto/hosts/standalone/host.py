"""The standalone host: every listener a server of its own, on aiohttp's low-level server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import ClassVar

from goto.feature import ABILITIES
from goto.features import FEATURES
from goto.hosts.standalone.admin import AdminPort
from goto.hosts.standalone.connection import LINGER_BRIEF_SECONDS, Shared
from goto.hosts.standalone.exchange import HostedExchange
from goto.hosts.standalone.ports import LOOPBACK, Ports
from goto.hosts.standalone.server import Server
from goto.instance.wiring import Features, Instance
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import Listener
from goto.traffic.listeners import Load, loads_of
from goto.traffic.renewal import Renewal
from goto.words.hosts import host_without_zone

BACKLOG = 1024

LEAVE_SECONDS = 0.5
"""What exchanges in flight get at the end to meet that their clients are gone."""


class StandaloneHost:
    """Carries listeners on sockets of this process. `address` is the interface they bind to; None for all.

    `features` are what listeners have, in the order of traffic.
    """

    protocols: ClassVar[tuple[str, ...]] = ("http", "https")
    abilities: ClassVar[frozenset[str]] = ABILITIES
    elsewhere: ClassVar[dict[str, str]] = {}
    name: ClassVar[str] = "standalone"

    def __init__(self, log: AccessLog, address: str | None = None, *, features: Features = FEATURES) -> None:
        self.log = log
        self.instance = Instance(self, features)
        self._ports = Ports(address)
        if address not in (None, LOOPBACK):
            self.instance.authority.names.append(host_without_zone(address))
        self._servers: dict[int, tuple[list[asyncio.AbstractServer], Server]] = {}
        self._closing: set[Server] = set()
        self._admin: AdminPort | None = None
        self._renewing: asyncio.Task[None] | None = None
        """Looks at the certificates of listeners, once there is one over TLS."""
        self._number = count(1).__next__
        """The number of the next client's connection."""

    async def open_admin(self, port: int) -> None:
        """Serve management calls on a port of their own too. Raises OSError when it cannot be bound."""
        first = self.instance.listeners.first
        assert first is not None
        admin = AdminPort(self.instance, self.log, first)
        await admin.open(port, self._ports)
        self._admin = admin

    async def stop(self, grace: float) -> None:
        """Accept no more, let exchanges in flight finish for up to `grace` seconds, then end."""
        self.instance.about.ready = False
        if self._admin is not None:
            await self._admin.close()
        for server in self._closing:
            server.finish(LINGER_BRIEF_SECONDS)
        for listener in self.instance.listeners.by_port.values():
            if listener.open:
                listener.closed()
                self._servers[listener.port][1].shared.linger = LINGER_BRIEF_SECONDS
                await self.close(listener)
        await self._emptied(grace)
        for server in self._closing:
            for client in server.clients:
                client.break_off()
        await self._emptied(LEAVE_SECONDS)
        self._ports.close()
        if self._renewing is not None:
            self._renewing.cancel()
        await self.instance.stop()
        self.log.flush()

    async def _emptied(self, seconds: float) -> None:
        """Wait for the last connection of what closes, for so long at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for server in self._closing:
                    await server.emptied()

    # ------------------------------------------------------------ Carrier
    def loads(self) -> dict[Listener, Load]:
        """What each listener has at this moment."""
        servers = [*(server for _, server in self._servers.values()), *self._closing]
        return loads_of(
            (server.listener for server in servers for _ in server.connections),
            ((server.listener, exchange.counted) for server in servers for exchange in server.in_flight),
        )

    async def open(self, listener: Listener) -> None:
        """Accept traffic. Raises OSError with the reason."""
        instance = self.instance
        server = Server(Shared(listener, instance.management, instance.upstream, self.log, HostedExchange, self._number))
        accept: Callable[[], asyncio.BaseProtocol] = server
        if listener.secure is not None:
            from goto.hosts.standalone.secure import Handshake

            accept = partial(Handshake, server, listener)
            if self._renewing is None:
                self._renewing = asyncio.create_task(Renewal(instance.listeners).run())
        sockets = await self._ports.serve(listener.port, accept, BACKLOG)
        self._servers[listener.port] = (sockets, server)

    async def reserve(self) -> int:
        """A port that the system chooses, kept until it is opened. Raises OSError with the reason."""
        return await self._ports.reserve()

    async def close(self, listener: Listener) -> None:
        """Accept no more; idle connections end, the others when their exchange does."""
        sockets, server = self._servers.pop(listener.port)
        for accepting in sockets:
            accepting.close()
        self._closing = {closing for closing in self._closing if closing.connections} | {server}
        server.finish()
        await asyncio.sleep(0)
