"""When the replicas of a run send: free of each other, in rounds, or at a constant rate.

A pace sets `over` of its replicas, which is called when a request is answered or has failed; so it says what each does next.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Protocol

from goto.client.replica import Replica

EARLY = 0.0005
"""Seconds that a request may go out before it is due: event loops wake up by the millisecond."""

ON_TIME = 0.001
"""Seconds that it may go out late over a replica that was free, and yet count as sent when it was due. What waits for a replica,
which is what a stalled server causes, is late from the start."""


class Pace(Protocol):
    def start(self) -> None:
        """Send the first requests."""

    def changed(self) -> None:
        """The job of some replicas was stopped; those that had no request under way are retired."""


def send_next(replica: Replica) -> None:
    """Free of the others, a replica sends its next request as soon as the last is answered."""
    if replica.left and not replica.job.stopped:
        replica.send()
    else:
        replica.retire()


class Rounds:
    """Each replica of each target sends one request; when all are answered, the largest delay of those that go on is waited."""

    def __init__(self, replicas: list[Replica], loop: asyncio.AbstractEventLoop) -> None:
        self._replicas = replicas
        self._loop = loop
        self._under_way = 0
        self._ended = 0.0
        self._timer: asyncio.TimerHandle | None = None
        for replica in replicas:
            replica.over = self._over

    def start(self) -> None:
        self._timer = None
        going = self._going()
        if any(replica.job.delay for replica in going):
            self._under_way = len(going)
            for replica in going:
                replica.send()
            return
        # those that had a delay are done: the others need not wait for each other
        self._replicas = []
        for replica in going:
            replica.over = send_next
            send_next(replica)

    def changed(self) -> None:
        # the largest delay may have been that of the one that was stopped
        if not self._under_way:
            self._wait()

    def _over(self, replica: Replica) -> None:
        if replica.job.stopped or not replica.left:
            replica.retire()
        self._under_way -= 1
        if not self._under_way:
            self._ended = perf_counter()
            self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        going = self._going()
        if not going:
            return
        left = self._ended + max(replica.job.delay for replica in going) - perf_counter()
        if left > 0:
            # uvloop may fire up to a millisecond early; then it waits again
            self._timer = self._loop.call_later(left, self._wait)
        else:
            self._timer = self._loop.call_later(0, self.start)

    def _going(self) -> list[Replica]:
        """The replicas that go on; the others need not be known any more."""
        self._replicas = [replica for replica in self._replicas if replica.left and not replica.job.stopped]
        return self._replicas


class Steady:
    """A target's requests become due at a constant rate; each goes out over a replica that is free, or as soon as one is."""

    def __init__(self, replicas: list[Replica], rate: float, loop: asyncio.AbstractEventLoop) -> None:
        """`rate` in requests a second. All replicas are of one target."""
        # the last one freed sends first, so that a low rate needs few connections
        self._free = replicas[::-1]
        self._rate = rate
        self._loop = loop
        self._total = sum(replica.left for replica in replicas)
        self._begun = 0
        self._start = 0.0
        self._timer: asyncio.TimerHandle | None = None
        for replica in replicas:
            replica.over = self._over

    def start(self) -> None:
        self._start = perf_counter()
        self._send()

    def changed(self) -> None:
        self._free = []
        self._cancel()

    def _over(self, replica: Replica) -> None:
        if replica.job.stopped:
            replica.retire()
            return
        self._free.append(replica)
        self._send()

    def _send(self, *, in_time: bool = False) -> None:
        """Send what is due. `in_time`: there was a free replica for it all the time."""
        now = perf_counter()
        latest = now + EARLY
        free = self._free
        while free and self._begun < self._total:
            due = self._start + self._begun / self._rate
            if due > latest:
                if self._timer is None:
                    self._timer = self._loop.call_later(due - latest + EARLY, self._fire)
                return
            self._begun += 1
            free.pop().send(now if in_time and now - due < ON_TIME else min(due, now))
        if self._begun >= self._total:
            self._cancel()
            while free:
                free.pop().retire()

    def _fire(self) -> None:
        self._timer = None
        self._send(in_time=True)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
