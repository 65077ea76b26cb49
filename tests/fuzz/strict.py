"""A reader of HTTP/1.1 that forgives nothing (RFC 9112): what goto writes has to please it."""

from __future__ import annotations

import asyncio
import re

_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~\x80-\xff]+) HTTP/1\.1")
_STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}|[6-9][0-9]{2}) ([\t -~\x80-\xff]*)")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*")
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,16}")

Fields = list[tuple[bytes, bytes]]


class Malformed(Exception):
    """Something that no HTTP says like this."""


def _fields(lines: list[bytes]) -> Fields:
    fields = []
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None:
            raise Malformed(f"a field: {line!r}")
        fields.append((found[1].lower(), found[2]))
    return fields


def _values(fields: Fields, name: bytes) -> list[bytes]:
    return [value for key, value in fields if key == name]


def request_head(head: bytes) -> tuple[bytes, bytes, Fields]:
    """Method, target and fields of a request's head, its empty line taken off."""
    first, *lines = head.split(b"\r\n")
    found = _REQUEST.fullmatch(first)
    if found is None:
        raise Malformed(f"a request line: {first!r}")
    fields = _fields(lines)
    if len(_values(fields, b"host")) != 1:
        raise Malformed(f"{len(_values(fields, b'host'))} hosts")
    return found[1], found[2], fields


def response_head(head: bytes) -> tuple[int, Fields]:
    """Status and fields of a response's head, its empty line taken off."""
    first, *lines = head.split(b"\r\n")
    found = _STATUS.fullmatch(first)
    if found is None:
        raise Malformed(f"a status line: {first!r}")
    return int(found[1]), _fields(lines)


def framing(fields: Fields) -> int | None:
    """The length of a body in bytes; -1 where it is chunked, None where nothing is said."""
    lengths, codings = _values(fields, b"content-length"), _values(fields, b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Malformed(f"a body delimited twice: {lengths} {codings}")
    if codings:
        if codings != [b"chunked"]:
            raise Malformed(f"a transfer coding: {codings}")
        return -1
    if lengths:
        if not lengths[0].isdigit():
            raise Malformed(f"a length: {lengths}")
        return int(lengths[0])
    return None


async def body(reader: asyncio.StreamReader, length: int | None) -> bytes:
    """Read a body. Raises IncompleteReadError where the connection ends within it."""
    if length is None:
        return b""
    if length >= 0:
        return await reader.readexactly(length)
    read = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        if not _CHUNK.fullmatch(line[:-2]):
            raise Malformed(f"a chunk's size: {line!r}")
        size = int(line, 16)
        if not size:
            while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
                _fields([line[:-2]])
            return read
        read += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise Malformed("a chunk that does not end where it says")


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes, Fields, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, fields = request_head(head[:-4])
    return method, target, fields, await body(reader, framing(fields))


async def read_response(reader: asyncio.StreamReader, *, bare: bool = False) -> tuple[int, Fields, bytes]:
    """A final response, after interim ones. `bare`: the answer to a HEAD."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        status, fields = response_head(head[:-4])
        if status >= 200 or status == 101:
            break
    length = framing(fields)
    if bare or status in (101, 204, 304):
        return status, fields, b""
    if length is None:
        return status, fields, await reader.read()
    return status, fields, await body(reader, length)
