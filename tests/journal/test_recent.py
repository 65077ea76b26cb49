"""What is new is told by one number, and queued for nobody."""

from __future__ import annotations

from support.exchanges import Exchange, a_book, exchange

from goto.journal.keeping import EntriesNumber


def test_each_entry_once_in_the_order_in_which_they_began_or_ended_last() -> None:
    book = a_book()
    first = Exchange(book, port=1)
    exchange(book, port=2)
    entries, number, more = book.recent.since(0, None, 100)
    assert ([entry.seq for entry in entries], more) == ([1, 2], False)
    first.end()
    entries, number, more = book.recent.since(number, None, 100)
    assert [entry.seq for entry in entries] == [1]
    assert book.recent.since(number, None, 100) == ([], number, False)
    assert [entry.seq for entry in book.recent.since(0, 2, 100)[0]] == [2]


def test_what_is_left_is_told_next() -> None:
    book = a_book()
    for _ in range(10):
        exchange(book)
    seen, number, more = [], 0, True
    while more:
        entries, number, more = book.recent.since(number, None, 3)
        seen += [entry.seq for entry in entries]
    assert seen == list(range(1, 11))


def test_evicted_and_cleared_ones_are_not_told() -> None:
    book = a_book(entries=EntriesNumber(5))
    for _ in range(5000):
        exchange(book)
    assert [entry.seq for entry in book.recent.since(0, None, 100)[0]] == [4996, 4997, 4998, 4999, 5000]
    number = book.recent.number
    book.clear()
    assert book.recent.since(0, None, 100) == ([], number, False)


def test_whoever_waits_is_told() -> None:
    book, told = a_book(), []
    book.recent.on_touch.append(lambda entry: told.append((entry.seq, entry.end)))
    exchange(book)
    assert told == [(1, None), (1, "completed")]
