"""What all listeners write in: numbers that never go back, and settings that hold at once."""

from __future__ import annotations

from support.exchanges import Exchange, a_book, exchange

from goto.journal.book import Book
from goto.journal.keeping import BodySize, EntriesNumber, Keeping
from goto.journal.shown import shown_entry
from goto.words import HeaderName


def test_off_it_writes_nothing() -> None:
    book = Book()
    assert not book.writes
    assert Exchange(book).entry is None
    assert book.seq == 0


def test_numbers_never_go_back() -> None:
    book = a_book()
    exchange(book)
    book.clear()
    exchange(book)
    book.keep(None)
    book.keep(Keeping())
    made = exchange(book).entry
    assert made is not None
    assert (made.seq, book.since) == (3, 2)


def test_settings_hold_for_what_comes_and_bounds_for_what_is_there() -> None:
    book = a_book()
    for _ in range(5):
        exchange(book, headers=[("x", "1"), ("cookie", "c")], body=b"abcdef")
    book.keep(Keeping(entries=EntriesNumber(2), bodies=BodySize(3), mask=[HeaderName("X")]))
    assert [entry.seq for entry in book.rings.newest(None)] == [5, 4]
    made = exchange(book, headers=[("x", "1"), ("cookie", "c")], body=b"abcdef").entry
    assert made is not None
    shown = shown_entry(made)
    assert shown["headers"] == [("x", "***"), ("cookie", "c")]
    assert shown["body"] == {"size": 6, "text": "abc", "truncated": True}
    old = book.rings.find(5)
    assert old is not None
    assert shown_entry(old)["headers"] == [("x", "1"), ("cookie", "***")]


def test_what_ends_after_it_was_turned_off_or_cleared_is_forgotten() -> None:
    book = a_book()
    made = Exchange(book, body=b"x")
    book.keep(None)
    made.send().answer().end()
    book.keep(Keeping())
    assert list(book.rings.newest(None)) == []
    assert book.rings.taken == 0
