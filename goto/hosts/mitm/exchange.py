"""One exchange on the mitmproxy host. A single target with one replica is carried by mitmproxy itself: the flow is rewritten."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from mitmproxy import http
from mitmproxy.flow import Error

from goto.api.management import ManagementCall, refusal
from goto.errors import ApiError, TooLarge
from goto.flow import Call, ClientGone, Flow, Headers, Response, step_in_task
from goto.hosts.mitm import private as private
from goto.hosts.mitm.client import MitmClient
from goto.hosts.mitm.messages import aim_at_own_upstream, aim_at_target, made, may_have_body, passed_on, request_of, spoken_error
from goto.hosts.mitm.send import send_whole
from goto.hosts.mitm.watch import Watch
from goto.http.hops import connection_words
from goto.http.reasons import REASONS
from goto.routes import Forward
from goto.traffic.echo import SHOWN_BYTES
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Listener, Outcome
from goto.traffic.passage import Passage

if TYPE_CHECKING:
    from goto.hosts.mitm.host import MitmHost

SHOWN_WHOLE = 1 << 20
"""Bodies of traffic that nobody routed are held for mitmproxy's views and addons up to this many bytes; longer ones stream."""

LINGER_REFUSED_SECONDS = 0.5
"""A body that was refused is read for this long after the answer, so that the client sees the answer."""


