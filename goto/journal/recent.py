"""What is new: the entries in the order in which they began or ended last. Nothing is queued for anybody."""

from __future__ import annotations

from collections.abc import Callable

from goto.journal.entry import Entry


class Recent:
    """The entries by the number of their beginning or their end, whichever came last. Each is there once."""

    def __init__(self) -> None:
        self.number = 0
        """That of the last one."""
        self.on_touch: list[Callable[[Entry], None]] = []
        """Called with each entry that begins or ends."""
        self._touched: dict[int, Entry] = {}

    def touch(self, entry: Entry) -> None:
        """An entry has begun, or has ended."""
        touched = self._touched
        if entry.touched:
            touched.pop(entry.touched, None)
        self.number += 1
        entry.touched = self.number
        touched[self.number] = entry
        for tell in tuple(self.on_touch) if self.on_touch else ():
            tell(entry)

    def since(self, number: int, port: int | None, most: int) -> tuple[list[Entry], int, bool]:
        """The entries of one listener or of all that have begun or ended after a number, at most so many and in that order; the
        number to ask with next; and whether there are more.
        """
        found: list[tuple[int, Entry]] = []
        for at, entry in reversed(self._touched.items()):
            if at <= number:
                break
            if port is None or entry.listener == port:
                found.append((at, entry))
        found.reverse()
        more = len(found) > most
        upto = found[most - 1][0] if more else self.number
        return [entry for _, entry in found[:most]], upto, more

    def drop(self, entry: Entry) -> None:
        """An entry is gone."""
        self._touched.pop(entry.touched, None)
