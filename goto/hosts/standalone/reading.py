"""What a client sends, read: requests one after the other, each with its body, told to a `Reader`. No sockets and no clock.

A head that is plain is read at a glance (see `goto.http.heads`), any other by aiohttp's parser. A body with a length is counted
past the parser, one in chunks comes through it unless all of it is here and plain. The states (RFC 9112):

    state       what has come                                    goes to
    HEAD        whole requests and no more, or a part of a head  WHOLE, COUNTED or CHUNKS with the end of a head; BROKEN
    COUNTED     a head, and its body but for `_left` bytes       WHOLE with the last of them
    CHUNKS      a head, and a part of its body in chunks         WHOLE with the last chunk; BROKEN
    WHOLE       a request; what stands behind it is held         HEAD by `next()`
    SWITCHED    a request that switched protocols; all is data   nothing: it lasts as long as the connection
    BROKEN      something that is no HTTP; the rest is dropped   nothing

The parser is given bytes up to the next blank line, never beyond: a head ends there, and so does the last chunk with what may
stand behind it. So it never sees anything of a next request, which may be another protocol's after an `Upgrade`, and what is
wrong with that does not take the answer to this one with it.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from typing import Any, Final

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser
from mypy_extensions import mypyc_attr

from goto.flow import Headers, Request, encode
from goto.http.fields import Field
from goto.http.heads import CHUNKED, Asked, Recall, plain_chunks, plain_request
from goto.traffic.limits import LIMITS

GLANCE = True
"""Whether heads are read at a glance at all. Tests turn it off, to compare."""

HEAD: Final = 0
COUNTED: Final = 1
CHUNKS: Final = 2
WHOLE: Final = 3
SWITCHED: Final = 4
BROKEN: Final = 5

TURN: Final = 64
"""Requests that are read of what came in one read, before others have their turn."""

METHOD_LENGTH: Final = 1024
"""Bytes of a method that are looked at; a longer one is malformed."""

_BLANK_LINE: Final = b"\r\n\r\n"
_METHODS: Final = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT"))
_METHOD: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Malformed:
    """What came is no HTTP, or more than is taken."""

    def __init__(self, status: int, reason: str, method: str = "-", target: str = "-") -> None:
        self.status = status
        """What it is answered, where there is anything to answer."""
        self.reason = reason
        self.method = method
        """That of its head, as far as it was read."""
        self.target = target


@mypyc_attr(allow_interpreted_subclasses=True)
class Reader(ABC):
    """Who is told what was read."""

    @abstractmethod
    def on_request(self, request: Request, target: str, length: int, keep: bool, expects: bool) -> None:
        """A head. `target` is what stood in it; `length` that of the body in bytes, or CHUNKED; `keep`: the connection stays;
        `expects`: the client waits for a `100 Continue`. `on_end` follows unless `length` is 0.
        """

    @abstractmethod
    def on_data(self, data: bytes) -> None:
        """A piece of the body."""

    @abstractmethod
    def on_end(self) -> None:
        """The body was whole."""

    @abstractmethod
    def on_broken(self, malformed: Malformed) -> None:
        """The last call: a body, or what should have been a head, cannot be read."""


class _Unpaused:
    """What a stream of aiohttp's asks of its protocol. Bodies are taken out of it after each read."""

    connected = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self, resume_parser: bool = True) -> None:
        pass


_UNPAUSED: Final = _Unpaused()