class MitmExchange:
    """From `requestheaders` to the end of a flow. As a response's `stream` it stands for the upstream that answers."""

    # what most exchanges never set stands here, so that each need not be given it
    traffic = False
    _management: ManagementCall | None = None
    _call: Call | None = None
    """What mitmproxy itself carries to a target."""
    _own: Response | None = None
    """The answer is goto's: the whole of it."""
    _refused = False
    """It goes out before the request's body is here, and ends the connection."""
    _replaced = False
    """It stands in place of an upstream's."""
    _watch: Watch | None = None
    _headed = False
    """The head of the response is settled, and its hooks have run."""
    _answered = False
    """The response was handed to mitmproxy whole."""
    _over = False
    _settling: asyncio.Task[None] | None = None

    def __init__(self, host: MitmHost, client: MitmClient, flow: http.HTTPFlow, listener: Listener, *, local: bool) -> None:
        self.mitm = flow
        self.listener = listener
        self.client = client
        self._host = host
        self.flow = Flow(request_of(flow.request), local=local)
        self._passage = Passage(listener, self.flow)
        self._wants_close = b"close" in connection_words(flow.request.headers.fields)

    # ------------------------------------------------------------ hooks, in the order they come
    async def request_headers(self) -> None:
        """Decide: once a body streams, it is too late. Raises `ClientGone`."""
        request = self.flow.request
        if self.flow.local:
            try:
                management = self._host.instance.management
                asked = management.find(self.listener, request)
                self._management = management.admit(asked) if asked is not None else None
            except ApiError as error:
                self._hide_token()
                self._own = refusal(error, request)
                self._keep(0)
                return
        if self._management is not None:
            self._hide_token()
            self._keep(self._management.route.body_limit, refuse=True)
            if not may_have_body(self.mitm.request):
                # at once: mitmproxy drops a flow whose client has left before its body is looked at
                self._own = await self._make(b"")
            return
        self.traffic = True
        await step_in_task(self._passage.ask())
        await self._route()

    def _hide_token(self) -> None:
        """mitmproxy shows and saves its flows: what a management call has shown is none of their business."""
        if "authorization" not in self.flow.request.headers:
            self.mitm.request.headers.pop("authorization", None)

    async def _route(self) -> None:
        flow = self.flow
        websocket = flow.request.upgrade == "websocket"
        if websocket and flow.status is None and flow.response is None and not self._can_upgrade():
            also = ", with verifyTLS on and no tls of its own" if len(flow.upstreams) == 1 else ""
            flow.upstreams, flow.answer = [], None
            flow.response = Response.text(501, f"goto: a websocket connection needs exactly one target{also}")
        if flow.response is not None:
            self._own = flow.response
            self._keep(0)
        elif flow.answer is not None:
            self._keep(SHOWN_BYTES)
        elif not flow.upstreams:
            self._pass(websocket=websocket)
        elif len(flow.upstreams) == 1 and flow.upstreams[0].origin.tls is None and not flow.upstreams[0].failure:
            await self._rewrite(flow.upstreams[0], websocket=websocket)
        else:
            self._keep(LIMITS.body, refuse=True)

    def _can_upgrade(self) -> bool:
        upstreams = self.flow.upstreams
        return self.flow.answer is None and len(upstreams) <= 1 and all(call.origin.tls is None for call in upstreams)

    def _keep(self, most: int, *, refuse: bool = False) -> None:
        """Keep that much of the body, and drop the rest or refuse the request."""
        request = self.mitm.request
        if not may_have_body(request):
            return
        limit = private.limits[self.mitm.id] = private.Limit(most, (lambda: self._refuse(most)) if refuse else None)
        length = request.headers.get("content-length") or ""
        if refuse and length.isdecimal() and int(length) > limit.most:
            self._refuse(most)

    def _refuse(self, most: int) -> None:
        """Answer before the body has come: a flow that is killed waits for no more of it."""
        LIMITS.hit["body"] += 1
        self._own = refusal(TooLarge(f"body: more than the limit of {most} bytes"), self.flow.request)
        self._refused = True
        self.mitm.kill()

    def _pass(self, *, websocket: bool) -> None:
        """To mitmproxy's own upstream."""
        request = self.mitm.request
        aim_at_own_upstream(self.mitm, keeps_host=self._host.keeps_host, websocket=websocket)
        if may_have_body(request) and not _is_short(request.headers):
            request.stream = True

    async def _rewrite(self, call: Call, *, websocket: bool) -> None:
        mitm = self.mitm
        self._call = call
        self._watch = Watch(self, call)
        self._began = time.monotonic()
        aim_at_target(mitm.request, call, (self.flow.request.headers.get("upgrade") or "") if websocket else "")
        if mitm.server_conn.via is not None:
            mitm.server_conn = self._host.direct_connection(call.origin)
        if may_have_body(mitm.request):
            mitm.request.stream = self._watch.sending
        await self.client.drop_idle(call.origin)

    async def request(self) -> None:
        """The body is here, or has streamed through. Raises `ClientGone`."""
        if self._watch is not None:
            self._watch.sent()
        elif self._own is not None:
            self._answer_with(self._own)
        elif self._management is not None or self.flow.upstreams or self.flow.answer is not None:
            self._answer_with(await self._make(self.mitm.request.raw_content or b""))

    def _answer_with(self, response: Response) -> None:
        self._own = response
        # a stand-in with its status: its head is made once the hooks have run
        self.mitm.response = made(response, [], self.flow.request.method)

    async def _make(self, body: bytes) -> Response:
        flow, management, upstream = self.flow, self._host.instance.management, self._host.instance.upstream
        try:
            if self._management is not None:
                served = await management.serve(self._management, flow.request, body)
                return await send_whole(upstream, flow, served.calls, body) if isinstance(served, Forward) else served
            if flow.upstreams:
                return await send_whole(upstream, flow, flow.upstreams, body)
        except ApiError as error:
            return refusal(error, flow.request)
        assert flow.answer is not None
        limit = private.limits.get(self.mitm.id)
        return flow.answer(flow, body, limit.size if limit is not None else len(body))

    async def response_headers(self) -> None:
        """The head of a response is known, an own one's or an upstream's. Raises `ClientGone`."""
        mitm = self.mitm
        if self._own is not None:
            if self.traffic:
                self._own = await self._through_hooks(self._own)
            self._headed = True
            mitm.response = self._page(self._own, close=self._wants_close or not self.listener.open)
            return
        if self._watch is not None:
            self._watch.stop()
        if self._call is not None and self._call.tally is not None:
            self._call.tally.answered(time.monotonic() - self._began)
        response = mitm.response if self._call is None else passed_on(mitm.response)
        stream = None if self._call is None else self
        seen = Response(response.status_code, b"", Headers(response.headers.fields), reason=response.reason, stream=stream)
        shown = await self._through_hooks(seen)
        self._headed = True
        if shown is not seen or shown.stream is not stream:
            # a hook has put its own in place of the upstream's, which may still be coming
            self._replace(shown)
            return
        response.status_code = shown.status
        response.reason = REASONS.get(shown.status, "") if shown.reason is None else shown.reason
        response.headers.fields = (*self.listener.identity, *shown.headers.fields)
        self._settle_connection(response)
        if response.status_code != 101 and (self._call is not None or not _is_short(response.headers)):
            response.stream = True if self._watch is None else self._watch.receiving
        mitm.response = response

    def _replace(self, response: Response) -> None:
        """Answer with this instead of what an upstream has answered."""
        self._own = response
        self._replaced = True
        self.mitm.response = self._page(response, close=True)
        self.abort()

    async def _through_hooks(self, response: Response) -> Response:
        return await step_in_task(self._passage.tell(response))

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

    def responded(self) -> None:
        """All of the response was handed to mitmproxy, or is now."""
        self._answered = True
        if self._watch is not None:
            self._watch.stop()
            self.client.used(self.mitm.server_conn)
        if self._replaced and self._own is not None:
            # what had come of the upstream's body was put into it
            self.mitm.response = self._page(self._own, close=True)
        if self._passage.wants_taken or not self.listener.open:
            self._settling = asyncio.ensure_future(self._settle())
        else:
            self.ended(completed=True)

    async def _settle(self) -> None:
        """Find out whether the client took it all. There is no hook for that: `live` ends when all is written."""
        mitm, wait = self.mitm, 0.0
        while mitm.live and mitm.client_conn.timestamp_end is None:
            await asyncio.sleep(wait)
            wait = min(wait * 2 or 0.001, 0.1)
        if mitm.websocket is not None and mitm.websocket.close_code is not None:
            self.ended(completed=mitm.websocket.close_code != _ABNORMAL_CLOSURE)
        elif mitm.error is not None or mitm.live:
            self.ended(completed=False)
        else:
            self.ended(completed=await private.took_everything(mitm.client_conn))

    async def failed(self) -> None:
        """The client left, the upstream failed, or the request was refused."""
        if self._watch is not None:
            self._watch.stop()
        if self._answered or self._over:
            return  # settling knows
        mitm = self.mitm
        message = mitm.error.msg if mitm.error else ""
        if not self._refused and (_says_gone(message) or private.is_gone(mitm.client_conn)):
            self._client_gone()
            return
        if (self._headed and self._own is None) or (message == Error.KILLED_MESSAGE and not self._refused):
            # in the middle of a body, or ended by hand: so is the client's connection
            private.own_page.set(private.NO_PAGE)
            if message != Error.KILLED_MESSAGE or (self._watch is not None and self._watch.late):
                self._count_failure()
            self.ended(completed=False, how="broke_off")
            return
        try:
            await self._fail(message)
        except ClientGone:
            self._client_gone()

    async def _fail(self, message: str) -> None:
        """Answer with a page of goto's own, and end the connection."""
        own = self._own
        if own is None:
            who = f"target {self._call.target}" if self._call is not None else "upstream"
            status, why = (502, spoken_error(message)) if self._watch is None else self._watch.verdict(message)
            own = Response.text(status, f"{who}: {why}")
            self._count_failure()
            self.flow.unanswered = True
        if self.traffic and not self._headed:
            own = await self._through_hooks(own)
        if self._refused and not self.mitm.request.is_http2:
            private.linger(self.mitm.client_conn, LINGER_REFUSED_SECONDS)
        private.own_page.set(self._page(own, close=True))
        self.ended(completed=not private.is_gone(self.mitm.client_conn))

    @property
    def counted(self) -> int:
        """The status that it was counted under already; 0 for none."""
        return self.flow.counted

    def _count_failure(self) -> None:
        if self._watch is not None and self._call is not None and self._call.tally is not None:
            self._call.tally.failed(self._watch.kind)

    def broke(self, response: Response) -> None:
        """The host itself has failed: never let the traffic through as if goto were not there."""
        mitm = self.mitm
        self._headed = True
        self.flow.upstreams, self.flow.answer = [], None
        mitm.request.stream = False
        if mitm.response is not None and self._own is None:
            self._replace(response)
        else:
            self._own = response
            mitm.response = self._page(response, close=True)

    # ------------------------------------------------------------ the end
    def _client_gone(self) -> None:
        self.flow.leave()
        self.ended(completed=False)

    def gone(self) -> None:
        """The client left while a hook waited: mitmproxy shall not go on with the flow."""
        self._client_gone()
        if self.mitm.killable:
            self.mitm.kill()

    def left(self) -> None:
        """The client has disconnected."""
        self.flow.leave()
        if not self._answered and not self._refused:
            self.ended(completed=False)

    def ended(self, *, completed: bool, how: Outcome = "client_gone") -> None:
        """Exactly once. `how` it ended where it was not completed."""
        if self._over:
            return
        self._over = True
        if self._watch is not None:
            self._watch.stop()
        private.limits.pop(self.mitm.id, None)
        if self.traffic:
            outcome: Outcome | None = how
            if completed:
                outcome = "upstream_failed" if self.flow.unanswered else None
            self._passage.over(outcome, completed=completed)
        self._host.exchange_over(self)

    def abort(self) -> None:
        """Nobody wants the upstream's answer any more: end the connection it comes over."""
        private.end(self.mitm.client_conn, self.mitm.server_conn)

    # ------------------------------------------------------------ connections to the target
    def connecting(self, server: object) -> bool:
        """Whether it is for this exchange that a connection is made."""
        return self._watch is not None and self._watch.connecting(server)

    def connected(self, server: object) -> None:
        if self._watch is not None:
            self._watch.connected(server)


_ABNORMAL_CLOSURE = 1006
"""What stands for a websocket that ended without a word (RFC 6455, 7.1.5)."""


def _says_gone(message: str) -> bool:
    return message.startswith(("Client disconnected", "stream reset by client"))


def _is_short(headers: http.Headers) -> bool:
    length = headers.get("content-length") or ""
    return bool(length.isdecimal() and int(length) <= SHOWN_WHOLE)
