"""Noting latencies in buckets."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from goto.client.buckets import LONGEST, SHORT, Noted, bucket

microseconds = st.lists(st.one_of(st.integers(-3, 10), st.integers(0, 2 * SHORT), st.integers(0, 2 * LONGEST)), max_size=60)


@given(st.integers(0, LONGEST))
def test_a_bucket_has_three_significant_digits(value: int):
    lowest = bucket(value / 1e6)
    assert lowest <= value
    assert value - lowest <= value / 1000
    assert value >= SHORT or lowest == value


@given(st.lists(microseconds, max_size=3))
def test_what_is_taken_is_what_was_noted_since(rounds: list[list[int]]):
    noted = Noted()
    for values in rounds:
        for value in values:
            noted.add(value / 1e6)
        assert noted.take() == Counter(bucket(value / 1e6) for value in values)
    assert noted.take() == {}


def test_what_is_noted_outlives_shrinking():
    noted = Noted()
    noted.add(0.001)
    noted.shrink()
    noted.add(0.001)
    assert noted.take() == {1000: 2}
    noted.shrink()
    noted.add(0.002)
    assert noted.take() == {2000: 1}
