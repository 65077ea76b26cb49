"""Memory that is bounded whatever clients send: counts by their values, and what was worked out of their bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Final

from goto.errors import Conflict

OTHER = "_other"
"""Where values past the limit are counted."""

VALUES_LIMIT = 4096
"""Distinct values counted apart, per header or list."""

TRACKED_LIMIT = 100
"""Headers tracked at a time by one feature of a listener, each with values of its own."""

VALUE_LENGTH = 1024
"""Characters of a value that is counted apart."""


class Overflow:
    """How often a value was counted under OTHER."""

    values = 0


OVERFLOW: Final = Overflow()
"""That of this process."""


def slot(counts: Mapping[str, object], value: str, limit: int = VALUES_LIMIT) -> str:
    """The key to count a value under: itself, or OTHER once the limit is reached."""
    if value in counts or (len(counts) < limit and len(value) <= VALUE_LENGTH):
        return value
    OVERFLOW.values += 1
    return OTHER


def check_tracked(headers: Sized) -> None:
    """`Conflict` if these were too many headers to track."""
    if len(headers) > TRACKED_LIMIT:
        raise Conflict(f"headers: {TRACKED_LIMIT} tracked headers are the limit")
