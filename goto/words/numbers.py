"""Numbers: statuses, ports, sizes, counts and flags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from goto.words.duration import Duration

MOST_TARGETS = 100_000
"""No limit on targets is higher."""


_SIZE = re.compile(r"([0-9]{1,12})(B|KiB|MiB|GiB)?", re.ASCII)


_UNITS = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Size(int):
    """A number of bytes: `64KiB`, `1MiB`, `500B`, `500`."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)?$", "examples": ["64KiB"]}

    @classmethod
    def parse(cls, text: str) -> Size:
        found = _SIZE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a size like 64KiB or 1MiB")
        return cls(int(found[1]) * _UNITS[found[2]])


class HeadSize(Size):
    """A size that a request fits in: `1KiB` or more."""

    @classmethod
    def parse(cls, text: str) -> HeadSize:
        size = Size.parse(text)
        if size < 1024:
            raise ValueError(f"{text} is too little for a request: give 1KiB or more")
        return cls(size)


class HeadTime(Duration):
    """A duration above 0."""

    @classmethod
    def parse(cls, text: str) -> HeadTime:
        duration = cls(Duration.parse(text))
        if not duration:
            raise ValueError("no head comes in no time: give more than 0")
        return duration


class Number(int):
    """A whole number from 1."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1}

    @classmethod
    def parse(cls, text: str) -> Number:
        if not text.isascii() or not text.isdecimal() or len(text) > 15 or int(text) < 1:
            raise ValueError(f"{text!r} is not a whole number from 1")
        return cls(text)


class TargetNumber(Number):
    """A number of targets."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": MOST_TARGETS}

    @classmethod
    def parse(cls, text: str) -> TargetNumber:
        number = Number.parse(text)
        if number > MOST_TARGETS:
            raise ValueError(f"there may be {MOST_TARGETS:,} at the most")
        return cls(number)


# for schemas, in the regular expressions that JSON Schema has
_COUNT = "(:[1-9][0-9]{0,17})?"


def _whole(text: str) -> int:
    """A whole number in ASCII digits; int() alone would take `1_0`, ` 1` and other alphabets' digits."""
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


class Status(int):
    """A status that can be answered: 200..599."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 200, "maximum": 599, "examples": [503]}

    @classmethod
    def parse(cls, text: str) -> Status:
        status = _whole(text)
        if len(text) != 3 or not 200 <= status <= 599:
            raise ValueError(f"{status} is not a status from 200 to 599")
        return cls(status)


class Port(int):
    """A TCP port: 1..65535."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": 65535, "examples": [8081]}

    @classmethod
    def parse(cls, text: str) -> Port:
        port = _whole(text)
        if not 1 <= port <= 65535:
            raise ValueError(f"{port} is not a port from 1 to 65535")
        return cls(port)


def _counted(text: str) -> tuple[str, int | None]:
    word, colon, count = text.partition(":")
    if not colon:
        return word, None
    number = _whole(count)
    if number < 1:
        raise ValueError("the count after the colon must be at least 1")
    return word, number


@dataclass(frozen=True, slots=True)
class CountedStatus:
    """`503`, or `503:2` for the next two exchanges. `0` stands for none."""

    status: Status | None
    count: int | None = None

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": f"^(0|[2-5][0-9][0-9]){_COUNT}$",
        "examples": ["503", "503:2"],
    }

    @classmethod
    def parse(cls, text: str) -> CountedStatus:
        word, count = _counted(text)
        return cls(None if word == "0" else Status.parse(word), count)

    def __str__(self) -> str:
        return f"{self.status or 0}" if self.count is None else f"{self.status or 0}:{self.count}"


@dataclass(frozen=True, slots=True)
class CountedDuration:
    """`200ms`, or `200ms:3` for the next three exchanges."""

    duration: Duration
    count: int | None = None

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": Duration.schema["pattern"].removesuffix("$") + f"{_COUNT}$",
        "examples": ["200ms", "1.5s:3"],
    }

    @classmethod
    def parse(cls, text: str) -> CountedDuration:
        word, count = _counted(text)
        return cls(Duration.parse(word), count)

    def __str__(self) -> str:
        return str(self.duration) if self.count is None else f"{self.duration}:{self.count}"


class Flag(int):
    """`y`, `yes`, `true`, `1` or `n`, `no`, `false`, `0`, in any case."""

    NO: ClassVar[Flag]
    """For a parameter that need not be given."""
    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "enum": ["y", "yes", "true", "1", "n", "no", "false", "0"],
        "examples": ["y"],
    }

    @classmethod
    def parse(cls, text: str) -> Flag:
        word = text.lower()
        if word in ("y", "yes", "true", "1"):
            return cls(1)
        if word in ("n", "no", "false", "0"):
            return cls(0)
        raise ValueError(f"{text!r} is neither yes nor no: use y or n")


Flag.NO = Flag(0)
