"""The entries of one listener, and those of all: within bounds, the oldest given up first, and what was lost is counted."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from typing import Final

from goto.journal.entry import Entry

HISTORY: Final = 10_000
"""Numbers of evicted entries that a ring remembers one by one."""


class Ring:
    """The entries of one listener, by their numbers, which rise."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.memory = 0
        """Bytes of memory that they take."""
        self.evicted = 0
        """Entries that were given up since it was cleared."""
        self.open = 0
        """Those of them that are open."""
        self.touched = 0
        """The number of the beginning or end that came last, among those of all entries."""
        self._ended: deque[int] = deque()
        """The numbers of those that are over, as far as they ended in their order, which most do."""
        self._highest = 0
        """The highest of them."""
        self._late: list[int] = []
        """A heap of the numbers of the others that are over."""
        self._history: deque[int] = deque(maxlen=HISTORY)
        self._forgotten = 0
        """The highest number of those evicted before `_history` begins; 0 for none."""

    def add(self, entry: Entry) -> None:
        entry.kept = True
        self.entries[entry.seq] = entry
        self.memory += entry.memory
        self.open += 1

    def over(self, entry: Entry) -> None:
        """An entry has ended."""
        self.open -= 1
        seq = entry.seq
        if seq > self._highest:
            self._highest = seq
            self._ended.append(seq)
        else:
            heapq.heappush(self._late, seq)

    def evict(self) -> Entry | None:
        """Give up the oldest that is over, or else the oldest; None where there is none."""
        ended, late = self._ended, self._late
        if late and not (ended and ended[0] < late[0]):
            seq = heapq.heappop(late)
        elif ended:
            seq = ended.popleft()
        elif self.entries:
            seq = next(iter(self.entries))
            self.open -= 1
        else:
            return None
        entry = self.entries.pop(seq)
        entry.kept = False
        self.memory -= entry.memory
        if self.evicted >= HISTORY:
            self._forgotten = max(self._forgotten, self._history[0])
        self.evicted += 1
        self._history.append(seq)
        return entry

    def evicted_since(self, seq: int) -> int:
        """How many of those that are numbered after `seq` were evicted. Of those before the last 10,000 it takes all."""
        if not self.evicted:
            return 0
        if seq <= 0 or self._forgotten > seq:
            return self.evicted
        return sum(number > seq for number in self._history)

    @property
    def oldest(self) -> int | None:
        """The number of the oldest."""
        return next(iter(self.entries), None)


class Rings:
    """The rings of all listeners, by port. A listener that is removed leaves its own behind: what it had is still to be seen."""

    def __init__(self) -> None:
        self.by_port: dict[int, Ring] = {}
        self.entries = 0
        """How many entries each listener may have."""
        self.memory = 0
        """Bytes of memory that all entries together may take."""
        self.taken = 0
        """Bytes of memory that they take."""
        self.touched = 0
        """The number of the last beginning or end of an entry: each is given one."""

    def bound(self, entries: int, memory: int) -> None:
        """Keep within these bounds from now on."""
        self.entries, self.memory = entries, memory
        for ring in self.by_port.values():
            while len(ring.entries) > entries:
                self._evict(ring)
        self.settle()

    def add(self, entry: Entry) -> None:
        """An entry has begun."""
        ring = self.by_port.get(entry.listener)
        if ring is None:
            ring = self.by_port[entry.listener] = Ring()
        if len(ring.entries) >= self.entries:
            self._evict(ring)
        ring.add(entry)
        self._touch(ring, entry)
        self._grow(entry.memory)

    def over(self, entry: Entry, size: int) -> None:
        """An entry has ended, and takes so many bytes more, or less."""
        if entry.kept:
            ring = self.by_port[entry.listener]
            ring.over(entry)
            ring.memory += size
            self._touch(ring, entry)
            self._grow(size)

    def grew(self, entry: Entry, size: int) -> None:
        """An entry takes so many bytes more, or less."""
        if entry.kept:  # else it was given up, or cleared, or only looked at
            self.by_port[entry.listener].memory += size
            self._grow(size)

    def _touch(self, ring: Ring, entry: Entry) -> None:
        self.touched += 1
        entry.touched = ring.touched = self.touched

    def _grow(self, size: int) -> None:
        self.taken += size
        if self.taken > self.memory:
            self.settle()

    def settle(self) -> None:
        """While they take too much, let the listener that holds most give up its oldest."""
        while self.taken > self.memory:
            ring = max(self.by_port.values(), key=_memory_of)
            if not ring.entries:
                return
            self._evict(ring)

    def _evict(self, ring: Ring) -> None:
        entry = ring.evict()
        if entry is not None:
            self.taken -= entry.memory

    def clear(self, port: int | None = None) -> None:
        """Forget all entries, of one listener or of all."""
        for gone in [*self.by_port] if port is None else [port]:
            ring = self.by_port.pop(gone, None)
            if ring is not None:
                for entry in ring.entries.values():
                    entry.kept = False
                self.taken -= ring.memory

    # ------------------------------------------------------------ looking
    def of(self, port: int | None) -> list[Ring]:
        """The ring of one listener, or those of all; none where nothing has come."""
        if port is None:
            return list(self.by_port.values())
        ring = self.by_port.get(port)
        return [] if ring is None else [ring]

    def find(self, seq: int) -> Entry | None:
        for ring in self.by_port.values():
            entry = ring.entries.get(seq)
            if entry is not None:
                return entry
        return None

    def list(self, port: int | None, since: int) -> list[Entry]:
        """The entries of one listener or of all that are numbered after `since`, oldest first."""
        found: list[Entry] = []
        for ring in self.of(port):
            if since <= 0:
                found += ring.entries.values()
                continue
            for entry in reversed(ring.entries.values()):
                if entry.seq <= since:
                    break
                found.append(entry)
        found.sort(key=_seq_of)
        return found

    def newest(self, port: int | None) -> Iterator[Entry]:
        """The entries of one listener or of all, the newest first. Nothing may be added meanwhile."""
        return heapq.merge(*(reversed(ring.entries.values()) for ring in self.of(port)), key=_seq_of, reverse=True)

    def evicted_since(self, seq: int, port: int | None) -> int:
        """How many were evicted of those numbered after `seq`."""
        return sum(ring.evicted_since(seq) for ring in self.of(port))


def _memory_of(ring: Ring) -> int:
    return ring.memory


def _seq_of(entry: Entry) -> int:
    return entry.seq
