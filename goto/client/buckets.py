"""The buckets of latencies, those of an HDR histogram of three significant digits; and latencies that are noted in them.

A whole microsecond is a bucket of its own up to SHORT, so that noting most latencies is adding one at a place in a list.
"""

from __future__ import annotations

from typing import Final

LONGEST: Final = 86_400_000_000
"""Microseconds; what takes longer counts as this long."""

BITS: Final = 11
"""2 * 10 ** 3 values fit below 2 ** 11: up to there each microsecond has its own bucket."""

SHORT: Final = 1 << BITS
"""Microseconds; the first that share a bucket with others."""


def bucket(seconds: float) -> int:
    """The lowest value of the bucket of a latency, in microseconds."""
    value = int(seconds * 1e6 + 0.5)
    if value < SHORT:
        return max(value, 0)
    value = min(value, LONGEST)
    shift = value.bit_length() - BITS
    return value >> shift << shift


class Noted:
    """Latencies, by their buckets, until they are taken to be counted in one go."""

    __slots__ = ("_long", "_seen", "_short")

    def __init__(self) -> None:
        self._short: list[int] = []
        """How often each was noted, by its microseconds; empty before the first one, since it takes 16 KiB."""
        self._seen: list[int] = []
        """Those that were, in no order."""
        self._long: dict[int, int] = {}
        """Longer ones, by their buckets."""

    def add(self, seconds: float) -> None:
        """Note a latency."""
        value = int(seconds * 1e6 + 0.5)
        if 0 <= value < SHORT:
            if not self._short:
                self._short = [0] * SHORT
            short = self._short
            known = short[value]
            if not known:
                self._seen.append(value)
            short[value] = known + 1
        else:
            value = bucket(seconds)
            self._long[value] = self._long.get(value, 0) + 1

    def take(self) -> dict[int, int]:
        """How often each bucket was noted, by its lowest value in microseconds. What is taken is noted no more."""
        short, taken = self._short, self._long
        for value in self._seen:
            taken[value] = taken.get(value, 0) + short[value]
            short[value] = 0
        self._seen.clear()
        self._long = {}
        return taken

    def shrink(self) -> None:
        """Nothing is noted now, nor soon: take no more memory than that."""
        if not self._seen:
            self._short = []
