"""Which exchanges something holds for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.counting.ration import Ration


def test_all_where_nothing_bounds_it() -> None:
    ration = Ration()
    assert all(ration.take() for _ in range(100))
    assert (ration.left, ration.spent) == (None, False)


@given(st.integers(1, 20), st.floats(0.2, 1))
def test_never_more_than_the_count_and_in_the_end_all_of_it(left: int, chance: float) -> None:
    ration = Ration(left, chance)
    taken = [ration.take() for _ in range(2_000)]
    assert taken.count(True) == left
    assert ration.spent
    assert not any(ration.take() for _ in range(10))


def test_what_is_not_handed_out_takes_nothing() -> None:
    ration = Ration(2, 1e-8)
    assert not any(ration.take() for _ in range(1_000))
    assert ration.left == 2


def test_a_chance_is_met() -> None:
    ration = Ration(None, 0.25)
    assert sum(ration.take() for _ in range(20_000)) / 20_000 == pytest.approx(0.25, abs=0.03)


def test_each_throws_anew() -> None:
    assert [Ration().draw() for _ in range(3)] != [Ration().draw() for _ in range(3)]
