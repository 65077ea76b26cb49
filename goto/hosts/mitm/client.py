"""What is known of one client's connection on the mitmproxy host."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

from goto.flow import Origin, Peer
from goto.hosts.mitm import private
from goto.traffic.accesslog import address_of
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Listener

IDLE_SECONDS = 1.0
"""A connection to an upstream that was idle for longer may be closing, and mitmproxy repeats no request."""


class InFlight(Protocol):
    """An exchange, as far as its client's connection has to do with it."""

    def left(self) -> None:
        """The client has disconnected."""

    def connecting(self, server: Any) -> bool:
        """Whether it is for this exchange that a connection is about to be made."""

    def connected(self, server: Any) -> None:
        """A connection was made."""


class MitmClient:
    """A client's connection: its listener, what is in flight on it, and the connections to upstreams it keeps."""

    def __init__(self, connection: Any, listener: Listener | None, number: int) -> None:
        """`number` is that of the connection, counted from 1 in this process."""
        self.connection = connection
        self.listener = listener
        """None until the host has settled which one it is."""
        self.exchanges: set[InFlight] = set()
        self._number = number
        self._requests = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._used: dict[Any, float] = {}
        """When the last exchange ended on a connection to a target."""

    def peer(self) -> Peer:
        """What features see of it in one more request. Each has its own: those of HTTP/2 are in flight at the same time."""
        self._requests += 1
        peer = Peer(address_of(self.connection.peername), self._number)
        peer.requests = self._requests
        return peer

    def end(self) -> None:
        """End the connection."""
        private.end(self.connection, self.connection)

    # ------------------------------------------------------------ heads
    def head_waits(self, waits: bool) -> None:
        """`waits`: a part of a request's head has come, and the rest has not. Its time runs from the first byte."""
        if waits and self._head_timer is None:
            self._head_timer = asyncio.get_running_loop().call_later(LIMITS.head_time, self._head_late)
        elif not waits and self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        LIMITS.hit["head_time"] += 1
        self.end()

    # ------------------------------------------------------------ connections to upstreams
    def used(self, server: Any) -> None:
        """An exchange has ended on a connection to a target."""
        self._used[server] = time.monotonic()

    async def drop_idle(self, origin: Origin) -> None:
        """End kept connections to an origin that were idle for long, so that no request takes one."""
        now = time.monotonic()
        for server in [server for server in self._used if server.address == (origin.resolvable, origin.port)]:
            if not server.connected:
                del self._used[server]
            elif now - self._used[server] > IDLE_SECONDS and server.alpn != b"h2":
                del self._used[server]
                await private.ended(self.connection, server)

    # ------------------------------------------------------------ the end
    def left(self) -> None:
        """The client has disconnected."""
        self.head_waits(False)
        for exchange in list(self.exchanges):
            exchange.left()
