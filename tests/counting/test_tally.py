"""What came of calls, counted in buckets."""

from __future__ import annotations

from goto.counting.tally import BOUNDS, Tally


def test_a_latency_is_in_the_bucket_of_the_next_bound() -> None:
    tally = Tally()
    assert not tally.used
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] * 1.01, BOUNDS[-1], BOUNDS[-1] + 1):
        tally.answered(seconds)
    assert tally.buckets == [2, 1, *[0] * (len(BOUNDS) - 3), 1, 1]
    assert tally.seconds == BOUNDS[0] * 2.01 + BOUNDS[-1] * 2 + 1
    assert tally.used


def test_failures_are_counted_by_kind() -> None:
    tally = Tally()
    for kind in ("connect", "broken", "connect"):
        tally.failed(kind)
    assert tally.failures == {"connect": 2, "broken": 1}
    assert tally.used


def test_bounds_ascend() -> None:
    assert sorted(set(BOUNDS)) == [*BOUNDS]
