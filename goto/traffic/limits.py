"""What a process bears of its clients, and how often that was too little. Set once, before it serves.

limits:
  connections: 5000
  head: 32KiB
  headTime: 10s
"""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import msgspec

from goto.words import Duration
from goto.words.duration import duration_text
from goto.words.numbers import MOST_PROXY_TARGETS, HeadSize, HeadTime, Number, Size, TargetNumber


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
        self.targets = MOST_PROXY_TARGETS
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
            limit = duration_text(value) if field.name == "head_time" else value
            shown[field.encode_name] = {"limit": limit, "hit": self.hit[field.name]}
        return shown


LIMITS = Limits()
"""Those of this process."""
