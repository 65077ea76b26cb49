"""One exchange on the mitmproxy host, from `requestheaders` to the end of a flow.

mitmproxy calls a hook at each step of a flow, waits for it, and goes on by what it then finds in the flow. An exchange is in one
state at a time:

    DECIDING    the head of the request is here; it is not settled who answers
    LOOKING     a feature wants to see the request's body before it is settled
    COLLECTING  goto answers, once it has the request's body
    READY       goto's answer is made; it goes out once mitmproxy has read the request's body away
    REFUSED     the request's body is over its limit: goto's answer does not wait for it, and ends the connection
    ASKING      mitmproxy asks its own upstream or, where one target with one replica is to answer, that one
    ANSWERING   the head of goto's answer is settled
    PASSING     the head of an upstream's answer is settled, and its body follows
    REPLACING   goto's answer stands in the place of an upstream's, whose connection is ended
    HEARING     an upstream's answer is read to its end, and none of it goes out
    ENDING      goto ends the exchange on purpose: the flow is killed, and with it the connection
    SETTLING    the whole answer is mitmproxy's to write; whether the client takes it is to be seen
    OVER        it was counted, and the features know

A head that is settled is one that the response hooks have seen: they run on the way into ANSWERING and PASSING, or else before a
page is sent. The hooks of mitmproxy move it:

    hook              state                            what it does, and the state it leaves behind
    requestheaders    DECIDING                         finds who answers: COLLECTING, READY, REFUSED, ASKING,
                                                       or that nobody does: LOOKING, ENDING;
                                                       of traffic without a body only in request: DECIDING
                      LOOKING                          the body is longer than what is looked at: as DECIDING
    request           DECIDING                         finds who answers, and then as there; OVER, and not counted, where
                                                       another addon has answered
                      LOOKING                          the body is here: as DECIDING, and then as the state it leaves behind
                      COLLECTING                       makes the answer: READY, and then as there
                      READY                            gives mitmproxy a stand-in, so that it asks nobody
                      ASKING                           the time of a target begins
    responseheaders   READY                            the response hooks, then the whole answer: ANSWERING,
                                                       or only a part of it, or none: ENDING
                      ASKING                           the response hooks, then the head: PASSING
                                                       or, where one has put an answer of its own there: REPLACING,
                                                       or, where none is to be sent: HEARING
    response          ANSWERING, PASSING, REPLACING    SETTLING; OVER at once where nobody wants to know
                      HEARING                          ends the connection: OVER
    error             DECIDING                         OVER, and not counted, if it was another addon that has killed it
                      PASSING                          breaks off the client's connection: OVER
                      ENDING, HEARING                  ends the connection as it is to be ended: OVER
                      SETTLING, OVER                   nothing
                      any other                        sends a page of goto's own and ends the connection: OVER
    client_           REFUSED, SETTLING                nothing: what was written may still be read
    disconnected      DECIDING                         nothing: request or error follows, and counts it
                      any other                        OVER
    bodyTime is over  COLLECTING, READY, ASKING        REFUSED, with a 408 or with the answer that was ready
                      PASSING                          breaks off the client's connection: OVER

goto stands next to the upstream: of all addons it is asked last on the way there, and first on the way back. What another addon
answers after goto has decided goes out in place of goto's answer, and what was decided is counted.

A flow that the user kills breaks off in any state. An error of goto itself is answered too: see `broke`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import Enum, auto
from functools import partial

from mitmproxy import connection, http
from mitmproxy.flow import Error

from goto.api.management import ManagementCall, refusal
from goto.errors import ApiError, TooLarge
from goto.exchange.call import keep_calls
from goto.exchange.waiting import step_in_task
from goto.flow import Call, ClientGone, Control, Flow, Headers, Kept, Response
from goto.hosts.mitm import private
from goto.hosts.mitm.body import BodyTime
from goto.hosts.mitm.client import MitmClient
from goto.hosts.mitm.messages import (
    aim_at_own_upstream,
    aim_at_target,
    awaits_continue,
    ends_with_connection,
    is_short,
    made,
    may_have_body,
    request_of,
    says_gone,
    unframed,
)
from goto.hosts.mitm.send import send_whole
from goto.hosts.mitm.watch import UNWATCHED, Unwatched, Watch
from goto.http.forwards import max_forwards
from goto.http.hops import connection_words, end_to_end
from goto.http.reasons import REASONS
from goto.http.record import MadeCall
from goto.http.wire import has_body, identified
from goto.instance.wiring import Instance
from goto.routes import Forward
from goto.traffic.echo import SHOWN_BYTES, echo
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Listener, Outcome
from goto.traffic.passage import Passage
from goto.traffic.refused import refused
from goto.words.duration import duration_text
from goto.words.hosts import missing_interface

_SHOWS_NO_BODY = 300
"""From this status on an echo is made without a body that the client holds back."""

_ABNORMAL_CLOSURE = 1006
"""What stands for a websocket that ended without a word (RFC 6455, 7.1.5)."""


class State(Enum):
    """Where an exchange is, see above."""

    DECIDING = auto()
    LOOKING = auto()
    COLLECTING = auto()
    READY = auto()
    REFUSED = auto()
    ASKING = auto()
    ANSWERING = auto()
    PASSING = auto()
    REPLACING = auto()
    HEARING = auto()
    ENDING = auto()
    SETTLING = auto()
    OVER = auto()


HAS_ANSWER = frozenset((State.READY, State.REFUSED, State.ANSWERING, State.REPLACING))
"""Where `_answer` is set: the answer is goto's, and is there as a whole."""

