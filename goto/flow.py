"""An exchange as features see it: `Flow`, with its request, its response and the calls that it is sent on by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

from mypy_extensions import mypyc_attr

from goto.counting.tally import Tally
from goto.http.fields import Field as Field
from goto.http.fields import Headers as Headers
from goto.http.fields import decode as decode
from goto.http.fields import encode as encode
from goto.http.forwards import take_hops
from goto.http.messages import Request as Request
from goto.http.messages import Response as Response
from goto.http.record import Copy, MadeCall, Record
from goto.tls.client import ClientTls
from goto.words.hosts import bracketed, host_without_zone, lookup_host

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

DEFAULT_TIMEOUT = 30.0
"""Seconds from the last byte of a request to the head of its response, where a target says nothing."""


class Origin(NamedTuple):
    """Where connections go. Connections are shared by all calls to an equal origin."""

    scheme: str
    """`http` or `https`."""
    host: str
    """A name or an address as it is looked up: in ASCII; IPv6 without brackets, its zone behind `%`."""
    port: int
    """From 1 to 65535."""
    tls: ClientTls | None = None
    """How an https origin is connected to; None for the usual way."""

    @classmethod
    def of(cls, url: str, tls: ClientTls | None = None) -> Origin:
        """Where the connections of an http or https URL go."""
        parts = urlsplit(url)
        host = lookup_host(parts.hostname or "")
        return cls(parts.scheme, host, parts.port or (443 if parts.scheme == "https" else 80), tls)

    @property
    def authority(self) -> str:
        """As `Host` names it: without the scheme's own port, IPv6 in brackets and without a zone (RFC 9110, 7.2)."""
        host = bracketed(host_without_zone(self.host))
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @property
    def server_name(self) -> str:
        """What TLS asks for and expects in the certificate: neither a zone nor a dot at the end (RFC 6066, 3)."""
        if self.tls is not None and self.tls.server_name:
            return self.tls.server_name.removesuffix(".")
        return host_without_zone(self.host).removesuffix(".")

    @property
    def resolvable(self) -> str:
        """What the system is asked for: most do not know `localhost.`, which is this machine all the same (RFC 6761, 6.3)."""
        return "localhost" if self.host == "localhost." else self.host


@dataclass(slots=True)
class Call:
    """What goes to one upstream for one exchange. Its body is that of the exchange."""

    target: str
    """The name of what it is sent for, as the access log shows it."""
    origin: Origin
    """Where it goes."""
    method: str
    """The method of the request sent."""
    path: str
    """The request target, query included, as it is written on the wire."""
    headers: list[Field] = field(default_factory=list)
    """Without hop-by-hop fields and without a length: the sender adds what frames the body."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds from the last byte of the request to the head of the response."""
    failure: str = ""
    """Why it cannot be sent, if that is so: it is answered 502 with this text."""
    upgrade: str = ""
    """The protocol to switch to, as `Upgrade` names it; the connection then becomes a tunnel."""
    tally: Tally | None = None
    """Where it is counted what comes of it."""
    made: MadeCall | None = field(default=None, init=False)
    """For hosts: where it is kept what comes of it, if anybody wants to know."""
    id: str = ""
    """`name[replica][n]`, n running over the target's requests of one invocation."""
    trailers: bool = field(default=False, init=False)
    """For hosts: those of the answer can be passed on (RFC 9110, 6.5)."""
    body_timeout: float | None = field(default=None, init=False)
    """Seconds for which the body of the response may pause, `inf` for any; None for a minute, and for any where it is a stream of
    events."""
    looped: bool = field(default=False, init=False)
    """`failure` says that the request came through goto too often: it is answered 508."""


def keep_calls(record: Record, calls: Sequence[Call]) -> None:
    """For hosts: these calls are about to be sent, and what comes of them is to be kept."""
    for call in calls:
        call.made = record.calling(call.target, f"{call.origin.scheme}://{call.origin.authority}{call.path}")


T = TypeVar("T")


class ClientGone(Exception):
    """The client's FIN or reset was seen before its answer was handed over."""


