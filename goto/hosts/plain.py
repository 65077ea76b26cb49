"""The way without a task: a lone request without a body, on a pipeline whose hooks are all plain.

It runs the same hooks and writes the same bytes as `HostedExchange`, at a third of the cost: no task, no stream, no future.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from goto.connection import UpstreamError
from goto.echo import echo
from goto.feature import Pipeline
from goto.flow import Field, Flow, Response
from goto.hosts.connection import ClientConnection, Message
from goto.hosts.exchange import HostedExchange, response_of
from goto.hosts.requests import request_of
from goto.http1 import LAST_CHUNK, chunk, framing_of_stream, response_bytes, whole_response
from goto.upstream import Answer

if TYPE_CHECKING:
    from goto.hosts.standalone import StandaloneHost


def serve_plain(host: StandaloneHost, connection: ClientConnection, message: Message) -> None:
    """Serve at once what is answered here; what goes to an upstream is over when `connection.plain_over` is called."""
    pipeline = connection.listener.pipeline
    flow = Flow(request_of(message, has_body=False), echo)
    depth = pipeline.request(flow)
    if flow.response is None:
        if flow.upstreams:
            _send(host, connection, message, flow, pipeline, depth)
            return
        make = flow.answer or echo
        flow.response = make(flow, b"", 0)
    pipeline.response(flow, depth)
    _answer(host, connection, message, flow, "local")


def _answer(host: StandaloneHost, connection: ClientConnection, message: Message, flow: Flow, went: str) -> None:
    response, listener = flow.response, connection.listener
    assert response is not None
    connection.send_soon(
        whole_response(response, listener.identity_bytes, message.method, (1, 1), keep_alive=not connection.closing)
    )
    seconds = time.monotonic() - flow.started
    host.log.exchange(listener.port, connection.client, message.method, message.path, response.status, seconds, went)


def _send(
    host: StandaloneHost, connection: ClientConnection, message: Message, flow: Flow, pipeline: Pipeline, depth: int
) -> None:
    if len(flow.upstreams) == 1:
        proxied = PlainProxied(host, connection, message, flow, pipeline, depth)
        connection.plain_begins(proxied)
        proxied.begin()
        return
    exchange = HostedExchange(host, connection, message, None)

    async def fan_out() -> None:
        stays = False
        try:
            stays = await exchange.run_from(flow, depth)
        finally:
            connection.plain_over(stays=stays)

    connection.plain_begins(exchange)
    connection.hold(asyncio.get_running_loop().create_task(fan_out()))


class PlainProxied(Answer):
    """A request on its way to one upstream and back: the exchange, the answer, and what writes it to the client, in one."""

    _chunked = False
    _over = False

    def __init__(
        self,
        host: StandaloneHost,
        connection: ClientConnection,
        message: Message,
        flow: Flow,
        pipeline: Pipeline,
        depth: int,
    ) -> None:
        super().__init__(host.instance.upstream.pool, flow.upstreams[0], b"", _unused)
        self._host = host
        self._client = connection
        self._message = message
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
            self._end(" client-gone", stays=False)

    def writable(self, yes: bool) -> None:
        if yes:
            self.resume()
        else:
            self.pause()

    # ------------------------------------------------------------ what the upstream's connection calls
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
            self._end(" broke-off", stays=False)
        else:
            self._respond(response_of(self))

    # ------------------------------------------------------------ inside
    def _respond(self, response: Response) -> None:
        flow, client = self._flow, self._client
        flow.response = response
        self._pipeline.response(flow, self._depth)
        if flow.response.stream is None:
            # the upstream failed, or a hook did and has aborted it
            self._over = True
            _answer(self._host, client, self._message, flow, self.call.target)
            client.plain_over(stays=not client.closing)
            return
        framing, ends = framing_of_stream(response.status, self.length, flow.request)
        self._chunked = ends == "chunks"
        identity = client.listener.identity_bytes
        self._parts.append(response_bytes(response, identity, framing, (1, 1), keep_alive=not client.closing))

    def _end(self, how: str, *, stays: bool) -> None:
        self._over = True
        client, message = self._client, self._message
        seconds = time.monotonic() - self._flow.started
        self._flow.response = None  # it leads back here
        port, went = client.listener.port, self.call.target + how
        self._host.log.exchange(port, client.client, message.method, message.path, self.status, seconds, went)
        client.plain_over(stays=stays)


def _unused(answer: Answer) -> None:
    """`PlainProxied` is told of its head itself."""
