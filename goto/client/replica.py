"""One of the connections that a run keeps to a target: a request, its answer, the next.

A request is never sent twice, except on a kept connection that turned out closed before any byte of the answer, and then only
one that is safe to repeat. It counts once, timed from its first try. What fails is counted, and the next request makes a new
connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from goto.client.counts import NotConnected, Stopped
from goto.client.job import Job
from goto.flow import Field
from goto.http.shown import shown
from goto.upstream.connection import Broken, Connection, Receiver, TooSlow, UpstreamError
from goto.upstream.kept import KeptBody

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
        "_connection",
        "_data",
        "_due",
        "_failed",
        "_failures",
        "_fields",
        "_kept",
        "_last",
        "_reason",
        "_request",
        "_retired",
        "_retried",
        "_sent",
        "_size",
        "_status",
        "_task",
        "_timer",
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
        self._request = 0
        self._due: float | None = None
        self._sent = 0.0
        self._last = 0.0
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
        self._kept: KeptBody | None = None

    def send(self, due: float | None = None) -> None:
        """Begin the next request. `due` is when it should have begun, where there is a rate."""
        self.left -= 1
        job = self.job
        self._data = job.request.next()
        self._due = due
        self._retried = False
        self._size = 0
        self._body = 0
        if job.report is not None:
            job.requests += 1
            self._request = job.requests
        connection = self._connection
        now = perf_counter()
        if connection is None or connection.transport is None or connection.transport.is_closing():
            self._connect(now)
        elif now - self._last > job.idle_limit or not connection.quiet:
            connection.abort()
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

    def retire(self) -> None:
        """Send no more, and end the connection. A request that is not sent yet is forgotten; none is in flight."""
        self._stop_connecting()
        if self._connection is not None:
            self._connection.abort()
            self._connection = None
        self._retired(self)

    # ------------------------------------------------------------ sending
    def _connect(self, now: float) -> None:
        self._connection = None
        self._sent = now
        pause = 0.0
        if self._due is None and self._failures > PATIENT_FAILURES:
            pause = self._failed + min(PAUSE_STEP * (self._failures - PATIENT_FAILURES), LONGEST_PAUSE) - now
        if pause > 0:
            self._timer = self.job.loop.call_later(pause, self._open)
        else:
            self._open()

    def _open(self) -> None:
        self._timer = None
        self._task = self.job.loop.create_task(self._connecting())

    async def _connecting(self) -> None:
        job = self.job
        try:
            connection = await job.pool.own(job.origin, job.connect_timeout, job.addresses)
        except UpstreamError as error:
            self._task = None
            job.addresses.failed()
            self._fail(NotConnected(str(error)) if isinstance(error, TooSlow) else error)
        else:
            self._task = None
            self._connection = connection
            self._write(connection, perf_counter())

    def _stop_connecting(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write(self, connection: Connection, now: float) -> None:
        job, request = self.job, self.job.request
        if not self._retried:
            self._sent = now
        self._size += request.size
        self.in_flight = True
        if job.report is not None:
            self._kept = job.report.keep()
        if request.body:
            connection.start(self, self._data, job.timeout, head=request.bare, whole=False)
            connection.write(request.body)
            connection.sent()
        else:
            connection.start(self, self._data, job.timeout, head=request.bare)

    # ------------------------------------------------------------ what the connection calls
    def on_head(self, status: int, reason: bytes, fields: list[Field], length: int | None) -> None:
        self._status = status
        self._reason = reason
        self._fields = fields
        if status == 101 and self._connection is not None:
            self._connection.abort()
            self._fail(Broken("switched protocols without being asked to"))

    def on_data(self, data: bytes) -> None:
        self._body += len(data)
        if self._kept is not None:
            self._kept.more(data)

    def on_end(self) -> None:
        self._last = now = perf_counter()
        job = self.job
        job.counts.answer(
            self._status, self._reason, self._fields, job.tracked, self._sent, self._due, now, self._size, self._body
        )
        self.in_flight = False
        self._failures = 0
        if job.report is not None:
            status = f"{self._status} {shown(self._reason)}".rstrip()
            place = (job.index, self.number, self._request)
            job.report.answer(place, job.target.name, status, self._status, self._fields, self._kept)
            self._kept = None
        self.over(self)

    def on_error(self, error: UpstreamError) -> None:
        connection, job = self._connection, self.job
        stale = isinstance(error, Broken) and connection is not None and connection.reused and not connection.received
        if stale and job.request.repeatable and not self._retried and not job.stopped:
            self._retried = True
            job.counts.resent += 1
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
        job.counts.failure(error, sent=self._sent, now=now, size=self._size, body=self._body)
        if job.report is not None:
            job.report.error((job.index, self.number, self._request), job.target.name, error)
        self.over(self)
