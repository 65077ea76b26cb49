"""Durations that differ from draw to draw."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.words.duration import Duration
from goto.words.spread import Between, Lognormal, Normal, Spread

MS = 1_000_000
chances = st.floats(0, 1, exclude_min=True, exclude_max=True)


def ms(number: float) -> Duration:
    return Duration(number * MS)


@pytest.mark.parametrize(
    ("text", "shown"), [("200ms", "200ms"), ("100ms-0.3s", "100ms-300ms"), ("0-1s", "0s-1s"), ("1s-1s", "1s")]
)
def test_between_is_read_and_printed(text: str, shown: str) -> None:
    assert str(Between.parse(text)) == shown
    assert Between.parse(shown) == Between.parse(text)


@pytest.mark.parametrize("text", ["", "-", "1s-", "-1s", "1s-2s-3s", "x-1s", "1s-x"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        Between.parse(text)


@pytest.mark.parametrize("text", ["-1s", "1s-"])
def test_half_a_range_is_shown_whole(text: str) -> None:
    with pytest.raises(ValueError, match=rf"^'{text}' is not a duration"):
        Between.parse(text)


def test_a_range_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match=r"^300ms-100ms ends before it begins$"):
        Between.parse("300ms-100ms")


def test_one_duration_stays_as_it_is() -> None:
    assert Between.parse("1ns").at(0.3) == 1


@given(st.integers(0, 3600_000), st.integers(0, 3600_000), chances)
def test_a_range_is_drawn_evenly_and_never_left(low: int, more: int, u: float) -> None:
    drawn = Between(ms(low), ms(low + more)).at(u)
    assert ms(low) <= drawn <= ms(low + more)
    assert abs(drawn - (low + u * more) * MS) <= 1_000


@pytest.mark.parametrize(("u", "expected"), [(0.5, 80 * MS), (0.99, 900 * MS), (0.9999999, 9_000 * MS)])
def test_percentiles_are_met_and_most_bounds(u: float, expected: int) -> None:
    assert Lognormal(ms(80), ms(900), ms(9_000)).at(u) == expected


def test_normal_is_never_below_0() -> None:
    normal = Normal(ms(100), ms(50))
    assert normal.at(0.5) == ms(100)
    assert normal.at(0.8413447460685429) == ms(150)
    assert normal.at(1e-9) == 0


@given(chances, chances)
def test_a_larger_u_is_never_a_shorter_delay(u: float, v: float) -> None:
    low, high = sorted((u, v))
    spreads: list[Spread] = [Between(ms(1), ms(9)), Lognormal(ms(1), ms(9), ms(20)), Normal(ms(5), ms(2))]
    for spread in spreads:
        assert spread.at(low) <= spread.at(high)
        assert spread.at(low) % 1_000 == 0
