"""What arrived of a run, as it is told and read."""

from __future__ import annotations

import zlib
from base64 import b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.client.arrived import ArrivedRun, gaps_of, packed, unpacked
from goto.client.histogram import Latencies
from goto.counting.numbers import Numbers
from goto.http.numbered_id import MOST_NUMBERS


def told(**fields: Any) -> ArrivedRun:
    usual = {"since": "2026-01-01T00:00:00Z", "listeners": [], "arrived": 0, "arrivals": 0, "completed": 0, "reordered": 0}
    return msgspec.convert({**usual, "incomplete": False, "count": 0, "numbers": packed(b""), **fields}, ArrivedRun)


@given(tries=st.dictionaries(st.integers(0, 5000), st.integers(1, 255), max_size=20))
def test_numbers_read_back(tries: dict[int, int]) -> None:
    numbers = Numbers()
    numbers.grow(5000)
    for number, count in tries.items():
        numbers.tries[number] = count
        numbers.done(number)
    read = unpacked(told(count=len(numbers), numbers=packed(numbers.to_bytes())))
    assert read.by_tries() == numbers.by_tries()
    assert read.done_set().first(20) == sorted(tries)


@pytest.mark.parametrize(
    ("count", "numbers"),
    [
        (1, "é"),
        (1, "AAAA"),
        (1, b64encode(zlib.compress(b"\1")).decode()),
        (0, b64encode(zlib.compress(bytes(1 << 20))).decode()),
        (-1, packed(b"")),
        (MOST_NUMBERS + 1, packed(b"")),
    ],
)
def test_what_is_no_such_text_is_refused(count: int, numbers: str) -> None:
    with pytest.raises(ValueError, match="numbers"):
        unpacked(told(count=count, numbers=numbers))


def test_counts_below_zero_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="a count below 0"):
        told(arrivals=-1)


def test_gaps_read_back() -> None:
    gaps = Latencies()
    gaps.add([0.001, 0.002])
    assert gaps_of(told()) is None
    read = gaps_of(told(gaps=gaps.encoded()))
    assert read is not None
    assert read.counts == gaps.counts
