"""What the journal keeps, as it is set."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Self

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

    most: ClassVar[int] = MOST_ENTRIES
    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": most}

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(whole_number(text, 1, cls.most, "number of entries"))


class _BoundedSize(Size):
    most: ClassVar[int]
    most_text: ClassVar[str]
    """The same as people write it."""

    @classmethod
    def parse(cls, text: str) -> Self:
        size = Size.parse(text)
        if size > cls.most:
            raise ValueError(f"{text} is more than {cls.most_text}")
        return cls(size)


class MemorySize(_BoundedSize):
    """Bytes of memory, at most 1GiB."""

    most = MOST_MEMORY
    most_text = "1GiB"


class BodySize(_BoundedSize):
    """Bytes that are kept of each body, at most 1MiB."""

    most = MOST_BODY
    most_text = "1MiB"


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