MakeResponse = Callable[["Flow", bytes, int], Response]
"""Makes a response of (flow, the kept part of the body, the body's full size in bytes)."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Wait(Generic[T]):
    """What an exchange waits for, once: `come(value)` lets it go on, `fail(error)` ends it.

    An exchange is a coroutine that is stepped by whoever has what it waits for, not a task: awaiting a `Wait` that has come costs
    nothing, one that has not yields it to the stepper, which sets `on_come` to its next step (see `step_in_task`). Nothing of
    asyncio is needed for that.
    """

    __slots__ = ("error", "here", "on_come", "value")

    def __init__(self) -> None:
        self.here = False
        self.value: T | None = None
        self.error: Exception | None = None
        self.on_come: Callable[[], None] | None = None

    def come(self, value: T | None = None) -> None:
        """What was waited for is here. Later calls change nothing."""
        if not self.here:
            self.here = True
            self.value = value
            on_come, self.on_come = self.on_come, None  # it may lead back here
            if on_come is not None:
                on_come()

    def fail(self, error: Exception) -> None:
        """It will not come: whoever waits gets the error raised. Changes nothing once it has come."""
        if not self.here:
            self.error = error
            del error  # its traceback will lead here
            self.come()

    def __await__(self) -> Generator[Any, None, T]:
        if not self.here:
            yield self
        if self.error is not None:
            error, self.error = self.error, None
            try:
                raise error
            finally:
                del error  # whose traceback leads here
        return self.value  # type: ignore[return-value]  # whoever makes a Wait[T] lets a T come


async def step_in_task(coroutine: Coroutine[Any, None, T]) -> T:
    """Step a coroutine that awaits `Wait`s, from within a task. Cancelling the task is passed on to it."""
    loop = asyncio.get_running_loop()
    error: BaseException | None = None
    while True:
        try:
            wait = coroutine.send(None) if error is None else coroutine.throw(error)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # the coroutine's own result
        waiter: asyncio.Future[None] = loop.create_future()
        wait.on_come = partial(_wake, waiter)
        error = None
        try:
            await waiter
        except BaseException as raised:
            error = raised


TIMER_EARLY: Final = 0.001
"""Seconds that uvloop may fire a timer too early. One that is set for later need not be set again, which costs more."""


class Hold:
    """A wait that a feature has asked for by `flow.hold`."""

    __slots__ = ("_began", "_on_over", "_timer", "_until", "seconds", "wait")

    def __init__(self, seconds: float | None, on_over: Callable[[float], None] | None) -> None:
        self.seconds = seconds
        """How long it lasts; None for until it is released."""
        self.wait: Wait[None] = Wait()
        """For hosts: what they wait for."""
        self._on_over = on_over
        self._began = self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def release(self) -> None:
        """End the wait at once, also before it has begun."""
        self.wait.come()

    def begin(self) -> None:
        """For hosts: it is its turn."""
        self._began = time.monotonic()
        if self.seconds is not None and not self.wait.here:
            self._until = self._began + self.seconds
            self._tick()

    def over(self) -> None:
        """For hosts: it has ended, however. To be called once."""
        if self._timer is not None:
            self._timer.cancel()
        if self._on_over is not None:
            self._on_over(time.monotonic() - self._began)

    def _tick(self) -> None:
        """The clock has the last word: a hold is never shorter than asked for."""
        left = self._until - time.monotonic()
        if left > 0:
            self._timer = asyncio.get_running_loop().call_later(left + TIMER_EARLY, self._tick)
        else:
            self.wait.come()


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


class Control:
    """What the feature that asks for a delivery and the host that carries it out tell each other."""

    __slots__ = ("_on_failed", "_on_let_go", "_on_over", "free")

    def __init__(self, on_failed: Callable[[str], None] | None = None, on_over: Callable[[], None] | None = None) -> None:
        """`on_failed(what)` is called where `after`, `share`, `over`, `stall_at` or `raw` turns out not to be possible;
        `on_over()` once nothing of the rate and the stall is left to wait for.
        """
        self.free = False
        """Nothing is slowed any more."""
        self._on_failed = on_failed
        self._on_over = on_over
        self._on_let_go: Callable[[], None] | None = None

    def let_go(self) -> None:
        """For features: the rate and the stall end, and the rest of the answer goes out."""
        if not self.free:
            self.free = True
            if self._on_let_go is not None:
                self._on_let_go()

    def when_let_go(self, then: Callable[[], None]) -> None:
        """For hosts: what to call once the rest may go out."""
        self._on_let_go = then

    def failed(self, what: str) -> None:
        """For hosts: a part of the delivery is not possible."""
        if self._on_failed is not None:
            self._on_failed(what)

    def over(self) -> None:
        """For hosts: nothing of the rate and the stall is left to wait for."""
        if self._on_over is not None:
            self._on_over()


SHARE_PARTS: Final = 10**8
"""A share of a body is told to millionths of a percent."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer goes over the wire. A feature sets `flow.delivery`, and the host carries it out."""

    raw: bytes | None = None
    """Written in place of the answer's head and body. The connection then ends as `end` says, by "close" if it says nothing."""
    end: Literal["", "close", "reset"] = ""
    """How the connection ends."""
    after: int | None = None
    """So many bytes of the body go out before `end`; with 0 the head alone, with None and no `share` nothing at all."""
    share: float | None = None
    """`after` as a share of the body, from 0 to 1, whose length has to be known."""
    rate: float = 0.0
    """Bytes a second; 0 for as fast as they are taken."""
    over: float = 0.0
    """Seconds for the whole body instead of `rate`; its length has to be known."""
    head: bool = False
    """Whether `rate` and `over` hold for the head too."""
    stall: float = 0.0
    """Seconds to stand still."""
    stall_at: int = 0
    """How many bytes of the body go out before `stall`."""
    control: Control | None = None
    """What the host and the feature tell each other meanwhile."""

    @property
    def silent(self) -> bool:
        """Whether no response is sent."""
        return self.raw is not None or (bool(self.end) and self.after is None and self.share is None)

    @property
    def cuts(self) -> bool:
        """Whether a part of the body alone is sent."""
        return self.after is not None or self.share is not None

    def cut(self, length: int | None) -> int | None:
        """How many bytes of a body go out at the most; None for all, and where that depends on a length that is not known."""
        if self.share is None or length is None:
            return self.after
        # 29% of 100 bytes are 29, though 100 * 0.29 is a little less
        return length * round(self.share * SHARE_PARTS) // SHARE_PARTS

    @property
    def slows(self) -> bool:
        """Whether bytes go out later than they could."""
        return self.rate > 0 or self.over > 0 or self.stall > 0


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
            timer = loop.call_later(left, _wake, waiter)
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


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
