"""Fields of a rule that captures may be put into, and what they come to for an exchange."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Generic, NamedTuple, Self, TypeVar

from goto.matching.captures import Capture, in_text
from goto.matching.templates import MissingCapture, Piece, Variable, expand, parse_template
from goto.words import Duration, Size, Status
from goto.words.reading import json_type
from goto.words.spread import Between, Lognormal, Normal, Spread
from goto.words.values import Percent

V = TypeVar("V")

Captures = Mapping[str, Capture]

MOST_BODY: Final = 64 << 20
"""Bytes of one body."""

MOST_RATE: Final = 1 << 30
"""Bytes a second."""

_NO_SHARE: Final = re.compile(r"0{1,3}(\.0{1,6})?%")

LONGEST: Final = Duration.parse("1h")
"""Of anything that holds an exchange."""


class Unable(Exception):
    """What a rule is to do cannot be worked out for this exchange."""


class Given(Generic[V]):
    """A field as it was given, `"{d}s"`, and what it comes to with the captures of an exchange.

    What holds no variable is read at once, so that a mistake in it is found when the rule is added.
    """

    numbers: ClassVar[bool] = True
    """Whether it may be given as a number."""
    schema: ClassVar[dict[str, Any]]

    __slots__ = ("_fixed", "_pieces", "names", "written")

    def __init__(self, written: Any, pieces: tuple[Piece, ...], fixed: V | None) -> None:
        self.written = written
        """As it was given."""
        self.names = frozenset(piece.name for piece in pieces if isinstance(piece, Variable))
        """The variables in it."""
        self._pieces = pieces
        self._fixed = fixed

    @classmethod
    def read(cls, value: Any) -> Self:
        """Raises ValueError with the reason."""
        if not isinstance(value, str) and not (cls.numbers and type(value) is int):
            raise ValueError(f"expected {'a number or text' if cls.numbers else 'text'}, got {json_type(value)}")
        pieces = parse_template(str(value))
        variable = any(isinstance(piece, Variable) for piece in pieces)
        return cls(value, pieces, None if variable else cls.make(str(value)))

    @classmethod
    def make(cls, text: str) -> V:
        """What a text without variables stands for. Raises ValueError with the reason."""
        raise NotImplementedError

    def of(self, captures: Captures) -> V:
        """The value with these captures. Raises `Unable` where one is missing, or makes a value that will not do."""
        if self._fixed is not None:
            return self._fixed
        try:
            return self.make(expand(self._pieces, captures, in_text))
        except (MissingCapture, ValueError):
            raise Unable from None

    @property
    def fixed(self) -> V | None:
        """The value, where it is the same for every exchange."""
        return self._fixed

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Given) and other.written == self.written

    def __hash__(self) -> int:
        return hash(repr(self.written))


class StatusGiven(Given[int]):
    """A status from 200 to 599, or text with captures that makes one."""

    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [{"type": "integer", "minimum": 200, "maximum": 599}, {"type": "string"}],
        "examples": [503],
    }

    @classmethod
    def make(cls, text: str) -> int:
        return int(Status.parse(text))


class SizeGiven(Given[int]):
    """A size of at most 64MiB, `64KiB`, or text with captures that makes one."""

    schema: ClassVar[dict[str, Any]] = {"type": ["string", "integer"], "minimum": 0, "examples": ["64KiB"]}

    @classmethod
    def make(cls, text: str) -> int:
        return int(_size(text, 0, MOST_BODY))


class RateGiven(Given[float]):
    """Bytes a second, `1KiB`, from 1B to 1GiB, or text with captures that makes them."""

    schema: ClassVar[dict[str, Any]] = {"type": ["string", "integer"], "minimum": 1, "examples": ["1KiB"]}

    @classmethod
    def make(cls, text: str) -> float:
        return float(_size(text, 1, MOST_RATE))


class TimeGiven(Given[Duration]):
    """A duration of at most 1h, or text with captures that makes one."""

    numbers = False
    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["5s"]}

    @classmethod
    def make(cls, text: str) -> Duration:
        return short(Duration.parse(text))


class Cut(NamedTuple):
    """After so many bytes, or after a share of them."""

    after: int | None
    share: float | None


class CutGiven(Given[Cut]):
    """A number of bytes, a size, a share of the body, `"50%"`, or text with captures that makes one of these."""

    schema: ClassVar[dict[str, Any]] = {"type": ["integer", "string"], "minimum": 0, "examples": [100, "50%"]}

    @classmethod
    def make(cls, text: str) -> Cut:
        if text.endswith("%"):
            return Cut(None, 0.0 if _NO_SHARE.fullmatch(text) else Percent.parse(text).share)
        return Cut(int(Size.parse(text)), None)


class SpreadGiven(Given[Spread]):
    """`200ms`, `100ms-300ms`, `{"p50", "p99", "most"}` or `{"mean", "spread"}`; the first two may hold captures."""

    numbers = False
    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("p50", "p99", "most", "mean", "spread")},
                "additionalProperties": False,
            },
        ],
        "examples": ["100ms-300ms"],
    }

    @classmethod
    def read(cls, value: Any) -> Self:
        if not isinstance(value, dict):
            return super().read(value)
        given = {key.lower(): item for key, item in value.items() if item not in (None, "")}
        for key, item in given.items():
            if not isinstance(item, str):
                raise ValueError(f"{key} is a duration like 300ms, not {json_type(item)}")
        match sorted(given):
            case ["p50", "p99"] | ["most", "p50", "p99"]:
                return cls(value, (), _lognormal(**{key: _named(key, item) for key, item in given.items()}))
            case ["mean", "spread"]:
                return cls(value, (), Normal(_named("mean", given["mean"]), _named("spread", given["spread"])))
        raise ValueError("give p50 and p99, and most where wanted, or mean and spread")

    @classmethod
    def make(cls, text: str) -> Spread:
        between = Between.parse(text)
        short(between.longest)
        return between


def _lognormal(p50: Duration, p99: Duration, most: Duration | None = None) -> Lognormal:
    if p99 < p50:
        raise ValueError(f"p99 ({p99}) is less than p50 ({p50})")
    if not p50:
        raise ValueError("p50 is more than 0s")
    if most is not None and most < p50:
        raise ValueError(f"most ({most}) is less than p50 ({p50})")
    return Lognormal(p50, p99, most or Duration(min(10 * p99, LONGEST)))


def _named(key: str, text: str) -> Duration:
    try:
        return short(Duration.parse(text))
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def short(duration: Duration) -> Duration:
    """The same. Raises ValueError where it is longer than anything may be that holds an exchange."""
    if duration > LONGEST:
        raise ValueError(f"{duration} is more than {LONGEST}")
    return duration


def _size(text: str, least: int, most: int) -> Size:
    size = Size.parse(text)
    if not least <= size <= most:
        raise ValueError(f"{text} is not from {spoken(least)} to {spoken(most)}")
    return size


def spoken(size: int) -> str:
    """A number of bytes as people write it, `64KiB`."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size and not size % unit:
            return f"{size // unit}{name}"
    return f"{size}B"
