"""Where the bytes of a body go, whichever way: they are pushed, and back-pressure has one dialect.

    sink.more(data)     a piece of the body
    sink.flush()        all that came in one read was handed over, and the body goes on
    sink.trailers(…)    the fields behind a body in chunks, if there are any; the end follows
    sink.end()          it was whole: the last call
    sink.broken(error)  or: it broke off, which is the last call then

After each of the first two, whoever pushes looks at `sink.congested`. Where it is true he holds his source back until the sink
calls `on_drained`, which he has set before. What comes nevertheless is taken, so nobody has to stop within a read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mypy_extensions import mypyc_attr

from goto.exchange.waiting import Wait
from goto.http.fields import Field


def nothing() -> None:
    """What `on_drained` is as long as nobody waits."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Sink:
    """Takes a body in pieces. One that overrides nothing drops it."""

    def __init__(self) -> None:
        self.congested = False
        """More comes than goes on."""
        self.on_drained: Callable[[], None] = nothing
        """To be called once `congested` is over."""

    def more(self, data: bytes) -> None:
        """A piece."""

    def flush(self) -> None:
        """Nothing more has come for now: what was collected can go on."""

    def trailers(self, fields: Sequence[Field]) -> None:
        """What stands behind a body in chunks (RFC 9112, 7.1.2)."""

    def end(self) -> None:
        """The body is whole."""

    def broken(self, error: Exception) -> None:
        """There will be no more of it."""


class Dropped(Sink):
    """Where a body goes that nobody wants."""


@mypyc_attr(allow_interpreted_subclasses=True)
class HeardOut(Sink):
    """Where a body goes that is read to its end all the same, up to so many bytes. `over` comes then."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.over: Wait[None] = Wait()
        self._left = limit

    def more(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.over.come()

    def end(self) -> None:
        self.over.come()

    def broken(self, error: Exception) -> None:
        self.over.come()
