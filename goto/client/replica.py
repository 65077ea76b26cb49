"""One of the connections that a run keeps to a target: a request, its answer, the next.

A request is never sent twice, except on a kept connection that turned out closed before any byte of the answer, and then only
one that is safe to repeat. It counts once, timed from its first try. What fails is counted, and the next request makes a new
connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from goto.client.checks import KEPT
from goto.client.counts import NotConnected, Stopped
from goto.client.job import Job
from goto.client.rate import LATE_SECONDS
from goto.flow import Field
from goto.http.shown import shown
from goto.upstream.connection import Connection
from goto.upstream.errors import Broken, TooSlow, UpstreamError
from goto.upstream.kept import KeptBody, Took
from goto.upstream.receiver import Receiver
from goto.words.duration import duration_text

PATIENT_FAILURES = 3
"""Failures in a row after which a replica pauses before it connects again, so that a dead target does not eat the machine. What
is due at a time of its own, by a rate, is not held back: the rate itself is the bound."""

PAUSE_STEP = 0.001
LONGEST_PAUSE = 0.01
"""Seconds; each further failure adds a step."""


class Replica(Receiver):
    """The receiver of its connection's answers.

    Each request ends in one `over(replica)`, never before `send` returns; so pacing never recurses.
    """

    __slots__ = (
        "_body",
        "_closing",
        "_connection",
        "_data",
        "_due",
        "_failed",
        "_failures",
        "_fields",
        "_first",
        "_kept",
        "_last",
        "_limit",
        "_limit_at",
        "_long",
        "_now",
        "_nth",
        "_opening",
        "_pieces",
        "_reason",
        "_request",
        "_retired",
        "_retried",
        "_sent",
        "_size",
        "_status",
        "_task",
        "_timer",
        "_used",
        "in_flight",
        "job",
        "left",
        "number",
        "over",
    )

    over: Callable[[Replica], None]
    """Called when a request is answered or has failed: it says what the replica does next. Set by the replica's pace."""

    def __init__(self, job: Job, number: int, left: int, retired: Callable[[Replica], None]) -> None:
        """`retired` is called once the replica sends no more."""
        self.job = job
        self.number = number
        """From 1."""
        self.left = left
        """Requests still to be begun."""
        self.in_flight = False
        """A request is sent and not answered."""
        self._retired = retired
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._data = b""
        self._long = b""
        """A long body, which follows `_data`."""
        self._closing = False
        """The present request is the last one of its connection."""
        self._used = 0
        """Requests that were sent over the connection."""
        self._request = 0
        self._opening: tuple[float, float, float] | None = None
        """What it took to make the connection, where that was made for the present request."""
        self._nth = 0
        """The number in the id of the present request, where what was sent is kept."""
        self._due = 0.0
        self._sent = 0.0
        self._first = 0.0
        """When the first byte of the answer came."""
        self._limit: asyncio.TimerHandle | None = None
        self._limit_at = 0.0
        """When the answer has to be whole."""
        self._last = 0.0
        """When the last answer was whole."""
        self._now = 0.0
        """The same, while what it brought is done; otherwise 0."""
        self._failed = 0.0
        """When the last failure was."""
        self._failures = 0
        self._retried = False
        self._size = 0
        """Bytes of the present request that were sent, at both tries."""
        self._status = 0
        self._reason = b""
        self._fields: list[Field] = []
        self._body = 0
        self._pieces: list[bytes] = []
        """The body of the answer, as far as it is kept for checks."""
        self._kept: KeptBody | None = None

    def send(self, due: float | None = None) -> None:
        """Begin the next request. `due` is when it should have begun, where there is a rate."""
        self.left -= 1
        job = self.job
        # What follows an answer at once needs no other look at the connection that it left open: whatever had come was read with
        # it. A request that must not be repeated has that look all the same.
        follows = self._now != 0.0
        # The clock need not be asked again either, unless the request became due meanwhile: it is never sent before.
        now = self._now if follows and due is None else perf_counter()
        self._due = now if due is None else due
        self._retried = False
        self._size = 0
        self._body = 0
        if job.report is not None:
            job.requests += 1
            self._request = job.requests
            self._opening = None
        connection = self._connection
        if connection is not None and not (follows and connection.left_open and job.request.repeatable):
            if connection.transport is None or connection.transport.is_closing():
                connection = None
            elif now - self._last > job.idle_limit or not connection.quiet:
                connection.abort()
                connection = None
        if connection is None:
            self._used = 0
        self._closing = not job.keep_alive or self._used + 1 == job.per_connection
        self._data = job.request.next(self.number, self._closing)
        self._long = job.request.body
        if job.sent is not None:
            self._nth = job.request.number
            job.sent.begin(self._nth)
        if connection is None:
            self._connect(now)
        else:
            self._write(connection, now)

    @property
    def waiting(self) -> bool:
        """A request has begun, and is not sent since there is no connection yet."""
        return self._task is not None or self._timer is not None

    def abort(self) -> None:
        """Give up the request in flight: it counts as failed."""
        if self.in_flight and self._connection is not None:
            self._connection.abort()
            self._fail(Stopped("stopped before its answer was complete"))

    def give_up(self) -> None:
        """Nothing more is to be sent: a request that waits for a connection is forgotten, or has failed if it was sent before."""
        if self._retried:
            self._stop_connecting()
            self._fail(Stopped("stopped before it was sent again"))
        else:
            self.over(self)

    def rest(self) -> None:
        """Send no more for now, and end the connection; no request is in flight."""
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    def retire(self) -> None:
        """Send no more, and end the connection. A request that is not sent yet is forgotten; none is in flight."""
        if self.waiting and self.job.sent is not None:
            self.job.sent.forget(self._nth)
        self._stop_connecting()
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        self.rest()
        self._retired(self)

    # ------------------------------------------------------------ sending
    def _connect(self, now: float) -> None:
        self._connection = None
        self._sent = now
        pause = 0.0
        if not self.job.timed and self._failures > PATIENT_FAILURES:
            pause = self._failed + min(PAUSE_STEP * (self._failures - PATIENT_FAILURES), LONGEST_PAUSE) - now
        if pause > 0:
            self._timer = self.job.loop.call_later(pause, self._paused)
        else:
            self._open()

    def _paused(self) -> None:
        # until now it was not free to send
        self._due = self._sent = perf_counter()
        self._open()

    def _open(self) -> None:
        self._timer = None
        self._task = self.job.loop.create_task(self._connecting())

    async def _connecting(self) -> None:
        job = self.job
        try:
            connection = await job.pool.own(job.origin, job.connect_timeout, job.addresses, job.through)
        except UpstreamError as error:
            self._task = None
            job.addresses.failed()
            self._fail(NotConnected(str(error)) if isinstance(error, TooSlow) else error)
        else:
            self._task = None
            self._connection = connection
            self._used = 0
            job.counts.connected(connection.opening)
            self._opening = connection.opening
            self._write(connection, perf_counter())

    def _stop_connecting(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write(self, connection: Connection, now: float) -> None:
        job = self.job
        if not self._retried:
            self._sent = now
            if job.timed and now - self._due > LATE_SECONDS:
                job.counts.late()
            if job.max_time:
                self._limit_at = now + job.max_time
                if self._limit is None:
                    self._limit = job.loop.call_later(job.max_time, self._expired)
        self._used += 1
        self._size += len(self._data) + len(self._long)
        self.in_flight = True
        if self._pieces:
            self._pieces = []
        if job.report is not None:
            self._kept = job.report.keep()
        if self._long:
            connection.start(self, self._data, job.timeout, head=job.request.bare, whole=False)
            connection.write(self._long)
            connection.sent()
        else:
            connection.start(self, self._data, job.timeout, head=job.request.bare)

    def _expired(self) -> None:
        """One timer serves many requests: it is set anew where the present one has time left."""
        self._limit = None
        if not (self.in_flight or (self._retried and self.waiting)):
            return
        left = self._limit_at - perf_counter()
        if left > 0:
            self._limit = self.job.loop.call_later(left, self._expired)
            return
        self._stop_connecting()
        if self._connection is not None:
            self._connection.abort()
        self._fail(TooSlow(f"no whole answer within {duration_text(self.job.max_time)}"))

    # ------------------------------------------------------------ what the connection calls
    def on_whole(self, status: int, reason: bytes, fields: list[Field], body: bytes) -> None:
        self._status = status
        self._reason = reason
        self._fields = fields
        self._body = len(body)
        if self._kept is not None:
            self._kept.more(body)
        self._first = now = perf_counter()
        self._end(now, body)

    def on_head(self, status: int, reason: bytes, fields: list[Field], length: int | None) -> None:
        self._status = status
        self._reason = reason
        self._fields = fields
        if self._connection is not None:
            self._first = self._connection.first_at
        if status == 101 and self._connection is not None:
            self._connection.abort()
            self._fail(Broken("switched protocols without being asked to"))

    def on_data(self, data: bytes) -> None:
        self._body += len(data)
        if self._kept is not None:
            self._kept.more(data)
        if self.job.reads_body and self._body <= KEPT:
            self._pieces.append(data)

    def on_end(self) -> None:
        self._end(perf_counter(), b"".join(self._pieces) if self._pieces else b"")

    def _end(self, now: float, body: bytes) -> None:
        """The answer is whole. `body`: as far as it is kept."""
        self._last = now
        job = self.job
        size = self._body
        failed = job.failed(self._status, self._fields, body if size <= KEPT else None, size) if job.checks else None
        job.counts.answer(
            self._status,
            self._reason,
            self._fields,
            job.tracked,
            self._due,
            self._sent,
            self._first,
            now,
            self._size,
            size,
            failed,
        )
        if job.sent is not None:
            job.sent.answered(self._nth)
        self.in_flight = False
        self._failures = 0
        if self._closing:
            self.rest()
        if job.report is not None:
            status = f"{self._status} {shown(self._reason)}".rstrip()
            place = (job.index, self.number, self._request)
            took = self._took(now, self._first) if job.report.timed else None
            job.report.answer(place, job.target.name, status, self._status, self._fields, self._kept, took)
            self._kept = None
        self._now = now
        self.over(self)
        self._now = 0.0

    def on_error(self, error: UpstreamError) -> None:
        connection, job = self._connection, self.job
        stale = isinstance(error, Broken) and connection is not None and connection.reused and not connection.received
        if stale and job.request.repeatable and not self._retried and not job.stopped:
            self._retried = True
            job.counts.sent_again()
            if job.sent is not None:
                job.sent.again(self._nth)
            self.in_flight = False
            self._connection = None
            self._open()
            return
        self._fail(error)

    def _fail(self, error: UpstreamError) -> None:
        job = self.job
        self.in_flight = False
        self._connection = None
        self._kept = None
        self._failures += 1
        self._failed = now = perf_counter()
        job.counts.failure(error, due=self._due, sent=self._sent, now=now, size=self._size, body=self._body)
        if job.sent is not None:
            job.sent.failed()
        if job.report is not None:
            took = self._took(now, None) if job.report.timed else None
            job.report.error((job.index, self.number, self._request), job.target.name, error, took)
        self.over(self)

    def _took(self, now: float, first: float | None) -> Took:
        """What the present request took; `first` is when the first byte of its answer came."""
        opening = self._opening
        dns, connect, tls = (0.0, 0.0, 0.0) if opening is None else opening
        return {
            "dns": _milliseconds(dns),
            "connect": _milliseconds(connect),
            "tls": _milliseconds(tls),
            "firstByte": None if first is None else _milliseconds(first - self._sent),
            "total": round((now - self._due) * 1000, 3),
        }


def _milliseconds(seconds: float) -> float | None:
    return round(seconds * 1000, 3) if seconds else None
