"""The dice fall as they are documented."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.features.rules.dice import MOST_SEED, Dice, Purpose, Weights

PURPOSES: list[Purpose] = ["strike", "delay", "outcome"]


@pytest.mark.parametrize(
    ("seed", "name", "number", "purpose", "digest", "u"),
    [
        (7, "flaky", 0, "strike", "87198be8d3d4a93c", 0.5277335589815545),
        (7, "flaky", 1, "delay", "ea684d0a4de39890", 0.9156540060192938),
        (2026, "größe", 12, "outcome", "1a992a77019e0501", 0.1038996258299606),
    ],
)
def test_the_table(seed: int, name: str, number: int, purpose: Purpose, digest: str, u: float) -> None:
    data = name.encode() + b"\0" + str(number).encode() + b"\0" + purpose.encode()
    assert hashlib.blake2b(data, digest_size=8, key=seed.to_bytes(8, "big")).hexdigest() == digest
    assert Dice(seed, name).throw(number, purpose) == u


def test_a_chance_of_half() -> None:
    dice = Dice(7, "flaky")
    assert [number for number in range(12) if dice.throw(number, "strike") < 0.5] == [2, 3, 5, 7, 11]


@given(st.integers(0, MOST_SEED), st.text(min_size=1), st.integers(0, 10**18), st.sampled_from(PURPOSES))
def test_a_throw_is_above_0_and_below_1_and_the_same_each_time(seed: int, name: str, number: int, purpose: Purpose) -> None:
    dice = Dice(seed, name)
    u = dice.throw(number, purpose)
    assert 0 < u < 1
    assert dice.throw(number, purpose) == Dice(seed, name).throw(number, purpose) == u


def test_purposes_names_and_seeds_are_apart() -> None:
    thrown = {Dice(seed, name).throw(3, purpose) for seed in (0, 1) for name in ("a", "b") for purpose in PURPOSES}
    assert len(thrown) == 12


def test_throws_are_spread_evenly() -> None:
    dice = Dice(1, "even")
    tenths = Counter(int(dice.throw(number, "strike") * 10) for number in range(20_000))
    assert all(1_800 < tenths[tenth] < 2_200 for tenth in range(10))


def test_two_of_equal_weight() -> None:
    dice, weights = Dice(7, "flaky"), Weights([1, 1])
    assert [weights.pick(dice.throw(number, "outcome")) for number in range(6)] == [0, 1, 0, 0, 0, 0]


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20), st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_the_first_whose_running_sum_is_above(weights: list[int], u: float) -> None:
    picked = Weights(weights).pick(u)
    assert sum(weights[: picked + 1]) > u * sum(weights) >= sum(weights[:picked])
