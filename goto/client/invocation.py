"""The invocations of a listener's client: those that go on, and the last ones that have ended."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypedDict

from goto.client.run import Run
from goto.words import Number

MOST_ENDED = 100
"""Invocations that have ended and are known; the oldest are forgotten first."""

MOST_TARGETS = 10_000
"""Targets of invocations that have ended, all together; over it older invocations are forgotten too."""

MOST_SERIES = 256
"""Targets of invocations that have ended, the latest first, whose series are kept."""


class InvocationNumber(Number):
    """The number of an invocation, as its answer says it."""

    schema: ClassVar[dict[str, Any]] = {**Number.schema, "examples": [17]}


class InvocationShown(TypedDict):
    """An invocation as it is listed."""

    id: int
    targets: list[str]
    state: Literal["running", "done", "stopped"]
    start: str
    """RFC 3339."""
    end: str | None
    """Null as long as it runs."""
    requests: int
    """Answered or failed so far."""
    errors: int
    """Those without a whole answer, and those whose answer did not pass a check."""


class Invocation:
    """One call that made targets send."""

    def __init__(self, number: int, targets: list[str], run: Run) -> None:
        self.number = number
        self.targets = targets
        self.run = run
        self._start = time.time()
        self._end: float | None = None

    @property
    def running(self) -> bool:
        return not self.run.done.done()

    def ended(self) -> None:
        """Its run is done."""
        self._end = time.time()

    def show(self) -> InvocationShown:
        total = self.run.results.total()
        return {
            "id": self.number,
            "targets": self.targets,
            "state": "running" if self.running else "stopped" if self.run.stopped else "done",
            "start": _moment(self._start),
            "end": None if self._end is None else _moment(self._end),
            "requests": total.requests,
            "errors": total.failed,
        }


class Invocations:
    """Those that are known, the oldest first."""

    def __init__(self) -> None:
        self._known: dict[int, Invocation] = {}
        self._last = 0
        self.dropped: set[str] = set()
        """Targets of whose invocations some with ids to reconcile were forgotten."""

    def begin(self, targets: list[str], run: Run) -> Invocation:
        """A call makes these targets send."""
        self._last += 1
        invocation = self._known[self._last] = Invocation(self._last, targets, run)
        run.done.add_done_callback(lambda _: self._ended(invocation))
        return invocation

    def __iter__(self) -> Iterator[Invocation]:
        return iter(list(self._known.values()))

    def get(self, number: int) -> Invocation | None:
        return self._known.get(number)

    @property
    def runs(self) -> list[Run]:
        """The runs that go on."""
        return [invocation.run for invocation in self._known.values() if invocation.running]

    def forget(self) -> None:
        """Forget those that have ended."""
        self._known = {number: invocation for number, invocation in self._known.items() if invocation.running}
        self.dropped.clear()

    def forget_targets(self, names: Iterable[str]) -> None:
        """Of those that have ended, forget what some targets have sent: their results are cleared."""
        for name in names:
            self.dropped.discard(name)
            for invocation in self._known.values():
                if not invocation.running:
                    invocation.run.sent.pop(name, None)

    def _ended(self, invocation: Invocation) -> None:
        invocation.ended()
        number = targets = series = 0
        for known in reversed([known for known in self._known.values() if not known.running]):
            number += 1
            targets += len(known.targets)
            if known is not invocation and (number > MOST_ENDED or targets > MOST_TARGETS):
                del self._known[known.number]
                self.dropped.update(known.run.sent)
                continue
            for counts in known.run.results.targets.values():
                series += counts.recorder is not None
                if series > MOST_SERIES:
                    counts.recorder = None


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
