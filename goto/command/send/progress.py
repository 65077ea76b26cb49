"""The progress of a run on standard error: a live line on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from goto.client.histogram import Latencies
from goto.client.results import Results
from goto.command.send.summary import milliseconds
from goto.command.send.terminal import Looks, width
from goto.words.writing import counted

LINE_SECONDS = 2.0
"""Seconds from one line to the next."""

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
"""What hides the cursor, and shows it again."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What ends a run: a number of requests, or a time in seconds, which is 0 where there is none."""

    requests: int | None
    seconds: float = 0.0


class Progress(Protocol):
    """A display of progress, shown from `__init__` to `close`."""

    def update(self) -> None:
        """Show the present state. Called several times a second."""

    def close(self) -> None: ...


def progress(results: Results, goal: Goal) -> Progress:
    """The display for a run."""
    looks = Looks.of(sys.stderr)
    return Live(results, goal, looks) if looks.moves else Lines(results, goal)


class State:
    """What has come of a run so far, and its present rate."""

    def __init__(self, results: Results, goal: Goal) -> None:
        self._results = results
        self._goal = goal
        self._start = perf_counter()
        self._before = [(self._start, 0)]
        self.requests = 0
        self.failed = 0
        self.speed = 0.0
        """Requests a second over the last second."""

    def read(self) -> None:
        """Count anew."""
        every = self._results.targets.values()
        for counts in every:
            counts.fold()
        self.requests = sum(counts.requests for counts in every)
        self.failed = sum(counts.failed for counts in every)
        now = perf_counter()
        self._before = [moment for moment in self._before if now - moment[0] < 1.0] or self._before[-1:]
        since, before = self._before[0]
        self._before.append((now, self.requests))
        self.speed = (self.requests - before) / max(now - since, 1e-6)

    @property
    def latencies(self) -> Latencies:
        """The latencies of all targets, from when requests were due."""
        latencies = Latencies()
        for counts in self._results.targets.values():
            latencies.merge(counts.corrected)
        return latencies

    @property
    def done(self) -> str:
        """How far it is: `20 of 40 requests`, `20 requests, 3 of 30 s`."""
        done, goal = self.requests, self._goal
        shown = counted(done, "request") if goal.requests is None else f"{done:,} of {counted(goal.requests, 'request')}"
        if not goal.seconds:
            return shown
        return f"{shown}, {min(perf_counter() - self._start, goal.seconds):.0f} of {goal.seconds:g} s"

    @property
    def errors(self) -> str:
        return counted(self.failed, "error")


class Lines:
    """The display for a pipe, a file, or a terminal whose cursor cannot go back."""

    def __init__(self, results: Results, goal: Goal) -> None:
        self._state = State(results, goal)
        self._next = perf_counter() + LINE_SECONDS

    def update(self) -> None:
        now = perf_counter()
        self._state.read()
        if now >= self._next:
            self._next = now + LINE_SECONDS
            state = self._state
            print(f"goto: {state.done}, {state.speed:,.0f}/s, {state.errors}", file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class Live:
    """The display for a terminal: a line that is written over, and disappears when it is closed."""

    def __init__(self, results: Results, goal: Goal, looks: Looks) -> None:
        self._state = State(results, goal)
        self._looks = looks
        sys.stderr.write(HIDE)

    def update(self) -> None:
        state = self._state
        state.read()
        latencies = state.latencies
        p50, p99 = map(milliseconds, latencies.percentiles((50, 99)))
        pieces = [state.done, f"{state.speed:,.0f}/s", state.errors]
        if latencies.counts:
            pieces.append(f"p50 {p50} p99 {p99} ms")
        columns = Looks.of(sys.stderr).columns or 80
        while len(pieces) > 1 and sum(map(width, pieces)) + 2 * (len(pieces) - 1) >= columns:
            del pieces[0 if len(pieces) > 3 else -1]
        shown = [self._looks.red(piece) if piece == state.errors and state.failed else piece for piece in pieces]
        if len(pieces) == 1:
            shown = [self._looks.cut(pieces[0], columns - 1)]
        sys.stderr.write(f"\r{'  '.join(shown)}\x1b[K")
        sys.stderr.flush()

    def close(self) -> None:
        sys.stderr.write(f"\r\x1b[K{SHOW}")
        sys.stderr.flush()
