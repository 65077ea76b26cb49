"""Clients that send what they like and leave when they like."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random

PATHS = ("/up/a", "/up/b", "/two", "/x", "/status/418", "/echo", "/post", "/post", "/half")


@dataclass
class Tally:
    """What the clients of a run have done."""

    requests: int = 0
    """Sent whole."""
    answered: int = 0
    """Whose answers came whole."""
    left: int = 0
    """Whose client hung up."""
    refused: int = 0
    """Connections that could not be made, or were reset: their listener was closed, or a request was answered before its end."""


async def client(port: int, random: Random, tally: Tally, until: float) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            tally.refused += 1
            await asyncio.sleep(0.02)
            continue
        try:
            for _ in range(random.randrange(1, 6)):
                if not await _exchange(reader, writer, random, tally):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            tally.refused += 1
        finally:
            writer.transport.abort() if random.random() < 0.5 else writer.close()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, random: Random, tally: Tally) -> bool:
    """Send a request and mostly wait for the answer; whether the connection goes on."""
    path, value = random.choice(PATHS), random.randrange(50)
    field = f"Host: a\r\nx: v{value}\r\n"
    if path == "/post":
        size = random.choice((10, 1000, 200_000))
        writer.write(f"POST /up/p HTTP/1.1\r\n{field}Content-Length: {size}\r\n\r\n".encode() + b"y" * size)
    elif path == "/half":
        writer.write(f"POST /up/p HTTP/1.1\r\n{field}Content-Length: 1000\r\n\r\n".encode() + b"y" * 500)
        await asyncio.sleep(random.choice((0, 0.01, 0.05)))
        tally.left += 1
        return False
    else:
        writer.write(f"GET {path} HTTP/1.1\r\n{field}\r\n".encode())
    tally.requests += 1
    try:
        async with asyncio.timeout(random.choice((0.001, 0.01, 0.03, 5, 5, 5))):
            await _read(reader)
    except TimeoutError:
        tally.left += 1
        return False
    tally.answered += 1
    return True


async def _read(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"\r\ncontent-length: " in head:
        await reader.readexactly(int(head.split(b"\r\ncontent-length: ")[1].split(b"\r\n")[0]))
    elif b"\r\ntransfer-encoding: chunked" in head:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    else:
        await reader.read()
