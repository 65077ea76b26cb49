"""One exchange on the standalone host: head, pipeline, answer or upstream, pipeline, client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from goto.api.management import ManagementCall, refusal
from goto.errors import ApiError, BadInput, NotFound, TooLarge
from goto.flow import Call, ClientGone, Flow, Response, step_in_task
from goto.hosts.standalone.body import ClientBody
from goto.hosts.standalone.connection import CLOSED, KEPT, LINGER_REFUSED_SECONDS, ClientConnection, Content, Message, Sent
from goto.hosts.standalone.delivery import ClientOutlet
from goto.hosts.standalone.requests import refusal_of, request_of
from goto.hosts.standalone.tunnel import Tunnel
from goto.http.wire import framing_of_stream, response_bytes, whole_response
from goto.routes import Forward
from goto.traffic.echo import SHOWN_BYTES, echo
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Outcome
from goto.traffic.passage import Passage
from goto.upstream.answer import Answer, ClientBroke
from goto.upstream.fanout import fan_out

if TYPE_CHECKING:
    from goto.hosts.standalone.host import StandaloneHost

log = logging.getLogger("goto")

T = TypeVar("T")


class HostedExchange:
    """From the head of a request to its end. Made once a request; `run` says whether the connection stays."""

    # what most exchanges never set stands here, so that each need not be given it
    body: ClientBody | None = None
    _refused: tuple[int, str] | None = None
    _answer: Answer | None = None
    _outlet: ClientOutlet | None = None
    _status = 0
    _went = "local"
    traffic = False
    _outcome: Outcome | None = None
    """How traffic ended, where it did not simply complete and its client is not the reason."""
    _written = False
    """The last byte of the response was handed to the transport."""
    _taken = False
    """The kernel had taken it before the client left."""

    def __init__(self, host: StandaloneHost, connection: ClientConnection, flow: Flow, *, keep_alive: bool = True) -> None:
        self.flow = flow
        self._host = host
        self._connection = connection
        self._listener = listener = connection.listener
        self._passage = Passage(listener, flow)
        self._target = flow.request.target
        """What was asked for, as it came."""
        self._version = flow.request.version
        self._keep_alive = keep_alive

    @classmethod
    def of(cls, host: StandaloneHost, connection: ClientConnection, message: Message, content: Content | None) -> HostedExchange:
        """The exchange that begins with a parsed head."""
        flow = Flow(request_of(message, has_body=content is not None), echo)
        exchange = cls(host, connection, flow, keep_alive=not message.should_close)
        exchange._target = message.path
        exchange._refused = refusal_of(message)
        if content is not None:
            headers = flow.request.headers
            length = headers.get("content-length")
            expected = message.version >= (1, 1) and "100-continue" in (headers.get("expect") or "").lower()
            exchange.body = ClientBody(connection, content, int(length) if length else None, expected=expected)
        return exchange

    # ------------------------------------------------------------ what the connection calls
    def client_left(self, *, taken: bool) -> None:
        if not self.flow.gone:
            written = self._written or (self._outlet is not None and self._outlet.over)
            self._taken = written and taken
            self.flow.leave()

    def writable(self, yes: bool) -> None:
        if self._outlet is not None:
            self._outlet.writable(yes)

    # ------------------------------------------------------------ the way through
    async def run(self) -> Sent:
        """Serve the request."""
        self._connection.exchange = self
        if self._connection.gone:
            self.flow.leave()  # between its request and now
        try:
            if self._refused is not None:
                status, reason = self._refused
                self._keep_alive = False
                self._listener.refused[status] += 1
                self._connection.linger(0)
                await self._write(Response.text(status, f"goto: {reason}"))
            else:
                await self._serve()
        except ClientGone:
            self._keep_alive = False
        except Exception:
            self._fail()
        finally:
            self._connection.exchange = None
            if self._answer is not None and not self._answer.done:
                self._answer.abort()
            self._log()
        return KEPT if self._keep_alive and not self.flow.gone else CLOSED

    async def _serve(self) -> None:
        request = self.flow.request
        try:
            management = self._host.instance.management
            asked = management.find(self._listener, request, apart=self._connection.admin)
            if asked is None and self._connection.admin:
                raise NotFound(f"there is no route {request.path}, and this port serves nothing but the API")
            call = management.admit(asked) if asked is not None else None
        except ApiError as error:
            self._went = "api"
            await self._write(refusal(error, request))
            return
        if call is None:
            await self._traffic()
        else:
            await self._manage(call)

    async def _manage(self, call: ManagementCall) -> None:
        self._went = "api"
        try:
            body = await self._read(call.route.body_limit)
        except ApiError as error:
            await self._write(refusal(error, self.flow.request))
            return
        served = await self._host.instance.management.serve(call, self.flow.request, body)
        if isinstance(served, Forward):
            served = await self._send(served.calls, body)
        await self._write(served)

    async def _traffic(self) -> None:
        self.traffic = True
        flow, passage = self.flow, self._passage
        try:
            await step_in_task(passage.ask())
            response = await self._respond()
            dropping = self._drop_body()
            try:
                response = await step_in_task(passage.tell(response))
            finally:
                if dropping is not None:
                    dropping.cancel()
                    await asyncio.wait((dropping,))
            whole = await self._write(response)
            if not whole:
                self._outcome = "broke_off"
            if passage.wants_taken:
                await self._connection.flushed()
            if whole and (self._taken or not flow.gone):
                passage.over("upstream_failed" if flow.unanswered else None, completed=True)
        finally:
            passage.over(self._outcome or ("client_gone" if flow.gone else "broke_off"), completed=False)

    def _fail(self) -> None:
        """Answer where the answer that was to be written could not be, and end the connection."""
        response = failed(self.flow)
        self._keep_alive = False
        if self._status:
            self._outcome = "broke_off"
            self._connection.break_off()
        else:
            self._write_whole(response)

    @property
    def counted(self) -> int:
        return self.flow.counted

    def _drop_body(self) -> asyncio.Task[None] | None:
        """Read on what nobody wants of a body while hooks wait: a client that leaves is not seen behind one that stands still."""
        body = self.body
        if body is None or not body.unread or body.awaited or not self._keep_alive or self._answer is not None:
            return None

        async def drop() -> None:
            with contextlib.suppress(Exception):
                async for _ in body:
                    pass

        return asyncio.get_running_loop().create_task(drop())

    async def _respond(self) -> Response:
        flow = self.flow
        if flow.response is not None:
            return flow.response
        try:
            if flow.request.upgrade == "websocket" and flow.status is None and len(flow.upstreams) != 1:
                return Response.text(501, "goto: a websocket connection needs exactly one target")
            if flow.upstreams:
                single = len(flow.upstreams) == 1
                return await self._send(flow.upstreams, b"" if single else await self._read(LIMITS.body))
            body, size = b"", 0
            if self.body is not None:
                body, size = await self._reading(self.body.read_part(SHOWN_BYTES))
            make = flow.answer or flow.default
            assert make is not None
            return make(flow, body, size)
        except ApiError as error:
            return refusal(error, flow.request)

    async def _send(self, calls: Sequence[Call], body: bytes) -> Response:
        """Send one call, its body streaming unless it was read, or several."""
        flow = self.flow
        self._went = ",".join(dict.fromkeys(call.target for call in calls))
        if len(calls) > 1:
            return await fan_out(self._host.instance.upstream, flow, calls, body)
        (call,) = calls
        if flow.request.upgrade == "websocket":
            call.upgrade = flow.request.headers.get("upgrade") or ""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        feed = self.body if self.body is not None and not body and self.body.unread else body

        def on_head(answer: Answer) -> None:
            if not waiter.done():
                waiter.set_result(None)

        self._answer = answer = self._host.instance.upstream.send(call, feed, on_head)
        await flow.wait(waiter)
        if isinstance(answer.error, ClientBroke):
            self._keep_alive = False
            self._connection.linger(0)
        elif answer.error is not None and not answer.status:
            flow.unanswered = True
        return response_of(answer)

    # ------------------------------------------------------------ the request's body
    async def _read(self, limit: int) -> bytes:
        if self.body is None:
            return b""
        try:
            return await self._reading(self.body.read(limit))
        except TooLarge:
            LIMITS.hit["body"] += 1
            self._keep_alive = False
            self._connection.linger(LINGER_REFUSED_SECONDS)
            raise

    async def _reading(self, read: Coroutine[Any, Any, T]) -> T:
        """Await a reading of the body; whatever breaks it is the client's leaving or the client's error."""
        try:
            return await read
        except ApiError:
            raise
        except Exception as error:
            if self.flow.gone:
                raise ClientGone from None
            self._keep_alive = False
            self._connection.linger(0)
            raise BadInput(f"body: {error}") from None

    # ------------------------------------------------------------ the response
    async def _write(self, response: Response) -> bool:
        """Write a response; whether it was written whole."""
        if response.stream is None:
            self._write_whole(response)
            return True
        over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def on_over(whole: bool) -> None:
            if not over.done():
                over.set_result(whole)

        self._write_stream(response, on_over)
        return await self.flow.wait(over)

    def _write_whole(self, response: Response) -> None:
        self._settle_connection()
        method, identity = self.flow.request.method, self._listener.identity_bytes
        self._connection.send(whole_response(response, identity, method, self._version, keep_alive=self._keep_alive))
        self._status = response.status
        self._written = True

    def _write_stream(self, response: Response, on_over: Callable[[bool], None]) -> None:
        connection, answer = self._connection, response.stream
        assert isinstance(answer, Answer)
        self._settle_connection()
        framing, ends = framing_of_stream(response.status, answer.length, self.flow.request)
        if ends == "close":
            self._keep_alive = False
        identity = self._listener.identity_bytes
        head = response_bytes(response, identity, framing, self._version, keep_alive=self._keep_alive)
        self._status = response.status
        self._outlet = outlet = ClientOutlet(connection, answer, head, on_over, ends=ends)
        if response.status == 101 and answer.connection is not None:
            self._keep_alive = False
            connection.tunnel(Tunnel(connection, answer.connection))
        answer.pipe(outlet)

    def _settle_connection(self) -> None:
        """Whether the connection stays has to be known before the head is written."""
        connection = self._connection
        if connection.closing:
            self._keep_alive = False
        if self.body is not None and self.body.awaited:
            # whether its body follows is not known, so the connection cannot go on (RFC 9110, 10.1.1)
            self._keep_alive = False
            connection.linger(0)

    def _log(self) -> None:
        flow = self.flow
        went = " ".join((self._went, *flow.marks))
        if self._outcome == "broke_off":
            went += " broke-off"
        elif flow.gone and not self._taken:
            went += " client-gone"
        self._host.log.exchange(
            self._listener.port,
            self._connection.client,
            flow.request.method,
            self._target,
            self._status,
            time.monotonic() - flow.started,
            went,
        )


def failed(flow: Flow) -> Response:
    """What a client is answered if writing its answer raised: a feature has made something that is none."""
    log.exception("the answer to %s %s could not be written", flow.request.method, flow.request.path)
    return Response.text(500, "goto: the answer could not be written")


def response_of(answer: Answer) -> Response:
    """What a client is answered: the upstream's response, or why there is none."""
    error = answer.error
    if error is None or answer.status:
        return answer.response()  # one that broke after its head breaks the client's connection too
    if isinstance(error, ClientBroke):
        return Response.text(400, f"goto: {error}")
    return Response.text(error.status, f"target {answer.call.target}: {error}")
