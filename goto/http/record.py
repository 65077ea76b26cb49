"""What passes of one exchange, for whoever wants to look at it later: the first bytes of its bodies, its times, its calls.

A feature asks for it by `flow.keep`, and a host fills it in as things become known. Bodies are copied while they pass, so that
what streams goes on streaming.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from goto.http.fields import Field


class Copy:
    """The first bytes of a body, copied as it passes, and the size of all of it."""

    __slots__ = ("_kept", "_on_kept", "_pieces", "ended", "most", "on_over", "over", "size")

    def __init__(self) -> None:
        self.most = 0
        """So many bytes are kept."""
        self.size = 0
        """Bytes that have passed so far."""
        self.ended = False
        """All of it has passed."""
        self.over = False
        """Nothing more of it comes, whether all of it has passed or not."""
        self.on_over: Callable[[], None] | None = None
        """Called once nothing more of it comes."""
        self._kept = 0
        self._pieces: list[bytes] | None = None
        self._on_kept: Callable[[int], None] | None = None

    def tell(self, on_kept: Callable[[int], None]) -> None:
        """Have this called with the number of bytes, whenever some are kept."""
        self._on_kept = on_kept

    def more(self, data: bytes) -> None:
        """A piece passes."""
        self.size += len(data)
        room = self.most - self._kept
        if room > 0 and data:
            piece = bytes(data[:room])
            if self._pieces is None:
                self._pieces = [piece]
            else:
                self._pieces.append(piece)
            self._kept += len(piece)
            if self._on_kept is not None:
                self._on_kept(len(piece))

    def end(self) -> None:
        """All of it has passed."""
        self.ended = not self.over or self.ended
        self.stop()

    def stop(self) -> None:
        """Nothing more of it comes. Calls after the first change nothing."""
        if not self.over:
            self.over = True
            self._on_kept = None
            on_over, self.on_over = self.on_over, None
            if on_over is not None:
                on_over()

    def keep(self, most: int) -> None:
        """Keep no more than its first bytes of what is kept."""
        if self._kept > most:
            self._pieces = [self.data[:most]]
            self._kept = most

    @property
    def data(self) -> bytes:
        """What is kept so far."""
        pieces = self._pieces
        if not pieces:
            return b""
        if len(pieces) > 1:
            self._pieces = pieces = [b"".join(pieces)]
        return pieces[0]

    @property
    def cut(self) -> bool:
        """Not all that has passed is kept."""
        return self.size > self._kept


class MadeCall:
    """One call to an upstream, and what has come of it."""

    __slots__ = ("address", "began", "connect", "error", "seconds", "status", "target", "tls", "url")

    def __init__(self, target: str, url: str) -> None:
        self.target = target
        """The name of what it was sent for."""
        self.url = url
        self.status = 0
        """Of its answer; 0 as long as there is none."""
        self.seconds: float | None = None
        """From sending it to the head of its answer, or to what went wrong; None while it is waited for."""
        self.error = ""
        """Why there is no answer; empty where nothing went wrong."""
        self.address = ""
        """The address of the upstream, without its port; empty where that is not known."""
        self.connect: float | None = None
        """Seconds that its connection took to be made, TLS included; None where a kept one served."""
        self.tls: float | None = None
        """Those of them that TLS took; None where there is none, or that is not known."""
        self.began = time.monotonic()

    def connected(self, seconds: float, tls: float | None) -> None:
        """A connection was made for it, in so many seconds, those of TLS included."""
        self.connect = seconds
        self.tls = tls

    def reached(self, peername: object) -> None:
        """It goes out, to an address as a socket tells it."""
        if isinstance(peername, tuple) and peername:
            self.address = str(peername[0])

    def answered(self, status: int) -> None:
        """The head of its answer is here."""
        self.status = status
        self.seconds = time.monotonic() - self.began

    def failed(self, error: str) -> None:
        """It has no answer, or a part of one."""
        self.error = error
        if self.seconds is None:
            self.seconds = time.monotonic() - self.began


class Record:
    """What passes of one exchange. Times are in seconds, those named by a place are since the head of the request."""

    __slots__ = ("calls", "fields", "head", "held", "on_head", "reason", "request", "response", "started", "status")

    def __init__(self, started: float) -> None:
        """`started` is the time of the head of the request, of the monotonic clock."""
        self.request = Copy()
        self.response = Copy()
        self.started = started
        self.status: int | None = None
        """That of the head that went to the client; None as long as none did."""
        self.reason = ""
        """The phrase behind that status, where it is not the usual one."""
        self.fields: Sequence[Field] = ()
        """The fields of that head, without what frames the body."""
        self.head: float | None = None
        """When that head went out."""
        self.held = 0.0
        """How long features have held the exchange."""
        self.calls: Sequence[MadeCall] = ()
        """The calls to upstreams, in the order in which they were sent."""
        self.on_head: Callable[[], None] | None = None
        """Called once the head of the answer has gone out."""

    @property
    def upstream(self) -> float | None:
        """Seconds from sending the first call to the head of its answer; None without one."""
        if not self.calls:
            return None
        times = [call.seconds for call in self.calls if call.status and call.seconds is not None]
        return max(times) if times else None

    def calling(self, target: str, url: str) -> MadeCall:
        """A call is about to be sent."""
        call = MadeCall(target, url)
        self.calls = [*self.calls, call]
        return call

    def answered(self, status: int, reason: str | None, fields: Sequence[Field]) -> None:
        """The head of the answer goes to the client, with these fields, which do not frame the body."""
        if self.status is not None:
            return
        self.status = int(status)  # a word is one too
        self.reason = reason or ""
        self.fields = fields
        self.head = time.monotonic() - self.started
        if self.on_head is not None:
            self.on_head()
