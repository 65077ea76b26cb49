"""What a process bears of its clients, and how often that was too little. Set once, before it serves.

limits:
  connections: 5000
  head: 32KiB
  headTime: 10s
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, ClassVar, get_args

import msgspec

from goto.duration import Duration, spoken

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


class GivenLimits(msgspec.Struct, rename="camel", kw_only=True):
    """Limits as they are given; what is left out keeps its default."""

    connections: Number | None = None
    """Clients' connections of one listener (20000)."""
    head: HeadSize | None = None
    """Bytes of a request's head (64KiB)."""
    fields: Number | None = None
    """Header fields of a request (1000)."""
    head_time: HeadTime | None = None
    """Time from the first byte of a head to its last (1m)."""
    body: Size | None = None
    """Bytes of a body that has to be read whole before it is sent on (64MiB)."""
    targets: TargetNumber | None = None
    """Proxy targets of one listener (100000)."""

    @classmethod
    def parse(cls, text: str) -> GivenLimits:
        """One limit as a command line gives it: `head=32KiB`. Raises ValueError."""
        name, _, value = text.partition("=")
        for field in msgspec.structs.fields(cls):
            if field.encode_name == name:
                try:
                    return cls(**{field.name: get_args(field.type)[0].parse(value)})
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(cls))
        raise ValueError(f"{name!r} is no limit: it is one of {known}, as in head=32KiB")


class Limits:
    """The limits of a process, with their defaults."""

    def __init__(self) -> None:
        self.connections = 20_000
        """Clients' connections of one listener. One more is answered 503 and closed."""
        self.head = 1 << 16
        """Bytes of a request's head; over it the answer is 431."""
        self.fields = 1000
        """Header fields of a request; over it the answer is 431."""
        self.head_time = 60.0
        """Seconds from the first byte of a head to its last; then the connection is closed."""
        self.body = 64 << 20
        """Bytes of a body that has to be read whole before it is sent on; over it the answer is 413."""
        self.targets = MOST_TARGETS
        """Proxy targets of one listener; over it the answer is 409."""
        self.hit: Counter[str] = Counter()
        """How often each was hit, by its name."""

    def set(self, given: GivenLimits) -> None:
        """Take what is given."""
        for name in given.__struct_fields__:
            value = getattr(given, name)
            if value is not None:
                setattr(self, name, value.seconds if isinstance(value, Duration) else int(value))

    def show(self) -> dict[str, dict[str, Any]]:
        """`{name: {"limit": …, "hit": n}}`; sizes in bytes, times as durations."""
        shown: dict[str, dict[str, Any]] = {}
        for field in msgspec.structs.fields(GivenLimits):
            value = getattr(self, field.name)
            limit = spoken(value) if field.name == "head_time" else value
            shown[field.encode_name] = {"limit": limit, "hit": self.hit[field.name]}
        return shown


LIMITS = Limits()
"""Those of this process."""
