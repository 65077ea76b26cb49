"""One target in a run of the client: its replicas, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from goto.client.job import Job
from goto.client.pace import Pace
from goto.client.replica import Replica

STOP_SECONDS = 10.0
"""How long requests in flight may take once they are stopped; then they count as failed."""


class Part:
    """One target in a run, until all of its replicas are retired."""

    pace: Pace
    """When its replicas send; set before they are started."""

    def __init__(self, job: Job, total: int, ended: Callable[[Part], None]) -> None:
        """`total` requests are shared out among the replicas of the target; `ended` is called when `done` is set."""
        self.job = job
        self.done: asyncio.Future[None] = job.loop.create_future()
        """Set when all requests are answered or have failed."""
        self._ended = ended
        self._grace: asyncio.TimerHandle | None = None
        each, more = divmod(total, job.target.replicas)
        quotas = [each + 1] * more + ([each] * (job.target.replicas - more) if each else [])
        self._replicas = {Replica(job, number, quota, self._retired): None for number, quota in enumerate(quotas, 1)}
        job.counts.users += 1

    @property
    def replicas(self) -> list[Replica]:
        """Those that are not retired."""
        return list(self._replicas)

    def stop(self, grace: float) -> None:
        """Send no more; requests in flight have `grace` seconds to be answered."""
        if self.job.stopped or not self._replicas:
            return
        self.job.stopped = True
        for replica in self.replicas:
            if replica.waiting:
                replica.over(replica)
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
        if self._grace is not None:
            self._grace.cancel()
        self.job.addresses.close()
        self.job.counts.fold()
        self.job.counts.users -= 1
        self.done.set_result(None)
        self._ended(self)
