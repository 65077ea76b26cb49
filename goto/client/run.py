"""A run: one invocation of one target or several."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from math import inf
from time import perf_counter

from goto.client.counts import Counts
from goto.client.message import Message
from goto.client.pace import Pace, Rounds, Steady
from goto.client.replica import Replica
from goto.client.report import Report
from goto.client.results import Results
from goto.client.target import ClientTarget
from goto.pool import CONNECT_SECONDS, FRESH_SECONDS, Pool

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


class Run:
    """Sends what targets say, from `start` until `done`. Several may run at a time, of the same targets too."""

    def __init__(
        self,
        targets: Iterable[ClientTarget],
        results: Results,
        pool: Pool,
        report: Report | None = None,
        total: int | None = None,
    ) -> None:
        """`total`: requests to each target, shared out among its replicas, instead of `requestCount` by each of them."""
        self.results = results
        self.pool = pool
        self.report = report
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self.loop.create_future()
        """Set when all requests are answered or have failed."""
        self._parts: dict[Part, None] = {}
        for index, target in enumerate(targets):
            requests = target.replicas * target.request_count if total is None else total
            self._parts[Part(self, index, target, results.of(target.name), requests)] = None

    @property
    def names(self) -> set[str]:
        """Of the targets that are not stopped and have not come to their end."""
        return {part.target.name for part in self._parts if not part.stopped}

    def start(self) -> None:
        paces: list[Pace] = []
        waiting: list[Part] = []
        now = perf_counter()
        for part in self._parts:
            part.counts.begin(now)
            rate = part.target.rate
            if rate is not None:
                part.pace = Steady(part, rate, sum(replica.left for replica in part.sending()))
                paces.append(part.pace)
            else:
                waiting.append(part)
        if waiting:
            rounds = Rounds(waiting)
            for part in waiting:
                part.pace = rounds
            paces.append(rounds)
        for pace in paces:
            pace.start()
        if not self._parts:
            self.done.set_result(None)

    def stop(self, names: Iterable[str] | None = None, grace: float = STOP_SECONDS) -> None:
        """Stop some targets, or all: no request is sent any more, those in flight may still be answered."""
        wanted = None if names is None else set(names)
        for part in list(self._parts):
            if wanted is None or part.target.name in wanted:
                part.stop(grace)

    def abort(self) -> None:
        """Stop all targets, and give up what is in flight: it counts as failed."""
        self.stop()
        for part in list(self._parts):
            part.abort()

    def settled(self, names: Iterable[str] | None = None) -> list[asyncio.Future[None]]:
        """The `done` of stopped targets that have requests in flight; of some, or of all."""
        wanted = None if names is None else set(names)
        return [part.done for part in self._parts if part.stopped and (wanted is None or part.target.name in wanted)]

    def ended(self, part: Part) -> None:
        """For its parts: this one has come to its end."""
        del self._parts[part]
        if not self._parts and not self.done.done():
            self.done.set_result(None)
