"""Those who ask for exchanges to come are found by the head of each, and told once all is known."""

from __future__ import annotations

from typing import Any

from support.exchanges import Exchange, a_book, exchange

from goto.journal.asked import Asked
from goto.journal.book import Book
from goto.journal.live import Watcher
from goto.journal.seen import InOrder, Seen
from goto.journal.wanted import AT_LEAST_ONE, Wanted
from goto.words.reading import read_struct


def watcher(*whens: dict[str, Any], **how: Any) -> Watcher:
    asked = [Asked(read_struct(when, Wanted)[0]) for when in whens]
    return Watcher(asked, Seen(AT_LEAST_ONE) if len(asked) == 1 else InOrder(len(asked)), **how)


def added(book: Book, one: Watcher) -> Watcher:
    book.live.add(one)
    return one


def test_each_is_told_when_all_that_it_asks_for_is_known() -> None:
    book = a_book()
    at_head, at_answer = added(book, watcher({"uris": ["/a"]})), added(book, watcher({"uris": ["/a"], "status": "2xx"}))
    at_end, other = added(book, watcher({"uris": ["/a"], "end": "completed"})), added(book, watcher({"uris": ["/b"]}))
    told: list[str] = []
    for name, one in (("head", at_head), ("answer", at_answer), ("end", at_end), ("other", other)):
        one.waiters.append(lambda name=name: told.append(name))
    made = Exchange(book, target="/a")
    assert told == ["head"]
    made.answer(200)
    assert told == ["head", "answer"]
    made.end()
    assert told == ["head", "answer", "end"]
    assert made.entry is not None
    assert not made.entry.pending


def test_one_that_is_gone_is_not_told() -> None:
    book = a_book()
    gone, stays = added(book, watcher({"status": "2xx"})), added(book, watcher({"status": "2xx"}))
    made = Exchange(book)
    book.live.remove(gone)
    book.live.remove(gone)
    made.answer(200)
    assert (gone.seen.seen, stays.seen.seen) == (0, 1)
    exchange(book)
    assert (gone.seen.seen, stays.seen.seen) == (0, 2)


def test_many_that_come_and_go_leave_nothing() -> None:
    book = a_book()
    stays = added(book, watcher({"uris": ["/a"]}))
    for _ in range(1000):
        book.live.remove(added(book, watcher({"uris": ["/a"]})))
    assert book.live._gone <= 65
    exchange(book, target="/a")
    assert stays.seen.seen == 1
    book.live.remove(stays)
    assert not book.live.count


def test_without_the_journal_what_nobody_asks_for_costs_no_entry() -> None:
    book = Book()
    assert Exchange(book, target="/a").entry is None
    one = added(book, watcher({"uris": ["/a"]}, unmasked=True))
    assert Exchange(book, target="/b").flow.record is None
    exchange(book, target="/a")
    assert one.seen.seen == 1
    assert book.rings.of(None) == []


def test_expectations_see_what_the_journal_masks() -> None:
    for book in (Book(), a_book()):
        seen = added(book, watcher({"headers": [["cookie", "a=1"]]}, unmasked=True))
        masked = added(book, watcher({"headers": [["cookie", "a=1"]]}))
        exchange(book, headers=[("Cookie", "a=1")])
        exchange(book, headers=[("Cookie", "b=2")])
        assert (seen.seen.seen, seen.seen.lost) == (1, 0)
        assert (masked.seen.seen, masked.seen.lost) == ((0, 0) if book.keeping is None else (0, 2))


def test_a_body_is_kept_for_whoever_asks_for_it_alone() -> None:
    book = Book()
    one = added(book, watcher({"body": {"contains": "needle"}}, unmasked=True))
    exchange(book, body=b"x" * 100_000 + b"needle")
    exchange(book, body=b"x" * (1 << 20) + b"needle")
    assert (one.seen.seen, one.seen.lost) == (1, 0)
    kept = exchange(a_book(), body=b"x" * 100_000 + b"needle").entry
    assert kept is not None
    assert len(kept.request_body.data) == 4096


def test_what_is_numbered_before_is_not_for_it() -> None:
    book = a_book()
    one = added(book, watcher({}, since=2))
    for _ in range(4):
        exchange(book)
    assert one.seen.seen == 2


def test_one_exchange_for_several_places_of_a_list() -> None:
    book = a_book()
    one = added(book, watcher({"uris": ["/a"]}, {"uris": ["/a"], "status": "2xx"}))
    exchange(book, target="/a")
    assert one.seen.seen == 1
    exchange(book, target="/a")
    assert one.seen.holds
