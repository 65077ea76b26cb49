"""How an answer goes over the wire on the standalone host: at once where it is here, else as it comes, framed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from goto.exchange.waiting import Wait
from goto.flow import Field
from goto.hosts.standalone.connection import ClientConnection
from goto.http.record import Copy
from goto.http.trailers import passing
from goto.http.wire import LAST_CHUNK, Ends, chunk, last_chunk
from goto.upstream.sink import Sink, nothing


class Outlet(Sink):
    """Where the body of an upstream's answer goes: to the client. What comes in one read is collected, and written at once.

    Trailers go with it where the client takes them: `heading` are the fields of the head that the upstream sent, else None.
    `whole` comes when the body has ended: True, or False where it broke off, and the connection with it.
    """

    def __init__(self, connection: ClientConnection, head: bytes, ends: Ends, heading: Sequence[Field] | None = None) -> None:
        self.congested = connection.congested
        self.on_drained: Callable[[], None] = nothing
        self.whole: Wait[bool] = Wait()
        self._connection = connection
        self._ends = ends
        self._chunked = ends == "chunks"
        self._heading = heading
        self._last = LAST_CHUNK
        self._pieces = [head]
        self.copy: Copy | None = None
        """Where a copy of the body goes."""
        connection.outlet = self

    # ------------------------------------------------------------ Sink
    def more(self, data: bytes) -> None:
        if self.copy is not None:
            self.copy.more(data)
        self._pieces.append(chunk(data) if self._chunked else data)

    def flush(self) -> None:
        pieces = self._pieces
        if pieces:
            self._connection.send(pieces[0] if len(pieces) == 1 else b"".join(pieces))
            self._pieces = []

    def trailers(self, fields: Sequence[Field]) -> None:
        if self._heading is not None:
            self._last = last_chunk(passing(fields, self._heading))

    def end(self) -> None:
        if self._chunked:
            self._pieces.append(self._last)
        if self.copy is not None:
            self.copy.end()
        self.flush()
        self.whole.come(True)

    def broken(self, error: Exception) -> None:
        self.flush()
        self._connection.break_off(reset=self._ends == "close")
        self.whole.come(False)
