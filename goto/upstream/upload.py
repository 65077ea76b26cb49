"""The body of a request on its way to an upstream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from mypy_extensions import mypyc_attr

from goto.http.fields import Field
from goto.http.wire import chunk, last_chunk
from goto.upstream.connection import Connection
from goto.upstream.sink import Sink, nothing

ONE_WRITE: Final = 1 << 16
"""A body up to this many bytes goes out with its head in one write, a larger one in pieces of this size."""

EARLY_BYTES: Final = 1 << 16
"""Bytes that are held as long as there is no connection; then whoever pushes has to wait."""


def _no_matter(error: Exception) -> None:
    pass


@mypyc_attr(allow_interpreted_subclasses=True)
class Upload(Sink):
    """Frames what is pushed into it, and writes it to the connection once that is there. `length` in bytes, None for chunks.

    A body that breaks off is told to `on_broken(error)`: the upstream must not take what came for the whole.
    """

    def __init__(self, length: int | None) -> None:
        self.congested = False
        self.on_drained: Callable[[], None] = nothing
        self.length = length
        self.on_broken: Callable[[Exception], None] = _no_matter
        self._connection: Connection | None = None
        self._early: list[bytes] = []
        self._early_size = 0
        self._trailers: Sequence[Field] = ()
        self._ended = False
        self.stopped = False
        """The upstream takes no more of it: what still comes is dropped."""

    def begin(self, connection: Connection) -> None:
        """The head of the request was written to this connection."""
        self._connection = connection
        connection.on_drained = self._on_room
        early, self._early = self._early, []
        for data in early:
            self._write(connection, data)
        if self._ended:
            self._finish(connection)
        self._on_room()

    def stop(self) -> None:
        """The upstream takes no more of it, or need not: what still comes is dropped."""
        if self.stopped:
            return
        self.stopped = True
        self._early = []
        self.on_broken = _no_matter
        if self._connection is not None:
            self._connection.on_drained = nothing
            self._connection = None
        self._on_room()

    def pour(self, body: bytes, start: int = 0) -> None:
        """Take a body that is here, from a place on, as fast as it goes on."""
        for at in range(start, len(body), ONE_WRITE):
            if self.congested:
                self.on_drained = partial(self.pour, body, at)
                return
            self.more(body[at : at + ONE_WRITE])
        self.on_drained = nothing
        self.end()

    # ------------------------------------------------------------ Sink
    def more(self, data: bytes) -> None:
        if self.stopped:
            return
        connection = self._connection
        if connection is not None:
            self._write(connection, data)
            self.congested = connection.congested
        else:
            self._early.append(data)
            self._early_size += len(data)
            self.congested = self._early_size >= EARLY_BYTES

    def trailers(self, fields: Sequence[Field]) -> None:
        self._trailers = fields

    def end(self) -> None:
        self._ended = True
        if self._connection is not None and not self.stopped:
            self._finish(self._connection)

    def broken(self, error: Exception) -> None:
        self.on_broken(error)

    # ------------------------------------------------------------ inside
    def _write(self, connection: Connection, data: bytes) -> None:
        connection.write(data if self.length is not None else chunk(data))

    def _finish(self, connection: Connection) -> None:
        if self.length is None:
            connection.write(last_chunk(self._trailers))
        connection.sent()

    def _on_room(self) -> None:
        self.congested = self._connection is not None and self._connection.congested
        if not self.congested:
            self.on_drained()
