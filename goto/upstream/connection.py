"""One HTTP/1.1 connection to an origin: a request goes out, an answer comes in, then the next.

Callbacks, no tasks: a connection costs nothing a request beyond its bytes. What comes is read in one state at a time:

    state      what has come                                        goes to
    IDLE       nothing, or the end of an answer                     HEAD by `start`
    HEAD       part of a head; interim answers are passed at once   COUNTED, CHUNKS, UNTIL_END, SWITCHED or IDLE by the final one
    COUNTED    a head, and its body but for `_left` bytes           IDLE with the last of them
    CHUNKS     a head, and a part of its body in chunks             IDLE with the empty line behind the last chunk
    UNTIL_END  a head whose body only the end of the connection     IDLE by that end
               ends (RFC 9112, 6.3)
    SWITCHED   a 101: all is the other protocol's                   IDLE by that end under TLS, else PARTING by `close`
    PARTING    this side has ended; what still comes is dropped     nothing: it lasts as long as the connection

A plain head (see `heads`) passes from HEAD to COUNTED or IDLE at a glance.

In SWITCHED, and not under TLS, the upstream's FIN ends its own way alone, and `write_eof` this side's; where the connection is
aborted it is reset.

An upstream may answer before it has the whole request, and then end or reset the connection (RFC 9112, 9.5). What it sent is its
answer all the same: a transport that fails in writing leaves it unread, so that it is read here when the connection is lost, and
what comes on a new connection before the request is written is held until then. On a kept one it is no answer to anything.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import Callable
from math import inf
from time import perf_counter
from typing import Final

from goto.flow import Origin
from goto.http import answers
from goto.http.answers import UnknownCoding, check_line, may_begin, read_head
from goto.http.chunked import Chunks
from goto.http.heads import Head, Recall, plain_response
from goto.http.lines import Lines, NotHttp, TooLong
from goto.http.requests import Malformed
from goto.upstream.batch import Batch
from goto.upstream.errors import Broken, NoHttp, TooSlow, UpstreamError
from goto.upstream.receiver import Receiver
from goto.upstream.sink import nothing
from goto.upstream.sockets import RESET, read_rest
from goto.words.duration import duration_text
from goto.words.failures import system_reason

HEAD_LIMIT: Final = 1 << 18
"""Bytes of the head of an answer, interim heads included, and of its trailers."""

MOST_TRAILERS: Final = 1000
"""Fields of the trailers of an answer."""

LINE_SECONDS: Final = 1.0
"""A line that cannot begin an answer gets this long to end, so that all of it can be shown."""

AT_ONCE: Final = 1 << 14
"""Pieces of a request from this size on are written at once, so that it shows whether the origin takes them."""

EARLY_BYTES: Final = 1 << 18
"""Bytes that are held of what comes on a new connection before the request is written."""

IDLE: Final = 0
HEAD: Final = 1
COUNTED: Final = 2
CHUNKS: Final = 3
UNTIL_END: Final = 4
SWITCHED: Final = 5
PARTING: Final = 6

_NO_BODY: Final = (204, 304)


class Connection:
    """A connection kept in a pool. `pause` and `resume` hold back what it receives; what it sends is `congested` where the origin
    does not take it as fast as it comes, until `on_drained` is called.

    An `asyncio.Protocol` in all but its base, which a compiled class cannot have.
    """

    __slots__ = (
        "_bare",
        "_batch",
        "_chunks",
        "_deadline",
        "_early",
        "_fin_came",
        "_fin_waits",
        "_glance",
        "_head_left",
        "_keep",
        "_left",
        "_lines",
        "_lost",
        "_on_idle",
        "_on_lost",
        "_paused",
        "_poll",
        "_receiver",
        "_spent",
        "_state",
        "_timeout",
        "_timer",
        "_timer_at",
        "congested",
        "first_at",
        "idle_since",
        "left_open",
        "loop",
        "on_drained",
        "opening",
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
        on_idle: Callable[[Connection], None] | None,
        on_lost: Callable[[Connection], None],
    ) -> None:
        """`on_idle` is called when an answer is whole and left it open for another request."""
        self.origin = origin
        self.loop = loop
        self._batch = batch
        self.transport: asyncio.Transport | None = None
        self.opening = (0.0, 0.0, 0.0)
        """Seconds that it took to look the host up, to connect, and to shake hands by TLS; 0 for what was not to be done."""
        self.first_at = 0.0
        """When the first byte of the present answer came, as `perf_counter` has it; not set for one that came at once."""
        self.idle_since = 0.0
        """When it came to be kept by its pool, as the loop has it."""
        self.left_open = False
        """The last answer left it open for another request, which is not begun."""
        self.reused = False
        """An answer has come over it before."""
        self.received = False
        """A byte of the present answer has come."""
        self.sending = False
        """The present request is not wholly sent."""
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._receiver: Receiver | None = None
        self._state = IDLE
        self._bare = False
        """The answer has no body, whatever its head says."""
        self._lines: Lines | None = None
        """A part of a head."""
        self._head_left = 0
        """Bytes of heads that are still taken before the final one has ended."""
        self._chunks: Chunks | None = None
        self._left = 0
        """Bytes of the body still to come, where it has a length."""
        self._glance = Recall(plain_response)
        """The head of an answer, if it is a plain one."""
        self._keep = False
        self._early: list[bytes] | None = []
        """What came before the first request was written; None from then on."""
        self._lost: tuple[Exception | None, bool] | None = None
        """The connection ended before the first request was written: as `_ended` was told."""
        self._spent = False
        """It is not kept."""
        self._fin_came = False
        """In SWITCHED: the upstream sends nothing more."""
        self._fin_waits = False
        """Under TLS: the FIN has come, and the end is to be told behind what is held back."""
        self._poll: select.poll | None = None
        self._timeout = 0.0
        self._deadline = inf
        """As the loop has it; `inf` where it is not the upstream's turn, or it has any time."""
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

    @property
    def quiet(self) -> bool:
        """A kept connection over which nothing has come that nobody asked for: that would be taken for the answer."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return False
        if self._poll is None:
            sock = transport.get_extra_info("socket")
            if sock is None:
                return True
            self._poll = select.poll()
            self._poll.register(sock.fileno(), select.POLLIN)
        return not self._poll.poll(0)

    def start(self, receiver: Receiver, data: bytes, timeout: float, *, head: bool = False, whole: bool = True) -> None:
        """Send a request, or its first part where not `whole`. `head`: the answer to it has no body."""
        self._receiver = receiver
        self._bare = head
        self._state = HEAD
        self.received = False
        self.left_open = False
        self._head_left = HEAD_LIMIT
        self._timeout = timeout
        self.sending = not whole
        if self._early or self._lost is not None:
            self._spent = True
            self.loop.call_soon(self._tell_early)
        else:
            self._early = None
        if self.transport is not None:
            self._batch.write(self.transport, data)
        if whole:
            self.watch()

    def _tell_early(self) -> None:
        """What came before the request was written."""
        early, lost, receiver = self._early, self._lost, self._receiver
        self._early = None
        for data in early or ():
            if self._receiver is receiver:
                self.data_received(data)
        if lost is not None and self._receiver is receiver:
            self._ended(lost[0], properly=lost[1])

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
        if self.congested and self._deadline == inf and self._state == HEAD:
            self.watch()

    def sent(self) -> None:
        """The last byte of the request was written: from here on the upstream's time counts."""
        self.sending = False
        self.watch()

    def watch(self) -> None:
        """Give the upstream its time from now."""
        timeout = self._timeout
        if timeout == inf:
            self._deadline = inf
            return
        self._set_deadline(self.loop.time() + timeout)

    def pace(self, seconds: float) -> None:
        """The longest pause within the body whose head has just come; `inf` for any."""
        self._timeout = seconds
        self.watch()

    def _set_deadline(self, deadline: float) -> None:
        self._deadline = deadline
        # one timer serves many requests: it is moved only when it would fire too late
        if self._timer is None or self._timer_at > deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            self._timer = self.loop.call_at(deadline, self._on_timer)

    def unwatch(self) -> None:
        """Let no time run, since it is not the upstream's turn."""
        self._deadline = inf

    def pause(self) -> None:
        if not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            if self.usable and self.transport is not None:
                self.transport.resume_reading()
                if self._deadline < inf:
                    self.watch()  # while it was held back, it was not the upstream that was slow
                if self._fin_waits:
                    # behind what TLS has still to hand over, which it does soon
                    self.loop.call_soon(self.loop.call_soon, self.on_fin)

    def abort(self) -> None:
        """End it at once; its receiver hears nothing more."""
        self._receiver = None
        self._deadline = inf
        self._abort()

    def write_eof(self) -> None:
        """In SWITCHED, and not under TLS: a FIN behind all that was written. The upstream may go on."""
        self._batch.flush()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write_eof()

    def close(self, seconds: float) -> None:
        """In SWITCHED: end it behind all that was written, for which it has so many seconds; its receiver hears nothing more."""
        self._receiver = None
        self._deadline = inf
        self._state = PARTING
        transport = self.transport
        if transport is None:
            return
        self.resume()
        plain = self.origin.scheme == "http"
        if plain:
            self.write_eof()
        if self._fin_came or not plain:
            self._batch.flush()
            transport.close()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self.abort)

    def fail(self, error: UpstreamError) -> None:
        """End it at once, and tell its receiver why."""
        receiver, self._receiver = self._receiver, None
        self._deadline = inf
        self._lines = self._chunks = None
        self._abort()
        if receiver is not None:
            receiver.on_error(error)

    # ------------------------------------------------------------ asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's is no subclass of asyncio.Transport

    def data_received(self, data: bytes) -> None:
        receiver = self._receiver
        early = self._early
        if receiver is None or early is not None:
            if early is not None and (receiver is not None or sum(map(len, early)) < EARLY_BYTES):
                early.append(data)  # an answer that does not wait for the request
            elif self._state != PARTING:
                self.abort()  # nobody asked: it could be taken for the next answer
            return
        if self._state == HEAD and not self.received and not self._bare and (head := self._glance.read(data)) is not None:
            if self._read_plain(receiver, head, data):
                return
        else:
            if not self.received:
                self.received = True
                self.first_at = perf_counter()
            self._read(receiver, data)
        if self._receiver is receiver:
            if self._state == IDLE:
                self._finish()
                return
            if self._state != HEAD:
                self.watch()  # a head that drips in has no more time than one that does not
            receiver.on_flush()

    def eof_received(self) -> bool:
        """The upstream's FIN, or its close_notify. True: the other direction stays."""
        receiver = self._receiver
        if self._state == SWITCHED and receiver is not None and self.origin.scheme == "http":
            if not self._fin_came:
                self._fin_came = True
                receiver.on_fin()
            return True
        self._ended(None, properly=True)
        return False

    def on_fin(self) -> None:
        """Under TLS: the connection below has ended. If no close_notify came before, more may have been meant to come."""
        if self._paused:
            self._fin_waits = True
            return
        self._ended(None, properly=False)
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and self.origin.scheme == "http" and (self._receiver is not None or self._early is not None):
            read_rest(self.transport, self.data_received)
        self._ended(exc, properly=False)
        self.transport = None
        self._poll = None
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
            if self.sending and self._state == HEAD:
                self.unwatch()  # it is the client's turn again
            self.on_drained()

    # ------------------------------------------------------------ reading
    def _read_plain(self, receiver: Receiver, head: Head, data: bytes) -> bool:
        """Take the beginning of an answer that is plain; whether it is the whole."""
        status, reason, fields, length, body_at = head
        self.received = True
        surplus = len(data) - body_at - length
        self._keep = surplus <= 0
        if surplus >= 0:
            self._release()
            receiver.on_whole(status, reason, fields, data[body_at : body_at + length])
            return True
        self._state = COUNTED
        self._left = length
        self.first_at = perf_counter()
        receiver.on_head(status, reason, fields, length)
        if self._receiver is receiver and len(data) > body_at:
            self._count(receiver, data, body_at)
        return False

    def _read(self, receiver: Receiver, data: bytes) -> None:
        """Read what has come, up to the end of the answer."""
        at = 0
        try:
            while at < len(data) and self._receiver is receiver:
                state = self._state
                if state == COUNTED:
                    at = self._count(receiver, data, at)
                elif state == CHUNKS:
                    at = self._read_chunks(receiver, data, at)
                elif state == HEAD:
                    at = self._read_head(receiver, data, at)
                elif state == IDLE:
                    self._keep = False  # more came than one answer
                    return
                else:
                    receiver.on_data(data[at:] if at else data)
                    return
        except NotHttp as error:
            self.fail(NoHttp(error.line))
        except UnknownCoding as unknown:
            self.fail(Broken(f"answered in a transfer coding that is not understood: {unknown}"))
        except TooLong:
            self.fail(Broken(f"answered with a head over {HEAD_LIMIT} bytes"))

    def _read_head(self, receiver: Receiver, data: bytes, at: int) -> int:
        lines = self._lines
        if lines is None:
            lines = self._lines = Lines(self._head_left)
        known = len(lines.lines)
        end = lines.feed(data, at)
        for number in range(known, len(lines.lines)):
            check_line(lines.lines[number], first=number == 0)
        if not lines.whole:
            if not lines.lines and not may_begin(lines.start):
                self._set_deadline(min(self._deadline, self.loop.time() + LINE_SECONDS))
            return end
        self._lines = None
        self._head_left = lines.left
        answer = read_head(lines.lines)
        status = answer.status
        if status < 200 and status != 101:
            receiver.on_interim(status, answer.reason, answer.fields)
            return end
        length = answer.length
        self._keep = answer.keep and (length != answers.UNTIL_END or self._bare or status in _NO_BODY)
        if status == 101:
            self._state = SWITCHED
            self._timeout = inf
        elif self._bare or status in _NO_BODY or length == 0:
            self._state = IDLE
        elif length == answers.CHUNKED:
            self._state = CHUNKS
            self._chunks = Chunks(HEAD_LIMIT, MOST_TRAILERS)
        elif length == answers.UNTIL_END:
            self._state = UNTIL_END
        else:
            self._state = COUNTED
            self._left = length
        told = 0 if status == 204 else None if length < 0 else length
        receiver.on_head(status, answer.reason, answer.fields, told)
        return end

    def _count(self, receiver: Receiver, data: bytes, at: int) -> int:
        end = min(at + self._left, len(data))
        self._left -= end - at
        if not self._left:
            self._state = IDLE
            if end < len(data):
                self._keep = False  # more came than one answer
        receiver.on_data(data if at == 0 and end == len(data) else data[at:end])
        return end

    def _read_chunks(self, receiver: Receiver, data: bytes, at: int) -> int:
        chunks = self._chunks
        assert chunks is not None
        wrong: Malformed | None = None
        end = len(data)
        try:
            end = chunks.feed(data, at)
        except Malformed as error:
            wrong = error  # what came before it did come
        if chunks.pieces:
            pieces, chunks.pieces = chunks.pieces, []
            receiver.on_data(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if self._receiver is not receiver:
            return end
        if wrong is not None:
            self.fail(NoHttp(wrong.line) if wrong.line else Broken(f"broke its answer off: {wrong}"))
        elif chunks.whole:
            self._chunks = None
            self._state = IDLE
            if chunks.trailers:
                receiver.on_trailers(chunks.trailers)
        return end

    # ------------------------------------------------------------ inside
    def _finish(self) -> None:
        receiver = self._receiver
        self._release()
        if receiver is not None:
            receiver.on_end()

    def _release(self) -> None:
        """The answer is whole: keep the connection for the next request, or close it."""
        receiver, self._receiver = self._receiver, None
        self._deadline = inf
        self._state = IDLE
        transport = self.transport
        if receiver is None or transport is None:
            return
        if self.sending or self._spent or transport.get_write_buffer_size():
            transport.abort()  # the upstream wants no more of the request
        elif self._keep and not transport.is_closing():
            if self._paused:
                self.resume()
            self.reused = self.left_open = True
            if self._on_idle is not None:
                self._on_idle(self)
        else:
            transport.close()

    def _ended(self, exc: Exception | None, *, properly: bool) -> None:
        """Nothing more comes. `properly`: by a FIN, under TLS by a close_notify."""
        if self._early is not None:
            self._lost = self._lost or (exc, properly)
            return
        if self._receiver is None:
            return
        if properly and (self._state == UNTIL_END or self._state == SWITCHED):
            self._keep = False
            self._finish()
            return
        if self._lines is not None and not self._lines.lines and not may_begin(start := self._lines.start):
            self.fail(NoHttp(start))
            return
        where = "in the middle of its answer" if self.received else "without an answer"
        # an alert comes after the handshake where TLS 1.3 misses a certificate: RFC 8446, 4.4.2.4
        why = f": {system_reason(exc)}" if isinstance(exc, ssl.SSLError) else ""
        self.fail(Broken(f"closed the connection {where}{why}"))

    def _abort(self) -> None:
        transport = self.transport
        if transport is None:
            return
        if self._state == SWITCHED and not transport.is_closing():
            sock = transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        transport.abort()

    def _on_timer(self) -> None:
        self._timer = None
        if self._deadline == inf or self._receiver is None:
            return
        now = self.loop.time()
        if self._paused:
            self._deadline = now + self._timeout  # held back from this side
        if self._deadline > now:
            self._set_deadline(self._deadline)
            return
        if self._lines is not None and not self._lines.lines and not may_begin(start := self._lines.start):
            self.fail(NoHttp(start))
            return
        what = "no answer" if self._state == HEAD else "no more of its answer"
        self.fail(TooSlow(f"{what} within {duration_text(self._timeout)}"))
