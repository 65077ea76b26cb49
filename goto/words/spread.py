"""Durations that differ from draw to draw: how long something takes at a number u between 0 and 1.

u is drawn evenly, so that what is made of it by the inverse of a distribution function is distributed so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from goto.words.duration import Duration

_MICROSECOND = 1_000

_inv_cdf = NormalDist().inv_cdf


def _rounded(nanoseconds: float) -> Duration:
    """Whole microseconds."""
    return Duration(round(nanoseconds / _MICROSECOND) * _MICROSECOND)


@dataclass(frozen=True, slots=True)
class Between:
    """Evenly between two durations, `100ms-300ms`, or always the same, `200ms`."""

    low: Duration
    high: Duration

    @classmethod
    def parse(cls, text: str) -> Between:
        """Raises ValueError with the reason."""
        first, dash, last = text.partition("-")
        low = Duration.parse(first or text)
        high = Duration.parse(last or text) if dash else low
        if high < low:
            raise ValueError(f"{text} ends before it begins")
        return cls(low, high)

    @property
    def longest(self) -> Duration:
        return self.high

    def at(self, u: float) -> Duration:
        """The duration at u; one that is always the same is not rounded."""
        return self.low if self.low == self.high else _rounded(self.low + u * (self.high - self.low))

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Half are shorter than `p50`, all but one of a hundred shorter than `p99`, and none is longer than `most`."""

    p50: Duration
    p99: Duration
    most: Duration

    @property
    def longest(self) -> Duration:
        return self.most

    def at(self, u: float) -> Duration:
        sigma = math.log(self.p99 / self.p50) / _inv_cdf(0.99)
        return _rounded(min(self.p50 * math.exp(sigma * _inv_cdf(u)), self.most))


@dataclass(frozen=True, slots=True)
class Normal:
    """Around `mean`, two of three within `spread` of it; never less than 0."""

    mean: Duration
    spread: Duration

    @property
    def longest(self) -> Duration:
        return self.mean

    def at(self, u: float) -> Duration:
        return _rounded(max(self.mean + self.spread * _inv_cdf(u), 0))


Spread = Between | Lognormal | Normal
