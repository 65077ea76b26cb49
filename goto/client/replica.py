"""One of the connections that a run keeps to a target: a request, its answer, the next.

A request is never sent twice, except on a kept connection that turned out closed before any byte of the answer, and then only
one that is safe to repeat. What fails is counted, and the next request makes a new connection.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

from goto.client.counts import NotConnected, Stopped
from goto.flow import Field
from goto.upstream.connection import Broken, Connection, Receiver, TooSlow, UpstreamError
from goto.upstream.kept import Kept

if TYPE_CHECKING:
    from goto.client.part import Part

PATIENT_FAILURES = 3
"""Failures in a row after which a replica pauses before it connects again, so that a dead target does not eat the machine."""

PAUSE_STEP = 0.001
LONGEST_PAUSE = 0.01
"""Seconds; each further failure adds a step."""


class Replica(Receiver):
    """The receiver of its connection's answers.

    Each request ends in one `part.pace.after(replica)`, never before `send` returns; so pacing never recurses.
    """

    __slots__ = (
        "_body",
        "_connection",
        "_data",
        "_due",
        "_failures",
        "_fields",
        "_kept",
        "_last",
        "_reason",
        "_request",
        "_retried",
        "_sent",
        "_status",
        "_task",
        "_timer",
        "in_flight",
        "left",
        "number",
        "part",
    )

    def __init__(self, part: Part, number: int, left: int) -> None:
        self.number = number
        """From 1."""
        self.left = left
        """Requests still to be begun."""
        self.in_flight = False
        """A request is sent and not answered."""
        self.part = part
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._data = b""
        self._request = 0
        self._due: float | None = None
        self._sent = 0.0
        self._last = 0.0
        self._failures = 0
        self._retried = False
        self._status = 0
        self._reason = b""
        self._fields: list[Field] = []
        self._body = 0
        self._kept: Kept | None = None

    def send(self, due: float | None = None) -> None:
        """Begin the next request. `due` is when it should have begun, where there is a rate."""
        self.left -= 1
        part = self.part
        self._data = part.message.next()
        self._due = due
        self._retried = False
        self._body = 0
        if part.report is not None:
            part.requests += 1
            self._request = part.requests
        connection = self._connection
        now = perf_counter()
        if connection is None or connection.transport is None or connection.transport.is_closing():
            self._connect(now)
        elif now - self._last > part.idle_limit:
            connection.abort()
            self._connect(now)
        else:
            self._write(connection, now)

    @property
    def waiting(self) -> bool:
        """A request has begun, and is not sent since there is no connection yet."""
        return self._task is not None or self._timer is not None

    def cancel(self) -> None:
        """Forget the request that is not sent yet."""
        self._stop_connecting()

    def abort(self) -> None:
        """Give up the request in flight: it counts as failed."""
        if self.in_flight and self._connection is not None:
            self._connection.abort()
            self._fail(Stopped("stopped before its answer was complete"))

    def close(self) -> None:
        """End the connection; there is no request."""
        self._stop_connecting()
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    # ------------------------------------------------------------ sending
    def _connect(self, now: float) -> None:
        self._connection = None
        self._sent = now
        loop = self.part.loop
        if self._failures > PATIENT_FAILURES:
            pause = min(PAUSE_STEP * (self._failures - PATIENT_FAILURES), LONGEST_PAUSE)
            self._timer = loop.call_later(pause, self._open)
        else:
            self._open()

    def _open(self) -> None:
        self._timer = None
        self._task = self.part.loop.create_task(self._connecting())

    async def _connecting(self) -> None:
        part = self.part
        try:
            connection = await part.pool.own(part.origin, part.connect_timeout)
        except UpstreamError as error:
            self._task = None
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
        part = self.part
        self._sent = now
        self.in_flight = True
        if part.report is not None:
            self._kept = part.report.keep()
        message = part.message
        if message.body:
            connection.start(self, self._data, part.timeout, head=message.bare, whole=False)
            connection.write(message.body)
            connection.sent()
        else:
            connection.start(self, self._data, part.timeout, head=message.bare)

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
            self._kept.add(data)

    def on_end(self) -> None:
        self._last = now = perf_counter()
        part = self.part
        part.counts.answer(
            self._status, self._reason, self._fields, part.tracked, self._sent, self._due, now, part.size, self._body
        )
        self.in_flight = False
        self._failures = 0
        if part.report is not None:
            status = f"{self._status} {self._reason.decode('latin-1')}".rstrip()
            place = (part.index, self.number, self._request)
            part.report.answer(place, part.target.name, status, self._status, self._fields, self._kept)
            self._kept = None
        part.pace.after(self)

    def on_error(self, error: UpstreamError) -> None:
        connection, part = self._connection, self.part
        stale = isinstance(error, Broken) and connection is not None and connection.reused and not connection.received
        if stale and part.message.repeatable and not self._retried and not part.stopped:
            self._retried = True
            self.in_flight = False
            self._connection = None
            self._open()
            return
        self._fail(error)

    def _fail(self, error: UpstreamError) -> None:
        part = self.part
        size = part.message.size if self.in_flight else 0
        self.in_flight = False
        self._connection = None
        self._kept = None
        self._failures += 1
        part.counts.failure(error, sent=self._sent, now=perf_counter(), size=size, body=self._body)
        if part.report is not None:
            part.report.error((part.index, self.number, self._request), part.target.name, error)
        part.pace.after(self)
