"""How many exchanges ended in the last second, and how long they took."""

from __future__ import annotations

import time
from typing import Final

from goto.client.histogram import Latencies

SLOTS: Final = 10
"""A second is kept in so many parts."""


class Meter:
    """Latencies of the last second, in constant memory."""

    __slots__ = ("_slots",)

    def __init__(self) -> None:
        self._slots: list[tuple[int, dict[int, int]]] = [(0, {})] * (SLOTS + 1)
        """For each tenth of a second its number, and how often each latency in µs was seen, within 1 %."""

    def add(self, started: float) -> None:
        """An exchange has ended that began then, by the monotonic clock."""
        now = time.monotonic()
        number = int(now * SLOTS)
        at = number % (SLOTS + 1)
        begun, counts = self._slots[at]
        if begun != number:
            counts = {}
            self._slots[at] = (number, counts)
        value = int((now - started) * 1e6)
        shift = value.bit_length() - 7
        if shift > 0:
            value = value >> shift << shift
        counts[value] = counts.get(value, 0) + 1

    def last_second(self) -> tuple[float, float, float]:
        """Exchanges a second, and of their latencies the median and the 99th percentile in ms."""
        oldest = int(time.monotonic() * SLOTS) - SLOTS
        latencies = Latencies()
        for number, counts in self._slots:
            if number > oldest:
                for value, count in counts.items():
                    latencies.counts[value] = latencies.counts.get(value, 0) + count
        p50, p99 = latencies.percentiles((50, 99))
        return float(len(latencies)), p50, p99