class Reading:
    """Reads what comes on one connection."""

    def __init__(self, reader: Reader, loop: asyncio.AbstractEventLoop) -> None:
        self.state = HEAD
        self.rest = b""
        """What has come and has to wait for its turn."""
        self._reader = reader
        self._loop = loop
        self._glance: Recall[Asked] = Recall(plain_request)
        self._left = 0
        self._start = b""
        """The beginning of a head, as long as its method has not come whole."""
        self._method = b""
        self._parser: Any = None
        """It has seen a part of a head, or a head whose body comes in chunks."""
        self._size = 0
        """Bytes of the head that it has seen."""
        self._edge = b""
        """The last bytes that it has seen, as far as a blank line may have begun in them."""
        self._body: Any = None

    @property
    def partial(self) -> bool:
        """A part of a head is here, and the rest is not."""
        return self.state == HEAD and (self._parser is not None or self._start != b"")

    def feed(self, data: bytes) -> None:
        """Read what has come, up to the end of a request whose next one has to wait."""
        if self.rest:
            data = self.rest + data
            self.rest = b""
        at = turn = 0
        while at < len(data):
            state = self.state
            if state == HEAD:
                if turn == TURN:
                    self.rest = data[at:]
                    return
                turn += 1
                at = self._read_head(data, at)
            elif state == COUNTED:
                at = self._count(data, at)
            elif state == CHUNKS:
                at = self._read_chunks(data, at)
            elif state == WHOLE:
                self.rest = data[at:]
                return
            else:
                if state == SWITCHED:
                    self._reader.on_data(data[at:])
                return

    def next(self) -> None:
        """The request that was read is answered: the next one has its turn, with the next `feed`."""
        self.state = HEAD

    def switch(self) -> None:
        """The request that was read is the last: all that stands behind it is data, told with the next `feed`."""
        self.state = SWITCHED

    # ------------------------------------------------------------ heads
    def _read_head(self, data: bytes, at: int) -> int:
        """Read a head, or a part of one, from a place on; where it ends."""
        if self._parser is not None:
            return self._parse(b"", data, at)
        if not self._start:
            end = data.find(_BLANK_LINE, at) + 4
            if GLANCE and 4 <= end <= at + LIMITS.head:
                head = data if at == 0 and end == len(data) else data[at:end]
                asked = self._glance(head)
                if asked is not None and len(asked[2]) <= LIMITS.fields:
                    method, target, index, length = asked
                    chunks = plain_chunks(data, end) if length == CHUNKED else None
                    if length != CHUNKED or chunks is not None:
                        fields: list[Field] = [field for (field,) in index.values()]
                        request = Request(method, target, Headers(fields, index), has_body=length != 0)
                        self._begin(request, target, length, True, False)
                        return end if chunks is None else self._end_chunks(*chunks)
            while at < len(data) and (data[at] == 13 or data[at] == 10):
                at += 1  # empty lines before a request line (RFC 9112, 2.2)
            if at == len(data):
                return at
        return self._begin_head(data, at)

    def _begin_head(self, data: bytes, at: int) -> int:
        """Give a head to a parser once its method is here.

        The parser has not heard of every method, which may be any token (RFC 9110, 9.1). It is told that such a one is POST: none
        but CONNECT changes how a request is read.
        """
        start = self._start + data[at : at + METHOD_LENGTH]
        found = _METHOD.match(start)
        length = 0 if found is None else found.end()
        if 0 < length == len(start) < METHOD_LENGTH:
            self._start = start
            return len(data)
        at += length - len(self._start)
        self._method = start[:length]
        self._start = b""
        self._parser = HttpRequestParser(
            _UNPAUSED,  # type: ignore[arg-type]  # it is all that is asked of a protocol
            self._loop,
            1 << 16,
            max_line_size=LIMITS.head,
            max_field_size=LIMITS.head,
            max_headers=LIMITS.fields,
            auto_decompress=False,
        )
        self._size = length
        self._edge = b""
        other = length > 0 and start[length : length + 1] == b" " and self._method not in _METHODS
        return self._parse(b"POST" if other else self._method, data, at)

    def _parse(self, first: bytes, data: bytes, at: int) -> int:
        """Give the parser the next bytes of a head, and `first` before them; where they end."""
        end = self._cut(data, at)
        self._size += end - at
        if self._size > LIMITS.head:
            self._refuse_head("head")
            return end
        try:
            messages, _, _ = self._parser.feed_data(first + data[at:end])
            if messages:
                ((message, body),) = messages
                self._take(message, body)
        except HttpProcessingError as error:
            if "Too many" in str(error):
                self._refuse_head("fields")
            else:
                self._break(400, _first_line(error.message, self._method))
        except ValueError:
            self._break(400, "malformed request")
        return end

    def _take(self, message: Any, body: Any) -> None:
        """What a head asks, once the parser has read it."""
        method = self._method.decode()
        fields: list[Field] = list(message.raw_headers)
        if method == "CONNECT":
            self._break(501, "CONNECT is not served", method, message.path)
            return
        if message.version < (1, 0):
            self._break(400, "HTTP/0.9 is not spoken here: use HTTP/1.1", method, message.path)
            return
        for name, value in fields:
            if len(name) == 17 and name.lower() == b"transfer-encoding" and value.strip().lower() != b"chunked":
                # other codings would have to be undone before the message's end is known (RFC 9112, 6.1)
                self._break(400, "the only transfer coding that is understood is chunked", method, message.path)
                return
        if message.chunked:
            length = CHUNKED
            self._body = body
            self._edge = b""
        else:
            length = int(message.headers.get("Content-Length", 0))
            self._parser = None  # it will not see the body
        request = request_of(method, message.path, fields, message.version, has_body=length != 0)
        expects = request.version >= (1, 1) and "100-continue" in (request.headers.get("expect") or "").lower()
        self._begin(request, message.path, length, not message.should_close, expects)

    def _begin(self, request: Request, target: str, length: int, keep: bool, expects: bool) -> None:
        self._left = length
        self.state = WHOLE if length == 0 else CHUNKS if length == CHUNKED else COUNTED
        self._reader.on_request(request, target, length, keep, expects)

    # ------------------------------------------------------------ bodies
    def _count(self, data: bytes, at: int) -> int:
        end = min(at + self._left, len(data))
        self._left -= end - at
        if not self._left:
            self.state = WHOLE
        self._reader.on_data(data if at == 0 and end == len(data) else data[at:end])
        if self.state == WHOLE:
            self._reader.on_end()
        return end

    def _read_chunks(self, data: bytes, at: int) -> int:
        body, reason = self._body, ""
        while at < len(data) and not reason and not body.is_eof():
            end = self._cut(data, at)
            try:
                self._parser.feed_data(data[at:end])
            except HttpProcessingError as error:
                reason = _first_line(error.message, b"")
            at = end
        piece: bytes = body.read_nowait()
        if not reason and body.is_eof():
            self._parser = self._body = None
            return self._end_chunks(piece, at)
        if piece:
            self._reader.on_data(piece)
        if reason:
            self._break(400, reason)
        return at

    def _end_chunks(self, piece: bytes, at: int) -> int:
        """The last piece of a body in chunks is here; where it ends."""
        self.state = WHOLE
        if piece:
            self._reader.on_data(piece)
        self._reader.on_end()
        return at

    # ------------------------------------------------------------ inside
    def _cut(self, data: bytes, at: int) -> int:
        """Where the next blank line ends that the parser has not seen whole; the end of the data where there is none."""
        edge = self._edge
        found = (edge + data[at : at + 3]).find(_BLANK_LINE) if edge else -1
        if found >= 0:
            end = at + found + 4 - len(edge)
        else:
            found = data.find(_BLANK_LINE, at)
            end = found + 4 if found >= 0 else len(data)
        self._edge = data[end - 3 : end] if end - at >= 3 else (edge + data[at:end])[-3:]
        return end

    def _refuse_head(self, limit: str) -> None:
        LIMITS.hit[limit] += 1
        self._break(431, f"the head is over {LIMITS.head} bytes or {LIMITS.fields} fields")

    def _break(self, status: int, reason: str, method: str = "-", target: str = "-") -> None:
        self.state = BROKEN
        self._parser = self._body = None
        self._reader.on_broken(Malformed(status, reason, method, target))


def request_of(method: str, target: str, fields: list[Field], version: tuple[int, int], *, has_body: bool) -> Request:
    """The request in origin-form; an absolute-form's authority stands for its `Host` (RFC 9112, 3.2.2)."""
    if target[:1] not in "/*":
        scheme, _, rest = target.partition("://")
        if scheme.lower() in ("http", "https"):
            cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
            authority, target = rest[:cut], rest[cut:]
            if not target.startswith("/"):
                target = "/" + target
            fields = [field for field in fields if field[0].lower() != b"host"]
            fields.insert(0, (b"Host", encode(authority.rpartition("@")[2])))
    major, minor = version
    return Request(method, target, Headers(fields), version=(major, minor), has_body=has_body)


def _first_line(message: str | None, method: bytes) -> str:
    """What aiohttp says of a malformed request, without its drawing of where."""
    if method == b"PRI":
        return "HTTP/2 is not spoken here: use HTTP/1.1"
    return (message or "").partition("\n")[0].strip().rstrip(":") or "malformed request"
