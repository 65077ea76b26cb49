"""What is kept of exchanges, and who is told of them: the rings, those who ask for exchanges to come, and the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goto.flow import Flow
from goto.journal.asked import Found, Head, head_of
from goto.journal.entry import Entry, Terms
from goto.journal.live import Live, Watcher, wants_body
from goto.journal.recent import Recent
from goto.journal.ring import Rings
from goto.matching.when import BODY_LIMIT

if TYPE_CHECKING:
    from goto.journal.keeping import Keeping


class Book:
    """What all listeners write in. Off, and where nobody asks for exchanges to come, nothing is written."""

    def __init__(self) -> None:
        self.rings = Rings()
        self.recent = Recent(self.rings)
        """The entries in the order in which they began or ended last."""
        self.live = Live()
        self.keeping: Keeping | None = None
        """What is kept; None while it is off."""
        self.seq = 0
        """The highest number that was given; it never goes back."""
        self.since = 0
        """The number after which it looks: that of when it was turned on or cleared last."""
        self._terms = Terms()

    @property
    def writes(self) -> bool:
        """Whether exchanges are to be shown to it at all."""
        return self.keeping is not None or self.live.count > 0

    def keep(self, keeping: Keeping | None) -> None:
        """Keep this from now on; with None nothing, and forget what there is."""
        if keeping is None:
            self.keeping = None
            self._terms = Terms()
            self.clear()
            return
        if self.keeping is None:
            self.since = self.seq
        self.keeping = keeping
        self._terms = Terms(frozenset(name.lower().encode() for name in keeping.mask), int(keeping.bodies))
        self.rings.bound(int(keeping.entries), int(keeping.memory))

    def clear(self, port: int | None = None) -> None:
        """Forget the entries, of one listener or of all."""
        self.rings.clear(port)
        if port is None:
            self.since = self.seq

    # ------------------------------------------------------------ what listeners tell
    def begin(self, port: int, flow: Flow) -> Entry | None:
        """The head of a request is here. The entry of the exchange, if it is to have one."""
        on, terms = self.keeping is not None, self._terms
        if not on and not self.live.count:
            return None
        entry = Entry(self.seq + 1, port, flow, terms, self)
        watchers = None
        if self.live.count:
            watchers = self._watchers(flow, entry, on)
            if not on and not watchers:
                return None
            if wants_body(watchers):
                flow.keep(request=BODY_LIMIT)
        self.seq += 1
        flow.keep(terms.bodies, terms.bodies)
        assert flow.record is not None
        if on:
            self.rings.add(entry)
        entry.opened(flow.record)
        if watchers:
            for watcher, heads in watchers.items():
                if entry.seq > watcher.since:
                    watcher.look(entry, heads)
        if self.recent.on_touch and entry.kept:
            self.recent.tell(entry)
        return entry

    def _watchers(self, flow: Flow, entry: Entry, on: bool) -> dict[Watcher, dict[int, Found]]:
        """Those who may be asking for this exchange."""
        request, reused = flow.request, entry.on_connection > 1
        real = Head(request, entry.listener, reused, entry.id, frozenset())
        masked = (head_of(entry) if entry.masked else real) if on else None
        return self.live.find(request, reused, masked, real)

    def end(self, entry: Entry, flow: Flow) -> None:
        """An exchange has ended."""
        entry.over(flow)
        if entry.pending:
            self.look(entry)
        self.rings.over(entry, entry.pack())
        if self.recent.on_touch and entry.kept:
            self.recent.tell(entry)

    # ------------------------------------------------------------ what entries tell
    def look(self, entry: Entry) -> None:
        """More of it is known, which somebody waits for."""
        if entry.pending:
            entry.pending = [look for look in entry.pending if not look.look(entry)] or None

    def grew(self, entry: Entry, size: int) -> None:
        """It takes so many bytes more, or less."""
        self.rings.grew(entry, size)
