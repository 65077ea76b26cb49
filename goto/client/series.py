"""What came of requests over time: at most 600 points a target. When they are full, neighbours are merged and each covers twice
the time; so a short run has points, and a long one has no more.

A point keeps a histogram of two significant digits, so that percentiles of merged points are those of their requests.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Mapping
from typing import NotRequired, TypedDict

from goto.client.histogram import nearest_ranks
from goto.client.rate import Pursuit
from goto.words.duration import duration_text

MOST_POINTS = 600
"""Even, so that all neighbours can be merged."""

FIRST_SECONDS = 0.1
"""What a point covers at first."""

MOST_PURSUITS = 100
"""Runs at a rate whose `wanted` is known; the oldest one is forgotten first."""

_BITS = 8  # 2 * 10 ** 2 values fit below 2 ** 8


class Point(TypedDict):
    """The requests that ended within a time."""

    at: float
    """When it begins, in seconds since the first run began."""
    requests: int
    """Answered or failed."""
    errors: int
    """Those that failed, or whose answer did not pass a check."""
    bytes: int
    """Of the bodies of answers."""
    p50: float
    """Since due, in milliseconds; 0 without latencies."""
    p99: float
    max: float
    wanted: NotRequired[float]
    """Requests a second that the rate asks for."""


class Series(TypedDict):
    """Requests to a target over time."""

    every: str
    """What each point covers."""
    points: list[Point]


class _Sums:
    """What is kept of a point."""

    __slots__ = ("_counts", "_values", "bytes", "errors", "latencies", "max", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.bytes = 0
        self.max = 0
        """Microseconds."""
        self.latencies: dict[int, int] = {}
        """How often each was seen since it was packed, in microseconds with two significant digits."""
        self._values = array("Q")
        self._counts = array("Q")

    def add(self, latencies: Mapping[int, int]) -> None:
        """Count latencies in microseconds."""
        if not latencies:
            return
        counts = self.latencies
        for value, count in latencies.items():
            shift = value.bit_length() - _BITS
            if shift > 0:
                value = value >> shift << shift
            counts[value] = counts.get(value, 0) + count
        self.max = max(self.max, max(latencies))

    def pack(self) -> None:
        """Keep its latencies in arrays, which take a tenth of what a dict does."""
        latencies = self.unpacked()
        self._values = array("Q", latencies)
        self._counts = array("Q", latencies.values())
        self.latencies = {}

    def unpacked(self) -> dict[int, int]:
        """All of its latencies."""
        latencies = dict(zip(self._values, self._counts, strict=True))
        for value, count in self.latencies.items():
            latencies[value] = latencies.get(value, 0) + count
        return latencies

    def merge(self, other: _Sums) -> None:
        self.requests += other.requests
        self.errors += other.errors
        self.bytes += other.bytes
        highest = max(self.max, other.max)
        self.add(other.unpacked())
        self.max = highest
        self.pack()


class Recorder:
    """Makes the series of one target."""

    def __init__(self) -> None:
        self._start = 0.0
        self._every = FIRST_SECONDS
        self._points: dict[int, _Sums] = {}
        """Those in which requests ended, by their place."""
        self._present = 0
        self._pursuits: deque[Pursuit] = deque(maxlen=MOST_PURSUITS)

    def anew(self) -> Recorder:
        """One without points, for the same runs."""
        fresh = Recorder()
        fresh._pursuits.extend(pursuit for pursuit in self._pursuits if pursuit.end is None)
        return fresh

    def begin(self, now: float) -> None:
        """The first run begins, at this time of `perf_counter`."""
        self._start = now

    def follow(self, pursuit: Pursuit) -> None:
        """A run begins whose requests become due at a rate."""
        self._pursuits.append(pursuit)

    def turn(self, now: float) -> float:
        """What is added next has ended at this time. Returns until when more may be added without another call."""
        place = int(max(now - self._start, 0.0) / self._every)
        while place >= MOST_POINTS:
            merged: dict[int, _Sums] = {}
            for at, sums in self._points.items():
                known = merged.setdefault(at // 2, sums)
                if known is not sums:
                    known.merge(sums)
            self._points = merged
            self._every *= 2
            place = int((now - self._start) / self._every)
        if place != self._present and (past := self._points.get(self._present)) is not None:
            past.pack()
        self._present = place
        return self._start + (place + 1) * self._every

    def add(self, requests: int, errors: int, size: int, latencies: Iterable[Mapping[int, int]]) -> None:
        """Add requests that have ended since the last `turn`: how many, how many failed, the bytes of bodies, and latencies in
        microseconds.
        """
        sums = self._points.get(self._present)
        if sums is None:
            sums = self._points[self._present] = _Sums()
        sums.requests += requests
        sums.errors += errors
        sums.bytes += size
        for some in latencies:
            sums.add(some)

    def show(self) -> Series:
        """The points in order, from the first to the last in which a request ended."""
        nothing = _Sums()
        points = [self._point(place, self._points.get(place, nothing)) for place in range(max(self._points, default=-1) + 1)]
        return {"every": duration_text(self._every), "points": points}

    def _point(self, place: int, sums: _Sums) -> Point:
        at = place * self._every
        p50, p99 = (_highest(value) / 1000 for value in nearest_ranks(sums.unpacked(), (50, 99)))
        most = sums.max / 1000
        point: Point = {
            "at": round(at, 3),
            "requests": sums.requests,
            "errors": sums.errors,
            "bytes": sums.bytes,
            "p50": min(p50, most),
            "p99": min(p99, most),
            "max": most,
        }
        if self._pursuits:
            middle = self._start + at + self._every / 2
            point["wanted"] = round(sum(pursuit.wanted_at(middle) for pursuit in self._pursuits), 3)
        return point


def _highest(lowest: int) -> int:
    return lowest + (1 << max(lowest.bit_length() - _BITS, 0)) - 1
