"""What is asked of exchanges to come, found by the head of each without a look at what it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from goto.http.messages import Request
from goto.journal.asked import LATER, LOST, NO, YES, Asked, Found, Head, worse
from goto.journal.entry import Entry
from goto.journal.seen import InOrder, Seen
from goto.matching.fitting import FitIndex

_FEW: Final = 64
"""So many that are gone are left in the index."""


class Watcher:
    """Who counts exchanges that fit: one thing that is asked, or a list of them in order."""

    __slots__ = ("asked", "gone", "moment", "seen", "since", "unmasked", "waiters")

    def __init__(
        self, asked: list[Asked], seen: Seen | InOrder, *, unmasked: bool = False, since: int = 0, moment: int = 0
    ) -> None:
        """`unmasked`: it looks at traffic, and not at what the journal keeps of it. What is numbered up to `since`, or has come
        before `moment`, in ns since 1970, is not for it.
        """
        self.asked = asked
        self.seen = seen
        self.unmasked = unmasked
        self.since = since
        self.moment = moment
        self.gone = False
        self.waiters: list[Callable[[], None]] = []
        """Called when what was seen has changed."""

    @property
    def wants_body(self) -> bool:
        return any(asked.wanted.body is not None for asked in self.asked)

    def settles(self, settles: bool) -> None:
        """Whether what is decided counts for good, since nothing older is still to be looked at."""
        if isinstance(self.seen, InOrder):
            self.seen.settling = settles
            self.seen.settle()

    def look(self, entry: Entry, told: dict[int, Found]) -> None:
        """Look at an exchange, which stays under its eyes until all is known. `told` is what its head tells of each thing that is
        asked; what does not fit by it may be missing.
        """
        heads = {index: found for index, found in told.items() if found is not NO}
        if not heads:
            return
        look = Look(self, heads)
        self.seen.expect(entry.seq, list(heads))
        if not look.look(entry):
            entry.wait(look)


class Look:
    """One exchange under the eyes of a watcher."""

    __slots__ = ("_bodies", "_heads", "_watcher")

    def __init__(self, watcher: Watcher, heads: dict[int, Found]) -> None:
        self._watcher = watcher
        self._heads = heads
        self._bodies: dict[int, Found] = {}
        """What was found of the body, which is looked at once."""

    def look(self, entry: Entry) -> bool:
        """Look at what is known now; whether that is all it wants to know."""
        watcher, heads = self._watcher, self._heads
        if watcher.gone:
            return True
        changed = False
        for index, head in list(heads.items()):
            asked = watcher.asked[index]
            body = self._bodies.get(index, LATER)
            if body is LATER:
                body = self._bodies[index] = asked.body(entry)
            found = worse(head, asked.rest(entry, body))
            if found is LATER:
                continue
            del heads[index]
            changed = True
            if found is YES:
                watcher.seen.fits(entry.seq, index)
            else:
                watcher.seen.misses(entry.seq, index, lost=found is LOST)
        if changed and watcher.waiters:
            for tell in tuple(watcher.waiters):
                tell()
        return not heads


class Live:
    """All watchers."""

    def __init__(self) -> None:
        self._watchers: dict[Watcher, None] = {}
        self._index: FitIndex[tuple[Watcher, int]] = FitIndex()
        self.count = 0
        """How many there are."""
        self._gone = 0
        """Watchers in the index that are gone."""

    def add(self, watcher: Watcher) -> None:
        self._sweep()
        self._watchers[watcher] = None
        self.count += 1
        self._put(watcher)

    def remove(self, watcher: Watcher) -> None:
        watcher.gone = True
        if watcher not in self._watchers:
            return
        del self._watchers[watcher]
        self.count -= 1
        self._gone += 1

    def _sweep(self) -> None:
        """Leave those out of the index that are gone, where they are many. Not when they go: many do so at once."""
        if self._gone > max(_FEW, len(self._watchers)):
            self._gone, self._index = 0, FitIndex()
            for other in self._watchers:
                self._put(other)

    def _put(self, watcher: Watcher) -> None:
        for index, asked in enumerate(watcher.asked):
            self._index.add((watcher, index), asked.at_once)

    def find(self, request: Request, reused: bool, masked: Head | None, real: Head) -> dict[Watcher, dict[int, Found]]:
        """The watchers that an exchange may fit, with what its head tells of each thing they ask. `masked` is what the journal
        keeps of the head, None where it keeps nothing.
        """
        self._sweep()
        found: dict[Watcher, dict[int, Found]] = {}
        for fit in self._index.find(request, reused):
            watcher, index = fit.item
            head = real if watcher.unmasked else masked
            if watcher.gone or head is None:
                continue
            told = watcher.asked[index].head(head)
            if told is not NO:
                found.setdefault(watcher, {})[index] = told
        return found


def wants_body(watchers: Iterable[Watcher]) -> bool:
    return any(watcher.wants_body for watcher in watchers)
