"""Which exchanges something holds for: each by chance, and no more than so many of them."""

from __future__ import annotations

from random import Random


class Ration:
    """Hands out up to `left` shares, None for without end, each time with a `chance` above 0 and up to 1.

    What is not handed out takes nothing from what is left. The dice are its own, so each one made throws anew.
    """

    __slots__ = ("_random", "chance", "left")

    def __init__(self, left: int | None = None, chance: float = 1.0) -> None:
        self.left = left
        self.chance = chance
        self._random = Random()

    def take(self) -> bool:
        """Whether this exchange has a share; it is taken then."""
        if self.left == 0 or (self.chance < 1.0 and self._random.random() >= self.chance):
            return False
        if self.left is not None:
            self.left -= 1
        return True

    def draw(self) -> float:
        """A number from 0 up to 1, evenly."""
        return self._random.random()

    @property
    def spent(self) -> bool:
        return self.left == 0
