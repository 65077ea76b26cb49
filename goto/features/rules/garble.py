"""Answers that are no HTTP, to try what a client makes of them (RFC 9112)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from goto.http.wire import CHUNKED, chunk, date_field

_HUGE: Final = 1 << 20
_TYPE: Final = b"Content-Type: text/plain; charset=utf-8\r\n"
_HELLO: Final = b"hello"


def _garbled_status_line(fields: bytes) -> bytes:
    return b"HTTP/1.1 2OO OK\r\n" + fields + _TYPE + b"Content-Length: 5\r\n\r\n" + _HELLO


def _cut_head(fields: bytes) -> bytes:
    return _OK + fields + b"Content-Ty"


def _broken_chunk(fields: bytes) -> bytes:
    return _OK + fields + _TYPE + CHUNKED + b"\r\n" + chunk(_HELLO) + b"zz"


def _negative_length(fields: bytes) -> bytes:
    return _OK + fields + _TYPE + b"Content-Length: -5\r\n\r\n" + _HELLO


def _double_length(fields: bytes) -> bytes:
    return _OK + fields + _TYPE + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + _HELLO


def _double_encoding(fields: bytes) -> bytes:
    return _OK + fields + _TYPE + CHUNKED + CHUNKED + b"\r\n" + chunk(_HELLO) + b"0\r\n\r\n"


def _huge_head(fields: bytes) -> bytes:
    return _OK + fields + _TYPE + b"X-Huge: " + b"x" * _HUGE + b"\r\nContent-Length: 5\r\n\r\n" + _HELLO


_OK: Final = b"HTTP/1.1 200 OK\r\n"

_KINDS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "status-line": _garbled_status_line,
    "head": _cut_head,
    "chunk": _broken_chunk,
    "length": _negative_length,
    "double-length": _double_length,
    "double-encoding": _double_encoding,
    "huge-head": _huge_head,
}


def garbled(kind: str, fields: bytes) -> bytes:
    """The bytes of a kind. `fields` are the lines of headers that stand in its head."""
    return _KINDS[kind](fields + date_field())
