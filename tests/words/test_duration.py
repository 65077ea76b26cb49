"""Go's durations: what `time.ParseDuration` documents, and what its own tests list."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goto.words import Duration

LONGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("+0", 0),
        ("0s", 0),
        ("5s", 5 * 10**9),
        ("+5s", 5 * 10**9),
        ("1478s", 1478 * 10**9),
        ("5.0s", 5 * 10**9),
        ("5.6s", 5_600_000_000),
        ("5.s", 5 * 10**9),
        (".5s", 500_000_000),
        ("1.004s", 1_004_000_000),
        ("100.00100s", 100_001_000_000),
        ("10ns", 10),
        ("11us", 11_000),
        ("12µs", 12_000),  # U+00B5
        ("12μs", 12_000),  # U+03BC
        ("13ms", 13_000_000),
        ("14s", 14 * 10**9),
        ("15m", 15 * 60 * 10**9),
        ("16h", 16 * 3600 * 10**9),
        ("3h30m", 12600 * 10**9),
        ("10.5s4m", 250_500_000_000),
        ("1h2m3s4ms5us6ns", 3_723_004_005_006),
        ("39h9m14.425s", 140_954_425_000_000),
        ("52763797000ns", 52_763_797_000),
        ("1h15m30.918273645s", 4_530_918_273_645),
        ("9007199254740993ns", 2**53 + 1),  # no float may stand on the way
        ("9223372036854775807ns", LONGEST),
        ("9223372036854775.807us", LONGEST),
        ("9223372036s854ms775us807ns", LONGEST),
        ("0.100000000000000000000h", 360 * 10**9),
        ("0.830103483285477580700h", 2_988_372_539_827),
    ],
)
def test_reads_what_go_reads(text: str, nanoseconds: int):
    assert Duration.parse(text) == nanoseconds
    assert isinstance(Duration.parse(text), Duration)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "1 s", " 1s", "1s ", "1s\n", "\x85\x85", "1_0s", "１s", "9" * 5000 + "h", "3", "00", "hello", "nan", "0x1s"),
        *("-1s", "-0", "1h-1m", "s", ".", ".s", "+", "+.s", "++1s", "1d", "0.1d", "1S", "1e3s", "1s2", "1,5s"),
        *("9223372036854775808ns", "9223372036854775.808us", "3000000h"),
    ],
)
def test_refuses_what_is_none_and_says_which(text: str):
    with pytest.raises(ValueError, match=r"\w"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1µs"),
        (500_000, "500µs"),
        (2_200_000, "2.2ms"),
        (300_000_000, "300ms"),
        (3_300_000_000, "3.3s"),
        (90 * 10**9, "1m30s"),
        (60 * 10**9, "1m0s"),
        (3600 * 10**9, "1h0m0s"),
        (4 * 60 * 10**9 + 5 * 10**9, "4m5s"),
        (4 * 60 * 10**9 + 5_001_000_000, "4m5.001s"),
        (5 * 3600 * 10**9 + 6 * 60 * 10**9 + 7_001_000_000, "5h6m7.001s"),
        (8 * 60 * 10**9 + 1, "8m0.000000001s"),
        (LONGEST, "2562047h47m16.854775807s"),
    ],
)
def test_prints_as_go_prints(nanoseconds: int, text: str):
    assert str(Duration(nanoseconds)) == text
    assert f"{Duration(nanoseconds)}" == text


@given(st.integers(0, LONGEST))
@example(999_999_999)
@example(59_999_999_999)
def test_what_was_printed_reads_back(nanoseconds: int):
    assert Duration.parse(str(Duration(nanoseconds))) == nanoseconds


@given(st.text() | st.text(alphabet="0123456789.+-nuµmsh ", max_size=40))
def test_garbage_is_a_value_error_and_nothing_else(text: str):
    with contextlib.suppress(ValueError):
        assert 0 <= Duration.parse(text) <= LONGEST


def test_the_fraction_beyond_a_nanosecond_is_dropped():
    assert Duration.parse("1.0000000019s") == 1_000_000_001
    assert Duration.parse("0." + "3" * 5000 + "s") == 333_333_333


def test_seconds_and_truth():
    assert Duration.parse("1.5s").seconds == 1.5
    assert not Duration.ZERO
    assert Duration.parse("1ns")
