"""How far the rate at which requests become due was held."""

from __future__ import annotations

from time import perf_counter
from typing import TypedDict

from goto.client.stages import Course

LATE_SECONDS = 0.01
"""A request that is sent more than this after it was due is late."""


class RateShown(TypedDict):
    """Requests a second, over the time in which they were sent."""

    wanted: float
    sent: float
    late: int
    """Requests that were sent more than 10 ms after they were due."""


class Pursuit:
    """One run that follows a course of rates."""

    def __init__(self, course: Course, now: float) -> None:
        self.course = course
        self.start = now
        """As `perf_counter` has it, like all times here."""
        self.end: float | None = None
        """When no more became due; None while it goes on."""
        self._sent = 0
        self._first = now
        self._last = now

    def sent(self, number: int, now: float) -> None:
        """So many requests go out now."""
        if not self._sent:
            self._first = now
        self._sent += number
        self._last = now

    def restart(self) -> None:
        """Forget what was sent so far."""
        self._sent = 0

    def over(self) -> None:
        """No more go out."""
        if self.end is None:
            self.end = perf_counter()

    def wanted_at(self, now: float) -> float:
        """The rate that is wanted at a time."""
        return 0.0 if self.end is not None and now > self.end else self.course.at(now - self.start)

    @property
    def wanted(self) -> float:
        """The mean of the rate over the time of sending."""
        return self.course.mean(max(self._last - self.start, 0.0))

    @property
    def rate(self) -> float:
        """What was sent a second, from the first request to the last; of a single one, what was wanted."""
        if self._sent < 2:
            return self.wanted if self._sent else 0.0
        return (self._sent - 1) / max(self._last - self._first, 1e-9)


class Rate:
    """Of one target: how its latest run did, with what was merged from elsewhere."""

    __slots__ = ("_others", "late", "pursuit")

    def __init__(self, late: int = 0, others: tuple[float, float] = (0.0, 0.0)) -> None:
        self.pursuit: Pursuit | None = None
        """The latest run at a rate."""
        self.late = late
        self._others = others

    def anew(self) -> Rate:
        """For a target whose results are cleared while it runs."""
        fresh = Rate()
        if self.pursuit is not None and self.pursuit.end is None:
            self.pursuit.restart()
            fresh.pursuit = self.pursuit
        return fresh

    def merge(self, other: Rate) -> None:
        """Add that of another target, or of the same one elsewhere."""
        wanted, sent = other.figures
        self._others = (self._others[0] + wanted, self._others[1] + sent)
        self.late += other.late

    @property
    def figures(self) -> tuple[float, float]:
        """Requests a second: wanted and sent."""
        wanted, sent = self._others
        if self.pursuit is not None:
            wanted, sent = wanted + self.pursuit.wanted, sent + self.pursuit.rate
        return wanted, sent

    def show(self) -> RateShown:
        wanted, sent = self.figures
        return {"wanted": round(wanted, 3), "sent": round(sent, 3), "late": self.late}
