"""A run: one invocation of one target or several."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import perf_counter

from goto.client.job import Job
from goto.client.pace import Crew, Pace, Rounds, Steady
from goto.client.part import STOP_SECONDS, Part
from goto.client.report import Report
from goto.client.results import Results
from goto.client.sent import Sent
from goto.client.target import ClientTarget
from goto.counting.numbers import Shelf
from goto.upstream.pool import Pool


class Run:
    """Sends the requests of its targets, from `start` until `done`. Several runs may go on at a time, of the same targets too."""

    def __init__(
        self,
        targets: Iterable[ClientTarget],
        results: Results,
        pool: Pool,
        report: Report | None = None,
        total: int | None = None,
        *,
        whole: Results | None = None,
        shelf: Shelf[Sent] | None = None,
    ) -> None:
        """`total`: requests to each target, shared out among its replicas, in place of `requestCount` by each of them.

        `whole`: the results of several runs, which what counts in `results` counts in too. `shelf`: where the numbers of what was
        sent are kept, for targets with `reconcile`.
        """
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()
        """Set when all requests are answered or have failed."""
        self.results = results
        self.sent: dict[str, Sent] = {}
        """By target, where what was sent is to be reconciled with what arrived."""
        self.stopped = False
        """Some of it was stopped before its end."""
        self._parts: dict[Part, None] = {}
        shelf = shelf or Shelf()
        for index, target in enumerate(targets):
            counts = results.of(target.name)
            if whole is not None:
                counts.whole = whole.of(target.name)
            sent = None
            if target.reconcile:
                most = target.replicas if target.crew is None else int(target.crew.peak + 0.5)
                sent = self.sent[target.name] = Sent(shelf, replicas=most, gaps=target.gaps)
            job = Job(index, target, counts, results.tracked, report, pool, self._loop, sent)
            requests = total or target.replicas * target.request_count or None
            self._parts[Part(job, requests, self._ended)] = None

    @property
    def names(self) -> set[str]:
        """Of the targets that are not stopped and have not come to their end."""
        return {part.job.target.name for part in self._parts if not part.job.stopped}

    @property
    def seconds(self) -> float:
        """How long its targets send, at most; 0 where only a count ends one of them."""
        every = [part.job.target.seconds for part in self._parts]
        return max(every) if every and all(every) else 0.0

    def start(self) -> None:
        paces: list[Pace] = []
        in_rounds: list[Part] = []
        now = perf_counter()
        for part in self._parts:
            part.job.counts.begin(now)
            part.job.addresses.begin()
            target = part.job.target
            course, crew = target.course, target.crew
            if course is not None:
                part.pace = Steady(part.replicas, course, self._loop, part.job.counts)
                paces.append(part.pace)
            elif crew is not None:
                part.pace = Crew(part.replicas, crew, self._loop)
                paces.append(part.pace)
            else:
                in_rounds.append(part)
            if target.seconds:
                part.end_after(target.seconds, now)
        if in_rounds:
            rounds = Rounds([replica for part in in_rounds for replica in part.replicas], self._loop)
            for part in in_rounds:
                part.pace = rounds
            paces.append(rounds)
        for pace in paces:
            pace.start()
        if not self._parts:
            self.done.set_result(None)

    def stop(self, names: Iterable[str] | None = None, grace: float = STOP_SECONDS) -> None:
        """Stop some targets, or all: no more requests are sent; those in flight have `grace` seconds to be answered."""
        wanted = None if names is None else set(names)
        for part in list(self._parts):
            if wanted is None or part.job.target.name in wanted:
                self.stopped = True
                part.stop(grace)

    def abort(self) -> None:
        """Stop all targets, and give up what is in flight: it counts as failed."""
        self.stop()
        for part in list(self._parts):
            part.abort()

    def settled(self, names: Iterable[str] | None = None) -> list[asyncio.Future[None]]:
        """The `done` of stopped targets that have requests in flight; of some, or of all."""
        wanted = None if names is None else set(names)
        return [part.done for part in self._parts if part.job.stopped and (wanted is None or part.job.target.name in wanted)]

    def _ended(self, part: Part) -> None:
        del self._parts[part]
        if not self._parts and not self.done.done():
            self.done.set_result(None)
