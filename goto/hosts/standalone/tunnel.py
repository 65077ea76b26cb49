"""After `101`: the client's bytes to the upstream, as they come."""

from __future__ import annotations

import asyncio

from goto.hosts.standalone.connection import ClientConnection
from goto.upstream.connection import Connection


class Tunnel:
    """What aiohttp feeds with all that a client sends once protocols are switched."""

    def __init__(self, client: ClientConnection, upstream: Connection) -> None:
        self._client = client
        self._upstream = upstream
        self._waiting: asyncio.Task[None] | None = None

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._upstream.write(data)
        if self._upstream.congested and self._waiting is None:
            self._client.pause_client()
            self._waiting = asyncio.ensure_future(self._wait())
        return False, b""

    def feed_eof(self) -> None:
        """The exchange ends the upstream's side when the client leaves."""

    async def _wait(self) -> None:
        await self._upstream.drain()
        self._waiting = None
        self._client.resume_client()
