"""What came of the calls to one target, counted as they end."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets that latencies are counted in, in seconds; the last is the usual timeout of a target."""

TALLIES_LIMIT = 200
"""Targets or peers of one owner that are counted apart; those past it are counted together, so that a scrape stays small."""


class Tally:
    """Latencies by bucket, and failures by kind."""

    __slots__ = ("buckets", "failures", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        """Answers up to each of BOUNDS, and one for those past the last."""
        self.seconds = 0.0
        """The sum of all latencies."""
        self.failures: dict[str, int] = {}

    def answered(self, seconds: float) -> None:
        """The head of an answer came so long after its request was on its way."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def failed(self, kind: str) -> None:
        """There was no answer, or not the whole of it."""
        self.failures[kind] = self.failures.get(kind, 0) + 1

    @property
    def used(self) -> bool:
        """Whether there is anything to show."""
        return any(self.buckets) or bool(self.failures)
