"""A body in chunks, read exactly as it comes (RFC 9112, 7.1).

state    what comes next               goes to
SIZE     a size, and extensions        DATA, or TRAILER where the size is 0
DATA     the bytes of a chunk          END with the last of them
END      the line end behind them      SIZE
TRAILER  fields, then an empty line    WHOLE
WHOLE    nothing                       nothing
"""

from __future__ import annotations

import re
from typing import Final

from goto.http.fields import Field
from goto.http.requests import Malformed, read_field

SIZE: Final = 0
DATA: Final = 1
END: Final = 2
TRAILER: Final = 3
WHOLE: Final = 4

LINE_LIMIT: Final = 1 << 14
"""Bytes of a line with a size and its extensions."""

_EXTENSION: Final = (
    rb"[ \t]*;[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    rb'(?:[ \t]*=[ \t]*(?:[!#$%&\'*+.^_`|~0-9A-Za-z-]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?'
)
_SIZE: Final = re.compile(rb"0*([0-9A-Fa-f]{1,15})(?:" + _EXTENSION + rb")*")


class Chunks:
    """Decodes one body. `pieces` are the bytes of its chunks that have come and were not taken; `trailers` are there once it is
    whole. `limit` is that of the bytes of the trailers, and `most` of their number.
    """

    __slots__ = ("_left", "_limit", "_most", "_start", "pieces", "state", "trailers")

    def __init__(self, limit: int, most: int) -> None:
        self.state = SIZE
        self.pieces: list[bytes] = []
        self.trailers: list[Field] = []
        self._left = 0
        """Of the chunk, in DATA."""
        self._limit = limit
        self._most = most
        self._start = b""
        """A line that has not ended."""

    @property
    def whole(self) -> bool:
        """The body has ended."""
        return self.state == WHOLE

    def feed(self, data: bytes, at: int) -> int:
        """Take bytes from a place on, up to the end of the body; where that is. Raises `Malformed`."""
        while at < len(data) and self.state != WHOLE:
            if self.state == DATA:
                end = min(at + self._left, len(data))
                self._left -= end - at
                if not self._left:
                    self.state = END
                self.pieces.append(data[at:end])
                at = end
            else:
                at = self._line(data, at)
        return at

    def _line(self, data: bytes, at: int) -> int:
        """Take the next bytes of a line; where they end."""
        found = data.find(b"\n", at)
        end = found + 1 if found >= 0 else len(data)
        line = self._start + data[at:end] if self._start else data[at:end]
        if self.state == END:
            if not b"\r\n".startswith(line):
                raise Malformed("a chunk is longer than its size", line.rstrip(b"\r\n"))
        elif self.state == SIZE:
            if len(line) > LINE_LIMIT:
                raise Malformed(f"the line with the size of a chunk is over {LINE_LIMIT} bytes")
        elif len(line) > self._limit:
            raise Malformed("the trailers are over the limit of heads")
        if found < 0:
            self._start = line
            return end
        self._start = b""
        if not line.endswith(b"\r\n"):
            raise Malformed("a line between chunks ends in a bare LF", line[:-1])
        self._take(line[:-2])
        return end

    def _take(self, line: bytes) -> None:
        """A line, without its end."""
        if self.state == END:
            self.state = SIZE
        elif self.state == SIZE:
            size = _SIZE.fullmatch(line)
            if size is None:
                raise Malformed("the size of a chunk is no hexadecimal number", line)
            self._left = int(size[1], 16)
            self.state = DATA if self._left else TRAILER
        elif not line:
            self.state = WHOLE
        elif len(self.trailers) >= self._most:
            raise Malformed("the trailers are over the limit of heads")
        else:
            self._limit -= len(line) + 2
            self.trailers.append(read_field(line))
