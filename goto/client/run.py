"""A run: one invocation of one target or several."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import perf_counter

from goto.client.pace import Pace, Rounds, Steady
from goto.client.part import STOP_SECONDS, Part
from goto.client.report import Report
from goto.client.results import Results
from goto.client.target import ClientTarget
from goto.upstream.pool import Pool


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
