"""One target in a run of the client: its replicas, its pace, and its end."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

from goto.client.counts import Counts
from goto.client.message import Message
from goto.client.pace import Pace
from goto.client.replica import Replica
from goto.client.target import ClientTarget
from goto.upstream.pool import CONNECT_SECONDS, FRESH_SECONDS

if TYPE_CHECKING:
    from goto.client.run import Run

STOP_SECONDS = 10.0
"""How long requests in flight may take once they are stopped; then they count as failed."""


class Part:
    """One target in a run, with its replicas and their pace."""

    pace: Pace

    def __init__(self, run: Run, index: int, target: ClientTarget, counts: Counts, total: int) -> None:
        self.index = index
        self.target = target
        self.counts = counts
        self.tracked = run.results.tracked
        self.report = run.report
        self.pool = run.pool
        self.loop = run.loop
        self.message = Message(target)
        self.size = self.message.size
        self.origin = target.origin
        self.delay = target.delay.seconds
        self.timeout = target.timeout
        self.connect_timeout = target.conn_timeout.seconds or CONNECT_SECONDS
        # what must not be repeated takes no connection that the other side may be closing just now
        self.idle_limit = min(target.conn_idle_timeout.seconds or inf, inf if self.message.repeatable else FRESH_SECONDS)
        self.requests = 0
        """Begun so far; counted where they are reported."""
        self.stopped = False
        self.done: asyncio.Future[None] = run.loop.create_future()
        """Set when all requests are answered or have failed."""
        self._run = run
        self._grace: asyncio.TimerHandle | None = None
        each, more = divmod(total, target.replicas)
        quotas = [each + 1] * more + ([each] * (target.replicas - more) if each else [])
        self._replicas = {Replica(self, number, quota): None for number, quota in enumerate(quotas, 1)}
        counts.users += 1

    def sending(self) -> list[Replica]:
        """The replicas that have requests left."""
        return [] if self.stopped else list(self._replicas)

    def retire(self, replica: Replica) -> None:
        """A replica sends no more."""
        if replica in self._replicas:
            del self._replicas[replica]
            replica.close()
            if not self._replicas:
                self._end()

    def stop(self, grace: float) -> None:
        """Send no more; requests in flight have `grace` seconds to be answered."""
        if self.stopped or not self._replicas:
            return
        self.stopped = True
        for replica in list(self._replicas):
            if replica.in_flight:
                continue
            if replica.waiting:
                replica.cancel()
                self.pace.after(replica)
            else:
                self.retire(replica)
        self.pace.changed()
        if self._replicas:
            self._grace = self.loop.call_later(grace, self.abort)

    def abort(self) -> None:
        """Give up the requests in flight of a part that is stopped."""
        for replica in list(self._replicas):
            replica.abort()

    def _end(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
        self.counts.fold()
        self.counts.users -= 1
        self.done.set_result(None)
        self._run.ended(self)
