"""An exchange as features see it: `Flow`, with its request, its response and the calls that it is sent on by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from mypy_extensions import mypyc_attr

from goto.counting.tally import Tally
from goto.http.fields import Field as Field
from goto.http.fields import Headers as Headers
from goto.http.fields import decode as decode
from goto.http.fields import encode as encode
from goto.http.messages import Request as Request
from goto.http.messages import Response as Response
from goto.tls.client import ClientTls

DEFAULT_TIMEOUT = 30.0
"""Seconds from the last byte of a request to the head of its response, where a target says nothing."""


class Origin(NamedTuple):
    """Where connections go. Connections are shared by all calls to an equal origin."""

    scheme: str
    host: str
    port: int
    tls: ClientTls | None = None
    """How an https origin is connected to; None for the usual way."""

    @classmethod
    def of(cls, url: str, tls: ClientTls | None = None) -> Origin:
        """Where the connections of an http or https URL go."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not host.isascii():
            host = host.encode("idna").decode()
        return cls(parts.scheme, host, parts.port or (443 if parts.scheme == "https" else 80), tls)

    @property
    def authority(self) -> str:
        """As `Host` names it: without the scheme's own port, IPv6 in brackets (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


@dataclass(slots=True)
class Call:
    """What goes to one upstream for one exchange.

    `path` is the raw request target, query included. `headers` hold neither hop-by-hop fields nor a length:
    whoever sends frames the body. `timeout` is in seconds. `failure`, if not empty, says why this call cannot
    be sent: it is answered 502 with that text.
    """

    target: str
    origin: Origin
    method: str
    path: str
    headers: list[Field] = field(default_factory=list)
    timeout: float = DEFAULT_TIMEOUT
    failure: str = ""
    upgrade: str = ""
    """The protocol to switch to, as `Upgrade` names it; the connection then becomes a tunnel."""
    tally: Tally | None = None
    """Where it is counted what comes of it."""
    id: str = ""
    """`name[replica][n]`, n running over the target's requests of one invocation."""


T = TypeVar("T")


class ClientGone(Exception):
    """The client's FIN or reset was seen before its answer was handed over."""


Answer = Callable[["Flow", bytes, int], Response]
"""Makes a response of (flow, the kept part of the body, the body's full size in bytes)."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Flow:
    """One exchange: a request, its response, and what is known on the way.

    A `request` hook decides by setting one of `response` (the answer is known), `answer` (it can be made once the body is
    here), `upstreams` (send it on, to one or several). `status` is a forced one: answer locally with it. `default` is the
    host's own answer to a flow that nobody decides, None where another server stands behind the host.
    """

    # what most flows never set stands here, so that each need not be given it
    response: Response | None = None
    answer: Answer | None = None
    upstreams: Sequence[Call] = ()
    status: int | None = None
    completed = False
    """At `closed`: did the client take the whole response?"""
    gone = False
    unanswered = False
    """The one upstream that it was sent on to has given no answer."""
    waits_in: object = None
    """The response hook that waits, or was waiting when the client left."""
    _waiting: asyncio.Future[Any] | None = None

    def __init__(self, request: Request, default: Answer | None = None, *, local: bool = True) -> None:
        self.request = request
        self.default = default
        self.local = local
        """The request is addressed to goto itself, not to a site that it stands in the way of."""
        self.notes: dict[object, Any] = {}
        """What a feature keeps for this exchange, under itself as the key."""
        self.started = time.monotonic()

    @property
    def decided(self) -> bool:
        return self.response is not None or self.answer is not None or bool(self.upstreams)

    async def wait(self, waiter: asyncio.Future[T]) -> T:
        """Wait for a future of this exchange's own; `ClientGone` as soon as the client leaves."""
        if self.gone:
            raise ClientGone
        self._waiting = waiter
        try:
            return await waiter
        finally:
            self._waiting = None

    async def sleep(self, seconds: float) -> None:
        """Wait at least this long; `ClientGone` as soon as the client leaves."""
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


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
