"""What is new: the entries in the order in which they began or ended last. Nothing is queued for anybody."""

from __future__ import annotations

from collections.abc import Callable

from goto.journal.entry import Entry
from goto.journal.ring import Rings


class Recent:
    """The entries by the number of their beginning or their end, whichever came last. Each is there once.

    They are looked for when somebody asks: exchanges pass far more often.
    """

    def __init__(self, rings: Rings) -> None:
        self._rings = rings
        self.on_touch: list[Callable[[Entry], None]] = []
        """Called with each entry that begins or ends."""

    @property
    def number(self) -> int:
        """The number of the last beginning or end of an entry."""
        return self._rings.touched

    def tell(self, entry: Entry) -> None:
        """An entry has begun, or has ended."""
        for tell in tuple(self.on_touch):
            tell(entry)

    def since(self, number: int, port: int | None, most: int) -> tuple[list[Entry], int, bool]:
        """The entries of one listener or of all that have begun or ended after a number, at most so many and in that order; the
        number to ask with next; and whether there are more.
        """
        found: list[Entry] = []
        for ring in self._rings.of(port):
            if ring.touched > number:
                found += [entry for entry in ring.entries.values() if entry.touched > number]
        found.sort(key=_touched_of)
        more = len(found) > most
        upto = found[most - 1].touched if more else self.number
        return found[:most], upto, more


def _touched_of(entry: Entry) -> int:
    return entry.touched
