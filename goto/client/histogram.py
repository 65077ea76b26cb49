"""Latencies as an HDR histogram: three significant digits from 1 µs to a day. Merging loses nothing, no percentile is averaged.

The `hdrhistogram` package encodes and decodes it, so that other tools can read it. Recording a value with that package takes
0.8 µs, so the counts are kept here, in the same buckets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict, cast

from goto.client.buckets import BITS, LONGEST, bucket

PERCENTILES = (50, 90, 99, 99.9)
"""Those of a summary."""

Summary = TypedDict(
    "Summary",
    {"count": int, "mean": float, "p50": float, "p90": float, "p99": float, "p99.9": float, "max": float},
)
Summary.__doc__ = "Latencies in milliseconds."

_DIGITS = 3
_MILLION = 1_000_000


class Latencies:
    """How often each latency was seen."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        """The lowest value of a bucket, in microseconds, to the values counted in it."""

    def add(self, seconds: Iterable[float]) -> None:
        """Count latencies in seconds."""
        counts = self.counts
        for second in seconds:
            lowest = bucket(second)
            counts[lowest] = counts.get(lowest, 0) + 1

    def count(self, buckets: Mapping[int, int]) -> None:
        """Count what was noted: how often each bucket was hit, by its lowest value in microseconds."""
        counts = self.counts
        for lowest, count in buckets.items():
            counts[lowest] = counts.get(lowest, 0) + count

    def merge(self, other: Latencies) -> None:
        self.count(other.counts)

    def __len__(self) -> int:
        """How many latencies were counted."""
        return sum(self.counts.values())

    def percentiles(self, wanted: Sequence[float]) -> list[float]:
        """By nearest rank: the smallest latency that at least so many percent are at or below. In milliseconds, in the order
        asked for, which ascends; all 0 without latencies.
        """
        return [_highest(value) / 1000 for value in nearest_ranks(self.counts, wanted)]

    @property
    def max(self) -> float:
        """In milliseconds."""
        return _highest(max(self.counts)) / 1000 if self.counts else 0.0

    @property
    def mean(self) -> float:
        """In milliseconds; within the width of the buckets."""
        if not self.counts:
            return 0.0
        total = sum(count * (value + _width(value) / 2 if _width(value) > 1 else value) for value, count in self.counts.items())
        return total / len(self) / 1000

    def summary(self) -> Summary:
        """`count`, and in milliseconds `mean`, `p50`, `p90`, `p99`, `p99.9` and `max`."""
        shown = {f"p{percentile:g}": value for percentile, value in zip(PERCENTILES, self.percentiles(PERCENTILES), strict=True)}
        return cast("Summary", {"count": len(self), "mean": round(self.mean, 3), **shown, "max": self.max})

    def encoded(self) -> str:
        """HdrHistogram's V2 compressed encoding, in base64."""
        histogram = _hdr()
        for value in sorted(self.counts):
            histogram.record_value(value, self.counts[value])
        return str(histogram.encode().decode("ascii"))

    @classmethod
    def decoded(cls, text: str) -> Latencies:
        """Raises ValueError for what is not an encoded histogram, or is one of other buckets."""
        from hdrh.histogram import HdrHistogram

        try:
            histogram = HdrHistogram.decode(text)
        except Exception as error:  # its own, zlib's, struct's or base64's
            raise ValueError(f"not an HDR histogram: {error or type(error).__name__}") from None
        if (histogram.lowest_trackable_value, histogram.significant_figures) != (1, _DIGITS):
            raise ValueError("an HDR histogram of other buckets")
        latencies = cls()
        left, index = histogram.get_total_count(), 0
        while left > 0 and index < histogram.counts_len:
            # its own iterator takes five times as long
            count = histogram.get_count_at_index(index)
            if count:
                latencies.counts[histogram.get_value_from_index(index)] = count
                left -= count
            index += 1
        return latencies


def nearest_ranks(counts: Mapping[int, int], wanted: Sequence[float]) -> list[int]:
    """The values of ranks ⌈p·n/100⌉, in whole numbers, for percentiles that ascend; all 0 where nothing was counted."""
    total, seen = sum(counts.values()), 0
    ranks = [max(-(-_millionths(percentile) * total // (100 * _MILLION)), 1) for percentile in wanted]
    found: list[int] = []
    for value in sorted(counts):
        seen += counts[value]
        while len(found) < len(ranks) and seen >= ranks[len(found)]:
            found.append(value)
    return found + [0] * (len(wanted) - len(found))


def more_without(without: int, total: int, percentile: float) -> bool:
    """Whether more than 100 − p percent of a total are without a latency."""
    return without * 100 * _MILLION > (100 * _MILLION - _millionths(percentile)) * total


def _millionths(percentile: float) -> int:
    return round(percentile * _MILLION)


def _width(lowest: int) -> int:
    return 1 << max(lowest.bit_length() - BITS, 0)


def _highest(lowest: int) -> int:
    return lowest + _width(lowest) - 1


def _hdr() -> Any:
    from hdrh.histogram import HdrHistogram

    return HdrHistogram(1, LONGEST, _DIGITS)
