"""A bounded cache of results that are worked out from text."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MEMO_LIMIT: Final = 4096
"""Results that a `Memo` holds. Past this limit all are forgotten, since a client that never repeats itself fills any cache."""

MEMO_LENGTH: Final = 256
"""Length of the keys that a `Memo` holds, so that it takes at most about 4 MiB with its results."""

VARIED: Final = 1024
"""Keys of one group that a `Memo` holds, so that values which always differ, such as ids, do not push out the others."""


class Memo(dict[K, V], Generic[K, V]):
    """A cache: `memo[key]` is `function(key)`, worked out once for a key that comes again. Exceptions are not remembered.

    A look-up of a known key costs as much as one in a dict. A key past the limits is worked out anew each time.
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
