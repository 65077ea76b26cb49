"""One client's connection on the standalone host. The only file that touches aiohttp's private parts.

aiohttp parses requests, queues pipelined ones and keeps connections alive; it is pinned to a minor version for this file.
Responses are goto's own bytes.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from goto.flow import Request, Response
from goto.http.heads import Recall, lone_request, request_of
from goto.http.wire import whole_response
from goto.traffic.accesslog import AccessLog
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Listener
from goto.upstream.batch import Batch

log = logging.getLogger("goto")

Message = RawRequestMessage
Content = StreamReader

PIPELINED = 64
"""Heads that are looked for in what came in one read. Any more are left to the parser together."""

HELD_LIMIT = 1 << 16
"""Bytes that are held of what a client sends before its present request is answered; then it has to wait."""

CLOSE_SECONDS = 10.0
"""Exchanges in flight when their listener closes get this long to finish."""

LINGER_SECONDS = 10.0
"""A body that nobody wanted is read for this long after the answer, so that the client sees the answer."""

LINGER_REFUSED_SECONDS = 0.5
"""The same after a 413."""

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)( [^ \r\n]+ HTTP/1\.[01]\r\n)")


class Exchange(Protocol):
    """What is in progress on a connection, as far as the connection must know."""

    @property
    def traffic(self) -> bool:
        """It is no management call, and none that was refused."""

    @property
    def counted(self) -> int:
        """The status that it was counted under already; 0 for none."""

    def client_left(self, *, taken: bool) -> None:
        """The client's FIN or reset was seen. `taken`: the kernel had taken all that was written before."""

    def writable(self, yes: bool) -> None:
        """The client takes more, or has to be waited for."""


ServePlain = Callable[["ClientConnection", Request], bool]
"""Serves a lone request without a body if no task is needed; False leaves it to be served in one."""


class Sent(web.StreamResponse):
    """Tells aiohttp that the response is out already, and whether the connection stays."""

    def __init__(self, keep_alive: bool) -> None:
        super().__init__()
        self._stays = keep_alive

    @property
    def keep_alive(self) -> bool | None:
        return self._stays

    async def prepare(self, request: web.BaseRequest) -> None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


class BrokenBody(TimeoutError):
    """A body went on with what is no HTTP. aiohttp, which reads on after an early answer, takes this for its time being up."""


KEPT, CLOSED = Sent(keep_alive=True), Sent(keep_alive=False)


