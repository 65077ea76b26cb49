"""What is forced on traffic, and on how much of it: `VALUE[:COUNT][@PERCENT]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from goto.words.duration import Duration
from goto.words.numbers import COUNT, Status, whole_number
from goto.words.spread import Between

_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,6}))?%", re.ASCII)
_SCALE = 1_000_000
"""Millionths of a percent are the least that is told apart."""


class Percent(int):
    """A share above 0% and up to 100%, in millionths of a percent."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,6})?%$", "examples": ["10%"]}

    @classmethod
    def parse(cls, text: str) -> Percent:
        """Raises ValueError with the reason."""
        found = _PERCENT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a percentage like 10% or 0.5%")
        millionths = int(found[1]) * _SCALE + int((found[2] or "").ljust(6, "0"))
        if not 0 < millionths <= 100 * _SCALE:
            raise ValueError(f"{text} is not above 0% and up to 100%")
        return cls(millionths)

    @property
    def share(self) -> float:
        """Above 0, up to 1."""
        return self / (100 * _SCALE)

    def __str__(self) -> str:
        return f"{(Decimal(int(self)) / _SCALE).normalize():f}%"

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Dose:
    """How much of traffic: the next `count` exchanges, or all; each, or with the chance of `percent`."""

    count: int | None = None
    percent: Percent | None = None

    @classmethod
    def split(cls, text: str) -> tuple[str, Dose]:
        """The VALUE of `VALUE[:COUNT][@PERCENT]`, and the rest. Raises ValueError with the reason."""
        text, at, percent = text.partition("@")
        value, colon, count = text.partition(":")
        return value, cls(whole_number(count, 1, what="count") if colon else None, Percent.parse(percent) if at else None)

    def told(self) -> str:
        """In words that follow the value: ` for the next 5 at 10%`."""
        count = "" if self.count is None else f" for the next {self.count}"
        return count if self.percent is None else f"{count} at {self.percent}"

    def __str__(self) -> str:
        count = "" if self.count is None else f":{self.count}"
        return count if self.percent is None else f"{count}@{self.percent}"


# for schemas, in the regular expressions that JSON Schema has
_DOSE = rf"{COUNT}(@[0-9]{{1,3}}(\.[0-9]{{1,6}})?%)?"
_DURATION = Duration.schema["pattern"].removeprefix("^").removesuffix("$")


@dataclass(frozen=True, slots=True)
class Statuses:
    """`503`, `503:2` for the next two exchanges, `500,502,503` in turn, `503@10%` for one of ten, `503:5@10%`; `0` for none."""

    statuses: tuple[Status, ...]
    dose: Dose = Dose()

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": f"^(0|[2-5][0-9][0-9](,[2-5][0-9][0-9])*){_DOSE}$",
        "examples": ["503", "503:2", "500,502:10@5%"],
    }

    @classmethod
    def parse(cls, text: str) -> Statuses:
        """Raises ValueError with the reason."""
        value, dose = Dose.split(text)
        return cls(() if value == "0" else tuple(Status.parse(word.strip()) for word in value.split(",")), dose)

    @property
    def listed(self) -> str:
        return ",".join(map(str, self.statuses)) or "0"

    def __str__(self) -> str:
        return f"{self.listed}{self.dose}"


@dataclass(frozen=True, slots=True)
class Delays:
    """`200ms`, `200ms:3` for the next three exchanges, `100ms-300ms` for each its own, `1s@10%` for one of ten; `0` for none."""

    delay: Between
    dose: Dose = Dose()

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": f"^{_DURATION}(-{_DURATION})?{_DOSE}$",
        "examples": ["200ms", "1.5s:3", "100ms-300ms@10%"],
    }

    @classmethod
    def parse(cls, text: str) -> Delays:
        """Raises ValueError with the reason."""
        value, dose = Dose.split(text)
        return cls(Between.parse(value), dose)

    def __bool__(self) -> bool:
        return bool(self.delay.high)

    def __str__(self) -> str:
        return f"{self.delay}{self.dose}"
