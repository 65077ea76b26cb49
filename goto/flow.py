"""An exchange as features see it: `Flow`, with its request, its response and the calls that it is sent on by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from mypy_extensions import mypyc_attr

from goto.exchange.call import Call as Call
from goto.exchange.call import Origin as Origin
from goto.exchange.delivery import Control as Control
from goto.exchange.delivery import Delivery as Delivery
from goto.exchange.waiting import Hold as Hold
from goto.exchange.waiting import Wait, wake
from goto.http.fields import Field as Field
from goto.http.fields import Headers as Headers
from goto.http.fields import decode as decode
from goto.http.fields import encode as encode
from goto.http.forwards import take_hops
from goto.http.messages import Request as Request
from goto.http.messages import Response as Response
from goto.http.record import Copy, MadeCall, Record

__all__ = [
    "Call",
    "ClientGone",
    "Control",
    "Delivery",
    "Field",
    "Flow",
    "Headers",
    "Hold",
    "Kept",
    "MakeResponse",
    "Origin",
    "Peer",
    "Request",
    "Response",
    "Times",
]

T = TypeVar("T")


class ClientGone(Exception):
    """The client's FIN or reset was seen before its answer was handed over."""


MakeResponse = Callable[["Flow", bytes, int], Response]
"""Makes a response of (flow, the kept part of the body, the body's full size in bytes)."""


class Peer:
    """The client's connection, as features see it."""

    __slots__ = ("address", "number", "requests", "secure")

    def __init__(self, address: str, number: int) -> None:
        self.address = address
        """`host:port`, as the access log has it."""
        self.number = number
        """That of the connection, counted from 1 in this process."""
        self.secure = False
        """It is under TLS."""
        self.requests = 0
        """Requests on it so far, the present one included."""


NOBODY: Final = Peer("-", 0)
"""Of a flow that did not come over a connection, as in a test."""


class Kept(NamedTuple):
    """What is here of a body."""

    data: bytes
    """Its first bytes."""
    size: int
    """Bytes seen so far."""
    whole: bool
    """Whether `data` is all there is."""


NOTHING_KEPT = Kept(b"", 0, True)


class Times(NamedTuple):
    """How long an exchange took, in seconds; None for what has not come, or does not come."""

    held: float
    """How long features have held it."""
    upstream: float | None
    """From sending a call to the head of its answer."""
    head: float | None
    """From the head of the request to that of the answer."""
    end: float | None
    """From the head of the request to the end; known at `closed`."""


