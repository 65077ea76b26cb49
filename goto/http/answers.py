"""The head of a response, read exactly (RFC 9112, 4 and 5). What is not plain comes here, see `goto.http.heads`.

A head is taken as it is meant, or it is no HTTP: no reader behind goto may see other fields, or another length, than goto does.
The one thing that is mended is a blank before a colon, and not in a field that says how the message is framed (RFC 9112, 5.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from goto.http.fields import Field
from goto.http.lines import NotHttp
from goto.http.memo import Memo

CHUNKED: Final = -1
UNTIL_END: Final = -2
"""Lengths of a body that comes in chunks, and of one that only the end of the connection ends."""

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([0-9]) ([1-5][0-9][0-9])(?: ([^\r\n]*))?")
_BEGINNING: Final = b"HTTP/1."
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TEXT: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_FRAMING: Final = frozenset((b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"trailer"))
_NO_BODY: Final = (204, 304)


class Answer:
    """The head of one response."""

    __slots__ = ("fields", "keep", "length", "reason", "status")

    def __init__(self, status: int, reason: bytes, fields: list[Field], length: int, *, keep: bool) -> None:
        self.status = status
        self.reason = reason
        self.fields = fields
        self.length = length
        """What its fields say of the body: bytes, `CHUNKED` or `UNTIL_END`."""
        self.keep = keep
        """The connection stays."""


class UnknownCoding(ValueError):
    """A transfer coding that is not understood; the text names it."""


def read_field(line: bytes) -> Field:
    """One field, blanks around its value and before its colon taken out. Raises `NotHttp`."""
    name, colon, value = line.partition(b":")
    if not colon:
        raise NotHttp(line)
    if name[-1:] in (b" ", b"\t"):
        name = name.rstrip(b" \t")
        if name.lower() in _FRAMING:
            raise NotHttp(line)
    value = value.strip(b" \t")
    if not _NAME.fullmatch(name) or not _TEXT.fullmatch(value):
        raise NotHttp(line)
    return name, value


_field_of: Final = Memo(read_field, group=lambda line: line.partition(b":")[0]).__getitem__


def check_line(line: bytes, *, first: bool) -> None:
    """Look at one line of a head, before the others are here. Raises `NotHttp`."""
    if not first:
        _field_of(line)
    elif not _STATUS_LINE.fullmatch(line):
        raise NotHttp(line)


def may_begin(start: bytes) -> bool:
    """Whether a head may begin like this."""
    return start.startswith(_BEGINNING) if len(start) >= len(_BEGINNING) else _BEGINNING.startswith(start)


def read_head(lines: Sequence[bytes]) -> Answer:
    """The head of these lines. Raises `NotHttp` and `UnknownCoding`."""
    found = _STATUS_LINE.fullmatch(lines[0]) if lines else None
    if found is None:
        raise NotHttp(lines[0] if lines else b"")
    status = int(found[2])
    # a phrase means nothing, but what is none (RFC 9112, 4) could break the client's reading
    reason = found[3] or b""
    if not _TEXT.fullmatch(reason):
        reason = b""
    fields = list(map(_field_of, lines[1:]))
    length, coding = UNTIL_END, b""
    keep = found[1] != b"0"
    for at, (name, value) in enumerate(fields, 1):
        size = len(name)
        if size == 14 and name.lower() == b"content-length":
            if length != UNTIL_END or not _LENGTH.fullmatch(value):
                raise NotHttp(lines[at])
            length = int(value)
        elif size == 17 and name.lower() == b"transfer-encoding":
            coding = b", ".join((coding, value.lower())) if coding else value.lower()
        elif size == 10 and name.lower() == b"connection":
            words = [word.strip() for word in value.lower().split(b",")]
            keep = b"close" not in words and (keep or b"keep-alive" in words)
    if coding and status >= 200 and status not in _NO_BODY:
        if length != UNTIL_END:
            raise NotHttp(next(line for line in lines if line[:17].lower() == b"transfer-encoding"))
        if coding == b"chunked":
            length = CHUNKED
            keep = (
                keep and found[1] != b"0"
            )  # HTTP/1.0 has no chunks: something on the way may not have read them (RFC 9112, 6.1)
        elif coding != b"identity":
            raise UnknownCoding(coding.decode("latin-1"))
    return Answer(status, reason, fields, length, keep=keep)
