"""Hop-by-hop header fields, which belong to one connection and are never forwarded (RFC 9110, 7.6.1)."""

from __future__ import annotations

import re
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
"""Fields that the sender of a message sets itself, to frame the body."""

_NOT_FORWARDED: Final = HOP_BY_HOP | FRAMING | {b"expect", b"goto-hops"}
_NO_WEIGHT: Final = re.compile(rb"q[ \t]*=[ \t]*0(\.0{0,3})?")
_ABOUT_CONNECTION = frozenset((b"close", b"keep-alive", b"upgrade", b""))


def connection_words(fields: Iterable[Field]) -> set[bytes]:
    """The lower-case words of all `Connection` fields: header names, `close`, `keep-alive`, `upgrade`."""
    return {word.strip() for name, value in fields if name.lower() == b"connection" for word in value.lower().split(b",")}


class FieldFilter:
    """Selects the fields of a message that are forwarded: all but hop-by-hop fields, those that `Connection` names, the length,
    `Expect`, which goto answers itself, and those with one of the given names.
    """

    def __init__(self, *names: bytes) -> None:
        self._dropped = _NOT_FORWARDED.union(names)
        self._forwarded = Memo(self._is_forwarded, field_length).__getitem__

    def __call__(self, fields: Iterable[Field]) -> list[Field]:
        try:
            return list(filter(self._forwarded, fields))
        except _FieldsNamed:
            dropped = self._dropped | connection_words(fields)
            return [field for field in fields if field[0].lower() not in dropped]

    def _is_forwarded(self, field: Field) -> bool:
        name = field[0].lower()
        if name == b"connection" and connection_words((field,)) - _ABOUT_CONNECTION:
            raise _FieldsNamed
        return name not in self._dropped


class _FieldsNamed(Exception):
    """`Connection` names other fields, so whether a field is forwarded does not depend on that field alone."""


def takes_trailers(fields: Iterable[Field]) -> bool:
    """Whether `TE` says that trailers are taken (RFC 9110, 10.1.4); with a weight of 0 it says that they are not."""
    for name, value in fields:
        if len(name) == 2 and name.lower() == b"te":
            for word in value.lower().split(b","):
                coding, _, weight = word.partition(b";")
                if coding.strip() == b"trailers" and not _NO_WEIGHT.fullmatch(weight.strip()):
                    return True
    return False


end_to_end: Final = FieldFilter()
"""The fields of a response that are forwarded to the client."""

to_upstream: Final = FieldFilter(b"host")
"""The fields of a request that are forwarded to an upstream, which gets a `Host` of its own."""
