"""Counts by anything a client may send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.counting.bounded import OTHER, TRACKED_LIMIT, VALUE_LENGTH, check_tracked, slot
from goto.errors import Conflict


def test_up_to_the_limit_each_value_is_itself() -> None:
    counts: dict[str, object] = {"a": 1, "b": 1}
    assert slot(counts, "c", 3) == "c"
    assert slot(counts, "c", 2) == OTHER
    assert slot(counts, "a", 2) == "a"


def test_a_long_value_is_counted_with_the_others() -> None:
    assert slot({}, "x" * VALUE_LENGTH) == "x" * VALUE_LENGTH
    assert slot({}, "x" * (VALUE_LENGTH + 1)) == OTHER


@given(st.lists(st.text("abcdefgh", max_size=3), max_size=60), st.integers(0, 10))
def test_sums_are_exact_and_sizes_bounded(values: list[str], limit: int) -> None:
    counts: dict[str, int] = {}
    for value in values:
        key = slot(counts, value, limit)
        counts[key] = counts.get(key, 0) + 1
    assert sum(counts.values()) == len(values)
    assert len(counts) <= limit + 1
    for value, count in counts.items():
        if value != OTHER and OTHER not in counts:
            assert count == values.count(value)


def test_headers_are_tracked_up_to_a_limit() -> None:
    check_tracked(range(TRACKED_LIMIT))
    with pytest.raises(Conflict, match=rf"headers: at most {TRACKED_LIMIT} can be tracked"):
        check_tracked(range(TRACKED_LIMIT + 1))
