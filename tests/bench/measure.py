"""A row of the table: what is measured, what is demanded of it, and what came out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, Protocol, TypeVar

from bench.missing import Missing

T = TypeVar("T")


class Start(Protocol):
    """Starts a context manager that ends with the row, and gives what it gives."""

    def __call__(self, tool: contextlib.AbstractContextManager[T], /) -> T: ...


@dataclass(frozen=True)
class Plan:
    """How often, and for how long at a time, everything is measured."""

    rounds: int = 9
    seconds: int = 1


Side = Callable[[int], float]
"""Puts load on for so many seconds; what was done a second."""


@dataclass(frozen=True)
class Outcome:
    """What a row's cells show, and how it stands to what is demanded of it."""

    measured: str
    ratio: str = "–"
    met: Literal["aim", "yes", "no", "–"] = "–"


@dataclass(frozen=True)
class Ratio:
    """A rate beside another one. Both are measured in turn, A B A B A B, and the medians compared."""

    name: str
    what: str
    beside: str
    sides: Callable[[Start], tuple[Side, Side]]
    """Starts what is measured and what it is compared with."""
    at_least: float | None = None
    aim: float | None = None

    def measure(self, plan: Plan) -> Outcome:
        with contextlib.ExitStack() as stack:
            sides = self.sides(stack.enter_context)
            for side in sides:
                side(1)  # connections are made, code paths are warm
            rounds = [[side(plan.seconds) for side in sides] for _ in range(plan.rounds)]
        own, other = (median(rates) for rates in zip(*rounds, strict=True))
        ratio = own / other
        return Outcome(f"{own:,.0f}/s, {other:,.0f}/s", f"{ratio:.2f}", _met(ratio, self.at_least, self.aim))

    @property
    def demands(self) -> tuple[str, str]:
        return tuple("–" if demand is None else f"{demand:.2f} ×" for demand in (self.at_least, self.aim))


@dataclass(frozen=True)
class Limit:
    """A figure that may be at most so much, or has to be at least so much where `least` says so."""

    name: str
    what: str
    figure: Callable[[Start, Plan], float]
    unit: str
    at_least: float
    """The demand, by its name in the table: a limit from above, unless `least`."""
    aim: float
    least: bool = False
    digits: int = 0

    @property
    def beside(self) -> str:
        return ""

    def measure(self, plan: Plan) -> Outcome:
        with contextlib.ExitStack() as stack:
            figure = self.figure(stack.enter_context, plan)
        sign = 1 if self.least else -1
        shown = round(figure, self.digits) + 0.0  # no -0.0
        return Outcome(f"{shown:.{self.digits}f} {self.unit}", "–", _met(sign * figure, sign * self.at_least, sign * self.aim))

    @property
    def demands(self) -> tuple[str, str]:
        bound = "≥" if self.least else "≤"
        return f"{bound} {self.at_least:g} {self.unit}", f"{bound} {self.aim:g} {self.unit}"


Row = Ratio | Limit


def measured(row: Row, plan: Plan) -> Outcome:
    """Measure a row; where something is missing, the outcome says what."""
    try:
        return row.measure(plan)
    except Missing as missing:
        return Outcome(f"skipped: {missing}")


def _met(figure: float, at_least: float | None, aim: float | None) -> Any:
    if at_least is None or aim is None:
        return "–"
    return "aim" if figure >= aim else "yes" if figure >= at_least else "no"
