"""What each listener writes into the journal, by its hooks."""

from __future__ import annotations

from goto.features.bypass import Bypass
from goto.flow import Request, Response
from goto.journal.book import Book
from goto.journal.feature import Journal
from goto.journal.keeping import Keeping
from goto.journal.shown import shown_entry
from goto.testing import run


def test_it_is_active_only_while_somebody_wants_to_know() -> None:
    journal, book, told = Journal(), Book(), []
    journal.bind(lambda: told.append(journal.active))
    assert not journal.active
    journal.join(book, 8080)
    book.keep(Keeping())
    assert journal.active
    book.keep(None)
    assert not journal.active
    journal.watched(True)
    assert journal.active
    journal.watched(True)
    journal.watched(False)
    assert not journal.active
    assert told == [False, True, False]


def test_it_writes_what_goes_through_but_not_what_is_bypassed() -> None:
    bypass, journal, book = Bypass(), Journal(), Book()
    bypass.add("/live")
    journal.join(book, 8080)
    book.keep(Keeping())
    for path in ("/a", "/live"):
        run([bypass, journal], Request("POST", path), body=b"hello", answer=Response.text(201, "made"))
    (entry,) = book.rings.newest(None)
    shown = shown_entry(entry)
    assert (shown["uri"], shown["status"], shown["listener"], shown["end"]) == ("/a", 201, 8080, "completed")
    assert (shown["body"], shown["responseBody"]) == ({"size": 5, "text": "hello"}, {"size": 5, "text": "made\n"})


def test_a_listener_that_is_reset_forgets_its_own() -> None:
    book = Book()
    book.keep(Keeping())
    first, second = Journal(), Journal()
    for port, journal in enumerate((first, second), 1):
        journal.join(book, port)
        run(journal, Request("GET", "/"))
    first.forget()
    assert [entry.listener for entry in book.rings.newest(None)] == [2]


def test_while_it_is_watched_it_counts_how_long_exchanges_take() -> None:
    journal = Journal()
    journal.watched(True)
    run(journal, Request("GET", "/"))
    assert journal.meter is not None
    assert journal.meter.last_second()[0] == 1
