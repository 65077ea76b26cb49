"""Many clients at once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator

from support.waiting import PATIENCE


def storm(
    port: int, requests: int, connections: int, head: Callable[[int], bytes], look: Callable[[bytes], object] = len
) -> Counter[int]:
    """So many requests over so many kept connections at once; how often each status came. `head(n)` makes the nth request,
    `look` gets the head of each answer.
    """
    numbers: Iterator[int] = iter(range(requests))
    statuses: Counter[int] = Counter()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            writer.write(head(number))
            got = await reader.readuntil(b"\r\n\r\n")
            statuses[int(got[9:12])] += 1
            look(got)
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", got)
            if length:
                await reader.readexactly(int(length[1]))
        writer.close()

    async def every() -> None:
        await asyncio.gather(*(one() for _ in range(connections)))

    asyncio.run(asyncio.wait_for(every(), 6 * PATIENCE))
    return statuses