MARK_LENGTH = 200
"""Characters of a mark; what is longer is cut."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Flow:
    """One exchange: a request, its response, and what is known on the way.

    A `request` hook decides by setting one of `response` (the answer is known), `answer` (it can be made once the body is
    here), `upstreams` (send it on, to one or several), or a `delivery` that sends no response.
    """

    __slots__ = (
        "_held",
        "_waiting",
        "aborted",
        "answer",
        "broken",
        "completed",
        "counted",
        "default",
        "delivery",
        "depth",
        "ended",
        "gone",
        "hint",
        "holds",
        "local",
        "marks",
        "notes",
        "peer",
        "record",
        "request",
        "request_body",
        "response",
        "started",
        "status",
        "unanswered",
        "upstreams",
        "wanted",
    )

    def __init__(self, request: Request, default: MakeResponse | None = None, *, local: bool = True) -> None:
        if b"goto-hops" in request.headers.index:
            take_hops(request)
        self.request = request
        """What the client asks for."""
        self.response: Response | None = None
        """The answer, as soon as it is known. A `request` hook that sets it decides the flow."""
        self.answer: MakeResponse | None = None
        """Makes the answer of (flow, the kept part of the body, the body's full size in bytes), once the body is here."""
        self.upstreams: Sequence[Call] = ()
        """Send it on to these: one is answered as its target answers, several with 208 and all their answers as a JSON list."""
        self.status: int | None = None
        """A forced status: answer locally with it."""
        self.default = default
        """The host's own answer to a flow that nobody decides; None where another server stands behind the host."""
        self.peer: Peer = NOBODY
        """Whose request it is: the client's connection."""
        self.local = local
        """The request is addressed to goto itself, not to a site that it stands in the way of."""
        self.notes: dict[object, Any] = {}
        """What a feature keeps for this exchange, under itself as the key."""
        self.marks: Sequence[str] = ()
        """What features did to it, in order: `delay:200ms`, `forced:503`. Set by `mark`."""
        self.holds: Sequence[Hold] = ()
        """The waits that were asked for and have not begun. Added by `hold`."""
        self.started = time.monotonic()
        """When it began, in seconds of the monotonic clock."""
        self.completed = False
        """At `closed`: did the client take the whole response?"""
        self.gone = False
        """The client has left."""
        self.unanswered = False
        """The one upstream that it was sent on to has given no answer."""
        self.aborted = False
        """goto ended the exchange itself, on purpose."""
        self.broken = False
        """At `closed`: did the upstream end in the middle of its answer, while the client was there?"""
        self.hint = ""
        """What the answer says in `Goto-Hint`; empty for nothing."""
        self.counted = 0
        """The status that it was counted under; 0 as long as it was not counted."""
        self.delivery: Delivery | None = None
        """What is to be done to the answer on its way over the wire. One that sends no response decides the flow: set in a
        `request` hook, it keeps all response hooks from running, and set in a `response` hook those further out."""
        self.request_body: Kept | None = None
        """What is here of the request's body, once it was asked for with `wants`."""
        self.record: Record | None = None
        """For hosts: what they fill in as it passes, once a feature has called `keep`."""
        self.ended: float | None = None
        """At `closed`: when it ended, in seconds of the monotonic clock."""
        self.wanted = 0
        """For hosts: so many bytes of the request's body are waited for."""
        self.depth: int = -1
        """For hosts: how far into the onion of features it came, see `Pipeline`."""
        self._waiting: asyncio.Future[Any] | None = None
        self._held: Wait[Any] | None = None

    @property
    def decided(self) -> bool:
        """One of `response`, `answer` and `upstreams` is set, or a `delivery` that sends no response."""
        return self.response is not None or self.answer is not None or bool(self.upstreams) or self.silent

    @property
    def silent(self) -> bool:
        """The delivery sends no response."""
        return self.delivery is not None and self.delivery.silent

    def wants(self, size: int) -> None:
        """Call this `request` hook again once the first `size` bytes of the body are here, or all of it, as `request_body`.

        To be called without deciding the flow. A request without a body has an empty one at once.
        """
        self.wanted = size

    def keep(self, request: int = 0, response: int = 0) -> None:
        """Keep the first bytes of the bodies as they pass; they go on streaming. Of several such wishes the largest holds.

        To be called in a `request` hook. `response_body`, `times` and `calls` are known from then on, and at `closed`
        `request_body` too, where no hook wanted it before.
        """
        record = self.record
        if record is None:
            self.record = record = Record(self.started)
            if not self.request.has_body:
                record.request.end()
        if request > record.request.most:
            record.request.most = request
        if response > record.response.most:
            record.response.most = response

    @property
    def response_body(self) -> Kept | None:
        """What has passed of the response's body; None where no feature has called `keep`."""
        return None if self.record is None else kept_of(self.record.response)

    @property
    def times(self) -> Times | None:
        """How long it took so far; None where no feature has called `keep`."""
        record = self.record
        if record is None:
            return None
        return Times(record.held, record.upstream, record.head, None if self.ended is None else self.ended - self.started)

    @property
    def calls(self) -> Sequence[MadeCall]:
        """The calls to upstreams that were made, each with `target`, `url`, `status`, `seconds` and `error`; none where no
        feature has called `keep`.
        """
        return () if self.record is None else self.record.calls

    def hold(self, seconds: float | None, on_over: Callable[[float], None] | None = None) -> Hold:
        """Wait this long before going on; None for until it is released, or the client leaves.

        Asked for in a `request` hook, the wait comes once the request hooks are over, before the answer is made or an upstream
        is called; in a `response` hook, once the response hooks are over, before the first byte is sent. Several add up, in
        order. A hold is never shorter than asked for, and ends at once when the client leaves. `on_over(seconds)` is called
        once, with what it lasted.
        """
        hold = Hold(seconds, on_over)
        self.holds = [*self.holds, hold]
        return hold

    def mark(self, text: str) -> None:
        """Say what was done to the exchange, in a word of at most 200 characters without blanks; it stands in the access log."""
        self.marks = [*self.marks, text[:MARK_LENGTH]]

    async def until(self, wait: Wait[T]) -> T:
        """For hosts: wait, but only as long as the client stays. Raises `ClientGone`."""
        if self.gone:
            raise ClientGone
        self._held = wait
        try:
            return await wait
        finally:
            self._held = None

    async def wait(self, waiter: asyncio.Future[T]) -> T:
        """Wait for a future of this exchange's own. Raises `ClientGone` as soon as the client leaves."""
        if self.gone:
            raise ClientGone
        self._waiting = waiter
        try:
            return await waiter
        finally:
            self._waiting = None

    async def sleep(self, seconds: float) -> None:
        """Wait at least this long. Raises `ClientGone` as soon as the client leaves."""
        loop = asyncio.get_running_loop()
        until = time.monotonic() + seconds
        # uvloop fires timers up to 1 ms early, so the clock has the last word
        while (left := until - time.monotonic()) > 0:
            waiter: asyncio.Future[None] = loop.create_future()
            timer = loop.call_later(left, wake, waiter)
            try:
                await self.wait(waiter)
            finally:
                timer.cancel()

    def leave(self) -> None:
        """For hosts: the client has gone."""
        self.gone = True
        waiter = self._waiting
        if waiter is not None and not waiter.done():
            waiter.set_exception(ClientGone())
        if self._held is not None:
            self._held.fail(ClientGone())


def kept_of(copy: Copy) -> Kept:
    """What was copied of a body that passes."""
    return Kept(copy.data, copy.size, copy.ended and not copy.cut)
