"""Figures over time, in blocks."""

from __future__ import annotations

from goto.client.series import Point
from goto.command.send.plot import bar, columns_of


def point(requests: int, p99: float) -> Point:
    return {"at": 0.0, "requests": requests, "errors": 0, "bytes": 0, "p50": 0.0, "p99": p99, "max": p99}


def test_points_become_as_many_columns_as_there_is_room():
    points = [point(number, float(number)) for number in range(10)]
    assert columns_of(points, 0.5, 10) == ([number * 2 for number in range(10)], [float(number) for number in range(10)])
    rates, slow = columns_of(points, 0.5, 4)
    assert (rates, slow) == ([2, 8, 14, 18], [2.0, 5.0, 8.0, 9.0])
    assert columns_of([], 0.1, 4) == columns_of(points, 0.1, 0) == ([], [])


def test_a_bar_is_as_high_as_the_figure():
    assert bar([0, 0.001, 4, 8], blocks=True) == " ▁▄█"
    assert bar([0, 0.001, 4, 8], blocks=False) == " .=@"
    assert bar([0, 0], blocks=True) == "  "
    assert bar([], blocks=True) == ""
