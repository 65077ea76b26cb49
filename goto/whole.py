"""Where a body goes that is kept: in memory, up to a limit."""

from __future__ import annotations

import asyncio

from goto.connection import UpstreamError


class Whole:
    """An outlet that keeps the first `limit` bytes of a body and counts the rest."""

    __slots__ = ("_done", "_kept", "_limit", "_parts", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._kept = 0
        self.size = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def truncated(self) -> bool:
        return self.size > self._kept

    def write(self, data: bytes) -> None:
        self.size += len(data)
        if self._kept < self._limit:
            kept = data[: self._limit - self._kept]
            self._parts.append(kept)
            self._kept += len(kept)

    def flush(self) -> None:
        pass

    def end(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def broken(self, error: UpstreamError) -> None:
        if not self._done.done():
            self._done.set_exception(error)

    async def read(self) -> bytes:
        """Wait for the end; what was kept. Raises `UpstreamError`."""
        await self._done
        return b"".join(self._parts)
