"""Rings stay within their bounds, give up the oldest first, and say what they have lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.exchanges import Exchange, a_book, exchange

from goto.journal import ring as ring_of
from goto.journal.entry import OVERHEAD
from goto.journal.keeping import EntriesNumber, MemorySize


def test_the_oldest_is_given_up_first_and_what_is_open_last() -> None:
    book = a_book(entries=EntriesNumber(3))
    held = Exchange(book)
    for _ in range(4):
        exchange(book)
    (ring,) = book.rings.of(8080)
    assert list(ring.entries) == [1, 4, 5]
    assert (ring.evicted, ring.open, ring.oldest) == (2, 1, 1)
    for _ in range(3):
        Exchange(book)
    assert list(ring.entries) == [6, 7, 8]  # nothing else was left than to give up what is open
    held.end()
    assert (ring.open, ring.evicted) == (3, 5)


@given(st.permutations(range(8)), st.integers(1, 8))
def test_the_oldest_that_is_over_is_given_up_first_in_whatever_order_they_ended(order: list[int], kept: int) -> None:
    book = a_book()
    begun = [Exchange(book) for _ in range(8)]
    for index in order[:kept]:
        begun[index].end()
    (ring,) = book.rings.of(8080)
    gone = [ring.evict() for _ in range(8)]
    over, still = sorted(order[:kept]), sorted(order[kept:])
    assert [entry.seq - 1 for entry in gone if entry] == over + still
    assert (ring.open, ring.evict()) == (0, None)


def test_a_flooded_listener_pushes_out_nothing_of_another() -> None:
    book = a_book(entries=EntriesNumber(2))
    exchange(book, port=1)
    for _ in range(10):
        exchange(book, port=2)
    assert [list(ring.entries) for ring in book.rings.of(None)] == [[1], [10, 11]]
    assert [ring.evicted for ring in book.rings.of(None)] == [0, 8]


def test_over_the_memory_the_listener_that_holds_most_gives_up_its_oldest() -> None:
    book = a_book(memory=MemorySize(100 * OVERHEAD))
    exchange(book, port=1)
    for _ in range(300):
        exchange(book, port=2, body=b"x" * 500)
    rings = book.rings
    assert rings.taken <= 100 * OVERHEAD
    assert [len(ring.entries) for ring in rings.of(1)] == [1]
    assert 50 <= len(rings.by_port[2].entries) < 100
    assert rings.taken == sum(entry.memory for ring in rings.of(None) for entry in ring.entries.values())


def test_bodies_of_open_exchanges_are_counted_while_they_come() -> None:
    book = a_book(memory=MemorySize(50 * OVERHEAD))
    made = [Exchange(book, body=b"x" * 4096) for _ in range(40)]
    for one in made:
        one.send()
        assert book.rings.taken <= 50 * OVERHEAD
    for one in made:
        one.answer(200, b"y" * 5000).end()
    rings = book.rings
    assert rings.taken == sum(entry.memory for ring in rings.of(None) for entry in ring.entries.values()) <= 50 * OVERHEAD


def test_less_room_is_made_at_once() -> None:
    book = a_book()
    for _ in range(10):
        exchange(book)
    book.rings.bound(4, 1 << 20)
    assert list(book.rings.by_port[8080].entries) == [7, 8, 9, 10]
    book.rings.bound(4, 2 * OVERHEAD)
    assert list(book.rings.by_port[8080].entries) == [10]


@given(
    st.lists(st.sampled_from(["begin", "end", "clear"]), max_size=60),
    st.integers(1, 5),
    st.integers(-1, 40),
    st.integers(1, 5),
)
def test_how_many_were_evicted_since(steps: list[str], entries: int, since: int, history: int) -> None:
    before, ring_of.HISTORY = ring_of.HISTORY, history
    try:
        book, held, begun = a_book(entries=EntriesNumber(entries)), [], []
        for step in steps:
            if step == "begin":
                held.append(Exchange(book))
                begun.append(book.seq)
            elif step == "end" and held:
                held.pop(0).end()
            elif step == "clear":
                book.clear()
                begun = []
        kept = [entry.seq for ring in book.rings.of(None) for entry in ring.entries.values()]
        lost = [seq for seq in begun if seq not in kept and seq > since]
        found = book.rings.evicted_since(since, None)
        assert (found > 0) >= (len(lost) > 0)  # what is lost is never hidden
        assert found >= len(lost)
        if history == 5 and len(begun) <= 5:
            assert found == len(lost)
        assert len(kept) <= entries
    finally:
        ring_of.HISTORY = before


def test_what_is_newest_and_what_is_after_a_number() -> None:
    book = a_book()
    for port in (1, 2, 1, 2, 2):
        exchange(book, port=port)
    assert [entry.seq for entry in book.rings.newest(None)] == [5, 4, 3, 2, 1]
    assert [entry.seq for entry in book.rings.newest(2)] == [5, 4, 2]
    assert [entry.seq for entry in book.rings.list(None, 2)] == [3, 4, 5]
    assert [entry.seq for entry in book.rings.list(3, 0)] == []
    assert book.rings.find(3) is not None
    assert book.rings.find(9) is None


def test_cleared_ones_are_not_evicted() -> None:
    book = a_book(entries=EntriesNumber(1))
    open_ = Exchange(book)
    exchange(book)
    book.clear(8080)
    open_.end()
    assert book.rings.evicted_since(0, None) == 0
    assert book.rings.taken == 0
    exchange(book)
    assert [entry.seq for entry in book.rings.newest(None)] == [3]
