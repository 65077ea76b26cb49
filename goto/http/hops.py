"""Header fields that belong to one connection and never cross goto (RFC 9110, 7.6.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from goto.http.fields import Field, field_length
from goto.http.memo import Memo

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
FRAMING = frozenset((b"content-length",))
"""Whoever sends a message frames its body."""

_UNPASSED: Final = HOP_BY_HOP | FRAMING | {b"expect"}
_ABOUT_CONNECTION = frozenset((b"close", b"keep-alive", b"upgrade", b""))


def connection_words(fields: Iterable[Field]) -> set[bytes]:
    """The lower-case words of all `Connection` fields: header names, `close`, `keep-alive`, `upgrade`."""
    return {word.strip() for name, value in fields if name.lower() == b"connection" for word in value.lower().split(b",")}


class Crossing:
    """What passes on of a message's fields: not hop-by-hop, not named by `Connection`, no length, no `Expect` (which goto meets
    itself), nor what bears one of the names given.
    """

    def __init__(self, *names: bytes) -> None:
        self._stay = _UNPASSED.union(names)
        self._passes = Memo(self._does_pass, field_length).__getitem__

    def __call__(self, fields: Iterable[Field]) -> list[Field]:
        try:
            return list(filter(self._passes, fields))
        except _FieldsNamed:
            stay = self._stay | connection_words(fields)
            return [field for field in fields if field[0].lower() not in stay]

    def _does_pass(self, field: Field) -> bool:
        name = field[0].lower()
        if name == b"connection" and connection_words((field,)) - _ABOUT_CONNECTION:
            raise _FieldsNamed
        return name not in self._stay


class _FieldsNamed(Exception):
    """A `Connection` that names fields: what passes depends on more than a field itself."""


end_to_end: Final = Crossing()
"""For responses, where `Host` means nothing."""

to_upstream: Final = Crossing(b"host")
"""For requests: an upstream is given a `Host` of its own."""