WAITS_FOR_BODY = frozenset((State.LOOKING, State.COLLECTING, State.READY, State.ASKING))
"""Where a request's body may still be coming, and no byte of an answer is out."""

IS_SETTLED = frozenset((State.ANSWERING, State.PASSING, State.REPLACING))
"""Where the response hooks have run, or have begun to."""

IS_WRITTEN = frozenset((State.SETTLING, State.OVER))
"""Where nothing that goto does reaches the client any more."""


class MitmExchange:
    """One exchange. As a response's `stream` it stands for the upstream that answers."""

    def __init__(
        self,
        instance: Instance,
        client: MitmClient,
        flow: http.HTTPFlow,
        listener: Listener,
        over: Callable[[MitmExchange], None],
        *,
        local: bool,
        keeps_host: bool,
        streams: bool = True,
    ) -> None:
        """`local`: it is addressed to goto itself. `keeps_host`: mitmproxy's own upstream gets `Host` as the client sent it.
        `streams`: bodies pass as they come. `over` is called at its end.
        """
        self.state = State.DECIDING
        self.mitm = flow
        self.flow = Flow(request_of(flow.request), local=local)
        self.flow.peer = client.peer()
        self.flow.peer.secure = flow.client_conn.tls_established
        self.listener = listener
        self.client = client
        self.passage: Passage | None = None
        """The way of traffic through the features. Management calls have none."""
        self._instance = instance
        self._keeps_host = keeps_host
        self._streams = streams
        self._over = over
        self._has_come = False
        """In DECIDING: all of the request is here."""
        self._make: Callable[[bytes], Awaitable[Response]]
        """In COLLECTING: makes the answer of the body."""
        self._answer: Response
        """In the states of HAS_ANSWER."""
        self._others: http.Response | None = None
        """What another addon has answered after goto had decided."""
        self._part: private.Part | None = None
        """In ENDING: what is sent of an answer."""
        self._asked: Unwatched = UNWATCHED
        """From ASKING on: whom mitmproxy asks."""
        self._own_call: MadeCall | None = None
        """The call to mitmproxy's own upstream, where it is to be kept what comes of it."""
        self._body_time = BodyTime(flow, self._body_late)
        self._settling: asyncio.Task[None] | None = None
        self._wants_close = b"close" in connection_words(flow.request.headers.fields)

    # ------------------------------------------------------------ requestheaders: who answers
    async def request_headers(self) -> None:
        """Find out whether it is a management call; decide, where there is a body: once it streams, it is too late.

        Raises `ClientGone`.
        """
        request = self.mitm.request
        if self.state is State.LOOKING:
            await self._look_no_further()
        elif not (self.flow.local and await self._manages()):
            if may_have_body(request):
                await self._decide()
            elif request.is_http2:
                # a body that nothing has announced may come all the same
                private.limits[self.mitm.id] = private.Limit(LIMITS.body, lambda: self._refuse(LIMITS.body))
        if may_have_body(request) and self.state in WAITS_FOR_BODY:
            self._body_time.begin()

    async def _decide(self) -> None:
        """Run the request hooks, and do as they say. Raises `ClientGone`."""
        self.passage = Passage(self.listener, self.flow)
        await self._ask(self.passage)
        while self.flow.wanted:
            if not self._is_longer_than(self.flow.wanted):
                self.state = State.LOOKING
                private.limits[self.mitm.id] = private.Limit(self.flow.wanted, looked_at=True)
                return
            await step_in_task(self.passage.go_on(Kept(b"", 0, False)))
        await self._decided()

    async def _ask(self, passage: Passage) -> None:
        """Run the request hooks. What they want to keep of the body is copied from its first byte on. Raises `ClientGone`."""
        waits = passage.request()
        record = self.flow.record
        if record is not None:
            if self._has_come:
                record.request.more(self.mitm.request.raw_content or b"")
                record.request.end()
            else:
                private.copies[self.mitm.id] = record.request
        if waits is not None:
            await step_in_task(_awaited(waits))

    def _is_longer_than(self, size: int) -> bool:
        """Whether the body of the request says that it is longer."""
        length = self.mitm.request.headers.get("content-length") or ""
        return length.isdecimal() and int(length) > size

    async def _look_no_further(self) -> None:
        """The body is longer than what a feature wanted to see."""
        assert self.passage is not None
        limit = private.limits.pop(self.mitm.id)
        body = self.mitm.request.raw_content or b""
        while self.flow.wanted:
            await step_in_task(self.passage.go_on(Kept(body[: limit.most], limit.size, False)))
        self.state = State.DECIDING
        await self._decided()

    async def _looked(self) -> None:
        """All of the body is here that a feature wanted to see."""
        assert self.passage is not None
        private.limits.pop(self.mitm.id, None)
        body = self.mitm.request.raw_content or b""
        while self.flow.wanted:
            await step_in_task(self.passage.go_on(Kept(body, len(body), True)))
        self.state = State.DECIDING
        await self._decided()
        self.mitm.request.stream = False

    async def _decided(self) -> None:
        """Do as the request hooks have decided. Raises `ClientGone`."""
        if self.flow.silent:
            self._end_on_purpose()
            return
        await self._route()
        if self.flow.gone:
            raise ClientGone

    async def _manages(self) -> bool:
        """Whether it is a management call, which is then on its way. Raises `ClientGone`."""
        management = self._instance.management
        asked = management.find(self.listener, self.flow.request)
        if asked is None:
            self.flow.hint = management.hint(self.listener, self.flow.request)
            return False
        try:
            call = management.admit(asked)
        except ApiError as error:
            self._ready(refusal(error, self.flow.request))
            return True
        finally:
            self._hide_token()
        make = partial(self._manage, call)
        if may_have_body(self.mitm.request):
            self._collect(make, call.route.body_limit, refuse=True)
        else:
            # at once: mitmproxy drops a flow whose client has left before its body is looked at
            self._ready(await self._made(make, b""))
        return True

    def _hide_token(self) -> None:
        """mitmproxy shows and saves its flows: what a management call has shown is none of their business."""
        if "authorization" not in self.flow.request.headers:
            self.mitm.request.headers.pop("authorization", None)

    async def _route(self) -> None:
        """Do as the request hooks have decided."""
        flow = self.flow
        websocket = flow.request.upgrade == "websocket"
        if websocket and flow.status is None and flow.response is None and not self._can_upgrade():
            also = ", with verifyTLS on and no tls of its own" if len(flow.upstreams) == 1 else ""
            flow.upstreams, flow.answer = [], None
            flow.response = Response.text(501, f"goto: a websocket connection needs exactly one target{also}")
        if flow.response is not None:
            self._ready(flow.response)
        elif flow.answer is not None:
            if self._may_answer_at_once and (flow.answer is not echo or (flow.status or 200) >= _SHOWS_NO_BODY):
                self._ready(flow.answer(flow, b"", 0))
            else:
                self._collect(self._show, SHOWN_BYTES)
        elif not flow.upstreams:
            self._ask_own_upstream(websocket=websocket)
        elif len(flow.upstreams) == 1 and _is_carried(flow.upstreams[0]):
            await self._ask_target(flow.upstreams[0], websocket=websocket)
        else:
            self._collect(self._send_whole, LIMITS.body, refuse=True)

    def _can_upgrade(self) -> bool:
        upstreams = self.flow.upstreams
        return self.flow.answer is None and len(upstreams) <= 1 and all(call.origin.tls is None for call in upstreams)

    def _ask_own_upstream(self, *, websocket: bool) -> None:
        request = self.mitm.request
        self.state = State.ASKING
        if self.flow.record is not None:
            self._own_call = self.flow.record.calling(UNWATCHED.name, request.url)
        aim_at_own_upstream(self.mitm, self.flow.request.hops, keeps_host=self._keeps_host, websocket=websocket)
        if left := max_forwards(self.flow.request):
            request.headers["Max-Forwards"] = str(left - 1)
        if self._streams and may_have_body(request) and not is_short(request.headers):
            request.stream = True

    async def _ask_target(self, call: Call, *, websocket: bool) -> None:
        mitm = self.mitm
        if self.flow.record is not None:
            keep_calls(self.flow.record, (call,))
        self.state = State.ASKING
        self._asked = Watch(mitm, call)
        aim_at_target(mitm.request, call, (self.flow.request.headers.get("upgrade") or "") if websocket else "")
        if mitm.server_conn.via is not None:
            # a target is reached from here, as fan-out does it, whatever parent proxy there is
            mitm.server_conn = connection.Server(address=(call.origin.resolvable, call.origin.port))
        if self._streams and may_have_body(mitm.request):
            mitm.request.stream = self._asked.sending
        await self.client.drop_idle(call.origin)

    def _ready(self, response: Response) -> None:
        """Answer with this; of the request's body nothing is kept, and none that waits to be asked for is asked for."""
        self.state, self._answer = State.READY, response
        if self._may_answer_at_once:
            self._answer_at_once(response)
        else:
            self._keep(0)

    @property
    def _may_answer_at_once(self) -> bool:
        """Whether the body has not come, and does not unless it is asked for."""
        return may_have_body(self.mitm.request) and awaits_continue(self.mitm.request)

    def _answer_at_once(self, response: Response) -> None:
        """Answer before the body has come: a flow that is killed waits for no more of it."""
        self.state, self._answer = State.REFUSED, response
        self.mitm.kill()

    def _collect(self, make: Callable[[bytes], Awaitable[Response]], most: int, *, refuse: bool = False) -> None:
        """Answer with what is made of so much of the request's body; of a longer one drop the rest, or refuse it."""
        self.state, self._make = State.COLLECTING, make
        self._keep(most, (lambda: self._refuse(most)) if refuse else None)

    def _keep(self, most: int, refuse: Callable[[], None] | None = None) -> None:
        request = self.mitm.request
        if not may_have_body(request):
            return
        private.limits[self.mitm.id] = private.Limit(most, refuse)
        length = request.headers.get("content-length") or ""
        if refuse is not None and length.isdecimal() and int(length) > most:
            refuse()

    def _refuse(self, most: int) -> None:
        """Refuse a body that is longer than that."""
        LIMITS.hit["body"] += 1
        self._answer_at_once(self._refused(TooLarge(f"body: more than the limit of {most} bytes")))

    def _refused(self, error: ApiError) -> Response:
        return refusal(error, self.flow.request) if self.passage is None else refused(error)

    def _body_late(self, waits: bool) -> bool:
        """Whether mitmproxy is to give up on a body of which no byte came for `bodyTime`. `waits`: it waits for that alone."""
        if not waits or private.unsent(self.mitm.client_conn, self.mitm.server_conn):
            self._body_time.begin()  # an upstream takes nothing
            return False
        LIMITS.hit["body_time"] += 1
        self._asked.stop()
        if self.state is State.PASSING:
            self.ended("client_gone")
        elif self.state in WAITS_FOR_BODY:
            if self.state is not State.READY:
                self._answer = Response.text(408, f"goto: the body stood still for {duration_text(LIMITS.body_time)}")
            self.state = State.REFUSED
        return True

    # ------------------------------------------------------------ request: the body is here, or has streamed through
    async def request(self) -> None:
        """Answer, or expect an upstream to. Raises `ClientGone`."""
        if self.state is State.DECIDING:
            if self.mitm.response is not None:
                self.ended(None)  # another addon has answered, and nothing was decided
                return
            self._has_come = True
            self.flow.request = request_of(self.mitm.request)  # other addons may have changed it since
            await self._decide()
        self._others = self.mitm.response
        if self.state is State.LOOKING:
            await self._looked()
        if self.state is State.COLLECTING:
            answer = await self._made(self._make, self.mitm.request.raw_content or b"")
            self.state, self._answer = State.READY, answer
        if self.state is not State.READY:
            if self.state is State.ASKING:
                self._asked.sent()
        elif self._others is None:
            # a stand-in with its status: its head is made once the hooks have run
            self.mitm.response = made(self._answer, [], self.flow.request.method)

    async def _made(self, make: Callable[[bytes], Awaitable[Response]], body: bytes) -> Response:
        """goto's answer. Raises `ClientGone`."""
        try:
            response = await make(body)
        except ApiError as error:
            response = self._refused(error)
        if self.flow.gone:
            raise ClientGone
        return response

    async def _send_whole(self, body: bytes) -> Response:
        flow = self.flow
        if flow.record is not None:
            keep_calls(flow.record, flow.upstreams)
        return await send_whole(self._instance.upstream, flow, flow.upstreams, body)

    async def _manage(self, call: ManagementCall, body: bytes) -> Response:
        served = await step_in_task(self._instance.management.serve(call, self.flow, body))
        if isinstance(served, Forward):
            return await send_whole(self._instance.upstream, self.flow, served.calls, body)
        return served

    async def _show(self, body: bytes) -> Response:
        flow, limit = self.flow, private.limits.get(self.mitm.id)
        assert flow.answer is not None
        return flow.answer(flow, body[:SHOWN_BYTES], limit.size if limit is not None else len(body))

    # ------------------------------------------------------------ responseheaders: the head of a response is known
    async def response_headers(self) -> None:
        """Run the response hooks, and settle the head. Raises `ClientGone`."""
        if self._others is not None:
            await self._give_way(self._others)
        elif self.state is State.READY:
            self.state = State.ANSWERING
            self._answer = await self._told(self._answer)
            if self.flow.silent:
                self._end_on_purpose()
            elif self._cuts_own():
                self._answers_with(self._answer, self._part.data if self._part is not None else b"", whole=False)
                self._end_on_purpose()
            else:
                self._answers_with(self._answer, self._answer.body)
                self.mitm.response = self._page(self._answer, close=self._wants_close or not self.listener.open)
        elif self.state is not State.ENDING:
            await self._pass()

    async def _pass(self) -> None:
        """Pass an upstream's response on. Another addon's is taken for one."""
        asked = self._asked
        asked.answered()
        if self._own_call is not None and asked.call is None:
            self._own_call.reached(self.mitm.server_conn.peername)
            self._own_call.answered(self.mitm.response.status_code)
        response = asked.passed_on(self.mitm.response)
        self.state = State.PASSING
        seen = Response(response.status_code, b"", Headers(response.headers.fields), reason=response.reason, stream=self)
        shown = await self._told(seen)
        if self.flow.silent:
            self.state = State.HEARING
            private.heard_out[self.mitm.id] = LIMITS.body
            return
        if shown is not seen or shown.stream is not self:
            # a hook has put its own in place of the upstream's, which may still be coming
            self._replace(shown)
            return
        response.status_code = shown.status
        response.reason = REASONS.get(shown.status, "") if shown.reason is None else shown.reason
        response.headers.fields = tuple(identified(shown, self.listener.identity))
        self._settle_connection(response)
        streams = self._streams and (asked.call is not None or not is_short(response.headers))
        if response.status_code != 101 and (self._cuts_passed() or streams):
            self._passes(shown)
            response.stream = asked.receiving if self.flow.record is None else self._receiving
            asked.passing(response)
        self.mitm.response = response

    def _passes(self, response: Response) -> None:
        """The head of an upstream's answer goes out."""
        record = self.flow.record
        if record is not None:
            record.answered(response.status, response.reason, unframed(identified(response, self.listener.identity)))

    def _answers_with(self, response: Response, body: bytes, *, whole: bool = True) -> None:
        """The head of a response of goto's own goes out, and this much of its body."""
        record, method = self.flow.record, self.mitm.request.method
        if record is not None and record.status is None:
            record.answered(response.status, response.reason, unframed(identified(response, self.listener.identity)))
            if has_body(response.status, method) and response.status != 205:
                record.response.more(body)
            if whole:
                record.response.end()

    def _receiving(self, data: bytes) -> bytes:
        """A piece of an upstream's answer passes; an empty one at its end."""
        assert self.flow.record is not None
        if data:
            self.flow.record.response.more(data)
        else:
            self.flow.record.response.end()
        return self._asked.receiving(data)

    async def _give_way(self, others: http.Response) -> None:
        """Let another addon's answer go out; the response hooks see what goto has decided. Raises `ClientGone`."""
        content = b"" if others.raw_content is None else others.raw_content
        theirs = Response(others.status_code, content, Headers(end_to_end(others.headers.fields)), reason=others.reason)
        decided = self._answer if self.state is State.READY else theirs
        self.state, self._answer = State.ANSWERING, theirs
        await self._told(decided)
        if self.mitm.request.stream:
            self._replace(theirs)  # its body streamed, so that an upstream was asked all the same
        else:
            self.mitm.response = others
            self._answers_with(theirs, theirs.body)

    async def _told(self, response: Response) -> Response:
        """What the response hooks make of it. Raises `ClientGone`."""
        if self.passage is None:
            return response
        shown = await step_in_task(self.passage.tell(response))
        self._show_marks()
        return shown

    # ------------------------------------------------------------ ends on purpose
    def _cut_of(self, length: int | None) -> int | None:
        """After how many bytes of a body an answer is to be cut; None for one that is not, or cannot be."""
        delivery, request = self.flow.delivery, self.mitm.request
        if delivery is None or not delivery.cuts:
            return None
        control, cut = delivery.control or Control(), delivery.cut(length)
        if cut is None or request.method == "HEAD" or (length is not None and cut >= length):
            control.failed("share" if delivery.after is None else "after")
            return None
        return cut

    def _cuts_own(self) -> bool:
        """Whether only a part of goto's own answer is sent."""
        answer = self._answer
        cut = self._cut_of(len(answer.body) if has_body(answer.status, self.mitm.request.method) else 0)
        if cut is not None:
            self._part = private.Part(self._page(answer, close=True), answer.body[:cut], closes=self._closes)
        return cut is not None

    def _cuts_passed(self) -> bool:
        """Whether only a part of an upstream's answer is sent."""
        cut = self._cut_of(self.length)
        if cut is not None:
            private.cuts[self.mitm.id] = private.Cut(cut, self._cut_off)
        return cut is not None

    def _cut_off(self) -> None:
        """The answer of an upstream went out as far as it is to."""
        private.own_page.set(private.Part(None, b"", closes=self._closes))
        self._over_on_purpose()

    def _end_on_purpose(self) -> None:
        """Kill the flow; what is sent in its place is sent by the `error` hook."""
        self.state = State.ENDING
        self.mitm.kill()

    def _ended_on_purpose(self) -> None:
        """The flow was killed: send what is to be sent, and end the connection, in HTTP/2 the stream."""
        delivery, is_http2 = self.flow.delivery, self.mitm.request.is_http2
        assert delivery is not None
        if delivery.raw is not None and is_http2:
            (delivery.control or Control()).failed("raw")
        elif delivery.raw is not None:
            self._part = private.Part(None, delivery.raw, closes=self._closes)
        private.own_page.set(self._part or private.NO_PAGE)
        self._over_on_purpose()

    @property
    def _closes(self) -> bool:
        """The connection ends by a FIN, as mitmproxy ends it, and not by a reset."""
        request, delivery = self.mitm.request, self.flow.delivery
        if self.state is State.PASSING and ends_with_connection(self.mitm.response, request):
            return False  # a FIN would say that the part is the whole
        return request.is_http2 or delivery is None or delivery.end != "reset"

    def _over_on_purpose(self) -> None:
        self.flow.aborted = True
        if not self._closes:
            silent = self.flow.silent and self._part is None
            (private.reset if silent else private.reset_behind_all)(self.mitm.client_conn)
        self._show_marks()
        self.ended(None)

    def _show_marks(self) -> None:
        """mitmproxy's views show what was done, as the access log of the standalone host does."""
        if self.flow.marks:
            self.mitm.comment = self.mitm.comment or " ".join(self.flow.marks)

    def _replace(self, response: Response) -> None:
        """Answer with this instead of what an upstream has answered."""
        self.state, self._answer = State.REPLACING, response
        response.headers.remove("content-length", "transfer-encoding")  # those of the upstream's body
        self._answers_with(response, response.body)
        self.mitm.response = self._page(response, close=True)
        self.abort()

    def _settle_connection(self, response: http.Response) -> None:
        request = self.mitm.request
        if request.is_http2 or response.status_code == 101:
            return
        close = self._wants_close or not self.listener.open
        if self.flow.request.version == (1, 0) and "transfer-encoding" in response.headers:
            # chunks are unknown to HTTP/1.0, so that the end of the connection ends the body (RFC 9112, 6.3)
            del response.headers["transfer-encoding"]
            close = True
        if close:
            response.headers["Connection"] = "close"

    def _page(self, response: Response, *, close: bool) -> http.Response:
        """A whole response of goto's own."""
        request = self.mitm.request
        return made(response, self.listener.identity, request.method, close=close and not request.is_http2)

    # ------------------------------------------------------------ response: all of it was handed to mitmproxy, or is now
    def responded(self) -> None:
        """See how it ends."""
        self._asked.stop()
        if self._asked.call is not None:
            self.client.used(self.mitm.server_conn)
        if self.state is State.HEARING:
            self._ended_on_purpose()
            self.mitm.kill()
            return
        record, passed = self.flow.record, self.mitm.response
        if record is not None and self.state is State.PASSING and passed is not None and not passed.stream:
            # only now its head goes out
            record.answered(passed.status_code, passed.reason, unframed(list(passed.headers.fields)))
            record.response.more(passed.raw_content or b"")
            record.response.end()
        if self.mitm.id in private.cuts and self.flow.delivery is not None:
            (self.flow.delivery.control or Control()).failed("after")  # there was no more than that
        if self.state is State.REPLACING:
            # what had come of the upstream's body was put into it
            self.mitm.response.raw_content = self._page(self._answer, close=True).raw_content
        self.state = State.SETTLING
        if (self.passage is not None and self.passage.wants_taken) or not self.listener.open:
            self._settling = asyncio.ensure_future(self._settle())
        else:
            self.ended(None)

    async def _settle(self) -> None:
        """Find out whether the client took it all. There is no hook for that: `live` ends when all is written."""
        mitm, wait = self.mitm, 0.0
        while mitm.live and mitm.client_conn.timestamp_end is None:
            await asyncio.sleep(wait)
            wait = min(wait * 2 or 0.001, 0.1)
        if mitm.websocket is not None and mitm.websocket.close_code is not None:
            taken = mitm.websocket.close_code != _ABNORMAL_CLOSURE
        else:
            taken = mitm.error is None and not mitm.live and await private.took_everything(mitm.client_conn)
        self.ended(None if taken else "client_gone")

    # ------------------------------------------------------------ error: the client left, an upstream failed, a flow was killed
    async def failed(self) -> None:
        """Answer where there was no answer yet, or else break off."""
        self._asked.stop()
        if self.state in IS_WRITTEN:
            return
        mitm = self.mitm
        message = mitm.error.msg if mitm.error else ""
        killed = message == Error.KILLED_MESSAGE
        try:
            if self.state is State.REFUSED:
                await self._end_with_page(message)
            elif self.state is State.ENDING or (self.state is State.HEARING and not private.is_gone(mitm.client_conn)):
                self._ended_on_purpose()
            elif says_gone(message) or private.is_gone(mitm.client_conn):
                if self.state is State.DECIDING:
                    await self._count_leaving()
                raise ClientGone
            elif self.state is State.DECIDING:
                self.ended(None)
            elif killed or self.state is State.PASSING:
                if self.state is State.PASSING and ends_with_connection(mitm.response, mitm.request):
                    private.reset(mitm.client_conn)
                private.own_page.set(private.NO_PAGE)
                if killed and not self._asked.late:
                    self.flow.aborted = True  # by the user of mitmproxy, or by another addon
                else:
                    self._asked.failed()
                self.ended("broke_off")
            else:
                await self._end_with_page(message)
        except ClientGone:
            self._client_gone()

    async def _count_leaving(self) -> None:
        """A client that left before anything was decided has made a request all the same."""
        self.flow.leave()
        self.passage = Passage(self.listener, self.flow)
        with suppress(ClientGone):
            await step_in_task(self.passage.ask())

    async def _end_with_page(self, message: str) -> None:
        """Answer with a page of goto's own, and end the connection. Raises `ClientGone`."""
        state = self.state
        if state in HAS_ANSWER:
            answer = self._answer
        else:
            status, reason = self._asked.verdict(message)
            answer = Response.text(status, f"{self._asked.name}: {reason}")
            self._asked.failed()
            if self._own_call is not None:
                self._own_call.failed(reason)
            self.flow.unanswered = True
        if state not in IS_SETTLED:
            answer = await self._told(answer)
        self._answers_with(answer, answer.body)
        private.own_page.set(self._page(answer, close=True))
        self.ended("client_gone" if private.is_gone(self.mitm.client_conn) else None)

    # ------------------------------------------------------------ an exception in any hook
    def broke(self, response: Response) -> None:
        """goto itself has failed: never let the traffic through as if goto were not there."""
        self.flow.upstreams, self.flow.answer = [], None
        self.mitm.request.stream = False
        if self.state is State.PASSING:
            self._replace(response)
            return
        if self.state not in HAS_ANSWER:
            self.state = State.READY
        self._answer = response
        self.mitm.response = self._page(response, close=True)

    # ------------------------------------------------------------ the end
    def _client_gone(self) -> None:
        self.flow.leave()
        self.ended("client_gone")

    def gone(self) -> None:
        """The client left while a hook waited: mitmproxy shall not go on with the flow."""
        self._client_gone()
        if self.mitm.killable:
            self.mitm.kill()

    def left(self) -> None:
        """The client has disconnected."""
        self.flow.leave()
        undecided = self.state is State.DECIDING and self.passage is None
        if not undecided and self.state not in (State.REFUSED, State.SETTLING):
            self.ended("client_gone")

    def ended(self, outcome: Outcome | None) -> None:
        """It is over; with None the client has taken the whole answer. Calls after the first change nothing."""
        if self.state is State.OVER:
            return
        self.state = State.OVER
        self._asked.stop()
        self._body_time.stop()
        for kept in (private.limits, private.cuts, private.heard_out):
            kept.pop(self.mitm.id, None)
        copy = private.copies.pop(self.mitm.id, None)
        if copy is not None:
            copy.stop()
        if self.passage is not None:
            completed = outcome is None
            if completed and self.flow.unanswered:
                outcome = "upstream_failed"
            self.passage.over(outcome, completed=completed)
        self._over(self)

    @property
    def length(self) -> int | None:
        """Bytes of the upstream's body, None where only its end tells."""
        response = self.mitm.response
        length = "" if response is None else response.headers.get("content-length") or ""
        return int(length) if length.isascii() and length.isdecimal() else None

    def abort(self) -> None:
        """Nobody wants the upstream's answer any more: end the connection it comes over."""
        private.end(self.mitm.client_conn, self.mitm.server_conn)

    # ------------------------------------------------------------ connections to the target
    def connecting(self, server: connection.Server) -> bool:
        """Whether it is for this exchange that a connection is about to be made."""
        return self._asked.connecting(server)

    def connected(self, server: connection.Server) -> None:
        """A connection was made."""
        self._asked.connected(server)


async def _awaited(waits: Awaitable[None]) -> None:
    await waits


def _is_carried(call: Call) -> bool:
    """Whether mitmproxy sends it. What goto alone can do or refuse it sends itself, as it does for several."""
    return call.origin.tls is None and not call.failure and not missing_interface(call.origin.host)
