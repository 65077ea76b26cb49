"""Decoding of content codings, within bounds (RFC 9110, 8.4.1)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Final

from goto.http.fields import Field

UNDONE: Final = frozenset(("gzip", "x-gzip", "deflate"))
"""The codings that can be decoded."""

MOST_CODINGS: Final = 2
"""How many codings within each other are decoded; a body with more of them stays as it is."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
"""Deflate without the header of zlib, which some servers send by mistake (RFC 9110, 8.4.1.2)."""

_MAGIC: Final = b"\x1f\x8b"
_FED: Final = 1 << 14
"""Bytes that are decoded at a time."""


def codings_of(fields: Iterable[Field]) -> list[str]:
    """The codings of a body in the order in which they were applied; empty unless all of them can be decoded."""
    values = b",".join([value for name, value in fields if name.lower() == b"content-encoding"])
    words = [word.strip().lower() for word in values.decode("latin-1").split(",")]
    codings = [word for word in words if word not in ("", "identity")]
    return codings if len(codings) <= MOST_CODINGS and UNDONE.issuperset(codings) else []


def undo(data: bytes, coding: str, most: int) -> tuple[bytes, bool]:
    """Decode data, as far as it is valid, up to `most` bytes. Returns the decoded bytes, and whether that is all of them."""
    view, at, made = memoryview(data), 0, bytearray()
    while at < len(view):
        inflater, full = zlib.decompressobj(_window(view[at : at + 2], coding)), False
        while not inflater.eof and (full or at < len(view)):
            before, part, room = inflater.copy(), view[at : at + _FED], most + 1 - len(made)
            try:
                piece = inflater.decompress(part, room)
            except zlib.error:
                made += _up_to_fault(before, part, room)
                return bytes(made[:most]), False
            made += piece
            if len(made) > most:
                return bytes(made[:most]), False
            full = len(piece) == room
            at += len(part) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
        if not inflater.eof:
            return bytes(made), False
        if coding == "deflate" or bytes(view[at : at + 2]) != _MAGIC:
            break  # only gzip may have several members (RFC 1952, 2.2)
    return bytes(made), at == len(view)


def _window(head: memoryview, coding: str) -> int:
    """The argument of zlib for the format of data with this beginning."""
    if coding != "deflate":
        return _GZIP
    has_header = len(head) == 2 and head[0] & 15 == 8 and int.from_bytes(head, "big") % 31 == 0
    return _ZLIB if has_header else _RAW


def _up_to_fault(inflater: zlib._Decompress, part: memoryview, room: int) -> bytes:
    """The bytes decoded from a part before its fault, one by one, since a call that fails loses what it has decoded."""
    made = bytearray()
    for at in range(len(part)):
        try:
            made += inflater.decompress(part[at : at + 1], room)
        except zlib.error:
            break
    return bytes(made)
