"""The bytes of a response head, the same whichever way a response takes (RFC 9112)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from email.utils import formatdate
from typing import Final, Literal

from goto.http.fields import Field, encode
from goto.http.messages import Request, Response
from goto.http.reasons import REASONS

_STATUS_LINES: Final = {status: b"HTTP/1.1 %d %b\r\n" % (status, REASONS.get(status, "").encode()) for status in range(100, 600)}
_date = (0, b"")

Ends = Literal["length", "chunks", "close"]
"""What tells a client that a body is whole."""

NO_BODY: Final = frozenset((204, 304))
"""Statuses whose responses have no body (RFC 9110, 15.3.5 and 15.4.5)."""

NOT_MODIFIED: Final = 304


def has_body(status: int, method: str) -> bool:
    """Whether a response has a body (RFC 9110, 6.4.1)."""
    return method != "HEAD" and status not in NO_BODY


REPEATABLE: Final = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
"""Safe methods: sending such a request twice changes nothing (RFC 9110, 9.2.1)."""

CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
CLOSE: Final = b"Connection: close\r\n"
KEEP_ALIVE: Final = b"Connection: keep-alive\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"


def status_line(status: int, reason: str | None = None) -> bytes:
    """With Go's reason phrase, unless there is one already: an upstream's passes as it came."""
    if reason is None or reason == REASONS.get(status):
        return _STATUS_LINES[status]
    return b"HTTP/1.1 %d %b\r\n" % (status, reason.encode("latin-1", "replace"))


def identified(response: Response, identity: list[Field]) -> list[Field]:
    """The fields of a response with the listener's own, but those that it replaces."""
    if not response.replaced:
        return identity + response.headers.fields
    return [*[field for field in identity if field[0].lower() not in response.replaced], *response.headers.fields]


def fields_bytes(fields: list[Field]) -> bytes:
    parts: list[bytes] = []
    _add(parts, fields)
    return b"".join(parts)


def _add(parts: list[bytes], fields: list[Field]) -> bool:
    """Add the lines of fields; whether a `Date` is among them."""
    dated = False
    for name, value in fields:
        if len(name) == 4 and name.lower() == b"date":
            dated = True
        parts.append(name)
        parts.append(b": ")
        parts.append(value)
        parts.append(b"\r\n")
    return dated


def date_field() -> bytes:
    """`Date`, made once a second (RFC 9110, 6.6.1)."""
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, b"Date: %b\r\n" % formatdate(now, usegmt=True).encode())
    return _date[1]


def has_date(fields: list[Field]) -> bool:
    for name, _ in fields:  # noqa: SIM110  # any() would make a generator for each response
        if len(name) == 4 and name.lower() == b"date":
            return True
    return False


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: Sequence[Field]) -> bytes:
    """The end of a body in chunks, with its trailers (RFC 9112, 7.1.2)."""
    return b"0\r\n%b\r\n" % fields_bytes([*trailers]) if trailers else LAST_CHUNK


def framing_of_stream(status: int, length: int | None, request: Request) -> tuple[bytes, Ends]:
    """How a body that is still coming is delimited, and what will end it (RFC 9112, 6.3)."""
    if status == 204 or status == 101 or (status == 304 and length is None):
        return b"", "length"
    if length is not None:
        return b"Content-Length: %d\r\n" % length, "length"
    if request.method == "HEAD":
        return b"", "length"
    return (CHUNKED, "chunks") if request.version >= (1, 1) else (b"", "close")


def response_bytes(
    response: Response,
    identity: bytes,
    framing: bytes,
    version: tuple[int, int],
    *,
    keep_alive: bool,
    body: bytes = b"",
) -> bytes:
    """The head of a response for a client that speaks `version`, with as much of its body as is here."""
    if response.status == 101:
        connection = b""
    elif not keep_alive:
        connection = CLOSE
    else:
        connection = b"" if version >= (1, 1) else KEEP_ALIVE
    if response.replaced:
        identity = b"".join([line for line in identity.splitlines(True) if field_name_of(line) not in response.replaced])
    parts = [status_line(response.status, response.reason), identity]
    if not _add(parts, response.headers.fields):
        parts.append(date_field())
    parts.append(framing)
    parts.append(connection)
    parts.append(b"\r\n")
    parts.append(body)
    return b"".join(parts)


def interim_bytes(status: int, reason: bytes, fields: list[Field]) -> bytes:
    """An answer of 1xx, which has no body (RFC 9110, 15.2)."""
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, reason, fields_bytes(fields))


def whole_response(response: Response, identity: bytes, method: str, version: tuple[int, int], *, keep_alive: bool) -> bytes:
    """A response whose body is here, as the answer to a request of `method`: none for HEAD, nor with 204 and 304."""
    # 205 has no content, which its length says (RFC 9110, 15.3.6)
    body = b"" if response.status == 205 else response.body
    framing = b"" if response.status in NO_BODY else b"Content-Length: %d\r\n" % len(body)
    if method == "HEAD" or not framing:
        body = b""
    return response_bytes(response, identity, framing, version, keep_alive=keep_alive, body=body)


def field_name_of(line: bytes) -> bytes:
    """The name in a line of a head, in lower case."""
    return line.partition(b":")[0].lower()


def request_head(
    method: str, path: str, fields: list[Field], length: int | None, upgrade: str = "", *, trailers: bool = False
) -> bytes:
    """The bytes of a request up to its body. `length` in bytes, None for a chunked one; `upgrade` as `Upgrade` is to name it;
    `trailers`: they are taken in the answer.

    No length is announced for an empty body of a method that gives it no meaning (RFC 9110, 8.6).
    """
    parts = [encode(f"{method} {path} HTTP/1.1\r\n")]
    _add(parts, fields)
    if upgrade:
        parts.append(encode(f"Connection: Upgrade\r\nUpgrade: {upgrade}\r\n"))
    elif trailers:
        parts.append(b"Connection: TE\r\nTE: trailers\r\n")
    if length is None:
        parts.append(CHUNKED)
    elif length or method not in _BODILESS:
        parts.append(b"Content-Length: %d\r\n" % length)
    parts.append(b"\r\n")
    return b"".join(parts)


_BODILESS: Final = REPEATABLE | {"DELETE", "CONNECT"}
