"""When the replicas of a run send: free of each other, in rounds, or at a constant rate.

A pace is told `after(replica)` when a request is answered or has failed, and says what the replica does next. `changed()`: a
part was stopped.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from goto.client.replica import Replica

if TYPE_CHECKING:
    from goto.client.part import Part

EARLY = 0.0005
"""Seconds that a request may go out before it is due: event loops wake up by the millisecond."""

ON_TIME = 0.001
"""Seconds that it may go out late over a replica that was free, and yet count as sent when it was due. What waits for a replica,
which is what a stalled server causes, is late from the start."""


class Pace(Protocol):
    def start(self) -> None: ...

    def after(self, replica: Replica) -> None: ...

    def changed(self) -> None: ...


class Free:
    """Each replica of a target sends its next request as soon as the last is answered."""

    __slots__ = ("_part",)

    def __init__(self, part: Part) -> None:
        self._part = part

    def start(self) -> None:
        for replica in self._part.sending():
            self.after(replica)

    def after(self, replica: Replica) -> None:
        if replica.left and not self._part.stopped:
            replica.send()
        else:
            self._part.retire(replica)

    def changed(self) -> None:
        pass


class Rounds:
    """Each replica of each target sends one request; when all are answered, the largest delay of those that go on is waited."""

    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts
        self._under_way = 0
        self._ended = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._timer = None
        going = self._going()
        if not any(part.delay for part in going):
            # those that had a delay are done: the others need not wait for each other
            for part in going:
                part.pace = Free(part)
                part.pace.start()
            return
        replicas = [replica for part in going for replica in part.sending()]
        self._under_way = len(replicas)
        for replica in replicas:
            replica.send()

    def after(self, replica: Replica) -> None:
        part = replica.part
        if part.stopped or not replica.left:
            part.retire(replica)
        self._under_way -= 1
        if not self._under_way:
            self._ended = perf_counter()
            self._wait()

    def changed(self) -> None:
        """The largest delay may have been the stopped one's."""
        if not self._under_way:
            self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        going = self._going()
        if not going:
            return
        left = self._ended + max(part.delay for part in going) - perf_counter()
        loop = going[0].loop
        if left > 0:
            # uvloop may fire up to a millisecond early; then it waits again
            self._timer = loop.call_later(left, self._wait)
        else:
            self._timer = loop.call_later(0, self.start)

    def _going(self) -> list[Part]:
        return [part for part in self._parts if part.sending()]


class Steady:
    """A target's requests become due at a constant rate; each goes out over a replica that is free, or as soon as one is."""

    def __init__(self, part: Part, rate: float, total: int) -> None:
        self._part = part
        self._rate = rate
        self._total = total
        self._begun = 0
        self._start = 0.0
        self._free: list[Replica] = []
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._start = perf_counter()
        # the last one freed sends first, so that a low rate needs few connections
        self._free = self._part.sending()[::-1]
        self._send()

    def after(self, replica: Replica) -> None:
        if self._part.stopped:
            self._part.retire(replica)
            return
        self._free.append(replica)
        self._send()

    def changed(self) -> None:
        self._free = []
        self._cancel()

    def _send(self, *, in_time: bool = False) -> None:
        """Send what is due. `in_time`: there was a free replica for it all the time."""
        now = perf_counter()
        latest = now + EARLY
        free = self._free
        while free and self._begun < self._total:
            due = self._start + self._begun / self._rate
            if due > latest:
                if self._timer is None:
                    self._timer = self._part.loop.call_later(due - latest + EARLY, self._fire)
                return
            self._begun += 1
            free.pop().send(now if in_time and now - due < ON_TIME else min(due, now))
        if self._begun >= self._total:
            self._cancel()
            while free:
                self._part.retire(free.pop())

    def _fire(self) -> None:
        self._timer = None
        self._send(in_time=True)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
