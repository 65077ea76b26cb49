"""Memory that is bounded whatever clients send: counts by their values, and what was worked out of their bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sized
from typing import Final, Generic, TypeVar

from goto.errors import Conflict

K = TypeVar("K")
V = TypeVar("V")

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


MEMO_LIMIT: Final = 4096
"""Results that a `Memo` holds. Past it all are forgotten, since a client that never repeats itself would fill any memory."""

MEMO_LENGTH: Final = 256
"""Length of the keys that a `Memo` holds: 4 MiB at most, with what was worked out of them."""


VARIED: Final = 1024
"""Keys of one group that a `Memo` holds: what always differs, as an id does, would only push out the others."""


class Memo(dict[K, V], Generic[K, V]):
    """`memo[key]` is `function(key)`, worked out once for keys that come again. What raises is not remembered.

    A look-up of a known key costs what one in a dict does. Nothing is lost past the limits but time.
    """

    __slots__ = ("_function", "_group", "_groups", "_length")

    def __init__(
        self,
        function: Callable[[K], V],
        length: Callable[[K], int] = len,  # type: ignore[assignment]  # for keys that have one
        group: Callable[[K], Hashable] | None = None,
    ) -> None:
        self._function = function
        self._length = length
        self._group = group
        self._groups: dict[Hashable, int] = {}

    def __missing__(self, key: K) -> V:
        value = self._function(key)
        if self._length(key) > MEMO_LENGTH:
            return value
        if self._group is not None:
            group = self._group(key)
            number = self._groups.get(group, 0)
            if number >= VARIED:
                return value
            self._groups[group] = number + 1
        if len(self) >= MEMO_LIMIT:
            self.clear()
            self._groups.clear()
        self[key] = value
        return value
