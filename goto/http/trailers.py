"""Trailers, which stand behind a body in chunks (RFC 9110, 6.5): which of them pass, and how they are announced.

They are never merged into a head, and seen by no feature.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from goto.http.fields import Field
from goto.http.hops import HOP_BY_HOP, connection_words

_DROPPED: Final = HOP_BY_HOP | {b"host", b"authorization", b"cookie", b"set-cookie"}
_DROPPED_FAMILIES: Final = (b"content-", b"goto-")


def passing(trailers: Iterable[Field], fields: Sequence[Field]) -> list[Field]:
    """The trailers of a message with these header fields that are passed on: none that frames, routes or authorizes it."""
    named = connection_words(fields)
    return [field for field in trailers if _passes(field[0].lower(), named)]


def announced(fields: Sequence[Field]) -> list[Field]:
    """`Trailer` as it is passed on with a message: one field with the names that pass, or none."""
    named = connection_words(fields)
    values = [value for name, value in fields if name.lower() == b"trailer"]
    names = [name.strip(b" \t") for value in values for name in value.split(b",")]
    names = [name for name in names if name and _passes(name.lower(), named)]
    return [(b"Trailer", b", ".join(names))] if names else []


def _passes(name: bytes, named: set[bytes]) -> bool:
    return not (name in _DROPPED or name in named or name.startswith(_DROPPED_FAMILIES))
