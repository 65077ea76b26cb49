"""The near misses: most criteria that fit first, then most segments alike, then the newest."""

from __future__ import annotations

from typing import Any

from support.exchanges import a_book, exchange

from goto.journal.asked import Asked
from goto.journal.book import Book
from goto.journal.keeping import BodySize
from goto.journal.near import Miss, nearest
from goto.journal.wanted import Wanted
from goto.words.reading import read_struct


def misses(book: Book, since: int = 0, **when: Any) -> list[Miss]:
    return nearest(Asked(read_struct(when, Wanted)[0]), book.rings.newest(None), since)


def test_their_order() -> None:
    book = a_book()
    exchange(book, "POST", "/orders/1/items")
    exchange(book, "POST", "/other")
    exchange(book, "GET", "/orders/1")
    exchange(book, "POST", "/orders/2/lines")
    exchange(book, "POST", "/orders/3", 404)
    exchange(book, "POST", "/orders/3")
    found = misses(book, methods=["POST"], uris=["/orders/{id}"], status=200, reused=True)
    assert [miss.entry.seq for miss in found] == [6, 5, 4]
    assert [miss.entry.seq for miss in misses(book, since=4, methods=["PUT"])] == [6, 5]
    assert found[0].shown() == {
        "seq": 6,
        "method": "POST",
        "uri": "/orders/3",
        "fits": ["methods", "uris", "status"],
        "differs": [{"criterion": "reused", "wanted": True, "was": False}],
    }


def test_what_fits_is_no_miss() -> None:
    book = a_book()
    exchange(book, target="/a")
    exchange(book, target="/b")
    assert [miss.entry.seq for miss in misses(book, uris=["/a"])] == [2]


def test_what_another_listener_got_is_near_only_if_it_fits_something() -> None:
    book = a_book()
    exchange(book, "POST", "/orders", port=9000)
    exchange(book, "GET", "/load", port=9000)
    found = misses(book, listener=8080, methods=["POST"], uris=["/orders"])
    assert [miss.entry.seq for miss in found] == [1]
    assert [miss.entry.seq for miss in misses(book, methods=["PUT"])] == [2, 1]


def test_in_what_they_differ() -> None:
    book = a_book(bodies=BodySize(12))
    exchange(book, "POST", "/orders", body=b'{"item": 2}', headers=[("x", "1"), ("cookie", "c")])
    (miss,) = misses(book, body={"json": {"item": 1}})
    assert miss.text() == "body.json $.item: wanted 1, was 2"
    assert miss.shown()["differs"] == [{"criterion": "body.json", "at": "$.item", "wanted": 1, "was": 2}]
    (miss,) = misses(book, headers=[["x", "2"], ["y"], ["cookie", "d"]], query=[["p", "1"]], uris=["/order", "/o"])
    assert miss.text() == (
        'uris: wanted ["/order", "/o"], was /orders; query p: wanted 1, was nothing; headers x: wanted 2, was 1; '
        "headers y: wanted, and missing; headers cookie: wanted d, was not kept"
    )
    exchange(book, body=b"x" * 100)
    (miss, *_) = misses(book, since=1, body={"equals": "y"})
    assert miss.text() == "body.equals: wanted y, was not kept"


def test_what_is_not_known_yet_is_no_fit() -> None:
    from support.exchanges import Exchange

    book = a_book()
    Exchange(book)
    (miss,) = misses(book, status="2xx")
    assert miss.text() == "status: wanted 2xx, is not known yet"
