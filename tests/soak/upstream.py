"""An upstream that answers rightly, late, in part or not at all."""

from __future__ import annotations

import asyncio
from random import Random

PIECE = b"x" * 50_000


class DyingUpstream:
    """Serves on a port of 127.0.0.1."""

    def __init__(self, port: int, random: Random) -> None:
        self.port = port
        self.requests = 0
        self._random = random
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)

    async def stop(self) -> None:
        """Accept no more, and end what is left: a connection that is kept for the next request above all."""
        if self._server is not None:
            self._server.close()
        for writer in self._connections:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"), 0)
                await reader.readexactly(length)
                self.requests += 1
                await self._answer(writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, Died):
            pass
        finally:
            writer.transport.abort()
            self._connections.discard(writer)

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        match self._random.randrange(12):
            case 0:
                raise Died  # without an answer
            case 1:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + PIECE)
                await writer.drain()
                raise Died  # in the middle of it
            case 2:
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
                raise Died
            case 3:
                await asyncio.sleep(0.05)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
            case 4:
                await asyncio.sleep(0.4)  # later than the target allows
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ntoo late")
            case 5:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + PIECE)
                await asyncio.sleep(0.01)
                writer.write(PIECE)
            case 6:
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
            case 7:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
                await writer.drain()
                writer.close()
                raise Died
            case _:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()


class Died(Exception):
    """What was to be answered is not."""
