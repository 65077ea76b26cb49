"""The bytes of a response head, the same whichever way a response takes (RFC 9112)."""

from __future__ import annotations

import time
from email.utils import formatdate

from goto.flow import Field
from goto.reasons import REASONS

_STATUS_LINES = {status: b"HTTP/1.1 %d %b\r\n" % (status, REASONS.get(status, "").encode()) for status in range(100, 600)}
_date = (0, b"")

CHUNKED = b"Transfer-Encoding: chunked\r\n"
CLOSE = b"Connection: close\r\n"
KEEP_ALIVE = b"Connection: keep-alive\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def status_line(status: int, reason: str | None = None) -> bytes:
    """With Go's reason phrase, unless there is one already: an upstream's passes as it came."""
    if reason is None:
        return _STATUS_LINES[status]
    return b"HTTP/1.1 %d %b\r\n" % (status, reason.encode("latin-1", "replace"))


def fields_bytes(fields: list[Field]) -> bytes:
    return b"".join([b"%b: %b\r\n" % field for field in fields])


def date_field() -> bytes:
    """`Date`, made once a second (RFC 9110, 6.6.1)."""
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, b"Date: %b\r\n" % formatdate(now, usegmt=True).encode())
    return _date[1]


def has_date(fields: list[Field]) -> bool:
    return any(len(name) == 4 and name.lower() == b"date" for name, _ in fields)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
