"""One HTTP/1.1 connection to an origin: a request goes out, an answer comes in, then the next.

Callbacks, no tasks: a connection costs nothing a request beyond its bytes. A parser reads heads and chunked bodies; plain heads
(see `heads`), and a body with a length or one that lasts until the connection ends, pass by it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final

import httptools
from mypy_extensions import mypyc_attr

from goto.flow import Field, Origin
from goto.http.heads import Head, Recall, plain_response
from goto.upstream.batch import Batch
from goto.upstream.sink import nothing
from goto.words.duration import duration_text


class UpstreamError(Exception):
    """An exchange with an upstream that failed; the text says why. `status` is what a client is answered."""

    status: ClassVar[int] = 502
    kind: ClassVar[str] = "other"
    """What it is counted as."""


class Unreachable(UpstreamError):
    """No connection could be made."""

    kind: ClassVar[str] = "connect"


class Broken(UpstreamError):
    """The connection ended too early, or what came over it was no HTTP."""

    kind: ClassVar[str] = "broken"


class TooSlow(UpstreamError):
    """No answer, or no more of it, within the time set."""

    status: ClassVar[int] = 504
    kind: ClassVar[str] = "timeout"


@mypyc_attr(allow_interpreted_subclasses=True)
class Receiver(ABC):
    """Whoever gets the answer to a request: `on_whole` alone, or the others, of which `on_end` or `on_error` comes exactly once,
    last.
    """

    __slots__ = ()

    def on_whole(self, status: int, reason: bytes, fields: list[Field], body: bytes) -> None:
        """The answer, where all of it came at once."""
        self.on_head(status, reason, fields, len(body))
        if body:
            self.on_data(body)
        self.on_end()

    def on_interim(self, status: int, reason: bytes, fields: list[Field]) -> None:  # noqa: B027  # most want none
        """An answer of 1xx other than 101: the final one follows."""

    @abstractmethod
    def on_head(self, status: int, reason: bytes, fields: list[Field], length: int | None) -> None:
        """The head; `length` is the body's size in bytes, None where it is chunked or lasts until the end."""

    @abstractmethod
    def on_data(self, data: bytes) -> None: ...

    def on_flush(self) -> None:  # noqa: B027  # not every receiver collects
        """All that came in one read was handed over, and the answer goes on."""

    @abstractmethod
    def on_end(self) -> None: ...

    @abstractmethod
    def on_error(self, error: UpstreamError) -> None: ...


HEAD_LIMIT: Final = 1 << 18
"""Bytes of the head of an answer, interim heads included."""

AT_ONCE: Final = 1 << 14
"""Pieces of a request from this size on are written at once, so that it shows whether the origin takes them."""

_UNTIL_CLOSE: Final = -1
_REASON = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_NO_BODY: Final = (204, 304)


