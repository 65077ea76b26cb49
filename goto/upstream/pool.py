"""Connections to origins, kept for the next request: one pool for the process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import cast

from goto.flow import Origin
from goto.tls.client import usual_context
from goto.upstream.addresses import Addresses, connected_socket, first_to_answer, is_address, look_up
from goto.upstream.batch import Batch
from goto.upstream.connection import Connection
from goto.upstream.errors import TooSlow, Unreachable
from goto.upstream.secure import connect_securely
from goto.upstream.through import Through, dig
from goto.words.duration import duration_text
from goto.words.failures import system_reason
from goto.words.hosts import missing_interface

IDLE_SECONDS = 60.0
"""An idle connection is closed after this time; most servers close theirs a little later."""

IDLE_LIMIT = 1024
"""Idle connections kept to one origin; one more is closed."""

FRESH_SECONDS = 1.0
"""A request that must not be repeated takes a kept connection only if it was idle for less than this."""

CONNECT_SECONDS = 30.0


class Pool:
    """Hands out connections, last used first, so that surplus ones age and go."""

    def __init__(self, batch: Batch | None = None) -> None:
        self._batch = batch or Batch()
        self._idle: dict[Origin, deque[Connection]] = {}
        self._all: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def connections(self) -> tuple[int, int]:
        """How many there are, and how many of them are idle."""
        return len(self._all), sum(map(len, self._idle.values()))

    def take(self, origin: Origin, *, repeatable: bool) -> Connection | None:
        """A kept connection, if there is one that this request may use."""
        idle = self._idle.get(origin)
        loud: list[Connection] = []
        found: Connection | None = None
        while idle:
            connection = idle.pop()
            if not connection.usable:
                continue
            if not connection.quiet:
                loud.append(connection)  # what came is read soon; it may be TLS's own
                continue
            if repeatable or connection.loop.time() - connection.idle_since < FRESH_SECONDS:
                found = connection
            else:
                idle.append(connection)
            break
        if loud and idle is not None:
            idle.extendleft(loud)
        return found

    async def connect(self, origin: Origin, timeout: float = CONNECT_SECONDS) -> Connection:
        """A new connection. Raises `Unreachable` or `TooSlow`."""
        return await self._open(origin, min(timeout, CONNECT_SECONDS), self._keep, self._lost)

    async def own(
        self,
        origin: Origin,
        timeout: float = CONNECT_SECONDS,
        addresses: Addresses | None = None,
        through: Through | None = None,
    ) -> Connection:
        """As `connect`, for one user alone: the pool never hands it to another, and ends it only in `close`. It goes to
        `addresses` where they are given, else to those that the host of the origin has now; where it goes `through` a proxy,
        they are the proxy's.
        """
        return await self._open(origin, timeout, None, self._all.discard, addresses, through)

    async def _open(
        self,
        origin: Origin,
        timeout: float,
        on_idle: Callable[[Connection], None] | None,
        on_lost: Callable[[Connection], None],
        addresses: Addresses | None = None,
        through: Through | None = None,
    ) -> Connection:
        loop = asyncio.get_running_loop()
        host, port = (origin.resolvable, origin.port) if addresses is None else (addresses.host, addresses.port)
        where = f"{origin.scheme}://{origin.authority}" + ("" if through is None else f" through the proxy {through.place}")

        def new() -> Connection:
            return Connection(origin, loop, self._batch, on_idle, on_lost)

        async def plain(address: str) -> Connection:
            connection = new()
            await loop.create_connection(lambda: cast("asyncio.Protocol", connection), sock=await connected_socket(address, port))
            return connection

        async def below(address: str) -> asyncio.Transport:
            transport, _ = await loop.create_connection(asyncio.Protocol, address, port)
            return transport

        try:
            secure = None if origin.scheme != "https" else usual_context() if origin.tls is None else origin.tls.context
            if missing := missing_interface(host):
                raise Unreachable(f"no interface {missing}")
            async with asyncio.timeout(timeout):
                looks_up = not is_address(host) and (addresses is None or not addresses.known)
                begun = perf_counter()
                order = await (look_up(host, port) if addresses is None else addresses.order())
                known = perf_counter()
                if secure is None:
                    connection = await first_to_answer(order, plain, Connection.abort)
                    connected = ready = perf_counter()
                else:
                    transport = await first_to_answer(order, below, asyncio.Transport.abort)
                    if through is not None:
                        await dig(transport, through.tunnel)
                    connected = perf_counter()
                    connection = new()
                    await connect_securely(connection, transport, secure, timeout)
                    ready = perf_counter()
        except TimeoutError:
            raise TooSlow(f"cannot connect to {where} within {duration_text(timeout)}") from None
        except Exception as error:
            # whatever it is, whoever waits for the answer must hear of it
            raise Unreachable(f"cannot connect to {where}: {system_reason(error)}") from None
        connection.opening = (known - begun if looks_up else 0.0, connected - known, ready - connected)
        self._all.add(connection)
        return connection

    async def close(self) -> None:
        """End every connection, idle or not."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self._all):
            connection.abort()
        await asyncio.sleep(0)

    def _keep(self, connection: Connection) -> None:
        idle = self._idle.setdefault(connection.origin, deque())
        if len(idle) >= IDLE_LIMIT:
            connection.abort()
            return
        connection.idle_since = connection.loop.time()
        idle.append(connection)
        if self._sweeper is None:
            self._sweeper = connection.loop.call_later(IDLE_SECONDS / 4, self._sweep, connection.loop)

    def _lost(self, connection: Connection) -> None:
        self._all.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle is not None and connection in idle:
            idle.remove(connection)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeper = None
        oldest = loop.time() - IDLE_SECONDS
        for origin, idle in list(self._idle.items()):
            while idle and idle[0].idle_since < oldest:
                idle.popleft().abort()
            if not idle:
                del self._idle[origin]
        if self._idle:
            self._sweeper = loop.call_later(IDLE_SECONDS / 4, self._sweep, loop)
