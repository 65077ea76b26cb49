"""The fields of heads as they are kept: values of masked ones hidden, and all in one piece of memory.

Heads that come one after the other often say the same, as those of a load client do: such are kept once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from goto.http.fields import Field, decode
from goto.http.request_id import REQUEST_ID

MASKED: Final = b"***"
"""What stands for the value of a masked header."""

OVERHEAD: Final = 160
"""Bytes of memory that a head takes besides its fields, where no other entry shares it."""

_ATTEMPT: Final = b"x-envoy-attempt-count"
_REQUEST_ID: Final = REQUEST_ID.encode()
_SEPARATOR: Final = b"\n"
_NOTHING_MASKED: Final[frozenset[bytes]] = frozenset()


class KeptFields:
    """The fields of one head. It is not changed, since many entries may share it."""

    __slots__ = ("_data", "attempt", "id", "masked", "memory")

    def __init__(self, fields: Sequence[Field], mask: frozenset[bytes]) -> None:
        """`mask`: names in lower case, of the headers whose values are not kept."""
        self.id: str | None = None
        """The first value of `x-request-id`."""
        self.attempt: int | None = None
        """That of `x-envoy-attempt-count`, where it is a number."""
        self.masked = _NOTHING_MASKED
        """The masked headers among them, in lower case."""
        parts: list[bytes] = []
        attempt: bytes | None = None
        for name, value in fields:
            key = name.lower()
            if key == _REQUEST_ID:
                if self.id is None:
                    self.id = decode(value)
            elif key == _ATTEMPT and attempt is None:
                attempt = value
            parts.append(name)
            if key in mask:
                self.masked = self.masked | {key}
                parts.append(MASKED)
            else:
                parts.append(value)
        if attempt is not None and attempt.isdigit() and len(attempt) <= 9:
            self.attempt = int(attempt)
        # a name or a value has no line end in it (RFC 9110, 5.5)
        self._data = _SEPARATOR.join(parts)
        self.memory = OVERHEAD + len(self._data)
        """Bytes of memory that they take."""

    @property
    def fields(self) -> list[Field]:
        """Names and values, in order."""
        if not self._data:
            return []
        parts = self._data.split(_SEPARATOR)
        return list(zip(parts[::2], parts[1::2], strict=False))


class Keeper:
    """Keeps the fields of heads that come one after the other."""

    __slots__ = ("_fields", "_last", "mask")

    def __init__(self, mask: frozenset[bytes]) -> None:
        self.mask = mask
        """Names in lower case, of the headers whose values are not kept."""
        self._fields: list[Field] = []
        self._last = KeptFields([], mask)

    def keep(self, fields: Sequence[Field]) -> KeptFields:
        """The fields of one more head."""
        if fields != self._fields:
            self._last = KeptFields(fields, self.mask)
            self._fields = list(fields)
        return self._last
