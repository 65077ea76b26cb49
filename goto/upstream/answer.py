"""Sending one call on: a connection from the pool, the request's bytes, the answer as it comes.

Used by the standalone host for matched traffic, and on both hosts for fan-out and manual invocation. A request is never
sent twice, except on a kept connection that turned out closed before any byte of the answer, and then only a repeatable one
(behaviour: proxy).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from goto.flow import Call, Field, Headers, Response
from goto.http.hops import end_to_end
from goto.http.wire import REPEATABLE, request_head
from goto.upstream.batch import Batch
from goto.upstream.connection import Connection
from goto.upstream.errors import Broken, UpstreamError
from goto.upstream.pause import longest_pause
from goto.upstream.pool import Pool
from goto.upstream.receiver import Receiver
from goto.upstream.sink import Sink
from goto.upstream.upload import ONE_WRITE, Upload

HELD_BYTES: Final = 1 << 18
"""Bytes of an answer that are held before anybody takes them; then the upstream has to wait."""


class Answer(Receiver):
    """The answer to one call, from the moment it was sent.

    `on_head(answer)` is called once: with `status`, `reason`, `fields` and `length` set, or with `error`. What comes before
    `pipe` is held, up to HELD_BYTES.
    """

    # what most answers never change stands here, so that each need not be given it
    connection: Connection | None = None
    status = 0
    reason = b""
    fields: Sequence[Field] = ()
    length: int | None = None
    error: UpstreamError | None = None
    done = False
    _held: list[bytes] | None = None
    _held_size = 0
    _heading = False
    """Its head is being handed over: what came with it in one read follows."""
    _task: asyncio.Task[None] | None = None
    """Connects."""
    _sent_before = False
    _began = 0.0
    _fin_came = False
    """Behind 101: the upstream sends nothing more, but may take more."""
    interim: Callable[[int, bytes, Sequence[Field]], None] | None = None
    """Told of answers of 1xx as they come: status, reason and fields."""
    trailers: Sequence[Field] = ()
    """Those behind the body, once it has ended."""

    def __init__(self, pool: Pool, call: Call, body: bytes | Upload, on_head: Callable[[Answer], None] | None = None) -> None:
        self.call = call
        self._pool = pool
        self._body = body
        self._on_head = on_head
        self._whole: bytes | None = None
        """The body, where all of it came with the head."""
        self._sink: Sink | None = None
        self._upload: Upload | None = None
        """What sends the body, where that takes more than one write."""
        if isinstance(body, Upload):
            self._upload = body
            body.on_broken = self._on_broken_body

    @property
    def repeatable(self) -> bool:
        return self._body == b"" and self.call.method in REPEATABLE and not self.call.upgrade

    def response(self) -> Response:
        """It for the client, hop-by-hop fields taken out: with its body if that came with the head, else still to come."""
        fields = self.fields if self.status == 101 else end_to_end(self.fields)
        reason = self.reason.decode("latin-1")
        if self._whole is not None and self.status != 205:  # which stays framed as it came
            return Response(self.status, self._whole, Headers(fields), reason=reason)
        return Response(self.status, b"", Headers(fields), reason=reason, stream=self)

    def pipe(self, sink: Sink) -> None:
        """Hand the body on, held bytes first."""
        self.resume()  # first, since the sink may hold it back again
        if self._held is not None:
            for data in self._held:
                sink.more(data)
            self._held = None
        if self.error is not None:
            sink.broken(self.error)
        elif self.done:
            if self.trailers:
                sink.trailers(self.trailers)
            sink.end()
        else:
            self._sink = sink
            sink.on_drained = self.resume
            if not self._heading:
                self.on_flush()
            if self._fin_came:
                sink.end()

    def pause(self) -> None:
        if self.connection is not None and not self.done:
            self.connection.pause()

    def resume(self) -> None:
        if self.connection is not None and not self.done:
            self.connection.resume()

    def abort(self) -> None:
        """Nobody wants it any more."""
        self._on_head = self.interim = None
        self._sink = None
        self._stop_sending()
        if not self.done:
            self.done = True
            if self.connection is not None:
                self.connection.abort()

    def close(self, seconds: float) -> None:
        """Behind 101: both ways have ended. What was written to the upstream has so many seconds to go out."""
        self.done = True
        self._sink = None
        if self.connection is not None:
            self.connection.close(seconds)

    # ------------------------------------------------------------ sending
    def begin(self) -> None:
        self._began = time.monotonic()
        if self.call.failure:
            asyncio.get_running_loop().call_soon(
                self.on_error, (Looped if self.call.looped else UpstreamError)(self.call.failure)
            )
            return
        connection = self._pool.take(self.call.origin, repeatable=self.repeatable)
        if connection is not None:
            self._send(connection)
        else:
            self._connect()

    def _connect(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._connect_and_send())

    async def _connect_and_send(self) -> None:
        try:
            connection = await self._pool.connect(self.call.origin, self.call.timeout)
        except UpstreamError as error:
            self.on_error(error)
        else:
            self._task = None
            if self.call.made is not None:
                self.call.made.connected(sum(connection.opening), connection.opening[2] or None)
            self._send(connection)

    def _send(self, connection: Connection) -> None:
        self.connection = connection
        call, body = self.call, self._body
        if call.made is not None and connection.transport is not None:
            call.made.reached(connection.transport.get_extra_info("peername"))
        length = len(body) if isinstance(body, bytes) else body.length
        try:
            head = request_head(call.method, call.path, call.headers, length, call.upgrade, trailers=call.trailers)
        except Exception as error:
            # a feature made the call, of something that is none
            connection.abort()
            connection.loop.call_soon(self.on_error, UpstreamError(f"the request cannot be written: {error}"))
            return
        bare = call.method == "HEAD"
        if isinstance(body, bytes) and len(body) <= ONE_WRITE:
            connection.start(self, head + body, call.timeout, head=bare)
            return
        connection.start(self, head, call.timeout, head=bare, whole=False)
        upload = self._upload
        if upload is None:
            self._upload = upload = Upload(length)
        upload.begin(connection)
        if isinstance(body, bytes):
            upload.pour(body)

    def _on_broken_body(self, error: Exception) -> None:
        """The upstream must not take what came for the whole."""
        if not self.done:
            if self.connection is not None:
                self.connection.abort()
            broke = ClientBroke(f"the request's body broke: {error}")
            broke.__cause__ = error
            self.on_error(broke)

    def _stop_sending(self) -> None:
        """Stop connecting, unless it is that which found the end, and sending."""
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.stop()

    # ------------------------------------------------------------ receiving
    def on_whole(self, status: int, reason: bytes, fields: list[Field], body: bytes) -> None:
        if self.call.tally is not None:
            self.call.tally.answered(time.monotonic() - self._began)
        if self.call.made is not None:
            self.call.made.answered(status)
        self.status, self.reason, self.fields, self.length = status, reason, fields, len(body)
        self._held = [body] if body else None
        self._whole = body
        self.done = True
        self._stop_sending()
        on_head, self._on_head, self.interim = self._on_head, None, None
        if on_head is not None:
            on_head(self)

    def on_interim(self, status: int, reason: bytes, fields: list[Field]) -> None:
        if self.interim is not None:
            self.interim(status, reason, fields)

    def on_head(self, status: int, reason: bytes, fields: list[Field], length: int | None) -> None:
        if status == 101 and not self.call.upgrade:
            assert self.connection is not None
            self.connection.abort()
            self.on_error(Broken("switched protocols without being asked to"))
            return
        if self.call.tally is not None:
            self.call.tally.answered(time.monotonic() - self._began)
        if self.call.made is not None:
            self.call.made.answered(status)
        self.status, self.reason, self.fields, self.length = status, reason, fields, length
        if self.connection is not None and status != 101:
            self.connection.pace(longest_pause(self.call, fields))
            if self.connection.sending:
                self._stop_sending()  # it is answered without the rest of the request (RFC 9112, 9.5)
        on_head, self._on_head, self.interim = self._on_head, None, None
        if on_head is not None:
            self._heading = True  # what came with the head can go out with it
            on_head(self)
            self._heading = False

    def on_data(self, data: bytes) -> None:
        if self._sink is not None:
            self._sink.more(data)
            return
        if self._held is None:
            self._held = []
        self._held.append(data)
        self._held_size += len(data)
        if self._held_size >= HELD_BYTES:
            self.pause()

    def on_flush(self) -> None:
        sink = self._sink
        if sink is not None:
            sink.flush()
            if sink.congested:
                self.pause()

    def on_trailers(self, fields: list[Field]) -> None:
        self.trailers = fields
        if self._sink is not None:
            self._sink.trailers(fields)

    def on_fin(self) -> None:
        self._fin_came = True
        if self._sink is not None:
            self._sink.end()

    def on_end(self) -> None:
        self.done = True
        self._stop_sending()
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.end()

    def on_error(self, error: UpstreamError) -> None:
        connection = self.connection
        if (
            isinstance(error, Broken)
            and connection is not None
            and connection.reused
            and not connection.received
            and self.repeatable
            and not self._sent_before
        ):
            self._sent_before = True
            self._connect()
            return
        self.error = error
        self.done = True
        if self.call.tally is not None and not isinstance(error, ClientBroke):
            self.call.tally.failed(error.kind)
        if self.call.made is not None:
            self.call.made.failed(str(error))
        self._stop_sending()
        self.on_failure(error)

    def on_failure(self, error: UpstreamError) -> None:
        """There will be no answer, or no more of it; `error` says so too."""
        on_head, self._on_head, self.interim = self._on_head, None, None
        sink, self._sink = self._sink, None
        if on_head is not None:
            on_head(self)
        elif sink is not None:
            sink.broken(error)


class Looped(UpstreamError):
    """The call was not made, since the request goes in a circle."""

    status: ClassVar[int] = 508
    kind: ClassVar[str] = "loop"


class ClientBroke(UpstreamError):
    """The body of the client's own request was malformed or ended too early."""

    status: ClassVar[int] = 400


class Upstream:
    """Sends calls over one pool."""

    def __init__(self) -> None:
        self.batch = Batch()
        """The writes of this process, to clients and upstreams."""
        self.pool = Pool(self.batch)

    def send(self, call: Call, body: bytes | Upload, on_head: Callable[[Answer], None]) -> Answer:
        """Send a call; `on_head(answer)` follows, never before this returns."""
        answer = Answer(self.pool, call, body, on_head)
        answer.begin()
        return answer

    async def head(self, call: Call, body: bytes | Upload) -> Answer:
        """Send a call and wait for the head of its answer. Raises `UpstreamError`."""
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def on_head(answer: Answer) -> None:
            if not waiter.done():
                waiter.set_result(answer)

        answer = self.send(call, body, on_head)
        try:
            await waiter
        except BaseException:
            answer.abort()
            raise
        if answer.error is not None:
            raise answer.error
        return answer

    async def close(self) -> None:
        await self.pool.close()
