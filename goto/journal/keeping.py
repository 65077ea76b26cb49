"""What the journal keeps, as it is set."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

from goto.words import HeaderName, Number, Size, whole_number

MASK: Final = ("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key")
"""The headers that are masked where nothing else is said."""


MOST_ENTRIES: Final = 100_000
"""Entries of one listener."""

MOST_MEMORY: Final = 1 << 30
"""Bytes that all entries may take."""

MOST_BODY: Final = 1 << 20
"""Bytes that may be kept of each body."""


class EntriesNumber(Number):
    """A number of entries, at most 100000."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": MOST_ENTRIES}

    @classmethod
    def parse(cls, text: str) -> EntriesNumber:
        return cls(whole_number(text, 1, MOST_ENTRIES, "number of entries"))


class MemorySize(Size):
    """Bytes of memory, at most 1GiB."""

    @classmethod
    def parse(cls, text: str) -> MemorySize:
        size = Size.parse(text)
        if size > MOST_MEMORY:
            raise ValueError(f"{text} is more than 1GiB")
        return cls(size)


class BodySize(Size):
    """Bytes that are kept of each body, at most 1MiB."""

    @classmethod
    def parse(cls, text: str) -> BodySize:
        size = Size.parse(text)
        if size > MOST_BODY:
            raise ValueError(f"{text} is more than 1MiB")
        return cls(size)


class Keeping(msgspec.Struct):
    """What the journal keeps."""

    entries: EntriesNumber = EntriesNumber(1_000)
    """Entries of each listener; one more, and the oldest is given up."""
    memory: MemorySize = MemorySize(16 << 20)
    """Heads and bodies of all listeners; over it the listener that holds most gives up its oldest."""
    bodies: BodySize = BodySize(4 << 10)
    """Bytes that are kept of each body."""
    mask: list[HeaderName] = msgspec.field(default_factory=lambda: [HeaderName(name) for name in MASK])
    """Headers whose values are not kept, in any letter case; an empty list for none."""

    example: ClassVar[dict[str, Any]] = {
        "entries": 1000,
        "memory": "16MiB",
        "bodies": "4KiB",
        "mask": ["authorization", "cookie"],
    }


HEADS = Keeping(bodies=BodySize(0))
"""What it keeps while somebody watches, and nothing else was said."""
