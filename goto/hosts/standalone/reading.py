"""What a client sends, read: requests one after the other, each with its body, told to a `Reader`. No sockets and no clock.

A head is held until it is here, and then read once: at a glance where it is plain (see `goto.http.heads`), else exactly (see
`goto.http.requests`). So how it was cut does not matter. The states (RFC 9112):

    state     what has come                                    goes to
    HEAD      whole requests and no more, or a part of a head  WHOLE, COUNTED or CHUNKED with the end of a head; BROKEN
    COUNTED   a head, and its body but for `_left` bytes       WHOLE with the last of them
    CHUNKS    a head, and a part of its body in chunks         WHOLE behind the last chunk and its trailers; BROKEN
    WHOLE     a request; what stands behind it is held         HEAD by `next()`
    SWITCHED  a request that switched protocols; all is data   nothing: it lasts as long as the connection
    BROKEN    something that is no HTTP; the rest is dropped   nothing

A head ends at the first empty line, whichever way lines end: one that ends in a bare CR or LF is refused then, and not waited
for. What is over a limit is refused with the first byte past it, before all else that may be wrong.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Final

from mypy_extensions import mypyc_attr

from goto.flow import Headers, Request
from goto.http.chunked import Chunks
from goto.http.fields import Field
from goto.http.heads import CHUNKED, Asked, Recall, plain_chunks, plain_request
from goto.http.requests import Malformed, Refused, read_request
from goto.http.trailers import passing
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

_BLANK_LINE: Final = b"\r\n\r\n"
_EMPTY_LINE: Final = re.compile(rb"\n(?:\n|\r\n|\r[^\n])|\r\r")
_LINE_END: Final = re.compile(rb"[\r\n]")
_TLS: Final = 0x16
"""The first byte of a handshake (RFC 8446, 5.1)."""


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
    def on_end(self, trailers: list[Field]) -> None:
        """The body was whole. Of its trailers those are here that may be passed on."""

    @abstractmethod
    def on_broken(self, refused: Refused) -> None:
        """The last call: a body, or what should have been a head, cannot be read."""


class Reading:
    """Reads what comes on one connection. It has no hold on its reader, who has it."""

    def __init__(self) -> None:
        self.state = HEAD
        self.rest = b""
        """What has come and has to wait for its turn."""
        self._glance: Recall[Asked] = Recall(plain_request)
        self._start = b""
        """A head that has not ended."""
        self._left = 0
        self._chunks: Chunks | None = None
        self._fields: list[Field] = []
        """Those of the request whose body comes in chunks."""

    @property
    def partial(self) -> bool:
        """A part of a head is here, and the rest is not."""
        return self.state == HEAD and self._start != b""

    def feed(self, data: bytes, reader: Reader) -> None:
        """Read what has come, up to the end of a request whose next one has to wait."""
        if self.rest:
            data = self.rest + data
            self.rest = b""
        looked = 0
        if self._start:
            looked = max(len(self._start) - 3, 0)
            data = self._start + data
            self._start = b""
        at = turn = 0
        while at < len(data):
            state = self.state
            if state == HEAD:
                if turn == TURN:
                    self.rest = data[at:]
                    return
                turn += 1
                at = self._read_head(reader, data, at, looked)
                looked = 0
            elif state == COUNTED:
                at = self._count(reader, data, at)
            elif state == CHUNKS:
                at = self._read_chunks(reader, data, at)
            elif state == WHOLE:
                self.rest = data[at:]
                return
            else:
                if state == SWITCHED:
                    reader.on_data(data[at:])
                return

    def next(self) -> None:
        """The request that was read is answered: the next one has its turn, with the next `feed`."""
        self.state = HEAD

    def switch(self) -> None:
        """The request that was read is the last: all that stands behind it is data, told with the next `feed`."""
        self.state = SWITCHED

    # ------------------------------------------------------------ heads
    def _read_head(self, reader: Reader, data: bytes, at: int, looked: int) -> int:
        """Read a head from a place on, or hold a part of one; where it ends. No empty line ends before `looked`."""
        end = data.find(_BLANK_LINE, at + looked) + 4
        if GLANCE and 4 <= end <= at + LIMITS.head:
            head = data if at == 0 and end == len(data) else data[at:end]
            asked = self._glance.read(head)
            if asked is not None and len(asked[2]) <= LIMITS.fields:
                method, target, index, length, keep = asked
                chunks = plain_chunks(data, end) if length == CHUNKED else None
                if length != CHUNKED or chunks is not None:
                    headers = Headers((), index)
                    headers.fields = [field for (field,) in index.values()]  # its own, and not copied once more
                    request = Request(method, target, headers, has_body=length != 0)
                    request.head_size = len(head)
                    self._begin(reader, request, target, length, keep, False)
                    return end if chunks is None else self._end_chunks(reader, *chunks, [])
        while data.startswith(b"\r\n", at):
            at += 2  # empty lines before a request line (RFC 9112, 2.2)
            looked = 0
        if at == len(data):
            return at
        return self._hold_or_take(reader, data, at, looked)

    def _hold_or_take(self, reader: Reader, data: bytes, at: int, looked: int) -> int:
        first = data[at]
        if (first < 0x20 and first != 0x0D) or first > 0x7E or (first == 0x0D and at + 1 < len(data)):
            reason = "this port speaks http: use http:// instead of https://" if first == _TLS else "the method is no token"
            self._break(reader, Refused(400, reason))
            return len(data)
        found = _EMPTY_LINE.search(data, at + looked)
        end = len(data) if found is None else found.end()
        if end - at > LIMITS.head:
            line = _LINE_END.search(data, at, at + LIMITS.head + 1)
            self._refuse_head(reader, 414 if line is None else 431, "head")
        elif found is None:
            self._start = data[at:]
        else:
            self._take(reader, data[at:end])
        return end

    def _take(self, reader: Reader, head: bytes) -> None:
        """Read a head exactly."""
        if head.count(b"\n") - 2 > LIMITS.fields:
            self._refuse_head(reader, 431, "fields")
            return
        try:
            request, target, length, keep, expects = read_request(head)
        except Refused as refused:
            self._break(reader, refused)
            return
        request.head_size = len(head)
        if length == CHUNKED:
            self._chunks = Chunks(LIMITS.head, LIMITS.fields)
            self._fields = request.headers.fields
        self._begin(reader, request, target, length, keep, expects)

    def _begin(self, reader: Reader, request: Request, target: str, length: int, keep: bool, expects: bool) -> None:
        self._left = length
        self.state = WHOLE if length == 0 else CHUNKS if length == CHUNKED else COUNTED
        reader.on_request(request, target, length, keep, expects)

    # ------------------------------------------------------------ bodies
    def _count(self, reader: Reader, data: bytes, at: int) -> int:
        end = min(at + self._left, len(data))
        self._left -= end - at
        if not self._left:
            self.state = WHOLE
        reader.on_data(data if at == 0 and end == len(data) else data[at:end])
        if self.state == WHOLE:
            reader.on_end([])
        return end

    def _read_chunks(self, reader: Reader, data: bytes, at: int) -> int:
        chunks, fault = self._chunks, ""
        assert chunks is not None
        try:
            at = chunks.feed(data, at)
        except Malformed as malformed:
            fault = str(malformed)
            at = len(data)
        pieces, chunks.pieces = chunks.pieces, []
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if chunks.whole and not fault:
            fields, self._fields, self._chunks = self._fields, [], None
            return self._end_chunks(reader, piece, at, passing(chunks.trailers, fields) if chunks.trailers else [])
        if piece:
            reader.on_data(piece)
        if fault:
            self._break(reader, Refused(400, fault))
        return at

    def _end_chunks(self, reader: Reader, piece: bytes, at: int, trailers: list[Field]) -> int:
        """The last piece of a body in chunks is here; where it ends."""
        self.state = WHOLE
        if piece:
            reader.on_data(piece)
        reader.on_end(trailers)
        return at

    # ------------------------------------------------------------ inside
    def _refuse_head(self, reader: Reader, status: int, limit: str) -> None:
        LIMITS.hit[limit] += 1
        what = "request line" if status == 414 else "head"
        most = f"{LIMITS.fields} fields" if limit == "fields" else f"{LIMITS.head} bytes"
        self._break(reader, Refused(status, f"the {what} is over {most}"))

    def _break(self, reader: Reader, refused: Refused) -> None:
        self.state = BROKEN
        self._chunks = None
        reader.on_broken(refused)
