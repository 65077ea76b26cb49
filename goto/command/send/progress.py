"""The progress of a run on standard error: a live bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Protocol

from goto.client.results import Results
from goto.words.writing import counted

LINE_SECONDS = 2.0
"""Seconds from one line to the next."""


class Progress(Protocol):
    """A display of progress, shown from `__init__` to `close`."""

    def update(self) -> None:
        """Show the present state. Called several times a second."""

    def close(self) -> None: ...


def progress(results: Results, total: int) -> Progress:
    """The display for a run of `total` requests."""
    return Bar(results, total) if sys.stderr.isatty() else Lines(results, total)


class Speed:
    """The number of requests so far, and their present rate."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._before = [(perf_counter(), 0)]
        self.done = 0
        self.errors = 0

    def read(self) -> float:
        """Count anew. Returns the requests per second over the last second."""
        self.done = self.errors = 0
        for counts in self._results.targets.values():
            counts.fold()
            self.done += counts.requests
            self.errors += counts.codes.get(0, 0)
        now = perf_counter()
        self._before = [moment for moment in self._before if now - moment[0] < 1.0] or self._before[-1:]
        since, done = self._before[0]
        self._before.append((now, self.done))
        return (self.done - done) / max(now - since, 1e-6)


class Lines:
    """The display for a pipe or a file."""

    def __init__(self, results: Results, total: int) -> None:
        self._speed = Speed(results)
        self._total = total
        self._next = perf_counter() + LINE_SECONDS

    def update(self) -> None:
        now = perf_counter()
        speed = self._speed.read()
        if now >= self._next:
            self._next = now + LINE_SECONDS
            errors = counted(self._speed.errors, "error")
            state = f"{self._speed.done:,} of {counted(self._total, 'request')}, {speed:,.0f}/s, {errors}"
            print(f"goto: {state}", file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class Bar:
    """The display for a terminal, which disappears when it is closed."""

    def __init__(self, results: Results, total: int) -> None:
        from rich import progress
        from rich.console import Console

        self._speed = Speed(results)
        self._bar = progress.Progress(
            progress.BarColumn(bar_width=40),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[speed]}"),
            progress.TextColumn("{task.fields[errors]}"),
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            auto_refresh=False,
        )
        self._task = self._bar.add_task("", total=total, speed="", errors="")
        self._bar.start()

    def update(self) -> None:
        speed = self._speed.read()
        errors = f"[red]{counted(self._speed.errors, 'error')}[/]" if self._speed.errors else ""
        self._bar.update(self._task, completed=self._speed.done, speed=f"{speed:,.0f}/s", errors=errors, refresh=True)

    def close(self) -> None:
        self._bar.stop()
