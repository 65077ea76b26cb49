"""After `101`: bytes go both ways as they come, and each way ends by itself.

    state           means                                           goes to
    OPEN            both sides may send                             CLIENT_ENDED, UPSTREAM_ENDED; ENDED where a side is TLS
    CLIENT_ENDED    the client's FIN has gone on to the upstream    ENDED by the upstream's FIN
    UPSTREAM_ENDED  the upstream's FIN has gone on to the client    ENDED by the client's FIN
    ENDED           nobody sends; what was written still goes out   nothing

A FIN goes on behind all bytes that came before it. TLS has no half, so that with it either end is the end of both.

A reset is no state: the exchange is over then, and the other side is reset. So it is where nothing moves in CLIENT_ENDED or
UPSTREAM_ENDED for as long as the limit `bodyTime`: whoever had to move is taken for gone. Behind its FIN a side is not read any
more, so that its socket is asked for a reset.
"""

from __future__ import annotations

import asyncio
from typing import Final

from goto.hosts.standalone.connection import ClientConnection
from goto.hosts.standalone.delivery import Outlet
from goto.traffic.limits import LIMITS
from goto.upstream.answer import Answer
from goto.upstream.connection import Connection
from goto.upstream.errors import Broken, TooSlow
from goto.upstream.presence import PEEK_SECONDS, was_reset
from goto.upstream.sink import Sink
from goto.words.duration import duration_text

OPEN: Final = 0
CLIENT_ENDED: Final = 1
UPSTREAM_ENDED: Final = 2
ENDED: Final = 3


class Tunnel(Outlet):
    """Both ways of one connection that has switched protocols; itself the sink of the way to the client. `whole` comes when both
    ways have ended: True, or False where the upstream broke. `head` is that of the answer.
    """

    def __init__(self, connection: ClientConnection, head: bytes, answer: Answer, upstream: Connection) -> None:
        super().__init__(connection, head, "close")
        self._answer = answer
        self._upstream = upstream
        self._state = OPEN
        self._halves = connection.plain and upstream.origin.scheme == "http"
        """A side can end while the other goes on."""
        self._loop = asyncio.get_running_loop()
        self._moved_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._to_upstream = ToUpstream(self, upstream)

    def begin(self) -> None:
        self._connection.switch(self._to_upstream)
        self._answer.pipe(self)
        self.on_drained = self._on_room

    def stop(self) -> None:
        """The exchange is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def moved(self) -> None:
        """Bytes have gone one way or the other."""
        self._moved_at = self._loop.time()

    # ------------------------------------------------------------ the way to the client
    def more(self, data: bytes) -> None:
        self.moved()
        super().more(data)

    def end(self) -> None:
        self.flush()
        self._ended(UPSTREAM_ENDED)

    def _on_room(self) -> None:
        self.moved()
        self._answer.resume()

    # ------------------------------------------------------------ ends
    def client_ended(self) -> None:
        self._ended(CLIENT_ENDED)

    def _ended(self, side: int) -> None:
        """A side's FIN has come."""
        if self._state == OPEN and self._halves:
            self._state = side
            if side == CLIENT_ENDED:
                self._upstream.write_eof()
            else:
                self._connection.write_eof()
            self.moved()
            self._look()
        elif self._state != ENDED:
            self._state = ENDED
            self._answer.close(LIMITS.body_time)
            self.whole.come(True)

    def _look(self) -> None:
        """Whether it stands still, or the side that has ended was reset since."""
        self._timer = None
        if self._state == CLIENT_ENDED and self._connection.was_reset:
            self._connection.break_off()
            return
        if self._state == UPSTREAM_ENDED and self._upstream.transport is not None and was_reset(self._upstream.transport):
            self._upstream.fail(Broken("reset the connection"))
            return
        left = self._moved_at + LIMITS.body_time - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(min(left, PEEK_SECONDS), self._look)
            return
        LIMITS.hit["body_time"] += 1
        # who sends is waited for, or who does not take what was sent
        upstream_sends = self._state == CLIENT_ENDED
        congested = self.congested if upstream_sends else self._to_upstream.congested
        if upstream_sends == congested:
            self._connection.break_off()
        else:
            self._upstream.fail(TooSlow(f"stood still for {duration_text(LIMITS.body_time)}"))


class ToUpstream(Sink):
    """The way to the upstream."""

    def __init__(self, tunnel: Tunnel, upstream: Connection) -> None:
        super().__init__()
        self._tunnel = tunnel
        self._upstream = upstream
        upstream.on_drained = self._on_room

    def more(self, data: bytes) -> None:
        self._tunnel.moved()
        self._upstream.write(data)
        self.congested = self._upstream.congested

    def end(self) -> None:
        self._tunnel.client_ended()

    def _on_room(self) -> None:
        self._tunnel.moved()
        self.congested = False
        self.on_drained()
