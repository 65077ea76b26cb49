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
from goto.flow import Flow, Response
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
        connection.plain_begins(PlainProxied(host, connection, message, flow, pipeline, depth))
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


class PlainProxied:
    """A request on its way to one upstream and back: at once the exchange, and the outlet of the answer's body."""

    __slots__ = ("_answer", "_chunked", "_connection", "_depth", "_flow", "_host", "_message", "_over", "_parts", "_pipeline")

    def __init__(
        self,
        host: StandaloneHost,
        connection: ClientConnection,
        message: Message,
        flow: Flow,
        pipeline: Pipeline,
        depth: int,
    ) -> None:
        self._host = host
        self._connection = connection
        self._message = message
        self._flow = flow
        self._pipeline = pipeline
        self._depth = depth
        self._over = False
        self._chunked = False
        self._parts: list[bytes] = []
        self._answer: Answer | None = host.instance.upstream.send(flow.upstreams[0], b"", self._headed)

    # ------------------------------------------------------------ what the connection calls
    def client_left(self, *, taken: bool) -> None:
        """The upstream need not go on."""
        answer = self._answer
        if answer is not None:
            self._flow.leave()
            answer.abort()
            self._end(answer, " client-gone", stays=False)

    def writable(self, yes: bool) -> None:
        if self._answer is not None:
            if yes:
                self._answer.resume()
            else:
                self._answer.pause()

    # ------------------------------------------------------------ what the upstream calls
    def _headed(self, answer: Answer) -> None:
        flow, connection = self._flow, self._connection
        flow.response = response_of(answer)
        self._pipeline.response(flow, self._depth)
        response: Response = flow.response
        stays = not connection.closing
        if response.stream is None:
            self._answer = None
            _answer(self._host, connection, self._message, flow, answer.call.target)
            connection.plain_over(stays=stays)
            return
        framing, ends = framing_of_stream(response.status, answer.length, flow.request)
        identity = connection.listener.identity_bytes
        self._chunked = ends == "chunks"
        self._parts.append(response_bytes(response, identity, framing, (1, 1), keep_alive=stays))
        answer.pipe(self)

    def write(self, data: bytes) -> None:
        self._parts.append(chunk(data) if self._chunked else data)

    def flush(self) -> None:
        if self._parts:
            self._connection.send_soon(b"".join(self._parts))
            self._parts.clear()

    def end(self) -> None:
        if self._chunked:
            self._parts.append(LAST_CHUNK)
        self.flush()
        if self._answer is not None:
            self._end(self._answer, "", stays=True)

    def broken(self, error: UpstreamError) -> None:
        answer = self._answer
        self._connection.break_off()
        if answer is not None:
            self._end(answer, " broke-off", stays=False)

    def _end(self, answer: Answer, how: str, *, stays: bool) -> None:
        self._answer = None
        connection, message = self._connection, self._message
        seconds = time.monotonic() - self._flow.started
        went = answer.call.target + how
        self._host.log.exchange(
            connection.listener.port, connection.client, message.method, message.path, answer.status, seconds, went
        )
        connection.plain_over(stays=stays)
