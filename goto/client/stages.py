"""Stages of a run, one after another: each a rate or a number of replicas, constant or growing or falling evenly.

As fields `{"for": "30s", "rate": [100, 500]}`, as an option `30s:rate=100-500`. What a run makes of them is a `Course`: a figure
over the time since its start.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import ceil, inf, sqrt
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec

from goto.words import Duration

MOST_STAGES = 100

MOST_REPLICAS = 10_000
"""Requests of one target that may be under way at a time, per run."""

MOST_RATE = 1_000_000.0
"""Requests a second."""

LONGEST = Duration.parse("168h")
"""The longest `duration`, and the longest stage."""

_OPTION = re.compile(
    r"(?P<for>[^:=]+):(?P<what>rate|replicas)=(?P<low>[0-9]+(\.[0-9]+)?)(-(?P<high>[0-9]+(\.[0-9]+)?))?", re.ASCII
)

SLACK = 1e-9
"""What a sum over time may be off by, relatively: it is made of floats."""

Rate = Annotated[float, msgspec.Meta(ge=0, le=MOST_RATE)]
Replicas = Annotated[int, msgspec.Meta(ge=0, le=MOST_REPLICAS)]

_TWO = msgspec.Meta(min_length=2, max_length=2)  # of a list: msgspec 0.22 crashes at a tuple beside a number that has bounds


class Stage(msgspec.Struct, omit_defaults=True):
    """A stage: for how long, and which rate or how many replicas. Two numbers are those at its begin and at its end."""

    length: Duration = msgspec.field(name="for")
    """Over 0, and at most seven days."""
    rate: Rate | Annotated[list[Rate], _TWO] | None = None
    """Requests a second that become due."""
    replicas: Replicas | Annotated[list[Replicas], _TWO] | None = None
    """How many send at a time."""

    example: ClassVar[dict[str, Any]] = {"for": "30s", "rate": [100, 500]}

    def __post_init__(self) -> None:
        if not 0 < self.length <= LONGEST:
            raise ValueError(f"for: {self.length} is not over 0 and at most {LONGEST}")
        if (self.rate is None) == (self.replicas is None):
            raise ValueError("needs either rate or replicas: a number, or [from, to]")

    @property
    def ends(self) -> tuple[float, float]:
        """The figure at its begin and at its end."""
        figure = self.replicas if self.rate is None else self.rate
        assert figure is not None
        return (figure[0], figure[1]) if isinstance(figure, list) else (figure, figure)


def stage_of(text: str) -> dict[str, Any]:
    """The fields of a stage that is given as an option. Raises ValueError with the reason."""
    found = _OPTION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no stage: write it like 30s:rate=100-500 or 1m:replicas=1-50")
    low, high = (None if number is None else _number(number) for number in (found["low"], found["high"]))
    return {"for": found["for"], found["what"]: low if high is None else [low, high]}


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


class _Piece(NamedTuple):
    """A part of a course in which the figure changes evenly."""

    start: float
    """Seconds since the start of the course."""
    seconds: float
    low: float
    """The figure at its begin."""
    slope: float
    """By how much it grows a second."""
    before: float
    """The sum of the figure over the time before it."""


class Course:
    """A figure over time: a rate, or a number of replicas."""

    def __init__(self, parts: Sequence[tuple[float, float, float]]) -> None:
        """`parts`: of each its length in seconds, and the figure at its begin and at its end. The last one may have no end."""
        self._pieces: list[_Piece] = []
        start = total = 0.0
        for seconds, low, high in parts:
            slope = 0.0 if seconds == inf else (high - low) / seconds
            self._pieces.append(_Piece(start, seconds, low, slope, total))
            start += seconds
            total += (low + high) / 2 * seconds
        self.end = start
        """Seconds after which it ends."""
        self.total = total
        """The sum of the figure over all of its time."""
        self._at = 0

    @classmethod
    def constant(cls, figure: float, seconds: float = inf) -> Course:
        return cls([(seconds, figure, figure)])

    @classmethod
    def of(cls, stages: Sequence[Stage]) -> Course:
        return cls([(stage.length.seconds, *stage.ends) for stage in stages])

    @property
    def count(self) -> float:
        """Requests that become due before its end, where the figure is a rate."""
        return inf if self.total == inf else ceil(self.total * (1 - SLACK))

    def due(self, number: int) -> float:
        """Seconds after which the sum of the figure reaches a number, `inf` where it never does; 0 is reached when it rises.

        To be called with numbers that ascend.
        """
        while self._at < len(self._pieces):
            start, seconds, low, slope, before = self._pieces[self._at]
            missing = max(number - before, 0.0)
            # the root of low·x + slope·x²/2 = missing, in the form that loses no digits
            root = low * low + 2 * slope * missing
            divisor = low + sqrt(max(root, 0.0)) if root >= -SLACK * low * low else 0.0
            if divisor > 0:
                at = 2 * missing / divisor
                last = self._at + 1 == len(self._pieces)
                if at < seconds * (1 - SLACK) or (not last and at <= seconds * (1 + SLACK)):
                    return start + at
            elif low == 0 and slope > 0:
                return start  # nothing is missing, and from here on it rises
            self._at += 1
        return inf

    def at(self, seconds: float) -> float:
        """The figure at a time; 0 before the start and after the end."""
        for piece in self._pieces:
            if piece.start <= seconds < piece.start + piece.seconds:
                return piece.low + piece.slope * (seconds - piece.start)
        return 0.0

    def number(self, seconds: float) -> tuple[int, float]:
        """The figure at a time as a whole number, halves upwards, and when it may be another; after the end 0 and `inf`."""
        for piece in self._pieces:
            end = piece.start + piece.seconds
            if seconds < end:
                figure = piece.low + piece.slope * (seconds - piece.start)
                number = int(figure + 0.5)
                if piece.slope == 0:
                    return number, end
                edge = number + 0.5 if piece.slope > 0 else number - 0.5
                return number, min(piece.start + (edge - piece.low) / piece.slope, end)
        return 0, inf

    @property
    def peak(self) -> float:
        """The highest figure."""
        return max(max(piece.low, piece.low + piece.slope * piece.seconds if piece.slope else 0.0) for piece in self._pieces)

    def mean(self, seconds: float) -> float:
        """The mean of the figure from the start to a time."""
        end = min(seconds, self.end)
        if end <= 0:
            return self._pieces[0].low
        total = 0.0
        for piece in self._pieces:
            part = min(end - piece.start, piece.seconds)
            if part > 0:
                total += part * (piece.low + piece.slope * part / 2)
        return total / end
