"""One exchange on the mitmproxy host. A single target with one replica is carried by mitmproxy itself: the flow is rewritten."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mitmproxy import http

from goto.call import Call
from goto.connection import UpstreamError
from goto.duration import spoken
from goto.echo import SHOWN_BYTES
from goto.errors import ApiError, TooLarge
from goto.fanout import FAN_OUT_LIMIT, fan_out
from goto.flow import ClientGone, Flow, Headers, Request, Response, decode, encode
from goto.hops import connection_words, end_to_end
from goto.hosts import mitm_private as private
from goto.http1 import NO_BODY, whole_response
from goto.listener import Listener
from goto.management import Found, refusal
from goto.reasons import REASONS
from goto.upstream import Answer
from goto.whole import Whole

if TYPE_CHECKING:
    from goto.hosts.mitm import MitmHost

log = logging.getLogger("goto")


class MitmExchange:
    """From `requestheaders` to the end of a flow."""

    def __init__(self, host: MitmHost, flow: http.HTTPFlow, listener: Listener, *, local: bool) -> None:
        self.mitm = flow
        self.listener = listener
        self._host = host
        self._pipeline = listener.pipeline
        self._depth = -1
        request = flow.request
        self.flow = Flow(
            Request(
                request.method,
                decode(request.data.path),
                Headers(request.headers.fields),
                version=(1, 1) if request.http_version != "HTTP/1.0" else (1, 0),
                has_body="content-length" in request.headers or "transfer-encoding" in request.headers,
            ),
            local=local,
        )
        self._found: Found | None = None
        self._refused: Response | None = None
        """A management call's answer that needs no body."""
        self._traffic = False
        self._call: Call | None = None
        """What mitmproxy itself carries to a target."""
        self._upgrades = False
        self._wants_close = b"close" in connection_words(request.headers.fields)
        self._replacement: Response | None = None
        self._answered = False
        """The response was handed to mitmproxy whole."""
        self._over = False
        self._slow: str = ""
        self._timer: asyncio.TimerHandle | None = None
        self._settling: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ hooks, in the order they come
    async def request_headers(self, *, managed: bool) -> None:
        """Decide: once a body streams, it is too late."""
        request = self.flow.request
        if managed:
            try:
                self._found = self._host.instance.management.find(self.listener, request.method, request.path)
            except ApiError as error:
                self._refused = refusal(error, request)
        if self._refused is not None:
            return
        if self._found is not None:
            self._check_length(self._found.route.body_limit)
            return
        self._traffic = True
        self._depth = await self._pipeline.request_async(self.flow)
        if not self.flow.gone:
            self._route()

    def _route(self) -> None:
        flow, mitm = self.flow, self.mitm
        websocket = flow.request.upgrade == "websocket"
        if websocket and flow.status is None and flow.response is None and (flow.answer is not None or len(flow.upstreams) > 1):
            flow.upstreams, flow.answer = (), None
            flow.response = Response.text(501, "goto: a websocket connection needs exactly one target")
        if flow.response is not None or flow.answer is not None:
            return
        if not flow.upstreams:
            self._pass()
        elif len(flow.upstreams) == 1 and flow.upstreams[0].origin.verify and not flow.upstreams[0].failure:
            self._rewrite(flow.upstreams[0], websocket=websocket)
        else:
            self._check_length(FAN_OUT_LIMIT)
            return
        mitm.request.stream = True

    def _pass(self) -> None:
        """To mitmproxy's own upstream. In reverse mode `Host` was kept for goto to see, and is now the upstream's."""
        mitm = self.mitm
        address = mitm.server_conn.address
        if address and mitm.client_conn.proxy_mode.type_name == "reverse" and not mitm.request.is_http2:
            host, port = address[0], address[1]
            default = 443 if mitm.request.scheme == "https" else 80
            bracketed = f"[{host}]" if ":" in host else host
            mitm.request.host_header = bracketed if port == default else f"{bracketed}:{port}"

    def _rewrite(self, call: Call, *, websocket: bool) -> None:
        request = self.mitm.request
        self._call = call
        framing = [field for field in request.headers.fields if field[0].lower() in (b"content-length", b"transfer-encoding")]
        fields = [*call.headers, *framing]
        if websocket:
            self._upgrades = True
            fields += [(b"Connection", b"Upgrade"), (b"Upgrade", encode(self.flow.request.headers.get("upgrade") or ""))]
        request.scheme, request.host, request.port = call.origin.scheme, call.origin.host, call.origin.port
        request.data.path = encode(call.path)
        request.headers = http.Headers(fields)
        if request.is_http2:
            request.authority = decode(dict(call.headers).get(b"Host", encode(call.origin.authority)))
            request.headers.pop("host", None)
        else:
            request.authority = ""

    async def request(self) -> None:
        """The body is here, or has streamed through."""
        if self._call is not None:
            self.watch()
            return
        if self.mitm.request.stream:
            return
        self.mitm.response = self._made(await self._answer(self.mitm.request.raw_content or b""))

    async def _answer(self, body: bytes) -> Response:
        flow, management = self.flow, self._host.instance.management
        if self._refused is not None:
            return self._refused
        try:
            if self._found is not None:
                self._check_size(len(body), self._found.route.body_limit)
                served = await management.serve(self._found, flow.request, body)
                return await self._send(served, body) if isinstance(served, list) else served
            if flow.response is not None:
                return flow.response
            if flow.upstreams:
                self._check_size(len(body), FAN_OUT_LIMIT)
                return await self._send(flow.upstreams, body)
        except ApiError as error:
            return refusal(error, flow.request)
        assert flow.answer is not None
        return flow.answer(flow, body[:SHOWN_BYTES], len(body))

    async def _send(self, calls: Sequence[Call], body: bytes) -> Response:
        """What mitmproxy cannot carry: several calls, one without a check of certificates, or one made by hand."""
        upstream = self._host.instance.upstream
        if len(calls) > 1:
            return await fan_out(upstream, self.flow, calls, body)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_head(answer: Answer) -> None:
            if not waiter.done():
                waiter.set_result(None)

        answer = upstream.send(calls[0], body, on_head)
        try:
            await self.flow.wait(waiter)
            if answer.error is not None:
                raise answer.error
            whole = Whole(FAN_OUT_LIMIT)
            answer.pipe(whole)
            response = answer.response()
            response.body, response.stream = await whole.read(), None
            if whole.truncated:
                return Response.text(
                    502, f"target {calls[0].target}: more than {FAN_OUT_LIMIT} bytes, which cannot be streamed here"
                )
        except UpstreamError as error:
            return Response.text(error.status, f"target {calls[0].target}: {error}")
        finally:
            answer.abort()
        return response

    async def response_headers(self) -> None:
        """The head of a response is known, an own one's or an upstream's."""
        mitm = self.mitm
        headers = mitm.response.headers
        own = not mitm.request.stream
        if self._call is not None:
            self._from_upstream(mitm.response)
        if self._traffic:
            flow = self.flow
            response = Response(mitm.response.status_code, b"", Headers(headers.fields), reason=mitm.response.reason)
            flow.response = response
            await self._pipeline.response_async(flow, self._depth)
            if flow.response is not response:
                self._replacement = flow.response
                mitm.response.status_code = flow.response.status
                mitm.response.reason = REASONS.get(flow.response.status, "")
                if not own:
                    self._end_upstream()
            headers.fields = tuple(flow.response.headers.fields)
        headers.fields = (*headers.fields, *self.listener.identity)
        if self._wants_close or not self.listener.open:
            headers["Connection"] = "close"
        if self._replacement is not None:
            headers.pop("transfer-encoding", None)
            headers["Content-Length"] = str(len(self._replacement.body))
        elif not own:
            mitm.response.stream = self._pace if self._call is not None else True

    def _from_upstream(self, response: http.Response) -> None:
        self.unwatch()
        fields = response.headers.fields
        if response.status_code != 101:
            framing = [field for field in fields if field[0].lower() in (b"content-length", b"transfer-encoding")]
            response.headers.fields = (*end_to_end(fields), *framing)

    def _pace(self, data: bytes) -> bytes:
        """A body may pause for as long as its head may take."""
        if data:
            self.watch()
        else:
            self.unwatch()
        return data

    def responded(self) -> None:
        """The last byte was handed to mitmproxy."""
        self.unwatch()
        self._answered = True
        if self._replacement is not None:
            self.mitm.response.raw_content = b"" if self.flow.request.method == "HEAD" else self._replacement.body
        if self._pipeline.watches_end(self._depth):
            self._settling = asyncio.ensure_future(self._settle())
        else:
            self.ended(completed=True)

    async def _settle(self) -> None:
        """Find out whether the client took it all. There is no hook for that: `live` ends when all is written."""
        mitm, wait = self.mitm, 0.0
        while mitm.live and mitm.client_conn.timestamp_end is None:
            await asyncio.sleep(wait)
            wait = min(wait * 2 or 0.001, 0.1)
        if mitm.error is not None or mitm.live:
            self.ended(completed=False)
        else:
            self.ended(completed=await private.took_everything(mitm.client_conn))

    async def failed(self) -> None:
        """The client left, the upstream failed, or mitmproxy refused."""
        self.unwatch()
        mitm, flow = self.mitm, self.flow
        if self._answered:
            return  # settling knows
        message = mitm.error.msg if mitm.error else ""
        if message.startswith("Client disconnected") or private.is_gone(mitm.client_conn):
            flow.leave()
            self.ended(completed=False)
            return
        if flow.response is not None and self._traffic and not mitm.request.is_http2 and mitm.response is not None:
            self.ended(completed=False)  # in the middle of a body: mitmproxy breaks the client's connection
            return
        who = f"target {self._call.target}" if self._call is not None else "upstream"
        status, why = (504, self._slow) if self._slow else (502, message or "failed")
        flow.response = Response.text(status, f"{who}: {why}")
        try:
            if self._traffic:
                await self._pipeline.response_async(flow, self._depth)
        except ClientGone:
            self.ended(completed=False)
            return
        assert flow.response is not None
        private.own_page.set(self._page(flow.response))
        self.ended(completed=not private.is_gone(mitm.client_conn))

    # ------------------------------------------------------------ the end
    def left(self) -> None:
        """The client has disconnected."""
        self.flow.leave()
        if not self._answered:
            self.ended(completed=False)

    def ended(self, *, completed: bool) -> None:
        """Exactly once."""
        if self._over:
            return
        self._over = True
        self.unwatch()
        self.flow.completed = completed
        if self._traffic:
            self._pipeline.closed(self.flow, self._depth)
        self._host.exchange_over(self)

    # ------------------------------------------------------------ upstreams that take too long
    def watch(self) -> None:
        call = self._call
        if call is None or (self._upgrades and self.mitm.response is not None):
            return
        self.unwatch()
        self._timer = asyncio.get_running_loop().call_later(call.timeout, self._too_slow, call.timeout)

    def unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self, seconds: float) -> None:
        self._slow = f"no answer within {spoken(seconds)}"
        self._end_upstream()

    def _end_upstream(self) -> None:
        private.end(self.mitm.client_conn, self.mitm.server_conn)

    # ------------------------------------------------------------ responses
    def _made(self, response: Response) -> http.Response:
        """As mitmproxy has it. It would send a body with HEAD, 204 and 304."""
        bare = response.status in NO_BODY
        headers = http.Headers(response.headers.fields)
        if not bare:
            headers["Content-Length"] = str(len(response.body))
        body = b"" if bare or self.flow.request.method == "HEAD" else response.body
        reason = REASONS.get(response.status, "") if response.reason is None else response.reason
        return http.Response(b"HTTP/1.1", response.status, reason.encode("latin-1", "replace"), headers, body, None, 0, 0)

    def _page(self, response: Response) -> bytes:
        """A whole response that ends the connection."""
        identity, method = self.listener.identity_bytes, self.flow.request.method
        return whole_response(response, identity, method, (1, 1), keep_alive=False)

    def _check_length(self, limit: int) -> None:
        """Refuse a body that says it is too long, before it comes."""
        length = self.flow.request.headers.get("content-length") or ""
        if length.isdecimal() and int(length) > limit and not self.mitm.request.is_http2:
            error = TooLarge(f"body: {length} bytes are more than the limit of {limit}")
            response = self.flow.response = refusal(error, self.flow.request)
            private.refuse_now(self.mitm.client_conn, self._page(response))

    def _check_size(self, size: int, limit: int) -> None:
        if size > limit:
            raise TooLarge(f"body: more than the limit of {limit} bytes")
