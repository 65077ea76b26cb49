"""Whose turn it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goto.features.rules.turns import MOST_VALUES, Turns


def yes(number: int) -> bool:
    return True


def test_all_without_counts() -> None:
    turns = Turns(0, 1, None, per=False)
    assert [turns.take("", yes) for _ in range(3)] == [(0, 0), (1, 1), (2, 2)]
    assert (turns.matched, turns.struck, turns.spent) == (3, 3, False)


def test_skip_every_and_count() -> None:
    turns = Turns(2, 3, 2, per=False)
    assert [turns.take("", yes) for _ in range(9)] == [None, None, None, None, (4, 0), None, None, (7, 1), None]
    assert turns.spent
    assert (turns.matched, turns.struck) == (9, 2)


def test_what_is_not_rolled_takes_nothing() -> None:
    turns = Turns(0, 1, 2, per=False)
    rolls = [False, True, False, False, True, True]
    taken = [turns.take("", lambda number, rolled=rolled: rolled) for rolled in rolls]
    assert taken == [None, (1, 0), None, None, (4, 1), None]


def test_each_value_has_its_own() -> None:
    turns = Turns(1, 1, 2, per=True)
    assert [turns.take(value, yes) for value in "aabbaaab"] == [None, (1, 0), None, (3, 0), (4, 1), None, None, (7, 1)]
    assert (turns.matched, turns.struck, turns.spent) == (8, 4, False)


def test_the_value_seen_longest_ago_is_forgotten() -> None:
    turns = Turns(0, 1, 1, per=True)
    assert all(turns.take(str(number), yes) is not None for number in range(MOST_VALUES))
    assert turns.take("0", yes) is None  # which is now the one seen last
    assert turns.forgotten == 0
    assert [turns.take(value, yes) is not None for value in ("new", "0", "1", "3")] == [True, False, True, False]
    assert turns.forgotten == 2


@given(st.integers(0, 5), st.integers(1, 5), st.none() | st.integers(1, 5), st.integers(1, 60))
def test_against_the_page(skip: int, every: int, count: int | None, exchanges: int) -> None:
    turns = Turns(skip, every, count, per=False)
    struck = [taken[0] for _ in range(exchanges) if (taken := turns.take("", yes)) is not None]
    expected = [j for j in range(exchanges) if j >= skip and (j - skip + 1) % every == 0][:count]
    assert struck == expected
    assert [j for j in range(exchanges) if turns.rolls(j)][:count] == expected
    assert turns.spent == (count is not None and len(expected) == count)
