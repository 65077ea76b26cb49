"""Figures over time, drawn in blocks on one line."""

from __future__ import annotations

from collections.abc import Sequence

from goto.client.series import Point

BLOCKS = " ▁▂▃▄▅▆▇█"
SIGNS = " .:-=+*#@"
"""What stands for blocks where the output cannot show them."""


def columns_of(points: Sequence[Point], every: float, columns: int) -> tuple[list[float], list[float]]:
    """Points as so many columns at most: of each the requests a second, and the highest p99 in milliseconds."""
    if not points or columns < 1:
        return [], []
    each = -(-len(points) // columns)
    groups = [points[at : at + each] for at in range(0, len(points), each)]
    # the last point is seldom full
    rates = [sum(point["requests"] for point in group) / (len(group) * every) for group in groups]
    return rates, [max(point["p99"] for point in group) for group in groups]


def bar(figures: Sequence[float], *, blocks: bool) -> str:
    """A character for each figure, as high as it is beside the largest; only what is nothing is blank."""
    signs = BLOCKS if blocks else SIGNS
    most = max(figures, default=0.0)
    if most <= 0:
        return signs[0] * len(figures)
    return "".join(signs[max(round(figure / most * (len(signs) - 1)), 1) if figure > 0 else 0] for figure in figures)