class Connection:
    """A connection kept in a pool. `pause` and `resume` hold back what it receives; what it sends is `congested` where the origin
    does not take it as fast as it comes, until `on_drained` is called.

    An `asyncio.Protocol` in all but its base, which a compiled class cannot have.
    """

    __slots__ = (
        "_bare",
        "_batch",
        "_chunked",
        "_complete",
        "_deadline",
        "_fields",
        "_glance",
        "_head_done",
        "_keep",
        "_left",
        "_length",
        "_on_idle",
        "_on_lost",
        "_parser",
        "_paused",
        "_reason",
        "_receiver",
        "_seen",
        "_timeout",
        "_timer",
        "_timer_at",
        "congested",
        "idle_since",
        "loop",
        "on_drained",
        "origin",
        "received",
        "reused",
        "sending",
        "transport",
    )

    def __init__(
        self,
        origin: Origin,
        loop: asyncio.AbstractEventLoop,
        batch: Batch,
        on_idle: Callable[[Connection], None],
        on_lost: Callable[[Connection], None],
    ) -> None:
        self.origin = origin
        self.loop = loop
        self._batch = batch
        self.transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self.reused = False
        """An answer has come over it before."""
        self.received = False
        """A byte of the present answer has come."""
        self.sending = False
        """The present request is not wholly sent."""
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._receiver: Receiver | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._bare = False
        """The answer has no body, whatever its head says."""
        self._reason = b""
        self._fields: list[Field] = []
        self._length: int | None = None
        self._chunked = False
        self._seen = 0
        """Bytes of the head, then of the body, that came through the parser."""
        self._left: int | None = None
        """Bytes of the body still to come past the parser; None while the parser is in charge."""
        self._glance = Recall(plain_response)
        """The head of an answer, if it is a plain one."""
        self._head_done = False
        self._complete = False
        self._keep = False
        self._timeout = 0.0
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._paused = False
        self.congested = False
        """The origin does not take what is written as fast as it comes."""
        self.on_drained: Callable[[], None] = nothing
        """Called when it takes more again, or the connection has ended."""

    # ------------------------------------------------------------ what its user calls
    @property
    def usable(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def start(self, receiver: Receiver, data: bytes, timeout: float, *, head: bool = False, whole: bool = True) -> None:
        """Send a request, or its first part where not `whole`. `head`: the answer to it has no body."""
        assert self.transport is not None
        self._receiver = receiver
        self._bare = head
        self._head_done = self._complete = self.received = False
        self._left = None
        self._seen = 0
        self._timeout = timeout
        self.sending = not whole
        self._batch.write(self.transport, data)
        if whole:
            self.watch()

    def write(self, data: bytes) -> None:
        """A further part of the request. An origin that does not read it is as slow as one that does not answer."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if len(data) < AT_ONCE:
            self._batch.write(transport, data)
        else:
            self._batch.flush()
            transport.write(data)
        if self.congested and self._deadline is None:
            self.watch()

    def sent(self) -> None:
        """The last byte of the request was written: from here on the upstream's time counts."""
        self.sending = False
        self.watch()

    def watch(self) -> None:
        """Give the upstream the request's timeout from now."""
        self._deadline = deadline = self.loop.time() + self._timeout
        # one timer serves many requests: it is moved only when it would fire too late
        if self._timer is None or self._timer_at > deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            self._timer = self.loop.call_at(deadline, self._on_timer)

    def unwatch(self) -> None:
        """It is not the upstream's turn."""
        self._deadline = None

    def pause(self) -> None:
        if not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            if self.usable and self.transport is not None:
                self.transport.resume_reading()
                if self._deadline is not None:
                    self.watch()  # while it was held back, it was not the upstream that was slow

    def abort(self) -> None:
        """End it at once; its receiver hears nothing more."""
        self._receiver = None
        self._deadline = None
        if self.transport is not None:
            self.transport.abort()

    # ------------------------------------------------------------ asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's is no subclass of asyncio.Transport

    def data_received(self, data: bytes) -> None:
        receiver = self._receiver
        if receiver is None:
            self.abort()  # nobody asked: it could be taken for the next answer
            return
        if self._left is not None:
            self._take(receiver, data)
        elif self.received or self._bare or (head := self._glance(data)) is None:
            self.received = True
            self._parse(receiver, data)
        elif self._read(receiver, head, data):
            return
        if self._complete:
            self._finish()
        elif self._receiver is receiver:
            if self._head_done:
                self.watch()  # a head that drips in has no more time than one that does not
            elif self._heavy(len(data)):
                self._fail(Broken(f"answered with a head over {HEAD_LIMIT} bytes"))
                return
            receiver.on_flush()

    def eof_received(self) -> bool:
        self._ended(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)
        self.transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.resume_writing()
        self._on_lost(self)

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        if self.congested:
            self.congested = False
            if self.sending and not self._head_done:
                self.unwatch()  # it is the client's turn again
            self.on_drained()

    # ------------------------------------------------------------ what the parser calls
    def on_message_begin(self) -> None:
        if self._complete:
            self._keep = False  # more came than one answer
            return
        self._fields = []
        self._reason = b""
        self._length = None

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))
        if len(name) == 14 and name.lower() == b"content-length":
            self._length = int(value)

    def on_headers_complete(self) -> None:
        receiver, parser = self._receiver, self._parser
        if receiver is None or parser is None or self._complete:
            return
        status = parser.get_status_code()
        if status < 200 and status != 101:
            receiver.on_interim(status, self._reason, self._fields)
            return  # the final one follows
        self._keep = parser.should_keep_alive()
        self._head_done = True
        self._seen = 0
        if status in _NO_BODY:
            self._bare = True
        fields, self._fields = self._fields, []  # what follows are trailers
        coding = _transfer_coding(fields) if self._length is None else b""
        if coding not in (b"", b"chunked", b"identity"):
            self._fail(Broken(f"answered in a transfer coding that is not understood: {coding.decode('latin-1')}"))
            return
        self._chunked = coding == b"chunked"
        # a phrase means nothing, but what is none (RFC 9112, 4) could break the client's reading
        reason = self._reason if _REASON.fullmatch(self._reason) else b""
        receiver.on_head(status, reason, fields, 0 if status in _NO_BODY else self._length)
        self._complete = self._bare

    def on_body(self, data: bytes) -> None:
        if self._complete:
            self._keep = False
        elif self._receiver is not None:
            self._seen += len(data)
            self._receiver.on_data(data)

    def on_message_complete(self) -> None:
        if self._head_done and self._parser is not None and self._parser.get_status_code() != 101:
            self._complete = True

    # ------------------------------------------------------------ inside
    def _read(self, receiver: Receiver, head: Head, data: bytes) -> bool:
        """Take the beginning of an answer that the parser need not see; whether it is the whole."""
        status, reason, fields, length, body_at = head
        self.received = True
        surplus = len(data) - body_at - length
        self._keep = surplus <= 0
        if surplus >= 0:
            self._release()
            receiver.on_whole(status, reason, fields, data[body_at : body_at + length])
            return True
        self._head_done = True
        self._left = length
        receiver.on_head(status, reason, fields, length)
        if self._receiver is receiver and len(data) > body_at:
            self._take(receiver, data[body_at:])
        return False

    def _parse(self, receiver: Receiver, data: bytes) -> None:
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # 101: from here on the bytes are the other protocol's, for as long as it likes
            self._left = _UNTIL_CLOSE
            self._timeout = 3.15e7
            rest = data[upgrade.args[0] :]
            if rest and self._receiver is receiver:
                receiver.on_data(rest)
        except httptools.HttpParserError as error:
            if not self._complete:
                self._fail(Broken(f"answered with invalid HTTP: {error}"))
            self._keep = False
        else:
            if self._bare:
                self._parser = None  # it would take the next answer for a body
            elif self._head_done and not self._complete and not self._chunked:
                self._left = _UNTIL_CLOSE if self._length is None else self._length - self._seen
                self._parser = None  # it will not see the rest of this body

    def _heavy(self, size: int) -> bool:
        """Whether what has come of a head, interim ones before it included, is too much."""
        self._seen += size
        return self._seen > HEAD_LIMIT

    def _take(self, receiver: Receiver, data: bytes) -> None:
        left = self._left
        if left == _UNTIL_CLOSE or left is None:
            receiver.on_data(data)
            return
        if len(data) > left:
            data = data[:left]
            self._keep = False
        self._left = left - len(data)
        receiver.on_data(data)
        self._complete = not self._left

    def _finish(self) -> None:
        receiver = self._receiver
        self._release()
        if receiver is not None:
            receiver.on_end()

    def _release(self) -> None:
        """The answer is whole: keep the connection for the next request, or close it."""
        receiver, self._receiver = self._receiver, None
        self._deadline = None
        transport = self.transport
        if receiver is None or transport is None:
            return
        if self._keep and not self.sending and not transport.is_closing():
            if self._paused:
                self.resume()
            self.reused = True
            self.idle_since = self.loop.time()
            self._on_idle(self)
        else:
            transport.close()

    def _ended(self, exc: Exception | None) -> None:
        if self._receiver is None:
            return
        if self._left == _UNTIL_CLOSE and exc is None:
            self._keep = False
            self._finish()
            return
        where = "in the middle of its answer" if self.received else "without an answer"
        # an alert comes after the handshake where TLS 1.3 misses a certificate: RFC 8446, 4.4.2.4
        why = f": {(exc.reason or '').lower().replace('_', ' ')}" if isinstance(exc, ssl.SSLError) else ""
        self._fail(Broken(f"closed the connection {where}{why}"))

    def _fail(self, error: UpstreamError) -> None:
        receiver, self._receiver = self._receiver, None
        self._deadline = None
        if self.transport is not None:
            self.transport.abort()
        if receiver is not None:
            receiver.on_error(error)

    def _on_timer(self) -> None:
        self._timer = None
        if self._deadline is None or self._receiver is None:
            return
        now = self.loop.time()
        if self._paused:
            self._deadline = now + self._timeout  # held back from this side
        if self._deadline > now:
            self._timer_at = self._deadline
            self._timer = self.loop.call_at(self._deadline, self._on_timer)
            return
        what = "no more of its answer" if self._head_done else "no answer"
        self._fail(TooSlow(f"{what} within {duration_text(self._timeout)}"))


def _transfer_coding(fields: list[Field]) -> bytes:
    """All transfer codings of a message, in lower case (RFC 9112, 6.1)."""
    return b", ".join(
        [value.strip().lower() for name, value in fields if len(name) == 17 and name.lower() == b"transfer-encoding"]
    )
