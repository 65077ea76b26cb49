"""Lines of a message up to an empty one, read however they are cut: heads and trailers (RFC 9112, 2.1 and 7.1.2)."""

from __future__ import annotations


class NotHttp(ValueError):
    """Bytes that are no HTTP. `line` is the one at fault, without its end."""

    def __init__(self, line: bytes) -> None:
        super().__init__(line)
        self.line = line


class TooLong(ValueError):
    """More bytes than are taken came before the empty line."""


class Lines:
    """`feed` takes bytes until the empty line has come; `lines` are those before it."""

    __slots__ = ("_start", "left", "lines", "whole")

    def __init__(self, limit: int) -> None:
        self.lines: list[bytes] = []
        self.whole = False
        """The empty line has come."""
        self.left = limit
        """Bytes that are still taken."""
        self._start: list[bytes] = []
        """The pieces of a line that has not ended."""

    @property
    def start(self) -> bytes:
        """The beginning of a line that has not ended."""
        return b"".join(self._start)

    def feed(self, data: bytes, at: int) -> int:
        """Take bytes from a place on; where the next thing begins. Raises `NotHttp` for a line that ends in a bare LF, and
        `TooLong`.
        """
        while at < len(data) and not self.whole:
            found = data.find(b"\n", at)
            end = found + 1 if found >= 0 else len(data)
            self.left -= end - at
            if self.left < 0:
                raise TooLong
            piece = data[at:end]
            at = end
            if found < 0:
                self._start.append(piece)
                break
            if self._start:
                piece = b"".join([*self._start, piece])
                self._start = []
            if piece == b"\r\n":
                self.whole = True
            elif piece.endswith(b"\r\n"):
                self.lines.append(piece[:-2])
            else:
                raise NotHttp(piece[:-1])
        return at
