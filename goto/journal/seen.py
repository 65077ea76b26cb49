"""What was seen of what is asked: how many exchanges fit, or how far a list of them has come in order. Both take constant memory,
but for exchanges that are under way.
"""

from __future__ import annotations

import bisect
from typing import Final

from goto.journal.wanted import Count

MOST_NAMED: Final = 100
"""Entries that an answer names."""

MOST_HELD: Final = 10_000
"""Exchanges that `InOrder` holds behind one that is not decided; the oldest is then taken as it is."""


class Seen:
    """How many fit."""

    __slots__ = ("count", "entries", "lost", "seen")

    def __init__(self, count: Count) -> None:
        self.count = count
        self.seen = 0
        self.lost = 0
        """Exchanges of which it will never be known."""
        self.entries: list[int] = []
        """The numbers of the first that fit."""

    def expect(self, seq: int, indexes: list[int]) -> None:
        """Whether an exchange fits is to be told."""

    def fits(self, seq: int, index: int) -> None:
        self.seen += 1
        if len(self.entries) < MOST_NAMED:
            self.entries.append(seq)

    def misses(self, seq: int, index: int, *, lost: bool) -> None:
        """It does not fit, or that is `lost`."""
        self.lost += lost

    @property
    def least(self) -> int:
        return self.count.least

    @property
    def reached(self) -> bool:
        """There are as many as there have to be at least."""
        return self.seen >= self.count.least

    @property
    def exceeded(self) -> bool:
        return self.count.exceeded(self.seen)

    @property
    def holds(self) -> bool:
        return self.count.holds(self.seen)

    @property
    def bounded(self) -> bool:
        """There may be too many."""
        return self.count.most is not None


class _Held:
    """An exchange that is not decided, or that stands behind one."""

    __slots__ = ("fits", "open", "seq")

    def __init__(self, seq: int, indexes: list[int]) -> None:
        self.seq = seq
        self.open = set(indexes)
        self.fits: set[int] = set()


class InOrder:
    """How far a list has come: one exchange after another by `seq`, whatever is between them.

    Exchanges are decided in any order, and count in that of their heads. So they are held, in that order, as long as one before
    them is not decided. Taking those that are not decided for such that do not fit never says too much: one more that fits can
    only lead further.
    """

    __slots__ = ("_held", "_named", "_settled", "length", "lost", "most_held", "settling")

    def __init__(self, length: int) -> None:
        self.length = length
        self.lost = 0
        self.most_held = MOST_HELD
        self.settling = True
        """What is decided is taken for good. Not as long as older ones may still come."""
        self._settled = 0
        self._named: list[int] = []
        self._held: list[_Held] = []

    def expect(self, seq: int, indexes: list[int]) -> None:
        """Whether an exchange fits what is asked at some places is to be told."""
        bisect.insort(self._held, _Held(seq, indexes), key=_seq_of)
        if self.settling and len(self._held) > self.most_held:
            self._take(self._held.pop(0))

    def fits(self, seq: int, index: int) -> None:
        self._told(seq, index, True)

    def misses(self, seq: int, index: int, *, lost: bool) -> None:
        self.lost += lost
        self._told(seq, index, False)

    def _told(self, seq: int, index: int, fits: bool) -> None:
        at = bisect.bisect_left(self._held, seq, key=_seq_of)
        if at == len(self._held) or self._held[at].seq != seq:
            return
        held = self._held[at]
        held.open.discard(index)
        if fits:
            held.fits.add(index)
        elif not held.open and not held.fits:
            del self._held[at]
        self.settle()

    def settle(self) -> None:
        """Take for good what is decided."""
        done = 0
        while self.settling and done < len(self._held) and not self._held[done].open:
            self._take(self._held[done])
            done += 1
        del self._held[:done]

    def _take(self, held: _Held) -> None:
        if self._settled in held.fits:
            self._settled += 1
            self._named.append(held.seq)

    @property
    def entries(self) -> list[int]:
        """The numbers of those that led this far."""
        named, at = [*self._named], self._settled
        for held in self._held:
            if at in held.fits:
                at += 1
                named.append(held.seq)
        return named

    @property
    def seen(self) -> int:
        """How many of the list were seen in order."""
        return len(self.entries)

    @property
    def reached(self) -> bool:
        return self.seen == self.length

    @property
    def holds(self) -> bool:
        return self.reached

    @property
    def exceeded(self) -> bool:
        return False

    @property
    def bounded(self) -> bool:
        return False


def _seq_of(held: _Held) -> int:
    return held.seq
