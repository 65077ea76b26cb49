"""Heads of messages read at a glance: those that are plain, and all there is of a message or its beginning.

Most header lines come again and again, so what a line says is remembered, and a head is read by looking its lines up. Anything
that is not plain (framing other than a length, `Upgrade`, repeated names, bytes past ASCII, what is malformed) is left to a
parser, which then gets the same bytes: here nothing is refused, and what is read here any parser reads alike (RFC 9112).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from goto.http.authority import is_host
from goto.http.fields import Field, Headers, Index
from goto.http.memo import Memo
from goto.http.messages import Request

T = TypeVar("T")

MOST_FIELDS: Final = 1000
"""Fields of a head that is read here."""

SAID_LIMIT: Final = 1024
"""Bytes that a `Recall` holds."""

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUES: Final[dict[bytes, Callable[[bytes], object]]] = {
    b"host": is_host,
    b"connection": re.compile(rb"keep-alive|close", re.IGNORECASE).fullmatch,
    b"content-length": re.compile(rb"[0-9]{1,18}").fullmatch,
    b"transfer-encoding": re.compile(rb"chunked", re.IGNORECASE).fullmatch,
}
_ANOTHER_MATTER: Final = frozenset(
    # the parsers take Proxy-Connection for a Connection
    (b"upgrade", b"expect", b"te", b"trailer", b"http2-settings", b"proxy-connection")
)
_METHODS: Final = {method.encode(): method for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}


class NotPlain(ValueError):
    """A line that a parser has to look at."""


def _name(name: bytes) -> tuple[bytes, Callable[[bytes], object] | None]:
    """A name in lower case, and what its values look like in a plain head, where that matters."""
    key = name.lower()
    if not _NAME.fullmatch(name) or key in _ANOTHER_MATTER:
        raise NotPlain
    return key, _VALUES.get(key)


_name_of: Final = Memo(_name).__getitem__


def _line(line: bytes) -> tuple[bytes, tuple[Field]]:
    """A field under its lower-case name."""
    name, colon, value = line.partition(b":")
    key, form = _name_of(name)
    value = value.strip(b" \t")
    if not colon or not _plain(value) or (form is not None and not form(value)):
        raise NotPlain
    return key, ((name, value),)


_line_of: Final = Memo(_line, group=lambda line: line.partition(b":")[0]).__getitem__


def _plain(text: bytes) -> bool:
    """Whether it is visible ASCII, with spaces and tabs."""
    return text.isascii() and (text.decode() if b"\t" not in text else text.replace(b"\t", b" ").decode()).isprintable()


def _status_line(line: bytes) -> tuple[int, bytes]:
    version, _, rest = line.partition(b" ")
    status, _, reason = rest.partition(b" ")
    if version != b"HTTP/1.1" or len(status) != 3 or not status.isdigit() or not _plain(reason):
        raise NotPlain
    return int(status), reason


_status_of: Final = Memo(_status_line).__getitem__


class Recall(Generic[T]):
    """Reads what comes on one connection, and remembers what came last: peers often say the same again."""

    __slots__ = ("_found", "_read", "_said")

    def __init__(self, read: Callable[[bytes], T | None]) -> None:
        self._read = read
        self._said = b""
        self._found: T | None = None

    def read(self, data: bytes) -> T | None:
        """What the bytes say."""
        if len(data) > SAID_LIMIT:
            return self._read(data)
        if data != self._said:
            self._said, self._found = data, self._read(data)
        return self._found


CHUNKED: Final = -1
"""The length of a body that comes in chunks."""

Asked = tuple[str, str, Index, int, bool]
"""Method, target and fields of a request, no name repeated; the length of its body in bytes, or CHUNKED; and whether the
connection stays.
"""


def plain_request(head: bytes) -> Asked | None:
    """The request, if `head` is a plain HTTP/1.1 one in origin-form up to its blank line; however its body is framed."""
    lines = head.split(b"\r\n")
    words = lines[0].split(b" ")
    if len(words) != 3 or words[2] != b"HTTP/1.1" or not 4 <= len(lines) <= MOST_FIELDS or lines.pop() or lines.pop():
        return None
    del lines[0]
    try:
        index: Index = dict(map(_line_of, lines))
        method = _METHODS[words[0]]
        target = words[1].decode("ascii")
    except (NotPlain, KeyError, UnicodeDecodeError):
        return None
    if len(index) != len(lines) or b"host" not in index or target[0:1] != "/" or "#" in target or not target.isprintable():
        return None
    length = 0
    if b"transfer-encoding" in index:
        if b"content-length" in index:
            return None
        length = CHUNKED
    elif b"content-length" in index:
        length = int(index[b"content-length"][0][1])
    return method, target, index, length, not _closes(index)


def _closes(index: Index) -> bool:
    return b"connection" in index and len(index[b"connection"][0][1]) == 5


_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,7})\r\n")


def plain_chunks(data: bytes, at: int) -> tuple[bytes, int] | None:
    """A body in chunks that begins at a place in `data`, and where it ends: if it is whole, without extensions and trailers."""
    pieces: list[bytes] = []
    while (found := _CHUNK.match(data, at)) is not None:
        size = int(found[1], 16)
        begin = found.end()
        end = begin + size
        if data[end : end + 2] != b"\r\n":
            return None
        if size == 0:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces), end + 2
        pieces.append(data[begin:end])
        at = end + 2
    return None


def request_of(asked: Asked) -> Request:
    method, target, index, length, _ = asked
    return Request(method, target, Headers([field for (field,) in index.values()], index), has_body=length != 0)


Head = tuple[int, bytes, list[Field], int, int]
"""Status, reason, fields, length of the body, and where in the bytes read it begins."""


def plain_response(data: bytes) -> Head | None:
    """The head of a response, if `data` begins with a plain one whose body has a length; the connection then stays."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = data[:end].split(b"\r\n")
    if len(lines) > MOST_FIELDS:
        return None
    try:
        status, reason = _status_of(lines.pop(0))
        index: Index = dict(map(_line_of, lines))
        length = int(index[b"content-length"][0][1])
    except (NotPlain, KeyError):
        return None
    if (
        len(index) != len(lines)
        or b"transfer-encoding" in index
        or _closes(index)
        or status < 200
        or status > 599
        or status == 204
        or status == 304
    ):
        return None
    return status, reason, [field for (field,) in index.values()], length, end + 4
