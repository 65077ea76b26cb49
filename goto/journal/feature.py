"""What each listener writes into the journal."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from goto.feature import Feature
from goto.flow import Flow
from goto.journal.book import Book
from goto.journal.meter import Meter


class Journal(Feature):
    """Write down what goes through, while the journal is on or somebody asks for exchanges to come."""

    ends: ClassVar[Literal["taken", "written"]] = "written"

    def __init__(self) -> None:
        self._book = Book()
        """Its own, and off, as long as it has joined none."""
        self.port = 0
        self.meter: Meter | None = None
        """Where it is counted how long exchanges take, while somebody watches."""

    def join(self, book: Book, port: int) -> None:
        """Write into this book, as the listener of this port."""
        self._book, self.port = book, port
        self.changed()

    @property
    def active(self) -> bool:
        return self._book.writes or self.meter is not None

    def watched(self, watched: bool) -> None:
        """Whether somebody watches how long exchanges take."""
        if watched is not (self.meter is not None):
            self.meter = Meter() if watched else None
            self.changed()

    def request(self, flow: Flow) -> None:
        entry = self._book.begin(self.port, flow)
        if entry is not None:
            flow.notes[self] = entry

    def closed(self, flow: Flow) -> None:
        entry: Any = flow.notes.get(self)
        if entry is not None:
            self._book.end(entry, flow)
        if self.meter is not None:
            self.meter.add(flow.started)

    def forget(self) -> None:
        self._book.clear(self.port)
