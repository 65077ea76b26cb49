"""The dice of a rule: numbers that follow from its seed, its name and the number of an exchange, and from nothing else.

u = (h + 1/2) / 2^52, h being the first 52 bits of BLAKE2b with a digest of 8 bytes (RFC 7693), the seed as 8 bytes in network
order as its key, and the name in UTF-8, NUL, the number in decimal, NUL and the purpose as its data.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Final, Literal

Purpose = Literal["strike", "delay", "outcome"]

MOST_SEED: Final = (1 << 53) - 1
"""Every whole number up to this is one in JSON, whoever reads it."""

_BITS: Final = 52


class Dice:
    """Throws for each exchange and purpose the same number each time."""

    __slots__ = ("_begun",)

    def __init__(self, seed: int, name: str) -> None:
        self._begun = hashlib.blake2b(name.encode("utf-8", "surrogateescape") + b"\0", digest_size=8, key=seed.to_bytes(8))

    def throw(self, number: int, purpose: Purpose) -> float:
        """A number above 0 and below 1."""
        thrown = self._begun.copy()
        thrown.update(b"%d\0%b" % (number, purpose.encode()))
        return ((int.from_bytes(thrown.digest()) >> (64 - _BITS)) + 0.5) / (1 << _BITS)


class Weights:
    """Picks one of several by weight."""

    __slots__ = ("_sums",)

    def __init__(self, weights: Iterable[int]) -> None:
        self._sums = list(accumulate(weights))

    def pick(self, u: float) -> int:
        """The index of the first whose running sum is above u times the sum of all."""
        return bisect_right(self._sums, u * self._sums[-1])
