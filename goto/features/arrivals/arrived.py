"""What arrived of one run."""

from __future__ import annotations

import asyncio
from time import monotonic, time
from typing import Final

from goto.client.histogram import Latencies
from goto.counting.numbers import Numbers, Shelf
from goto.http.numbered_id import MOST_NUMBERS, wants_gaps

TICKS: Final = 10_000
"""Of the times of tries, a second. They go round after five days, and so may be subtracted."""

_ROUND: Final = 1 << 32


class Arrived(Numbers):
    """The numbers of a run that arrived, at whichever listener: tries are exchanges, and done are those answered whole."""

    def __init__(self, run: str, *, incomplete: bool) -> None:
        super().__init__(times=wants_gaps(run))
        self.since = time()
        """Seconds since 1970."""
        self.incomplete = incomplete
        """Some of what arrived since then is not in the numbers."""
        self.arrived = 0
        """Different ids."""
        self.arrivals = 0
        """Exchanges."""
        self.completed = 0
        """Different ids that were answered whole."""
        self.reordered = 0
        """First arrivals with a lower number than one before."""
        self.ports: dict[int, None] = {}
        self.gaps = Latencies()
        """Between tries of one id, where they are wanted."""
        self._highest = -1
        self._under_way = 0
        self._idle: list[asyncio.Future[None]] = []

    def arrive(self, number: int, port: int, shelf: Shelf[Arrived]) -> None:
        """An exchange has begun."""
        self._under_way += 1
        self.arrivals += 1
        self.ports[port] = None
        if number >= MOST_NUMBERS:
            self.incomplete = True
            return
        before = shelf.tried(self, number)
        if not before:
            self.arrived += 1
            if number < self._highest:
                self.reordered += 1
            else:
                self._highest = number
        if self.times is not None:
            now = int(monotonic() * TICKS) % _ROUND
            if before:
                self.gaps.add([(now - self.times[number]) % _ROUND / TICKS])
            self.times[number] = now

    def leave(self, number: int, *, completed: bool) -> None:
        """The exchange of this number is over; `completed` where its client took the whole answer."""
        self._under_way -= 1
        if completed and number < MOST_NUMBERS and self.done(number):
            self.completed += 1
        if not self._under_way:
            waiting, self._idle = self._idle, []
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_result(None)

    async def idle(self, seconds: float) -> None:
        """Wait until no exchange is under way, at most so long."""
        if self._under_way:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(waiter)
            await asyncio.wait([waiter], timeout=seconds)
