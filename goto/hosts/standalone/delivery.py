"""Where the body of an upstream's answer goes on the standalone host: to the client, framed."""

from __future__ import annotations

from collections.abc import Callable

from goto.hosts.standalone.connection import ClientConnection
from goto.http.wire import LAST_CHUNK, Ends, chunk
from goto.upstream.answer import Answer
from goto.upstream.connection import UpstreamError


class ClientOutlet:
    """Collects what comes in one read, and writes it at once. `on_over(whole)` is called when the body has ended."""

    __slots__ = ("_answer", "_chunked", "_connection", "_ends", "_on_over", "_parts", "over")

    def __init__(
        self,
        connection: ClientConnection,
        answer: Answer,
        head: bytes,
        on_over: Callable[[bool], None],
        *,
        ends: Ends,
    ) -> None:
        self._connection = connection
        self._answer = answer
        self._ends = ends
        self._chunked = ends == "chunks"
        self._parts = [head]
        self._on_over = on_over
        self.over = False

    def write(self, data: bytes) -> None:
        self._parts.append(chunk(data) if self._chunked else data)

    def flush(self) -> None:
        parts = self._parts
        if parts:
            self._connection.send(parts[0] if len(parts) == 1 else b"".join(parts))
            self._parts = []

    def end(self) -> None:
        if self._chunked:
            self._parts.append(LAST_CHUNK)
        self.flush()
        self._done(True)

    def broken(self, error: UpstreamError) -> None:
        self.flush()
        self._connection.break_off(reset=self._ends == "close")
        self._done(False)

    def writable(self, yes: bool) -> None:
        if yes:
            self._answer.resume()
        else:
            self._answer.pause()

    def _done(self, whole: bool) -> None:
        self.over = True
        on_over, self._on_over = self._on_over, _nothing  # nothing is left that leads back here
        on_over(whole)


def _nothing(whole: bool) -> None:
    pass
