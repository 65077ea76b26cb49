"""What `GET /goto/metrics` shows of a feature: declared on the method that reads it.

    @measure("gate_refused_requests", "counter")
    def refused(self) -> int:
        '''Requests that were refused while the gate was shut.'''
        return self.count

The method is called at each scrape, for each listener, and only reads what the feature counts anyway. The first line of its
docstring is the description. A `counter` and a `gauge` are numbers, a `summary` is a `Summary`, a `histogram` a `Histogram`.
With `labels` the method returns a map from a label's value to these, or from a tuple of the labels' values where there are
several. All have the label `listener` besides.

Names follow https://prometheus.io/docs/practices/naming/: base units, without the ending that a type adds (`_total` of a
counter). No label may contain what a client sent, since the Prometheus server keeps a series for each value.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

F = TypeVar("F", bound=Callable[..., Any])

Kind = Literal["counter", "gauge", "summary", "histogram"]

LISTENER = "listener"
"""The label that every measure has."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ENDING = re.compile(r"_(total|count|sum|bucket|created|info)$")


@dataclass(frozen=True, slots=True)
class Summary:
    """How often something was observed, and the sum of it."""

    count: int
    total: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """Observations by bucket."""

    bounds: Sequence[float]
    """The upper bound of each bucket, rising."""
    counts: Sequence[int]
    """The number of observations in each bucket, not cumulated, and in one more for those past the last bound."""
    total: float
    """The sum of all observations."""


Value = float | Summary | Histogram


@dataclass(frozen=True, slots=True)
class Measure:
    """A family of metrics, and the method that reads it."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    description: str
    method: str

    def read(self, owner: object) -> list[tuple[tuple[str, ...], Value]]:
        """The values with those of the labels, as they are now. Raises `TypeError` where the method returns something else."""
        found = getattr(owner, self.method)()
        if not self.labels:
            return [((), self._value(found))]
        if not isinstance(found, Mapping):
            raise TypeError(f"{self.name} has labels: return a map from their values, not {found!r}")
        return [(self._words(key), self._value(value)) for key, value in found.items()]

    def _words(self, key: object) -> tuple[str, ...]:
        words = tuple(map(str, key)) if isinstance(key, tuple) else (str(key),)
        if len(words) != len(self.labels):
            raise TypeError(f"{self.name} has the labels {', '.join(self.labels)}: return a value of each, not {key!r}")
        return words

    def _value(self, found: Any) -> Value:
        match self.kind:
            case "summary":
                fits = isinstance(found, Summary)
            case "histogram":
                fits = isinstance(found, Histogram) and len(found.counts) == len(found.bounds) + 1
            case _:
                fits = isinstance(found, (int, float))
        if not fits:
            raise TypeError(f"{self.name} is a {self.kind}, which {found!r} is not")
        value: Value = found
        return value


def measure(name: str, kind: Kind, *, labels: Iterable[str] = ()) -> Callable[[F], F]:
    """Declare what a method reads as a metric. Raises `ValueError` for names that Prometheus does not take."""
    names = tuple(labels)
    if kind not in get_args(Kind):
        raise ValueError(f"{name}: {kind!r} is not a type of metric: write one of {', '.join(get_args(Kind))}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a metric: write small letters, digits and _, a letter first")
    if ending := _ENDING.search(name):
        raise ValueError(f"{name}: the ending {ending[0]} is added where it belongs: leave it out")
    for label in names:
        if not _NAME.fullmatch(label) or label in (LISTENER, "le", "quantile") or names.count(label) > 1:
            raise ValueError(
                f"{name}: {label!r} may not be a label of it: write small letters, digits and _, each name once, "
                f"and not {LISTENER}, le or quantile"
            )

    def mark(method: F) -> F:
        description = (inspect.getdoc(method) or "").partition("\n")[0]
        if not description:
            raise ValueError(f"{name}: say in the docstring of {method.__name__} what is measured")
        method.__dict__["__measure__"] = Measure(name, kind, names, description, method.__name__)
        return method

    return mark


def measures_of(owner: type) -> list[Measure]:
    """The measures declared on a class, in the order written."""
    members = {name: member for base in reversed(owner.__mro__) for name, member in base.__dict__.items()}
    return [member.__measure__ for member in members.values() if isinstance(getattr(member, "__measure__", None), Measure)]
