"""A proxy that drops, repeats, holds back and answers by itself, by a plan that a seed gives, and keeps a log of what it did."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections import Counter
from typing import Self

from goto.http.numbered_id import read_id

ID = re.compile(rb"x-request-id=([0-9a-fA-F-]{36})")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nelse"
ACTIONS = ("pass", "pass", "pass", "pass", "drop", "twice", "four times", "elsewhere", "back", "later", "trace", "refuse")


class Meddler:
    """What becomes of the request of a number is the same at each of its tries."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._dice = random.Random(seed)
        self._plan: dict[int, str] = {}
        self._later: list[tuple[int, bytes]] = []
        self.came: Counter[int] = Counter()
        """How often each number came."""
        self.forwarded: list[int] = []
        """Numbers in the order in which they were sent on, each as often as it was."""
        self.answered: set[int] = set()
        """Numbers that the client has an answer to."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        self.base = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def action(self, number: int) -> str:
        while len(self._plan) <= number:
            self._plan[len(self._plan)] = self._dice.choice(ACTIONS)
        return self._plan[number]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = ID.search(head)
                assert found is not None
                said = read_id(found[1])
                assert said is not None
                answer = await self._meddle(said.number, head)
                if answer is None:
                    return
                self.answered.add(said.number)
                writer.write(answer)

    async def _meddle(self, number: int, head: bytes) -> bytes | None:
        """What the client is answered; None ends its connection."""
        self.came[number] += 1
        match self.action(number):
            case "drop":
                return None
            case "elsewhere":
                return OK
            case "refuse":
                return OK.replace(b"200 OK", b"503 Not now")
            case "later":
                if self.came[number] == 1:
                    self._later.append((number, head))
                return OK
            case "back":
                await self._forward(number, head)
                return None
            case "twice":
                await self._forward(number, head)
            case "four times":
                for _ in range(3):
                    await self._forward(number, head)
            case "trace":
                # as Envoy does it, and the header is another one's
                head = ID.sub(lambda found: found[0][:27] + b"a" + found[0][28:], head).replace(
                    b"\r\n\r\n", b"\r\nX-Request-Id: 7\r\n\r\n"
                )
        answer = await self._forward(number, head)
        await self.let_go()
        return answer

    async def let_go(self) -> None:
        """Send on what was held back."""
        held, self._later = self._later, []
        for number, head in held:
            await self._forward(number, head)

    async def _forward(self, number: int, head: bytes) -> bytes:
        self.forwarded.append(number)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.closing(writer):
            writer.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200")
        return answer.replace(b"\r\nConnection: close", b"", 1)
