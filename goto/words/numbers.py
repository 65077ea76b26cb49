"""Numbers: statuses, ports, sizes, counts and flags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from goto.words.duration import Duration

MOST_PROXY_TARGETS = 100_000
"""Proxy targets of one listener: the highest value that the limit `targets` can be set to."""

MOST = 10**18 - 1
"""The largest whole number that is read: it fits 64 bits."""

_SIZE = re.compile(r"([0-9]{1,12})(B|KiB|MiB|GiB)?", re.ASCII)
_UNITS = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def whole_number(text: str, least: int = 0, most: int = MOST, what: str = "whole number") -> int:
    """Read a whole number within bounds, written in ASCII digits alone. ValueError says that it is not a `what` within them."""
    # `int` also accepts `1_0`, ` 1` and the digits of other alphabets, and takes quadratic time for long texts
    digits = text.isascii() and text.isdecimal()
    if digits and len(text) <= len(str(most)) and least <= int(text) <= most:
        return int(text)
    shown = text if digits else repr(text)
    bounds = f" from {least} to {most}" if most < MOST else f" from {least}" if least else ""
    raise ValueError(f"{shown} is not a {what}{bounds}")


class Size(int):
    """A number of bytes: `64KiB`, `1MiB`, `500B`, `500`."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)?$", "examples": ["64KiB"]}

    @classmethod
    def parse(cls, text: str) -> Size:
        found = _SIZE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a size: write it like 64KiB, 1MiB or 500B")
        return cls(int(found[1]) * _UNITS[found[2]])


class HeadSize(Size):
    """A limit on the size of a request's head: `1KiB` or more."""

    @classmethod
    def parse(cls, text: str) -> HeadSize:
        size = Size.parse(text)
        if size < 1024:
            raise ValueError(f"{text} is too small for the head of a request: write 1KiB or more")
        return cls(size)


class HeadTime(Duration):
    """A limit on the time that a request's head may take: above 0."""

    @classmethod
    def parse(cls, text: str) -> HeadTime:
        duration = cls(Duration.parse(text))
        if not duration:
            raise ValueError("0 leaves no time to send a head: write more, like 10s")
        return duration


class BodyTime(Duration):
    """A limit on the time without a byte of a request's body: above 0."""

    @classmethod
    def parse(cls, text: str) -> BodyTime:
        duration = cls(Duration.parse(text))
        if not duration:
            raise ValueError("0 leaves no time to send a body: write more, like 10s")
        return duration


class Number(int):
    """A whole number, at least 1."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1}

    @classmethod
    def parse(cls, text: str) -> Number:
        return cls(whole_number(text, 1))


class TargetNumber(Number):
    """A number of proxy targets."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": MOST_PROXY_TARGETS}

    @classmethod
    def parse(cls, text: str) -> TargetNumber:
        return cls(whole_number(text, 1, MOST_PROXY_TARGETS))


class Status(int):
    """A status that goto can answer with: 200 to 599."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 200, "maximum": 599, "examples": [503]}

    @classmethod
    def parse(cls, text: str) -> Status:
        return cls(whole_number(text, 200, 599, "status"))


class AnyPort(int):
    """A TCP port to listen on; 0 for one that the system chooses."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 0, "maximum": 65535, "examples": [8081]}

    @classmethod
    def parse(cls, text: str) -> AnyPort:
        return cls(0) if text == "0" else Port.parse(text)


class Port(AnyPort):
    """A TCP port: 1 to 65535."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": 65535, "examples": [8081]}

    @classmethod
    def parse(cls, text: str) -> Port:
        return cls(whole_number(text, 1, 65535, "port"))


# a regular expression of JSON Schema, for the schemas below
COUNT = "(:[1-9][0-9]{0,17})?"


def _counted(text: str) -> tuple[str, int | None]:
    word, colon, count = text.partition(":")
    return word, whole_number(count, 1, what="count") if colon else None


@dataclass(frozen=True, slots=True)
class CountedStatus:
    """`503`, or `503:2` for the next two exchanges. `0` stands for no status."""

    status: Status | None
    count: int | None = None

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": f"^(0|[2-5][0-9][0-9]){COUNT}$",
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
        "pattern": Duration.schema["pattern"].removesuffix("$") + f"{COUNT}$",
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
    """The default of a parameter that may be left out."""
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
