"""The way without a task: a lone request without a body, on a pipeline whose hooks are all plain.

It runs the same hooks and writes the same bytes as `HostedExchange`, at a third of the cost: no task, no stream, no future.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from goto.flow import Field, Flow, Headers, Request, Response
from goto.hosts.standalone.connection import ClientConnection
from goto.hosts.standalone.exchange import HostedExchange, failed, response_of
from goto.http.hops import end_to_end
from goto.http.wire import LAST_CHUNK, chunk, framing_of_stream, response_bytes, whole_response
from goto.pipeline import Pipeline
from goto.traffic.echo import echo
from goto.traffic.listener import Outcome
from goto.upstream.answer import Answer
from goto.upstream.connection import UpstreamError

if TYPE_CHECKING:
    from goto.hosts.standalone.host import StandaloneHost


def serve_plain(host: StandaloneHost, connection: ClientConnection, request: Request) -> bool:
    """Serve a lone request without a body, if nothing in it may have to wait but for an upstream; whether it was served.

    What is answered here is answered at once; what goes to an upstream is over when `connection.plain_over` is called.
    """
    pipeline = connection.listener.pipeline
    if not pipeline.swift or request.target.startswith(host.prefixes):
        return False
    flow = Flow(request, echo)
    depth = pipeline.request(flow)
    headed = False
    try:
        if flow.response is None:
            if flow.upstreams:
                _send(host, connection, flow, pipeline, depth)
                return True
            make = flow.answer or echo
            flow.response = make(flow, b"", 0)
        headed = True
        pipeline.response(flow, depth)
        _answer(host, connection, flow, "local")
    except Exception:
        connection.listener.ended(flow, pipeline, depth, "broke_off", headed=headed)
        _fail(host, connection, flow, "local")
    return True


def _answer(host: StandaloneHost, connection: ClientConnection, flow: Flow, went: str) -> None:
    request, response, listener = flow.request, flow.response, connection.listener
    assert response is not None
    keep_alive = not connection.closing
    connection.send_soon(whole_response(response, listener.identity_bytes, request.method, (1, 1), keep_alive=keep_alive))
    seconds = time.monotonic() - flow.started
    host.log.exchange(listener.port, connection.client, request.method, request.target, response.status, seconds, went)


def _fail(host: StandaloneHost, connection: ClientConnection, flow: Flow, went: str) -> None:
    """Answer where the answer that was to be written could not be, and end the connection."""
    flow.response = failed(flow)
    connection.closing = True
    _answer(host, connection, flow, went)
    connection.plain_over(stays=False)


def _send(host: StandaloneHost, connection: ClientConnection, flow: Flow, pipeline: Pipeline, depth: int) -> None:
    if len(flow.upstreams) == 1:
        proxied = PlainProxied(host, connection, flow, pipeline, depth)
        connection.plain_begins(proxied)
        proxied.begin()
        return
    exchange = HostedExchange(host, connection, flow)

    async def fan_out() -> None:
        stays = False
        try:
            stays = await exchange.run_from(depth)
        finally:
            connection.plain_over(stays=stays)

    connection.plain_begins(exchange)
    connection.hold(asyncio.get_running_loop().create_task(fan_out()))


class PlainProxied(Answer):
    """A request on its way to one upstream and back: the exchange, the answer, and what writes it to the client, in one."""

    traffic = True
    _chunked = False
    _over = False

    def __init__(
        self,
        host: StandaloneHost,
        connection: ClientConnection,
        flow: Flow,
        pipeline: Pipeline,
        depth: int,
    ) -> None:
        super().__init__(host.instance.upstream.pool, flow.upstreams[0], b"")
        self._host = host
        self._client = connection
        self._flow = flow
        self._pipeline = pipeline
        self._depth = depth
        self._parts: list[bytes] = []

    # ------------------------------------------------------------ what the client's connection calls
    def client_left(self, *, taken: bool) -> None:
        """The upstream need not go on."""
        if not self._over:
            self._flow.leave()
            self.abort()
            self._count("client_gone")
            self._end(" client-gone", stays=False)

    def writable(self, yes: bool) -> None:
        if yes:
            self.resume()
        else:
            self.pause()

    # ------------------------------------------------------------ what the upstream's connection calls
    def on_whole(self, status: int, reason: bytes, fields: list[Field], body: bytes) -> None:
        self.done = True
        if self.call.tally is not None:
            self.call.tally.answered(time.monotonic() - self._began)
        self._respond(Response(status, body, Headers(end_to_end(fields)), reason=reason.decode("latin-1")))

    def on_head(self, status: int, reason: bytes, fields: list[Field], length: int | None) -> None:
        super().on_head(status, reason, fields, length)
        if self.error is None:
            self._respond(self.response())

    def on_data(self, data: bytes) -> None:
        self._parts.append(chunk(data) if self._chunked else data)

    def on_flush(self) -> None:
        if self._parts:
            self._client.send_soon(b"".join(self._parts))
            self._parts.clear()

    def on_end(self) -> None:
        self.done = True
        if not self._over:
            if self._chunked:
                self._parts.append(LAST_CHUNK)
            self.on_flush()
            self._end("", stays=True)

    def on_failure(self, error: UpstreamError) -> None:
        if self._over:
            return
        if self.status:
            self.on_flush()
            self._client.break_off(reset=False)
            self._count("broke_off")
            self._end(" broke-off", stays=False)
        elif self._respond(response_of(self)):
            self._count("upstream_failed")

    # ------------------------------------------------------------ inside
    def _respond(self, response: Response) -> bool:
        """Hand a response on; whether it could be."""
        try:
            self._hand_on(response)
        except Exception:
            self._over = True
            if not self.done:
                self.abort()
            self._count("broke_off")
            _fail(self._host, self._client, self._flow, self.call.target)
            return False
        return True

    def _hand_on(self, response: Response) -> None:
        flow, client = self._flow, self._client
        flow.response = response
        self._pipeline.response(flow, self._depth)
        response = flow.response
        if response.stream is not self:
            self._over = True
            if not self.done:
                self.abort()  # a hook put another in its place
            _answer(self._host, client, flow, self.call.target)
            client.plain_over(stays=not client.closing)
            return
        framing, ends = framing_of_stream(response.status, self.length, flow.request)
        self._chunked = ends == "chunks"
        identity = client.listener.identity_bytes
        self._parts.append(response_bytes(response, identity, framing, (1, 1), keep_alive=not client.closing))

    @property
    def counted(self) -> int:
        flow = self._flow
        return 0 if flow.response is None else self._client.listener.counted(flow, self._pipeline, self._depth)

    def _count(self, outcome: Outcome) -> None:
        flow = self._flow
        self._client.listener.ended(flow, self._pipeline, self._depth, outcome, headed=flow.response is not None)

    def _end(self, how: str, *, stays: bool) -> None:
        self._over = True
        client, request = self._client, self._flow.request
        seconds = time.monotonic() - self._flow.started
        self._flow.response = None  # it leads back here
        port, went = client.listener.port, self.call.target + how
        self._host.log.exchange(port, client.client, request.method, request.target, self.status, seconds, went)
        client.plain_over(stays=stays)
