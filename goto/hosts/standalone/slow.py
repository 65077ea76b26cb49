"""An answer that is cut, paced or stalled on its way, as a delivery asks for (see `goto.flow.Delivery`).

It is not compiled: such answers are seldom, and are to be slow.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from goto.exchange.waiting import Wait
from goto.flow import Control, Delivery, Field
from goto.hosts.standalone.connection import ClientConnection
from goto.http.record import Copy
from goto.http.trailers import passing
from goto.http.wire import LAST_CHUNK, Ends, chunk, last_chunk
from goto.upstream.answer import HELD_BYTES
from goto.upstream.sink import Sink, nothing

PIECE_SECONDS: Final = 1 / 20
"""A paced answer goes out in pieces of at most this long, or of one byte."""


class SlowOutlet(Sink):
    """The way of an answer that is cut, paced or stalled (see `goto.flow.Delivery`). What comes is held until its time is there.

    Of the paced bytes, those of the body and with `head` those of the head, the n-th goes out n/rate after the beginning at the
    earliest. A stall moves all that is behind it. `whole` comes as that of `Outlet` does; `cut` then tells whether it was cut.
    """

    def __init__(
        self,
        connection: ClientConnection,
        head: bytes,
        ends: Ends,
        delivery: Delivery,
        length: int | None,
        heading: Sequence[Field] | None = None,
        copy: Copy | None = None,
    ) -> None:
        """`length` is that of the body in bytes, None where it is not known. `heading` is as with `Outlet`; a copy of what goes
        out of the body goes into `copy`.
        """
        self._copy = copy
        self.congested = False
        self.on_drained: Callable[[], None] = nothing
        self.whole: Wait[bool] = Wait()
        self._connection = connection
        self._ends = ends
        self._heading = heading
        self._last = LAST_CHUNK
        self._control = delivery.control or Control()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._body = bytearray()
        """What has come of the body, and has not gone out."""
        self._came = 0
        """Bytes of the body that are to go out, as far as they have come."""
        self._went = 0
        """Bytes of the body that have gone out."""
        self._ended = False
        """Nothing more comes."""
        self._error = False
        """It broke off."""
        self._limit = self._limit_of(delivery, length)
        """Where it is cut, None for not at all."""
        self._sure = self._limit is not None and length is not None and self._limit < length
        """The body is longer than that."""
        self.cut = self._sure and self._limit == 0
        paced_head = len(head) if delivery.head else 0
        self._rate = self._rate_of(delivery, length, paced_head)
        self._piece = max(1, int(self._rate * PIECE_SECONDS))
        self._stall, self._stall_at = delivery.stall, delivery.stall_at
        self._until = 0.0
        """When the stall is over; 0 as long as it has not begun."""
        self._head = b"" if self._rate and delivery.head else head
        self._paced_head = head if self._rate and delivery.head else b""
        self._before = 0
        """Bytes of the head that were paced, and have gone out."""
        self._began = time.monotonic()
        drain = Sink()
        drain.on_drained = self._go
        connection.outlet = drain
        self._control.when_let_go(self._go)
        self._go()

    def _limit_of(self, delivery: Delivery, length: int | None) -> int | None:
        if delivery.share is not None and length is None:
            self._control.failed("share")
            return None
        return delivery.cut(length)

    def _rate_of(self, delivery: Delivery, length: int | None, head: int) -> float:
        """Bytes a second; 0 for as fast as they are taken."""
        if not delivery.over:
            return delivery.rate
        if length is None:
            self._control.failed("over")
            return 0.0
        return (length + head) / delivery.over

    # ------------------------------------------------------------ Sink
    def more(self, data: bytes) -> None:
        if self._limit is not None:
            room = self._limit - self._came
            if len(data) > room:
                self.cut = True
                data = data[:room]
        self._came += len(data)
        self._body += data
        if self._sure and self._came == self._limit:
            self.cut = True

    def flush(self) -> None:
        self._go()

    def trailers(self, fields: Sequence[Field]) -> None:
        if self._heading is not None:
            self._last = last_chunk(passing(fields, self._heading))

    def end(self) -> None:
        self._ended = True
        self._go()

    def broken(self, error: Exception) -> None:
        self._ended = self._error = True
        self._go()

    # ------------------------------------------------------------ going out
    def stop(self) -> None:
        """Nobody waits for it any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go(self) -> None:
        """Send what may go out by now, and come back for the rest."""
        self.stop()
        if self.whole.here or self._connection.gone or (self._connection.congested and not self._head):
            return
        now = time.monotonic()
        if self._stands_still(now):
            self._come_back(self._until - now)
        else:
            self._send(now)
            if self._until == 0.0 and self._stands_still(now):
                self._come_back(self._until - now)
            elif self._paced_head or self._body:
                self._come_back(self._due() - now)
            elif self._ended or self.cut:
                self._finish()
        congested = self._connection.congested or len(self._body) > HELD_BYTES
        if congested != self.congested:
            self.congested = congested
            if not congested:
                self.on_drained()

    def _stands_still(self, now: float) -> bool:
        """Whether it stalls now, which may begin with this."""
        if not self._stall or self._control.free or self._went != self._stall_at or self._head or self._paced_head:
            return False
        if not self._until:
            if not self._body:
                return False  # it may have ended there
            self._until = now + self._stall
            self._began += self._stall
        if now < self._until:
            return True
        if not self._rate:
            self._control.over()
        return False

    def _send(self, now: float) -> None:
        pieces = [self._head] if self._head else []
        self._head = b""
        size = self._allowed(now)
        if self._paced_head:
            part = self._paced_head[:size]
            self._paced_head = self._paced_head[len(part) :]
            self._before += len(part)
            size -= len(part)
            pieces.append(part)
        if self._stall and not self._until and not self._control.free:
            size = min(size, self._stall_at - self._went)
        if size > 0 and self._body and not self._paced_head:
            data = bytes(self._body[:size])
            del self._body[:size]
            self._went += len(data)
            if self._copy is not None:
                self._copy.more(data)
            pieces.append(chunk(data) if self._ends == "chunks" else data)
        data = b"".join(pieces)
        if data:
            self._connection.send(data)

    def _allowed(self, now: float) -> int:
        """How many more bytes may go out by now."""
        waiting = len(self._paced_head) + len(self._body)
        if not self._rate or self._control.free:
            return waiting
        return min(waiting, self._piece, int((now - self._began) * self._rate) - self._before - self._went)

    def _due(self) -> float:
        """When the next piece may go out."""
        waiting = len(self._paced_head) + len(self._body)
        size = min(waiting, self._piece)
        return self._began + (self._before + self._went + size) / self._rate

    def _come_back(self, seconds: float) -> None:
        self._timer = self._loop.call_later(max(seconds, 0.0), self._go)

    def _finish(self) -> None:
        connection = self._connection
        if self.cut:
            self.whole.come(False)
            return
        if self._limit is not None:
            self._control.failed("after")
        if self._stall and not self._until and not self._control.free:
            self._control.failed("stall_at")
        if self._error:
            connection.break_off(reset=self._ends == "close")
            self.whole.come(False)
            return
        if self._copy is not None:
            self._copy.end()
        if self._ends == "chunks":
            connection.send(self._last)
        self.whole.come(True)
