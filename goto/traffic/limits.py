"""Limits on what clients may send, and how often each was reached. They are set once, before the process serves.

limits:
  connections: 5000
  head: 32KiB
  headTime: 10s
  bodyTime: 10s
"""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import msgspec

from goto.words import Duration
from goto.words.duration import duration_text
from goto.words.numbers import MOST_PROXY_TARGETS, BodyTime, HeadSize, HeadTime, Number, Size, TargetNumber


class ConfiguredLimits(msgspec.Struct, rename="camel", kw_only=True):
    """Limits as an option or a file gives them. A limit that is left out keeps its default."""

    connections: Number | None = None
    """Connections of clients to one listener (20000)."""
    head: HeadSize | None = None
    """Size of the head of a request (64KiB)."""
    fields: Number | None = None
    """Header fields of a request (1000)."""
    head_time: HeadTime | None = None
    """Time from the first byte of a head to its last one (1m)."""
    body_time: BodyTime | None = None
    """Longest time without a byte of a request's body (1m)."""
    body: Size | None = None
    """Size of a body that has to be read completely before it is sent on (64MiB)."""
    targets: TargetNumber | None = None
    """Proxy targets of one listener (100000)."""

    @classmethod
    def parse(cls, text: str) -> ConfiguredLimits:
        """One limit as a command line gives it: `head=32KiB`. Raises ValueError."""
        name, _, value = text.partition("=")
        for field in msgspec.structs.fields(cls):
            if field.encode_name == name:
                try:
                    return cls(**{field.name: get_args(field.type)[0].parse(value)})
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(cls))
        raise ValueError(f"{name!r} is not a limit: write one of {known}, as in head=32KiB")


class Limits:
    """The limits of a process, with their defaults."""

    def __init__(self) -> None:
        self.connections = 20_000
        """Connections of clients to one listener. One more is answered 503 and closed."""
        self.head = 1 << 16
        """Bytes in the head of a request; beyond it the answer is 431, or 414 if the request line alone is over it."""
        self.fields = 1000
        """Header fields of a request; beyond it the answer is 431."""
        self.head_time = 60.0
        """Seconds from the first byte of a head to its last one; then the connection is closed."""
        self.body_time = 60.0
        """Seconds that may pass without a byte of a request's body while one is waited for; then the answer is 408, or the
        connection ends if a byte of the answer is out. Behind 101, what is half closed and stands still for so long is reset."""
        self.body = 64 << 20
        """Bytes of a body that has to be read completely before it is sent on; beyond it the answer is 413."""
        self.targets = MOST_PROXY_TARGETS
        """Proxy targets of one listener; beyond it the answer is 409."""
        self.hit: Counter[str] = Counter()
        """How often each limit was reached, by the name of its attribute."""

    def set(self, given: ConfiguredLimits) -> None:
        """Set the limits that are given."""
        for name in given.__struct_fields__:
            value = getattr(given, name)
            if value is not None:
                setattr(self, name, value.seconds if isinstance(value, Duration) else int(value))

    def show(self) -> dict[str, dict[str, Any]]:
        """`{name: {"limit": …, "hit": n}}`; sizes in bytes, times as durations."""
        shown: dict[str, dict[str, Any]] = {}
        for field in msgspec.structs.fields(ConfiguredLimits):
            value = getattr(self, field.name)
            limit = duration_text(value) if isinstance(value, float) else value
            shown[field.encode_name] = {"limit": limit, "hit": self.hit[field.name]}
        return shown


LIMITS = Limits()
"""The limits of this process."""
