"""Figures over time, in blocks."""

from __future__ import annotations

from typing import cast

from goto.client.series import Point, Series
from goto.command.send.plot import Moment, bar, columns_of, moments_of


def series(every: str, *points: tuple[int, float]) -> Series:
    zeros = {"at": 0.0, "errors": 0, "bytes": 0, "p50": 0.0, "max": 0.0}
    return {"every": every, "points": [cast("Point", {**zeros, "requests": requests, "p99": p99}) for requests, p99 in points]}


def test_targets_that_began_together_become_one_series():
    short = series("100ms", (1, 5.0), (2, 7.0), (4, 1.0))
    long = series("200ms", (10, 6.0), (20, 0.5), (40, 9.0))
    assert moments_of([short, long]) == ([Moment(13, 7.0), Moment(24, 1.0), Moment(40, 9.0)], 0.2)
    assert moments_of([]) == ([], 0.0)


def test_moments_become_as_many_columns_as_there_is_room():
    points = [Moment(number, float(number)) for number in range(10)]
    assert columns_of(points, 0.5, 10) == ([number * 2 for number in range(10)], [float(number) for number in range(10)])
    rates, slow = columns_of(points, 0.5, 4)
    assert (rates, slow) == ([2, 8, 14, 18], [2.0, 5.0, 8.0, 9.0])
    assert columns_of([], 0.1, 4) == columns_of(points, 0.1, 0) == ([], [])


def test_a_bar_is_as_high_as_the_figure():
    assert bar([0, 0.001, 4, 8], blocks=True) == " ▁▄█"
    assert bar([0, 0.001, 4, 8], blocks=False) == " .=@"
    assert bar([0, 0], blocks=True) == "  "
    assert bar([], blocks=True) == ""
