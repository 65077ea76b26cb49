"""The body of a client's request, as it comes in on the standalone host."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import StreamReader

from goto.errors import TooLarge
from goto.hosts.standalone.connection import ClientConnection


class ClientBody:
    """A body to be read once. Reading it is what answers `Expect: 100-continue` (RFC 9110, 10.1.1).

    `length` is in bytes, None for a chunked one. Reading raises what aiohttp raises where the body breaks.
    """

    def __init__(self, connection: ClientConnection, content: StreamReader, length: int | None, *, expected: bool) -> None:
        self.length = length
        self._connection = connection
        self._content = content
        self._expected = expected

    @property
    def awaited(self) -> bool:
        """The client holds it back until it is told to go on, and was not told."""
        return self._expected and not self._content.is_eof()

    @property
    def unread(self) -> bool:
        return not self._content.at_eof()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._expected:
            self._expected = False
            if not self._content.total_bytes:
                self._connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        async for data in self._content.iter_any():
            yield data

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises `TooLarge` past the limit in bytes, and then reads no further."""
        if self.length is not None and self.length > limit:
            raise TooLarge(f"body: {self.length} bytes are more than the limit of {limit}")
        parts, size = [], 0
        async for data in self:
            size += len(data)
            if size > limit:
                raise TooLarge(f"body: more than the limit of {limit} bytes")
            parts.append(data)
        return b"".join(parts)

    async def read_part(self, kept: int) -> tuple[bytes, int]:
        """The first bytes of the body, and its full size; the rest is read and dropped."""
        parts, size = [], 0
        async for data in self:
            if size < kept:
                parts.append(data[: kept - size])
            size += len(data)
        return b"".join(parts), size
