"""What is kept of exchanges, and who is told of them: the rings, those who ask for exchanges to come, and the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goto.flow import Flow
from goto.journal.asked import Head, head_of
from goto.journal.entry import Entry
from goto.journal.live import Live, wants_body
from goto.journal.recent import Recent
from goto.journal.ring import Rings
from goto.matching.when import BODY_LIMIT

if TYPE_CHECKING:
    from goto.journal.keeping import Keeping


class Book:
    """What all listeners write in. Off, and where nobody asks for exchanges to come, nothing is written."""

    def __init__(self) -> None:
        self.recent = Recent()
        """The entries in the order in which they began or ended last."""
        self.rings = Rings(self.recent.drop)
        self.live = Live()
        self.keeping: Keeping | None = None
        """What is kept; None while it is off."""
        self.seq = 0
        """The highest number that was given; it never goes back."""
        self.since = 0
        """The number after which it looks: that of when it was turned on or cleared last."""
        self._mask: frozenset[bytes] = frozenset()
        self._bodies = 0

    @property
    def writes(self) -> bool:
        """Whether exchanges are to be shown to it at all."""
        return self.keeping is not None or self.live.count > 0

    def keep(self, keeping: Keeping | None) -> None:
        """Keep this from now on; with None nothing, and forget what there is."""
        if keeping is None:
            self.keeping = None
            self.clear()
            return
        if self.keeping is None:
            self.since = self.seq
        self.keeping = keeping
        self._mask = frozenset(name.lower().encode() for name in keeping.mask)
        self._bodies = int(keeping.bodies)
        self.rings.bound(int(keeping.entries), int(keeping.memory))

    def clear(self, port: int | None = None) -> None:
        """Forget the entries, of one listener or of all."""
        self.rings.clear(port)
        if port is None:
            self.since = self.seq

    # ------------------------------------------------------------ what listeners tell
    def begin(self, port: int, flow: Flow) -> Entry | None:
        """The head of a request is here. The entry of the exchange, if it is to have one."""
        on = self.keeping is not None
        if on:
            self.seq += 1
            entry = Entry(self.seq, port, flow, self._mask, self._bodies, self)
        watchers = None
        if self.live.count:
            request, peer = flow.request, flow.peer
            if not on:
                entry = Entry(0, port, flow, frozenset(), 0, self)
            real = Head(request, port, peer.requests > 1, entry.id, frozenset())
            masked = (head_of(entry) if entry.masked else real) if on else None
            watchers = self.live.find(request, peer.requests > 1, masked, real)
            if not on and not watchers:
                return None
            if not on:
                self.seq += 1
                entry.seq = self.seq
            if wants_body(watchers):
                flow.keep(request=BODY_LIMIT)
        elif not on:
            return None
        flow.keep(self._bodies if on else 0, self._bodies if on else 0)
        assert flow.record is not None
        if on:
            self.rings.add(entry)
        entry.opened(flow.record)
        if watchers:
            for watcher, heads in watchers.items():
                if entry.seq > watcher.since:
                    watcher.look(entry, heads)
        if on and entry.kept:
            self.recent.touch(entry)
        return entry

    def end(self, entry: Entry, flow: Flow) -> None:
        """An exchange has ended."""
        entry.over(flow)
        self.rings.over(entry)
        if entry.pending:
            self.look(entry)
        entry.pack()
        if entry.kept:
            self.recent.touch(entry)

    # ------------------------------------------------------------ what entries tell
    def look(self, entry: Entry) -> None:
        """More of it is known, which somebody waits for."""
        if entry.pending:
            entry.pending = [look for look in entry.pending if not look.look(entry)] or None

    def grew(self, entry: Entry, size: int) -> None:
        """It takes so many bytes more, or less."""
        self.rings.grew(entry, size)
