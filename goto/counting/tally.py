"""Latencies and failures of the calls to one target."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency buckets, in seconds; the last one is the default timeout of a target."""

TALLIES_LIMIT = 200
"""Targets or peers of one owner that are counted separately; the others are counted together, so that a scrape stays small."""


class Tally:
    """The latencies of one target, by bucket, and its failures, by kind."""

    __slots__ = ("buckets", "failures", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        """The number of answers in each bucket of BOUNDS, and in one more for those past the last bound."""
        self.seconds = 0.0
        """The sum of all latencies, in seconds."""
        self.failures: dict[str, int] = {}

    def answered(self, seconds: float) -> None:
        """Count an answer whose head came so many seconds after its request was sent."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def failed(self, kind: str) -> None:
        """Count a call that got no answer, or only a part of it."""
        self.failures[kind] = self.failures.get(kind, 0) + 1

    @property
    def used(self) -> bool:
        """Whether anything was counted."""
        return any(self.buckets) or bool(self.failures)
