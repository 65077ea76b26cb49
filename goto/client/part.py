"""One target in a run of the client: its replicas, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from goto.client.job import Job
from goto.client.pace import EARLY_SECONDS, Pace
from goto.client.replica import Replica
from goto.client.target import MOST_REQUESTS

STOP_SECONDS = 10.0
"""How long requests in flight may take once they are stopped; then they count as failed."""


class Part:
    """One target in a run, until all of its replicas are retired."""

    pace: Pace
    """When its replicas send; set before they are started."""

    def __init__(self, job: Job, total: int | None, ended: Callable[[Part], None]) -> None:
        """`total` requests are shared out among the replicas of the target, None for any number; `ended` is called when `done` is
        set.
        """
        self.job = job
        self.done: asyncio.Future[None] = job.loop.create_future()
        """Set when all requests are answered or have failed."""
        self._ended = ended
        self._grace: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._end = 0.0
        crew = job.target.crew
        number = job.target.replicas if crew is None else int(crew.peak + 0.5)
        each, more = divmod(number * MOST_REQUESTS if total is None else total, max(number, 1))
        if crew is not None:
            # they come and go, and each may have to send all of it
            quotas = [each * number + more] * number
        else:
            quotas = [each + 1] * more + ([each] * (number - more) if each else [])
        self._replicas = {Replica(job, place, quota, self._retired): None for place, quota in enumerate(quotas, 1)}
        job.counts.use()

    def end_after(self, seconds: float, now: float) -> None:
        """Send for so long from now; then requests in flight have STOP_SECONDS to be answered."""
        self._end = now + seconds
        self._timer = self.job.loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        left = self._end - perf_counter()
        if left > 0:
            # uvloop may fire up to a millisecond early
            self._timer = self.job.loop.call_later(left + EARLY_SECONDS, self._expire)
            return
        self._timer = None
        self.pace.last()
        self.stop(STOP_SECONDS)

    @property
    def replicas(self) -> list[Replica]:
        """The replicas that are not retired."""
        return list(self._replicas)

    def stop(self, grace: float) -> None:
        """Send no more; requests in flight have `grace` seconds to be answered."""
        if self.job.stopped or not self._replicas:
            return
        self.job.stopped = True
        for replica in self.replicas:
            if replica.waiting:
                replica.give_up()
            elif not replica.in_flight:
                replica.retire()
        self.pace.changed()
        if self._replicas:
            self._grace = self.job.loop.call_later(grace, self.abort)

    def abort(self) -> None:
        """Give up the requests in flight of a part that is stopped."""
        for replica in self.replicas:
            replica.abort()

    def _retired(self, replica: Replica) -> None:
        del self._replicas[replica]
        if self._replicas:
            return
        for timer in (self._grace, self._timer):
            if timer is not None:
                timer.cancel()
        self.job.addresses.close()
        self.job.counts.release()
        self.done.set_result(None)
        self._ended(self)
