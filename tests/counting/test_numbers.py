"""The numbers of a run, and the bounds on all of them together."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.counting import numbers as module
from goto.counting.numbers import Numbers, Set, Shelf
from goto.http.numbered_id import MOST_NUMBERS

NUMBERS = st.integers(0, 30_000)


def filled(tries: list[int], done: set[int]) -> Numbers:
    shelf: Shelf[Numbers] = Shelf()
    numbers = Numbers()
    shelf.add("r", numbers)
    for number in tries:
        shelf.tried(numbers, number)
    for number in done:
        numbers.done(number)
    return numbers


@given(tries=st.lists(NUMBERS, max_size=40), data=st.data())
def test_it_is_a_count_of_tries_and_a_set(tries: list[int], data: st.DataObject) -> None:
    done = data.draw(st.sets(st.sampled_from(tries))) if tries else set()
    numbers = filled(tries, done)
    counts = Counter(tries)
    for read in (numbers, Numbers.from_bytes(numbers.to_bytes(), len(numbers))):
        assert len(read) == max(tries, default=-1) + 1
        assert read.by_tries() == Counter(counts.values())
        assert read.tried_set().first(50) == sorted(counts)
        assert read.tried_set(2).first(50) == sorted(number for number, count in counts.items() if count > 1)
        assert read.done_set().first(50) == sorted(done)
        assert len(read.tried_set() - read.done_set()) == len(counts.keys() - done)


@given(one=st.sets(NUMBERS, max_size=30), other=st.sets(NUMBERS, max_size=30), most=st.integers(0, 8))
def test_sets_are_as_those_of_python(one: set[int], other: set[int], most: int) -> None:
    def made(numbers: set[int]) -> Set:
        return Set(bytes(number in numbers for number in range(max(numbers, default=-1) + 1)))

    for ours, theirs in ((made(one) & made(other), one & other), (made(one) - made(other), one - other)):
        assert len(ours) == len(theirs)
        assert ours.first(most) == sorted(theirs)[:most]


def test_more_than_255_tries_are_255_and_what_was_before_is_said() -> None:
    numbers = filled([7] * 254, set())
    assert [numbers.tried(7) for _ in range(3)] == [254, 255, 255]
    assert numbers.by_tries() == {255: 1}


def test_a_try_can_be_taken_back_and_done_is_said_once() -> None:
    numbers = filled([1, 2], set())
    numbers.untried(1)
    assert numbers.tried_set().first(5) == [2]
    assert [numbers.done(2), numbers.done(2)] == [True, False]


def test_the_highest_number_takes_no_more_room_than_all() -> None:
    numbers = filled([MOST_NUMBERS - 1], {MOST_NUMBERS - 1})
    assert numbers.size == MOST_NUMBERS * 9 // 8
    assert numbers.done_set().first(2) == [MOST_NUMBERS - 1]


@pytest.mark.parametrize(("data", "count"), [(b"", 1), (b"\1\1\1", 1), (b"\1" * 9, 9)])
def test_bytes_that_are_not_so_many_numbers_are_refused(data: bytes, count: int) -> None:
    with pytest.raises(ValueError, match=f"are not {count} numbers"):
        Numbers.from_bytes(data, count)


def test_the_oldest_run_goes_first_and_is_remembered_to_have_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_RUNS", 3)
    shelf: Shelf[Numbers] = Shelf()
    runs = {name: Numbers() for name in "abcd"}
    for name, numbers in runs.items():
        shelf.add(name, numbers)
    assert list(shelf.runs) == ["b", "c", "d"]
    assert runs["a"].lost
    assert not runs["b"].lost
    assert [name for name in "abcd" if shelf.has_missed(name)] == ["a"]


def test_the_room_for_all_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)
    shelf: Shelf[Numbers] = Shelf()
    runs = [Numbers(times=number == 1) for number in range(4)]
    for name, numbers in zip("abcd", runs, strict=True):
        shelf.add(name, numbers)
        shelf.tried(numbers, 0)
    shelf.tried(runs[0], 40_000)  # the oldest one grows itself: the next one goes
    assert [numbers.lost for numbers in runs] == [False, True, False, False]
    assert sum(numbers.size for numbers in runs) <= 100_000
    shelf.tried(runs[2], 60_000)
    assert [numbers.lost for numbers in runs] == [True, True, False, False]
    assert runs[1].size == 0
    # who still has one that was given up may go on
    runs[0].untried(40_000)
    assert not runs[0].done(40_000)


def test_a_removed_run_frees_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf: Shelf[Numbers] = Shelf()
    for _ in range(3):
        shelf.add("a", Numbers())
        shelf.tried(shelf.runs["a"], 100_000)
        assert shelf.remove("a")
        assert not shelf.remove("a")
    assert shelf._bytes == 0
    assert shelf.has_missed("a")


def test_what_is_remembered_of_runs_that_went_is_bounded() -> None:
    shelf: Shelf[Numbers] = Shelf()
    for number in range(module.MOST_GONE + 5):
        shelf.missed(str(number))
    assert not shelf.has_missed("4")
    assert shelf.has_missed("5")
