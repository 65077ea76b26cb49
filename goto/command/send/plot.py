"""Figures over time, drawn in blocks on one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from goto.client.series import Series
from goto.words import Duration

BLOCKS = " ▁▂▃▄▅▆▇█"
SIGNS = " .:-=+*#@"
"""What stands for blocks where the output cannot show them."""


class Moment(NamedTuple):
    """What came of the requests to all targets within a time."""

    requests: int
    p99: float
    """In milliseconds; the highest of all targets."""


def moments_of(every_series: Sequence[Series]) -> tuple[list[Moment], float]:
    """The series of targets that began together as one, and the seconds that each moment of it covers."""
    seconds = [Duration.parse(series["every"]).seconds for series in every_series]
    longest = max(seconds, default=0.0)
    moments: list[Moment] = []
    for series, each in zip(every_series, seconds, strict=True):
        # a point of one may cover what several of another one do
        several = round(longest / each)
        for place, point in enumerate(series["points"]):
            while place // several >= len(moments):
                moments.append(Moment(0, 0.0))
            requests, p99 = moments[place // several]
            moments[place // several] = Moment(requests + point["requests"], max(p99, point["p99"]))
    return moments, longest


def columns_of(moments: Sequence[Moment], every: float, columns: int) -> tuple[list[float], list[float]]:
    """Moments as so many columns at most: of each the requests a second, and the highest p99 in milliseconds."""
    if not moments or columns < 1:
        return [], []
    each = -(-len(moments) // columns)
    groups = [moments[at : at + each] for at in range(0, len(moments), each)]
    # the last moment is seldom full
    rates = [sum(moment.requests for moment in group) / (len(group) * every) for group in groups]
    return rates, [max(moment.p99 for moment in group) for group in groups]


def bar(figures: Sequence[float], *, blocks: bool) -> str:
    """A character for each figure, as high as it is beside the largest; only what is nothing is blank."""
    signs = BLOCKS if blocks else SIGNS
    most = max(figures, default=0.0)
    if most <= 0:
        return signs[0] * len(figures)
    return "".join(signs[max(round(figure / most * (len(signs) - 1)), 1) if figure > 0 else 0] for figure in figures)
