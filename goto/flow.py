"""What a feature sees of an exchange. No sockets and no framework here.

Text is UTF-8 with `surrogateescape`, so that bytes which are no UTF-8 survive the way through `str` and back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mypy_extensions import mypyc_attr

if TYPE_CHECKING:
    from goto.call import Call

T = TypeVar("T")
Field = tuple[bytes, bytes]
Index = dict[bytes, Sequence[Field]]


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def field_length(field: Field) -> int:
    return len(field[0]) + len(field[1])


def field_name(field: Field) -> bytes:
    return field[0]


class ClientGone(Exception):
    """The client's FIN or reset was seen before its answer was handed over."""


@mypyc_attr(allow_interpreted_subclasses=True, serializable=True)
class Headers:
    """Header fields as they stand on the wire: in order, repeated ones repeated, names in the sender's spelling.

    Names compare in any letter case (RFC 9110, 5.1).
    """

    __slots__ = ("_index", "fields")

    def __init__(self, fields: Iterable[Field] = (), index: Index | None = None) -> None:
        self.fields: list[Field] = list(fields)
        self._index = index

    @property
    def index(self) -> Index:
        """Lower-case name to its fields, made at the first look-up."""
        index = self._index
        if index is None:
            grouped: dict[bytes, list[Field]] = {}
            for field in self.fields:
                grouped.setdefault(field[0].lower(), []).append(field)
            index = self._index = {**grouped}
        return index

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of a header."""
        fields = self.index.get(encode(name).lower())
        return decode(fields[0][1]) if fields else default

    def get_all(self, name: str) -> list[str]:
        return [decode(value) for _, value in self.index.get(encode(name).lower(), ())]

    def add(self, name: str, value: str) -> None:
        self.fields.append((encode(name), encode(value)))
        self._index = None

    def extend(self, fields: Iterable[Field]) -> None:
        self.fields.extend(fields)
        self._index = None

    def remove(self, *names: str) -> None:
        """Take out every field that bears one of these names."""
        gone = {encode(name).lower() for name in names}
        self.fields = [field for field in self.fields if field[0].lower() not in gone]
        self._index = None

    def __contains__(self, name: str) -> bool:
        return encode(name).lower() in self.index

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((decode(name), decode(value)) for name, value in self.fields)

    def __repr__(self) -> str:
        return f"Headers({self.fields!r})"


@mypyc_attr(allow_interpreted_subclasses=True, serializable=True)
class Request:
    """The head of a request.

    `target` is the origin-form, byte for byte; `path` is it without its query, still percent-encoded.
    """

    __slots__ = ("has_body", "headers", "method", "path", "query", "target", "version")

    def __init__(
        self,
        method: str,
        target: str,
        headers: Headers,
        *,
        version: tuple[int, int] = (1, 1),
        has_body: bool = False,
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.version = version
        self.has_body = has_body
        self.path, _, self.query = target.partition("?")

    @property
    def requested_status(self) -> int | None:
        """The n of a request for `/status/{n}`, if it is one that can be answered (200..599); else None."""
        if not self.path.startswith("/status/"):
            return None
        word = self.path[8:].removesuffix("/")
        if len(word) == 3 and word.isascii() and word.isdecimal() and 200 <= int(word) <= 599:
            return int(word)
        return None

    @property
    def upgrade(self) -> str:
        """The protocol asked for by `Upgrade`, lower case; empty where `Connection` does not name it (RFC 9110, 7.8)."""
        index = self.headers.index
        if b"upgrade" not in index:
            return ""
        connection = b",".join([value for _, value in index.get(b"connection", ())]).lower().split(b",")
        if b"upgrade" not in (word.strip() for word in connection):
            return ""
        return decode(index[b"upgrade"][0][1]).strip().lower()


class Body(Protocol):
    """The body of an upstream's answer, still to come. The host pipes it on."""

    def abort(self) -> None:
        """Nobody wants it any more: end the connection it comes over."""


@mypyc_attr(allow_interpreted_subclasses=True, serializable=True)
class Response:
    """The head of a response, with the whole `body`, or with a `stream` that a host carries on."""

    __slots__ = ("body", "headers", "reason", "status", "stream")

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        headers: Headers | None = None,
        *,
        reason: str | None = None,
        stream: Body | None = None,
    ) -> None:
        self.status = status
        self.reason = reason
        self.headers = Headers() if headers is None else headers
        self.body = body
        self.stream = stream

    @classmethod
    def text(cls, status: int, text: str) -> Response:
        """A line of text."""
        return cls(status, encode(text + "\n"), Headers([(b"Content-Type", b"text/plain; charset=utf-8")]))

    @classmethod
    def json(cls, status: int, body: bytes) -> Response:
        """An encoded JSON document."""
        return cls(status, body, Headers([(b"Content-Type", b"application/json")]))


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
