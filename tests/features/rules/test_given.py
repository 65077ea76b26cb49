"""What captures are put into."""

from __future__ import annotations

from typing import Any

import pytest

from goto.features.rules.given import (
    Cut,
    CutGiven,
    Given,
    RateGiven,
    SizeGiven,
    SpreadGiven,
    StatusGiven,
    TimeGiven,
    Unable,
)
from goto.matching.captures import Capture
from goto.words import Duration
from goto.words.spread import Between, Lognormal, Normal

MS = 1_000_000


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (StatusGiven, 503, 503),
        (StatusGiven, "503", 503),
        (SizeGiven, "64KiB", 65536),
        (SizeGiven, 1000, 1000),
        (RateGiven, "1KiB", 1024.0),
        (TimeGiven, "1.5s", Duration(1500 * MS)),
        (CutGiven, 100, Cut(100, None)),
        (CutGiven, "1KiB", Cut(1024, None)),
        (CutGiven, "50%", Cut(None, 0.5)),
        (CutGiven, "0%", Cut(None, 0.0)),
        (SpreadGiven, "200ms", Between(Duration(200 * MS), Duration(200 * MS))),
        (SpreadGiven, "100ms-300ms", Between(Duration(100 * MS), Duration(300 * MS))),
        (SpreadGiven, {"p50": "80ms", "P99": "900ms"}, Lognormal(Duration(80 * MS), Duration(900 * MS), Duration(9000 * MS))),
        (
            SpreadGiven,
            {"p50": "1s", "p99": "30m"},
            Lognormal(Duration(1000 * MS), Duration(30 * 60_000 * MS), Duration(3600_000 * MS)),
        ),
        (SpreadGiven, {"mean": "1s", "spread": "100ms"}, Normal(Duration(1000 * MS), Duration(100 * MS))),
    ],
)
def test_what_is_given(kind: type[Given[Any]], value: Any, expected: Any) -> None:
    given = kind.read(value)
    assert given.of({}) == given.fixed == expected
    assert given.written == value
    assert given == kind.read(value)
    assert hash(given) == hash(kind.read(value))
    assert given.names == frozenset()


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        (StatusGiven, 99, "99 is not a status from 200 to 599"),
        (StatusGiven, True, "expected a number or text, got a boolean"),
        (StatusGiven, [503], "expected a number or text, got a list"),
        (StatusGiven, 503.5, "expected a number or text, got a number"),
        (SizeGiven, "65MiB", "65MiB is not from 0B to 64MiB"),
        (SizeGiven, "-1", "'-1' is not a size"),
        (RateGiven, "0", "0 is not from 1B to 1GiB"),
        (RateGiven, "2GiB", "2GiB is not from 1B to 1GiB"),
        (TimeGiven, 5, "expected text, got a number"),
        (TimeGiven, "2h", "2h0m0s is more than 1h0m0s"),
        (CutGiven, "101%", "101% is not above 0% and up to 100%"),
        (CutGiven, "x%", "'x%' is not a percentage"),
        (SpreadGiven, "300ms-100ms", "300ms-100ms ends before it begins"),
        (SpreadGiven, "1s-2h", "2h0m0s is more than 1h0m0s"),
        (SpreadGiven, {"p50": "80ms", "p99": "50ms"}, "p99 (50ms) is less than p50 (80ms)"),
        (SpreadGiven, {"p50": "0s", "p99": "50ms"}, "p50 is more than 0s"),
        (SpreadGiven, {"p50": "2s", "p99": "3s", "most": "1s"}, "most (1s) is less than p50 (2s)"),
        (SpreadGiven, {"p50": "2s", "p99": "3h"}, "p99: 3h0m0s is more than 1h0m0s"),
        (SpreadGiven, {"mean": "2s"}, "give p50 and p99, and most where wanted, or mean and spread"),
        (SpreadGiven, {"mean": "2s", "p50": "1s"}, "give p50 and p99"),
        (SpreadGiven, {"mean": 5, "spread": "1s"}, "mean is a duration like 300ms, not a number"),
        (SpreadGiven, "{d", "'{d' is not closed"),
    ],
)
def test_what_will_not_do(kind: type[Given[Any]], value: Any, says: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the message is compared below
        kind.read(value)
    assert str(caught.value).startswith(says)


def test_captures_are_put_in() -> None:
    given = SpreadGiven.read("{a}ms-{b}ms")
    assert given.names == {"a", "b"}
    assert given.fixed is None
    captures = {"a": Capture("1%30", "uri"), "b": Capture("20", "header")}
    assert given.of(captures) == Between(Duration(10 * MS), Duration(20 * MS))


@pytest.mark.parametrize(
    ("kind", "text", "captured"),
    [
        (StatusGiven, "{n}", "99"),
        (StatusGiven, "{n}", ""),
        (SpreadGiven, "{n}s", "abc"),
        (SpreadGiven, "{n}", "9h"),
        (SizeGiven, "{n}", "65MiB"),
        (RateGiven, "{n}", "0"),
        (TimeGiven, "{n}s", "x"),
        (CutGiven, "{n}%", "500"),
        (StatusGiven, "{n}", None),
    ],
)
def test_a_capture_that_will_not_do_makes_unable(kind: type[Given[Any]], text: str, captured: str | None) -> None:
    with pytest.raises(Unable):
        kind.read(text).of({} if captured is None else {"n": Capture(captured, "query")})
