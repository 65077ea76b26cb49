"""Bounds on counts by values that clients choose, so that memory is bounded whatever they send."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Final

from goto.errors import Conflict

OTHER = "_other"
"""The key under which values past the limit are counted together."""

VALUES_LIMIT = 4096
"""Distinct values that are counted separately, for each header or list."""

TRACKED_LIMIT = 100
"""Headers that one feature of a listener tracks at a time, each with its own values."""

VALUE_LENGTH = 1024
"""Characters of a value that is counted separately; longer ones are counted under OTHER."""


class Overflow:
    """How often a value was counted under OTHER in this process."""

    values = 0


OVERFLOW: Final = Overflow()


def slot(counts: Mapping[str, object], value: str, limit: int = VALUES_LIMIT) -> str:
    """The key to count a value under: itself, or OTHER once the limit is reached."""
    if value in counts or (len(counts) < limit and len(value) <= VALUE_LENGTH):
        return value
    OVERFLOW.values += 1
    return OTHER


def check_tracked(headers: Sized) -> None:
    """Raises `Conflict` where there are more headers than may be tracked."""
    if len(headers) > TRACKED_LIMIT:
        raise Conflict(f"headers: at most {TRACKED_LIMIT} can be tracked: remove some first")
