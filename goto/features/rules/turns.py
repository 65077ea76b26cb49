"""Whose turn it is: which matched exchanges are rolled, and the how manieth strike each is.

For each exchange in one step: `matched` gives its number k; its value of `per` gives its own number j; `skip` passes while
j < skip; `every` rolls where (j - skip + 1) mod every is 0; then the roll; then the strike is counted, never past the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

MOST_VALUES: Final = 65_536
"""Values of `per` that are told apart; past it the one seen longest ago is forgotten."""


class _Turn:
    """What has been seen of one value of `per`, or of all traffic."""

    __slots__ = ("seen", "struck")

    def __init__(self) -> None:
        self.seen = 0
        self.struck = 0


class Turns:
    """The counts of one rule."""

    __slots__ = ("_all", "_by_value", "_every", "_limit", "_skip", "forgotten", "matched", "struck")

    def __init__(self, skip: int, every: int, limit: int | None, *, per: bool) -> None:
        """`limit` is how many strikes there are in all, or for each value where it is `per` value."""
        self._skip = skip
        self._every = every
        self._limit = limit
        self.matched = 0
        self.struck = 0
        self.forgotten = 0
        """Values that were forgotten since there were too many."""
        self._all = _Turn()
        self._by_value: dict[str, _Turn] | None = {} if per else None

    def take(self, value: str, roll: Callable[[int], bool]) -> tuple[int, int] | None:
        """An exchange is matched, with its value of `per`. Its number, and that of the strike among those of its value, both from
        0; None where it is not struck. `roll(number)` throws the dice.
        """
        number = self.matched
        self.matched += 1
        turn = self._all if self._by_value is None else self._of(self._by_value, value)
        own = turn.seen
        turn.seen += 1
        if self._limit is not None and turn.struck >= self._limit:
            return None
        if own < self._skip or (own - self._skip + 1) % self._every or not roll(number):
            return None
        strike = turn.struck
        turn.struck += 1
        self.struck += 1
        return number, strike

    def rolls(self, number: int) -> bool:
        """Whether the exchange of a number is rolled; where it is told by values, all are taken to be."""
        return self._by_value is not None or (number >= self._skip and (number - self._skip + 1) % self._every == 0)

    @property
    def spent(self) -> bool:
        """Whether there will be no more strikes."""
        return self._limit is not None and self._by_value is None and self._all.struck >= self._limit

    def _of(self, values: dict[str, _Turn], value: str) -> _Turn:
        turn = values.pop(value, None)
        if turn is None:
            turn = _Turn()
            if len(values) >= MOST_VALUES:
                del values[next(iter(values))]
                self.forgotten += 1
        values[value] = turn  # last, as the one seen just now
        return turn
