"""When the replicas of a run send: free of each other, in rounds, at a rate, or as many at a time as stages say.

A pace sets `over` of its replicas, which is called when a request is answered or has failed; so it says what each does next.
"""

from __future__ import annotations

import asyncio
from math import inf
from time import perf_counter
from typing import Protocol

from goto.client.counts import Counts
from goto.client.rate import Pursuit
from goto.client.replica import Replica
from goto.client.stages import Course

EARLY_SECONDS = 0.0005
"""uvloop counts in milliseconds, and may fire a timer that much early. What is set for later goes out when it is due or after."""


class Pace(Protocol):
    def start(self) -> None:
        """Send the first requests."""

    def changed(self) -> None:
        """The job of some replicas was stopped; those that had no request under way are retired."""

    def last(self) -> None:
        """The time is over: what is due by now is sent before the job is stopped."""


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

    def last(self) -> None:
        """Nothing was due at a time of its own."""

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
    """A target's requests become due by a course of rates, and go out over a replica that is free, or as soon as one is."""

    def __init__(self, replicas: list[Replica], course: Course, loop: asyncio.AbstractEventLoop, counts: Counts) -> None:
        """All replicas are of one target, which is counted by `counts`."""
        # the last one freed sends first, so that a low rate needs few connections
        self._free = replicas[::-1]
        self._course = course
        self._loop = loop
        self._counts = counts
        self._total = min(sum(replica.left for replica in replicas), course.count)
        self._begun = 0
        self._start = self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        for replica in replicas:
            replica.over = self._over

    def start(self) -> None:
        self._start = perf_counter()
        self._due = self._start + self._course.due(0)
        self._pursuit = Pursuit(self._course, self._start)
        self._counts.follow(self._pursuit)
        self._send()

    def changed(self) -> None:
        self._free = []
        self._pursuit.over()
        self._cancel()

    def last(self) -> None:
        self._send()

    def _over(self, replica: Replica) -> None:
        if replica.job.stopped:
            replica.retire()
            return
        self._free.append(replica)
        self._send()

    def _send(self) -> None:
        """Send what is due."""
        now = perf_counter()
        free, before = self._free, self._begun
        while free and self._begun < self._total and self._due <= now:
            due = self._due
            self._begun += 1
            self._due = self._start + self._course.due(self._begun)
            free.pop().send(due)
        if self._begun > before:
            self._pursuit.sent(self._begun - before, now)
        if self._begun >= self._total or self._due == inf:
            self._pursuit.over()
            self._cancel()
            while free:
                free.pop().retire()
        elif free and self._timer is None:
            self._timer = self._loop.call_later(self._due - now + EARLY_SECONDS, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._send()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Crew:
    """As many replicas of a target send at a time as a course says, free of each other; with a delay in rounds, each of as many
    as the course says at its begin. One that is not needed ends its connection after its answer.
    """

    def __init__(self, replicas: list[Replica], course: Course, loop: asyncio.AbstractEventLoop) -> None:
        self._idle = replicas[::-1]
        self._course = course
        self._loop = loop
        self._delay = replicas[0].job.delay if replicas else 0.0
        self._left = replicas[0].left if replicas else 0
        self._busy = 0
        self._start = self._ended = self._until = 0.0
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None
        for replica in replicas:
            replica.over = self._over

    def start(self) -> None:
        self._start = perf_counter()
        self._fill()

    def changed(self) -> None:
        self._idle = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def last(self) -> None:
        """Nothing was due at a time of its own."""

    def _fill(self) -> None:
        """Send with as many as are wanted now."""
        self._timer = None
        now = perf_counter()
        pause = self._ended + self._delay - now
        if self._delay and pause > 0:
            self._timer = self._loop.call_later(pause + EARLY_SECONDS, self._fill)
            return
        wanted = self._wanted(now)
        while self._busy < wanted and self._left and self._idle:
            self._begin(self._idle.pop())
        if self._delay:
            for replica in self._idle:
                replica.rest()
        if not self._left:
            self._retire_idle()
        elif self._until < inf and not (self._delay and self._busy):
            self._timer = self._loop.call_later(max(self._until - now, 0.0) + EARLY_SECONDS, self._fill)

    def _wanted(self, now: float) -> int:
        """How many are wanted at a time, which is the same until `_until`."""
        if now >= self._until:
            self._number, until = self._course.number(now - self._start)
            self._until = self._start + until
        return self._number

    def _begin(self, replica: Replica) -> None:
        self._busy += 1
        self._left -= 1
        replica.send()

    def _over(self, replica: Replica) -> None:
        self._busy -= 1
        if replica.job.stopped:
            replica.retire()
            return
        if self._delay:
            self._idle.append(replica)
            if not self._busy:
                self._ended = perf_counter()
                self._fill()
            return
        if self._left and self._busy < self._wanted(perf_counter()):
            self._begin(replica)
            return
        replica.rest()
        self._idle.append(replica)
        if not self._left:
            self._retire_idle()

    def _retire_idle(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._idle:
            self._idle.pop().retire()
