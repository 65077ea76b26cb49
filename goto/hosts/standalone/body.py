"""The body of a client's request: it comes by push, and goes to one sink.

where it goes                the sink
nobody has said so far       none: up to HELD_BYTES are held, or as much as is looked at; then the client has to wait
nobody wants it              `Dropped`
the first bytes are shown    `KeptBody(Budget(n))`
it is needed whole           `WholeBody(limit)`
on to one upstream           `Upload`
to the other protocol        `Tunnel`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from goto.errors import ApiError, BadInput, StoodStill, TooLarge
from goto.exchange.waiting import Wait
from goto.flow import Kept
from goto.http.fields import Field
from goto.http.record import Copy
from goto.traffic.limits import LIMITS
from goto.upstream.kept import Budget, KeptBody
from goto.upstream.sink import Dropped, Sink
from goto.upstream.upload import Upload
from goto.words.duration import duration_text

HELD_BYTES: Final = 1 << 16
"""Bytes of a body that are held as long as nobody has said where it goes."""


class RequestBody:
    """One body. `length` is in bytes, None for a chunked one.

    `expected`: the client holds it back until it is told to go on (`Expect: 100-continue`, RFC 9110, 10.1.1), for which `invite`
    is called when, and only when, somebody wants it, and none of it has come. `settle` is called when it may have changed whether
    it is congested or waited for.
    """

    def __init__(self, length: int | None, expected: bool, invite: Callable[[], None], settle: Callable[[], None]) -> None:
        self.length = length
        self.awaited = expected
        """The client holds it back, and was not told to go on."""
        self.over = False
        """It has come whole, or broke."""
        self._wanted = False
        self._invite = invite
        self._settle = settle
        self._sink: Sink | None = None
        self._held: list[bytes] = []
        self._held_size = 0
        self._most = HELD_BYTES
        """Bytes that are held as long as nobody has said where it goes."""
        self._look: Wait[None] | None = None
        self._look_size = 0
        self._error: Exception | None = None
        self._trailers: list[Field] = []
        self._copy: Copy | None = None

    @property
    def unclaimed(self) -> bool:
        """Nobody has said where it goes."""
        return self._sink is None

    def take(self) -> bytes | None:
        """All of it, if it is here, and nobody has said where it goes. None else, and where it broke."""
        if not self.over or self._sink is not None or self._error is not None:
            return None
        held = self._held
        self.drop()
        return held[0] if len(held) == 1 else b"".join(held)

    @property
    def whole(self) -> bool:
        """The client has sent all of it."""
        return self.over and self._error is None

    @property
    def waiting(self) -> bool:
        """The next byte is the client's to send, and somebody wants it."""
        sink = self._sink
        if self.over or self.awaited or not self._wanted:
            return False
        if sink is None:
            return self._look is not None and not self._look.here
        if sink.congested:
            return False
        return not (isinstance(sink, Upload) and sink.stopped)

    @property
    def congested(self) -> bool:
        sink = self._sink
        return self._held_size >= self._most if sink is None else sink.congested

    def here(self, size: int) -> Wait[None]:
        """Comes once more than so many bytes are here, or as many of a body that is known to have more, or all of it.

        They stay held, and go on to wherever the body goes. Fails where it breaks.
        """
        self._wanted = True
        self._look_size = size
        self._most = max(self._most, size + 1)
        wait: Wait[None] = Wait()
        self._look = wait
        self.invite()
        self._come()
        self._settle()
        return wait

    def first(self, size: int) -> Kept:
        """Its first bytes, as far as they are here."""
        whole = self.over and self._held_size <= size
        return Kept(b"".join(self._held)[:size], self._held_size, whole)

    def _come(self) -> None:
        """Tell whoever looks, if there is as much as is looked at."""
        wait, size = self._look, self._look_size
        if wait is None:
            return
        if self._error is not None:
            wait.fail(self._error)
            return
        # one byte more tells that there is more, unless the length has told it already
        told = self._held_size == size and self.length is not None and self.length > size
        if self.over or self._held_size > size or told:
            wait.come()

    def to(self, sink: Sink, *, asks: bool = True) -> None:
        """This is where it goes, what was held first. `asks`: the client is told to go on. To be called once."""
        self._wanted = True
        if asks:
            self.invite()
        self.lead(sink)

    def invite(self) -> None:
        """Tell the client to go on, if it waits for that."""
        if self.awaited and not self.over:
            self.awaited = False
            self._invite()
            self._settle()

    def drop(self) -> None:
        """Nobody wants it, or nobody any more. Does not ask the client to go on."""
        self._wanted = False
        self.lead(Dropped())

    def lead(self, sink: Sink) -> None:
        """This is where it goes, and nobody waits for it."""
        self._sink = sink
        held, self._held, self._held_size = self._held, [], 0
        sink.on_drained = self._settle
        for data in held:
            sink.more(data)
        if self._error is not None:
            sink.broken(self._error)
        elif self.over:
            self._finish(sink)
        elif held:
            sink.flush()
        self._settle()

    def copied(self, copy: Copy) -> None:
        """Have a copy made of all of it, what is held first, wherever it goes. To be called once, before it goes anywhere."""
        self._copy = copy
        for data in self._held:
            copy.more(data)
        if self.whole:
            copy.end()
        elif self.over:
            copy.stop()

    def left(self) -> None:
        """Nothing more of it is read."""
        if self._copy is not None:
            self._copy.stop()

    # ------------------------------------------------------------ what the connection calls
    def more(self, data: bytes) -> None:
        self.awaited = False
        if self._copy is not None:
            self._copy.more(data)
        sink = self._sink
        if sink is not None:
            sink.more(data)
        else:
            self._held.append(data)
            self._held_size += len(data)
            self._come()

    def flush(self) -> None:
        if self._sink is not None and not self.over:
            self._sink.flush()

    def end(self, trailers: list[Field]) -> None:
        self.over = True
        self.awaited = False
        self._trailers = trailers
        if self._copy is not None:
            self._copy.end()
        if self._sink is not None:
            self._finish(self._sink)
        else:
            self._come()

    def broken(self, reason: str) -> None:
        self._break(BadInput(f"body: {reason}"))

    def stood_still(self) -> None:
        """No byte of it came for as long as the limit `bodyTime`."""
        self._break(StoodStill(f"goto: the body stood still for {duration_text(LIMITS.body_time)}"))

    def _break(self, error: ApiError) -> None:
        self.over = True
        self._error = error
        self.left()
        if self._sink is not None:
            self._sink.broken(error)
        else:
            self._come()

    def _finish(self, sink: Sink) -> None:
        if self._trailers:
            sink.trailers(self._trailers)
        sink.end()


class WholeBody(KeptBody):
    """Keeps a body that is needed whole. It is broken with `TooLarge` as soon as it is over the limit, in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(Budget(limit))
        self._limit = limit

    def more(self, data: bytes) -> None:
        super().more(data)
        if self.truncated:
            self.broken(TooLarge(f"body: more than the limit of {self._limit} bytes"))