class ClientConnection(RequestHandler):
    """aiohttp's protocol, with an eye on the client's leaving, on slow heads and on closing listeners."""

    __slots__ = (
        "_batch",
        "_body",
        "_client",
        "_glance",
        "_head_timer",
        "_held",
        "_log",
        "_parser_empty",
        "_rest",
        "_serve_plain",
        "_since",
        "admin",
        "closing",
        "exchange",
        "listener",
    )

    def __init__(
        self,
        server: web.Server,
        listener: Listener,
        log: AccessLog,
        serve_plain: ServePlain,
        batch: Batch,
        loop: asyncio.AbstractEventLoop,
        *,
        admin: bool,
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # the exchange writes its own line
            lingering_time=LINGER_SECONDS,
            **_parsing(),
        )
        self.listener = listener
        self.admin = admin
        """Only management calls are served."""
        self._log = log
        self._serve_plain = serve_plain
        self._batch = batch
        self._held: bytes | None = None
        """While a request is served without a task: what came after it."""
        self._rest: asyncio.Task[None] | None = None
        self.exchange: Exchange | None = None
        self.closing = False
        """No request after the present one is answered."""
        self._client = ""
        self._head_timer: asyncio.TimerHandle | None = None
        self._glance = Recall(lone_request)
        """What a plain request asks, if it is one, and nothing else."""
        self._body: StreamReader = EMPTY_PAYLOAD
        """That of the request that came last."""
        self._parser_empty = True
        """The parser has seen whole requests and nothing more."""
        self._since: int | None = 0
        """Bytes that came after the last head; None where it is not known."""

    def hold(self, task: asyncio.Task[None]) -> None:
        """Keep a task that serves the present request from being collected."""
        self._rest = task

    @property
    def client(self) -> str:
        """`host:port` of the client."""
        if not self._client:
            peer = self.peername
            if isinstance(peer, tuple):
                self._client = f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"
            else:
                self._client = "-"
        return self._client

    # ------------------------------------------------------------ what an exchange calls
    @property
    def gone(self) -> bool:
        """Nothing that is written now would reach the client."""
        return self.transport is None or self.transport.is_closing()

    def send_soon(self, data: bytes) -> None:
        """Write at the end of the loop's turn, together with what else is answered in it."""
        if self.transport is not None:
            self._batch.write(self.transport, data)

    def send(self, data: bytes) -> None:
        self._batch.flush()
        transport = self.transport
        if transport is not None and not transport.is_closing():
            transport.write(data)

    def break_off(self, *, reset: bool = True) -> None:
        """End the connection within a response; by a reset, where a FIN would say that the body is whole."""
        self._batch.flush()
        if self.transport is not None:
            if reset:
                self.transport.abort()
            else:
                self.transport.close()

    def linger(self, seconds: float) -> None:
        """How long an unread body is read after the answer."""
        self._lingering_time = seconds

    def pause_client(self) -> None:
        if self.transport is not None:
            self.transport.pause_reading()

    def resume_client(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    @property
    def all_taken(self) -> bool:
        """The kernel has every byte that was written."""
        return self.transport is not None and not self.transport.get_write_buffer_size()

    async def flushed(self) -> None:
        """Wait until the kernel has every byte that was written, or the client is gone."""
        transport = self.transport
        if transport is None or not transport.get_write_buffer_size():
            return
        await asyncio.sleep(0)  # uvloop writes at the end of its turn
        if self.transport is None or not transport.get_write_buffer_size():
            return
        transport.set_write_buffer_limits(0)
        try:
            await self._drain_helper()
        except ConnectionError:
            return
        finally:
            if not transport.is_closing():
                transport.set_write_buffer_limits()

    def tunnel(self, upstream: Any) -> None:
        """Hand all further bytes of the client to an object with `feed_data(data) -> (False, b"")`."""
        self.set_parser(upstream)

    def finish(self) -> None:
        """The listener closes: an exchange in flight may finish, for a while; nothing else is answered."""
        if self._request_in_progress or self._messages or self._held is not None:
            self.closing = True
            self._loop.call_later(CLOSE_SECONDS, self.break_off)
        else:
            self._batch.flush()
            self.force_close()

    def when_over(self, act: Callable[[], None]) -> None:
        """Call this once the last exchange of a connection that was lost is over."""
        if self._task_handler is not None:
            self._task_handler.add_done_callback(lambda task: act())
        else:
            act()

    # ------------------------------------------------------------ asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self._manager is not None
        if not self.listener.open and not self.admin:
            self.break_off()  # accepted by the kernel while the listener was closing
        elif not self.admin and len(self._manager._connections) > LIMITS.connections:
            self._turn_away()

    def data_received(self, data: bytes) -> None:
        if self._held is not None:
            self._hold_back(data)  # a pipelined request: it has its turn when the present one is answered
            return
        waiter = self._waiter
        if waiter is not None and not waiter.done() and self._parser_empty and not self.closing and len(data) <= LIMITS.head:
            # nothing is under way: a plain request that comes alone can be served without a task, whatever the parser would say
            asked = self._glance(data)
            if asked is not None and len(asked[2]) <= LIMITS.fields and self._serve_plain(self, request_of(asked)):
                self._request_count += 1
                self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
                return
        self._receive(data)

    def _hold_back(self, data: bytes) -> None:
        assert self._held is not None
        self._held += data
        if len(self._held) > HELD_LIMIT:
            self.pause_client()

    def plain_begins(self, exchange: Exchange) -> None:
        """A request served without a task is not answered at once."""
        self.exchange = exchange
        self._held = b""

    def plain_over(self, *, stays: bool) -> None:
        """It is answered; what was held back has its turn."""
        self.exchange = None
        held, self._held = self._held, None
        if not stays or self.closing:
            self._batch.flush()
            self.force_close()
            return
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if held:
            self._loop.call_soon(self._resume, held)

    def _resume(self, held: bytes) -> None:
        if self.transport is not None:
            if len(held) > HELD_LIMIT:
                self.resume_client()
            self.data_received(held)

    def _receive(self, data: bytes) -> None:
        """Leave bytes to aiohttp, a head at a time: what is wrong behind a request must not take the request with it, nor may
        what stands behind an `Upgrade` that nobody follows be lost.
        """
        if self._upgraded or self._payload_parser is not None:
            super().data_received(data)
            return
        for _ in range(PIPELINED):
            end = data.find(b"\r\n\r\n") + 4
            if not 4 <= end < len(data):
                break
            self._feed(data[:end])
            data = data[end:]
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        count, body = self._request_count, self._body
        super().data_received(data)
        if self._request_count > count:
            broken = self._messages[-1][0]
            if isinstance(broken, _ErrInfo) and not self._take_other_method(broken, data):
                self._notice_broken_body(broken, body)
            self._body = self._messages[-1][1]
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
            whole = data.endswith(b"\r\n\r\n")
            if whole:
                self._since = 0
            else:  # a body has begun, or something may stand behind one that is over already
                self._since = None if self._body.is_eof() else self._body.total_bytes
        else:
            whole = False
            if self._since is not None:
                self._since += len(data)
            # nothing that is left of a head ends as a chunked body does
            if data and self._body.is_eof() and not self._between and not data.endswith(b"\r\n\r\n"):
                self._await_head()
        # a request without a body that ends where the data does leaves nothing behind; of all else that is not known
        self._parser_empty = whole and self._request_count == count + 1 and self._body is EMPTY_PAYLOAD

    def eof_received(self) -> None:
        self._batch.flush()
        if self.exchange is not None:
            self.exchange.client_left(taken=self.all_taken)

    def connection_lost(self, exc: BaseException | None) -> None:
        exchange = self.exchange
        if exchange is not None:
            exchange.client_left(taken=False)
        if self._head_timer is not None:
            self._head_timer.cancel()
        super().connection_lost(exc)
        if exchange is None and not self._body.is_eof():
            self._body.feed_eof()  # it was answered before its body was here, and the rest is waited for (see `linger`)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.exchange is not None:
            self.exchange.writable(False)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.exchange is not None:
            self.exchange.writable(True)

    # ------------------------------------------------------------ inside
    def _turn_away(self) -> None:
        """One connection too many: say so, and read on for a moment, so that it is heard."""
        LIMITS.hit["connections"] += 1
        self._close = self.closing = True
        self._refuse(503, f"there are {LIMITS.connections} connections already, which is the limit", "turned-away")
        self._loop.call_later(LINGER_REFUSED_SECONDS, self.force_close)

    def _refuse(self, status: int, reason: str, went: str) -> None:
        self.listener.refused[status] += 1
        refused = Response.text(status, f"goto: {reason}")
        self.send(whole_response(refused, self.listener.identity_bytes, "GET", (1, 1), keep_alive=False))
        self._log.exchange(self.listener.port, self.client, "-", "-", status, 0.0, went)

    @property
    def _between(self) -> bool:
        """All that came are whole requests, as far as is known."""
        return self._body.is_eof() and self._body.total_bytes == self._since

    def _await_head(self) -> None:
        """A part of a head is here: the rest has to follow in time."""
        if self._head_timer is None:
            self._head_timer = self._loop.call_later(LIMITS.head_time, self._head_late)

    def _head_late(self) -> None:
        self._head_timer = None
        if self._messages or self._request_in_progress:
            self._await_head()  # one that began behind a request that is not answered yet
        else:
            LIMITS.hit["head_time"] += 1
            self.force_close()

    def _notice_broken_body(self, broken: _ErrInfo, body: StreamReader) -> None:
        """aiohttp queues the error for after the exchange whose body broke, which would wait for it for ever."""
        if not body.is_eof():
            body.set_exception(BrokenBody(_first_line(broken.message)))

    def _take_other_method(self, broken: _ErrInfo, data: bytes) -> bool:
        """Take a head whose method the parser has not heard of, or what else is wrong with it; whether it was such a head.

        A method may be any token (RFC 9110, 9.1), and none but CONNECT changes how a request is read, so that the head is parsed
        with another one in its place. It has to be whole, and what came before it must have ended with a request.
        """
        line = _REQUEST_LINE.match(data)
        if line is None or not isinstance(broken.exc, BadHttpMethod) or not data.endswith(b"\r\n\r\n") or not self._between:
            return False
        parser = HttpRequestParser(
            self,
            self._loop,
            self._read_bufsize,
            payload_exception=web.RequestPayloadError,
            max_msg_queue_size=self._max_msg_queue_size,
            **_parsing(),
        )
        try:
            ((message, body),), self._upgraded, _ = parser.feed_data(b"POST" + data[line.end(1) :])
        except HttpProcessingError as error:
            self._messages[-1] = _ErrInfo(status=400, exc=error, message=error.message), EMPTY_PAYLOAD
            return True
        self._parser = parser
        self._messages[-1] = message._replace(method=line[1].decode()), body
        return True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be parsed, and end the connection (RFC 9112, 2.2)."""
        if status == 400 and (isinstance(exc, LineTooLong) or "Too many" in str(exc)):
            status, message = 431, f"the head is over {LIMITS.head} bytes or {LIMITS.fields} fields"
            LIMITS.hit["head" if isinstance(exc, LineTooLong) else "fields"] += 1
        elif isinstance(exc, HttpProcessingError):
            message = _first_line(exc.message)
        else:
            log.error("request failed", exc_info=exc)
            message = "the request failed"
        self.linger(0)
        self._refuse(status, message, "malformed")
        return CLOSED


def _parsing() -> dict[str, Any]:
    """How heads are parsed."""
    limit = LIMITS.head
    return {"max_line_size": limit, "max_field_size": limit, "max_headers": LIMITS.fields, "auto_decompress": False}


def _first_line(message: str | None) -> str:
    """What aiohttp says of a malformed request, without its drawing of where."""
    if message and "PRI/Upgrade" in message:
        return "HTTP/2 is not spoken here: use HTTP/1.1"
    return (message or "").partition("\n")[0].strip().rstrip(":") or "malformed request"


def parts_of(request: web.BaseRequest) -> tuple[Message, Content | None]:
    """The head as it was parsed, and the body's stream if there is a body."""
    content = request.content
    return request._message, None if content is EMPTY_PAYLOAD else content
