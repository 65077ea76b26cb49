"""One exchange on the standalone host: head, pipeline, answer or upstream, pipeline, client.

It is one coroutine, written as a story, and stepped by whoever has what it waits for (`goto.exchange.waiting.Wait`): the
connection, the upstream, a timer. What need not wait is done within the read that brought the request, without a task.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from goto.api.management import ApiRequest, refusal
from goto.errors import ApiError, NotFound, TooLarge
from goto.exchange.call import keep_calls
from goto.exchange.waiting import Wait
from goto.flow import NOTHING_KEPT, Call, ClientGone, Delivery, Field, Flow, Kept, Request, Response
from goto.hosts.standalone.body import RequestBody, WholeBody
from goto.hosts.standalone.connection import ClientConnection, Exchange
from goto.hosts.standalone.delivery import Outlet
from goto.hosts.standalone.slow import SlowOutlet
from goto.hosts.standalone.tunnel import Tunnel
from goto.http.hops import end_to_end, takes_trailers
from goto.http.record import Copy
from goto.http.trailers import announced
from goto.http.wire import (
    Ends,
    fields_bytes,
    framing_of_stream,
    has_body,
    identified,
    interim_bytes,
    response_bytes,
    whole_response,
)
from goto.routes import Forward
from goto.traffic.echo import SHOWN_BYTES, echo
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Outcome
from goto.traffic.passage import Passage
from goto.traffic.refused import refused
from goto.upstream.answer import Answer, ClientBroke
from goto.upstream.fanout import fan_out
from goto.upstream.kept import Budget, KeptBody
from goto.upstream.sink import HeardOut
from goto.upstream.upload import Upload

log = logging.getLogger("goto")

T = TypeVar("T")

CONTINUE_SECONDS: Final = 1.0
"""How long a client that waits for a `100 Continue` waits for an upstream that says nothing (RFC 9110, 10.1.1)."""


class HostedExchange(Exchange):
    """From the head of a request to its end."""

    def __init__(self, connection: ClientConnection, request: Request, target: str, body: RequestBody | None, keep: bool) -> None:
        flow = Flow(request, echo)
        flow.peer = connection.peer
        self.flow = flow
        self.keep = keep
        self.traffic = False
        self._connection = connection
        self._shared = connection.shared
        self._target = target
        """What was asked for, as it came."""
        self._body = body
        self._answer: Answer | None = None
        self._status = 0
        """That of the head which went out; 0 as long as none did."""
        self._went = "local"
        self._outcome: Outcome | None = None
        """How traffic ended, where it did not simply complete."""
        self._whole = False
        """The last byte of the answer was written."""
        self._own = True
        """Nothing but the body was waited for."""
        self._awaits_body = False
        self._waits: Wait[Any] | None = None
        """What the client's leaving ends."""
        self._patience: asyncio.TimerHandle | None = None
        """Until the client is told to go on where the upstream says nothing."""
        self._coroutine: Coroutine[Any, Any, None] | None = None

    # ------------------------------------------------------------ stepping
    def begin(self) -> None:
        shared, request, listener = self._shared, self.flow.request, self._connection.listener
        if shared.admin or request.path.startswith(shared.prefixes):
            asked = shared.management.find(listener, request, apart=shared.admin)
            if asked is not None or shared.admin:
                self._coroutine = self._manage(asked)
                self.step()
                return
            self.flow.hint = shared.management.hint(listener, request)
        self.traffic = True
        self._pass_at_once(Passage(listener, self.flow, self._look_at_body))

    def step(self) -> None:
        """Go on, since what was waited for is here."""
        coroutine = self._coroutine
        assert coroutine is not None
        try:
            wait: Wait[Any] = coroutine.send(None)
        except StopIteration:
            self._end()
        except ClientGone:
            self.keep = False
            self._end()
        except Exception:
            self._fail()
            self._end()
        else:
            wait.on_come = self.step
            if not self._whole and not self._awaits_body:
                self._own = False

    @property
    def answered(self) -> bool:
        return self._own and self._whole

    @property
    def counted(self) -> int:
        return self.flow.counted

    def left(self) -> None:
        self.flow.leave()
        if self._waits is not None:
            self._waits.fail(ClientGone())

    def _unless_left(self, wait: Wait[T]) -> Wait[T]:
        """What is to be awaited now, but only as long as the client stays. Raises `ClientGone`, as awaiting it does."""
        if self.flow.gone:
            raise ClientGone
        self._waits = wait
        return wait

    def _end(self) -> None:
        self._coroutine = self._waits = None  # they lead back here
        self._end_patience()
        answer = self._answer
        if answer is not None and not answer.done:
            answer.abort()
        self._log()
        self._connection.over(self)

    # ------------------------------------------------------------ the way through
    async def _manage(self, asked: ApiRequest | None) -> None:
        """A call of the API, or what comes to its port and is none."""
        self._went = "api"
        request, management = self.flow.request, self._shared.management
        try:
            if asked is None:
                raise NotFound(f"there is no route {request.path}, and this port serves nothing but the API")
            call = management.admit(asked)
            body = await self._read(call.route.body_limit)
        except ApiError as error:
            await self._write(refusal(error, request))
            return
        # whether the client leaves meanwhile or not
        served = await management.serve(call, self.flow, body)
        if isinstance(served, Forward):
            served = await self._forward(served.calls, body)
        await self._write(served)

    def _pass_at_once(self, passage: Passage) -> None:
        """Traffic, as far as it need not wait: the beginning of `_pass`, which goes on where this ends."""
        flow = self.flow
        response: Response | None = None
        try:
            waits = passage.request()
            if flow.record is not None and self._body is not None:
                self._body.copied(flow.record.request)
            if waits is None and not flow.silent:
                response = flow.response or self._at_once()
                if response is not None:
                    waits = self._told(passage, response)
                    if waits is None and flow.delivery is None and not passage.wants_taken and self._write_at_once(flow.response):
                        self._leave(passage)
                        self._end()
                        return
        except Exception:
            self._leave(passage)
            self._fail()
            self._end()
            return
        self._coroutine = self._pass(passage, waits, response)
        self.step()

    async def _pass(self, passage: Passage, waits: Awaitable[None] | None, response: Response | None) -> None:
        """Traffic: through the features, and back. `waits` is what is waited for first: behind the request hooks, or behind the
        response hooks where there is a response.
        """
        flow = self.flow
        try:
            if response is None:
                refused = None if waits is None else await self._wait_for(waits)
                if flow.silent:
                    await self._end_silently(None)
                    return
                response = refused or flow.response or self._at_once()
                if response is None and len(flow.upstreams) == 1:
                    response = self._answered(await self._unless_left(self._call(flow.upstreams[0], b"")))
                elif response is None:
                    response = await self._respond()
                waits = self._told(passage, response)
            if waits is not None:
                await waits
            assert flow.response is not None
            if flow.delivery is not None:
                await self._deliver(flow.delivery, flow.response)
            elif not self._write_at_once(flow.response):
                await self._write(flow.response)
            if passage.wants_taken and self._whole:
                await self._unless_left(self._connection.taken())
        finally:
            self._leave(passage)

    def _told(self, passage: Passage, response: Response) -> Awaitable[None] | None:
        body = self._body
        if body is not None and body.unclaimed:
            body.drop()  # behind what stands still of it, a client that leaves would not be seen
        return passage.response(response)

    def _leave(self, passage: Passage) -> None:
        """The way through the features is over."""
        flow = self.flow
        completed = self._whole and not flow.gone and not flow.aborted
        if not completed and self._outcome is None:
            self._outcome = "client_gone" if flow.gone else "broke_off"
        elif completed and flow.unanswered:
            self._outcome = "upstream_failed"
        passage.over(self._outcome, completed=completed)

    async def _wait_for(self, hooks: Awaitable[None]) -> Response | None:
        """Wait for request hooks; what is answered where a body breaks that one of them wanted to see."""
        try:
            await hooks
        except ApiError as error:
            return refused(error)
        return None

    def _fail(self) -> None:
        """Answer where the answer that was to be written could not be, and end the connection."""
        response = failed(self.flow)
        self.keep = False
        if self._status:
            self._outcome = "broke_off"
            self._connection.break_off()
        else:
            self._write_whole(response)

    def _at_once(self) -> Response | None:
        """The answer, if it is made here and all is here that it takes; else it has to be waited for."""
        flow, data = self.flow, b""
        if flow.upstreams or flow.request.upgrade:
            return None
        if self._body is not None:
            whole = self._body.take()
            if whole is None:
                return None
            data = whole
        return self._made(data if len(data) <= SHOWN_BYTES else data[:SHOWN_BYTES], len(data))

    def _made(self, data: bytes, size: int) -> Response:
        """The answer that is made here, of the kept part of the body and its full size."""
        flow = self.flow
        make = flow.answer or flow.default
        assert make is not None
        try:
            return make(flow, data, size)
        except ApiError as error:
            return refused(error)

    async def _respond(self) -> Response:
        """The answer of several upstreams, or one that is made here of a body that is still to come."""
        flow = self.flow
        try:
            if flow.request.upgrade == "websocket" and flow.status is None:
                return Response.text(501, "goto: a websocket connection needs exactly one target")
            if flow.upstreams:
                return await self._forward(flow.upstreams, await self._read(LIMITS.body))
        except ApiError as error:
            return refused(error)
        if self._body is None or (self._body.awaited and self._answers_without()):
            return self._made(b"", 0)
        kept = KeptBody(Budget(SHOWN_BYTES))
        try:
            await self._reading(self._body, kept)
        except ApiError as unread:
            return refused(unread)
        return self._made(kept.data, kept.size)

    async def _forward(self, calls: Sequence[Call], body: bytes) -> Response:
        """Send calls with a body that was read: one is answered as its upstream answers, several with all their answers."""
        if len(calls) == 1:
            return self._answered(await self._unless_left(self._call(calls[0], body)))
        self._went = ",".join(dict.fromkeys([call.target for call in calls]))
        if self.flow.record is not None:
            keep_calls(self.flow.record, calls)
        return await fan_out(self._shared.upstream, self.flow, calls, body)

    def _call(self, call: Call, body: bytes) -> Wait[Answer]:
        """Send one call, with the request's body as it comes unless it was read; its answer comes with the head."""
        if self.flow.record is not None:
            keep_calls(self.flow.record, (call,))
        upstream, coming, request = self._shared.upstream, self._body, self.flow.request
        self._went = call.target
        if request.upgrade == "websocket":
            call.upgrade = request.headers.get("upgrade") or ""
        if b"te" in request.headers.index and request.version >= (1, 1):
            call.trailers = takes_trailers(request.headers.fields)
        head: Wait[Answer] = Wait()
        if coming is None or not coming.unclaimed:
            self._answer = upstream.send(call, body, head.come)
        elif coming.length is not None and (whole := coming.take()) is not None:
            self._answer = upstream.send(call, whole, head.come)
        else:
            self._stream(call, coming, head)
        assert self._answer is not None
        self._answer.interim = self._on_interim
        return head

    def _answered(self, answer: Answer) -> Response:
        self._end_patience()
        if answer.error is not None and not answer.status:
            if isinstance(answer.error, ClientBroke):
                self.keep = False
            else:
                self.flow.unanswered = True
        return response_of(answer)

    def _stream(self, call: Call, coming: RequestBody, head: Wait[Answer]) -> None:
        """Send one call whose body goes on as it comes. An upstream is asked whether it wants one that the client holds back."""
        upload = Upload(coming.length)
        added = announced(self.flow.request.headers.fields) if coming.length is None else []
        if coming.awaited:
            added.append((b"Expect", b"100-continue"))
        if added:
            call.headers = call.headers + added
        self._answer = self._shared.upstream.send(call, upload, head.come)
        coming.to(upload, asks=False)
        if coming.awaited:
            self._patience = self._shared.loop.call_later(CONTINUE_SECONDS, coming.invite)

    def _end_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _on_interim(self, status: int, reason: bytes, fields: Sequence[Field]) -> None:
        """An answer of 1xx. By 100 the upstream wants the body that the client may hold back (RFC 9110, 10.1.1); any other passes
        at once: no hook, no delay, no identity, no count (RFC 9110, 15.2).
        """
        if status == 100:
            if self._body is not None:
                self._body.invite()
        elif self.flow.request.version >= (1, 1) and not self.flow.gone:
            self._connection.send(interim_bytes(status, reason, end_to_end(fields)))

    # ------------------------------------------------------------ the request's body
    def _answers_without(self) -> bool:
        """The answer that is made here does not show the body."""
        flow = self.flow
        shows = flow.answer is None or flow.answer is echo or flow.answer is flow.default
        return not shows or (flow.status or 200) >= 300

    async def _look_at_body(self, size: int) -> Kept:
        """The first bytes of the body, which go on to wherever it goes. Raises `ApiError` where it breaks."""
        body = self._body
        if body is None:
            return NOTHING_KEPT
        await self._await_body(body.here(size))
        return body.first(size)

    async def _read(self, limit: int) -> bytes:
        """The whole body. Raises `TooLarge` past the limit in bytes."""
        body = self._body
        if body is None:
            return b""
        try:
            if body.length is not None and body.length > limit:
                raise TooLarge(f"body: {body.length} bytes are more than the limit of {limit}")
            if body.length is not None and (data := body.take()) is not None:
                return data
            whole = WholeBody(limit)
            await self._reading(body, whole)
            return whole.data
        except TooLarge:
            LIMITS.hit["body"] += 1
            self.keep = False
            raise

    async def _reading(self, body: RequestBody, kept: KeptBody) -> None:
        """Wait for a body. One that breaks is the client's error, or its leaving."""
        body.to(kept)
        await self._await_body(kept.done)

    async def _await_body(self, wait: Wait[None]) -> None:
        self._awaits_body = True
        try:
            await self._unless_left(wait)
        except TooLarge:
            raise
        except ApiError:
            self.keep = False
            raise
        finally:
            self._awaits_body = False

    # ------------------------------------------------------------ the response
    def _write_at_once(self, response: Response | None) -> bool:
        """Write a response whose body is here; whether it was."""
        if response is None or response.stream is not None:
            return False
        self._write_whole(response)
        return True

    async def _write(self, response: Response) -> None:
        """Write a response, and wait for its last byte where that is still to come."""
        if self._write_at_once(response):
            return
        head, ends, heading = self._head_of(response)
        answer = response.stream
        assert isinstance(answer, Answer)
        if response.status == 101 and answer.connection is not None:
            tunnel = Tunnel(self._connection, head, answer, answer.connection)
            tunnel.begin()
            try:
                self._whole = await self._unless_left(tunnel.whole)
            finally:
                tunnel.stop()
        else:
            outlet = Outlet(self._connection, head, ends, heading)
            outlet.copy = self._copy
            answer.pipe(outlet)
            self._whole = await self._unless_left(outlet.whole)
        if not self._whole:
            self._outcome = "broke_off"

    def _head_of(self, response: Response) -> tuple[bytes, Ends, Sequence[Field] | None]:
        """The head of a response whose body is still to come, what ends that, and the fields that say which trailers follow."""
        self._settle_connection()
        connection, request, answer = self._connection, self.flow.request, response.stream
        assert isinstance(answer, Answer)
        framing, ends = framing_of_stream(response.status, answer.length, request)
        if ends == "close":
            self.keep = False
        if response.status == 101 and answer.connection is not None:
            self.keep = False
        identity = connection.listener.identity_bytes
        heading = None
        if ends == "chunks" and answer.call.trailers:
            heading = answer.fields
            framing += fields_bytes(announced(heading))
        head = response_bytes(response, identity, framing, request.version, keep_alive=self.keep)
        self._answered_with(response)
        return head, ends, heading

    def _write_whole(self, response: Response) -> None:
        self._settle_connection()
        connection, request = self._connection, self.flow.request
        identity = connection.listener.identity_bytes
        connection.send(whole_response(response, identity, request.method, request.version, keep_alive=self.keep))
        self._answered_with(response)
        if self.flow.record is not None:
            if response.status != 205 and has_body(response.status, request.method):
                self.flow.record.response.more(response.body)
            self.flow.record.response.end()
        self._whole = True

    def _answered_with(self, response: Response) -> None:
        """The head of this response goes out."""
        self._status = response.status
        record = self.flow.record
        if record is not None:
            record.answered(response.status, response.reason, identified(response, self._connection.listener.identity))

    # ------------------------------------------------------------ what features ask for on the wire
    async def _deliver(self, delivery: Delivery, response: Response) -> None:
        """Send a response as a feature asks for: not at all, a part of it, slowly, or with a stop on the way."""
        if delivery.silent:
            await self._end_silently(response)
            return
        if response.status == 101:
            await self._write(response)
            return
        bare = not has_body(response.status, self.flow.request.method)
        if response.stream is None:
            self._settle_connection()
            connection, request = self._connection, self.flow.request
            body = b"" if bare else response.body
            identity = connection.listener.identity_bytes
            head = whole_response(response, identity, "HEAD", request.version, keep_alive=self.keep)
            self._answered_with(response)
            outlet = SlowOutlet(connection, head, "length", delivery, len(body), copy=self._copy)
            outlet.more(body)
            outlet.end()
            await self._out(outlet, delivery, "length")
        else:
            head, ends, heading = self._head_of(response)
            answer = response.stream
            assert isinstance(answer, Answer)
            outlet = SlowOutlet(self._connection, head, ends, delivery, 0 if bare else answer.length, heading, self._copy)
            answer.pipe(outlet)
            await self._out(outlet, delivery, ends)

    @property
    def _copy(self) -> Copy | None:
        """Where a copy of the answer's body goes."""
        return None if self.flow.record is None else self.flow.record.response

    async def _out(self, outlet: SlowOutlet, delivery: Delivery, ends: Ends) -> None:
        """Wait until an answer is out as far as it is to go."""
        try:
            self._whole = await self._unless_left(outlet.whole)
        finally:
            outlet.stop()
        if outlet.cut:
            # where the end of the connection ends the body, a FIN would say that it is whole
            self._end_on_purpose(reset=delivery.end == "reset" or ends == "close")
        elif not self._whole:
            self._outcome = "broke_off"

    async def _end_silently(self, response: Response | None) -> None:
        """End the exchange without a response, once the answer of an upstream was heard out."""
        delivery = self.flow.delivery
        assert delivery is not None
        if response is not None and response.stream is not None and response.status != 101:  # a tunnel has no end of its own
            answer = response.stream
            assert isinstance(answer, Answer)
            heard = HeardOut(LIMITS.body)
            answer.pipe(heard)
            await self._unless_left(heard.over)
        if delivery.raw is not None:
            self._connection.send(delivery.raw)
        self._end_on_purpose(reset=delivery.end == "reset")

    def _end_on_purpose(self, *, reset: bool) -> None:
        """End the connection: by a reset, or by a FIN once the exchange is over."""
        self.flow.aborted = True
        self.keep = False
        if reset:
            self._connection.break_off()

    def _settle_connection(self) -> None:
        """Whether the connection stays has to be known before the head is written."""
        if self._connection.closing:
            self.keep = False
        if self._body is not None and self._body.awaited:
            # whether its body follows is not known, so the connection cannot go on (RFC 9110, 10.1.1)
            self.keep = False

    def _log(self) -> None:
        flow, shared = self.flow, self._shared
        went = self._went
        if flow.marks:
            went = " ".join((went, *flow.marks))
        if not flow.aborted:
            if self._outcome == "broke_off":
                went += " broke-off"
            elif flow.gone:
                went += " client-gone"
        port, client, method = self._connection.listener.port, self._connection.peer.address, flow.request.method
        seconds = time.monotonic() - flow.started
        shared.log.exchange(port, client, method, self._target, self._status, seconds, went, flow.marks, aborted=flow.aborted)


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
        cause = error.__cause__
        return refused(cause) if isinstance(cause, ApiError) else Response.text(400, f"goto: {error}")
    return Response.text(error.status, f"target {answer.call.target}: {error}")
