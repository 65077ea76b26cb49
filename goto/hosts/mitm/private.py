"""Every use of mitmproxy's private parts, in one file. Each says why; a test fails when one changes.

`proxyserver.connections[client.id]` is the handler of a client's connection; its `transports` hold, for each connection, the
task that reads it (`handler`) and its streams (`reader`, `writer`). The layers of `mitmproxy.proxy.layers.http` turn bytes into
hooks and back; a method of theirs is replaced where no hook reaches.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import h11
from mitmproxy import ctx, http
from mitmproxy.addonmanager import safecall, traverse
from mitmproxy.connection import ConnectionState
from mitmproxy.exceptions import AddonHalt
from mitmproxy.flow import Error
from mitmproxy.net.http import http1
from mitmproxy.net.http.http1 import read as heads
from mitmproxy.proxy import commands, events, mode_specs
from mitmproxy.proxy.layers import tls
from mitmproxy.proxy.layers.http import HttpLayer, HttpRequestHeadersHook, HttpStream, SendHttp, _events, _http1, _http2
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.server import ConnectionHandler
from mitmproxy.proxy.tunnel import TunnelState
from OpenSSL import SSL

from goto.http.record import Copy
from goto.upstream.sockets import RESET, read_rest

Mode: TypeAlias = mode_specs.ProxyMode


def _broken(kind: Any, stream: int, message: str) -> Any:
    """A protocol error with its kind's own code. mitmproxy 12 wants one, of another type than that of 11."""
    return kind(stream, message, kind.code)


# ---------------------------------------------------------------- own pages
class Part:
    """A part of an answer, behind which the connection ends, in HTTP/2 the stream."""

    __slots__ = ("closes", "data", "page", "raw")

    def __init__(self, page: http.Response | None, data: bytes, *, closes: bool = True) -> None:
        """The head of `page` is sent, where there is one, then `data`. `closes`: mitmproxy ends the connection then."""
        self.page = page
        self.data = data
        self.raw = (b"" if page is None else http1.assemble_response_head(page)) + data
        self.closes = closes


own_page: ContextVar[http.Response | Part | None] = ContextVar("own_page", default=None)
"""What is sent in place of mitmproxy's error page, by the task that runs the `error` hook; NO_PAGE for nothing."""

NO_PAGE = http.Response.make(599)


def _install_pages() -> None:
    """Why: an upstream's failure is answered with mitmproxy's own page, and a killed flow with none, whatever an addon sets."""
    send1, send2 = _http1.Http1Server.send, _http2.Http2Server._handle_event

    def send(self: Any, event: Any) -> Any:
        page = own_page.get() if isinstance(event, _events.ResponseProtocolError) else None
        return send1(self, event) if page is None else _page1(self, page)

    def handle(self: Any, event: Any) -> Any:
        page = own_page.get() if isinstance(event, _events.ResponseProtocolError) else None
        if page is None or page is NO_PAGE:
            return send2(self, event)
        return _part2(send2, self, event, page) if isinstance(page, Part) else _page2(send2, self, event.stream_id, page)

    _http1.Http1Server.send, _http2.Http2Server._handle_event = send, handle


def _page1(server: Any, page: http.Response | Part) -> Iterator[Any]:
    own_page.set(None)
    if isinstance(page, Part):
        if page.raw:
            yield commands.SendData(server.conn, page.raw)
        if not page.closes:
            return
    elif not server.response and page is not NO_PAGE:
        yield commands.SendData(server.conn, http1.assemble_response(page))
    yield commands.CloseConnection(server.conn)


def _page2(handle: Any, server: Any, stream: int, page: http.Response) -> Iterator[Any]:
    own_page.set(None)
    yield from handle(server, _events.ResponseHeaders(stream, page, end_stream=not page.raw_content))
    if page.raw_content:
        yield from handle(server, _events.ResponseData(stream, page.raw_content))
        yield from handle(server, _events.ResponseEndOfMessage(stream))


def _part2(handle: Any, server: Any, event: Any, part: Part) -> Iterator[Any]:
    own_page.set(None)
    stream = event.stream_id
    if part.page is not None:
        yield from handle(server, _events.ResponseHeaders(stream, part.page, end_stream=False))
    if part.page is not None and part.data:
        yield from handle(server, _events.ResponseData(stream, part.data))
    yield from handle(server, event)  # resets the stream


# ---------------------------------------------------------------- answers that are cut, or heard out
class Cut:
    """So many bytes of a streamed answer go out, then the end."""

    __slots__ = ("left", "over")

    def __init__(self, left: int, over: Callable[[], None]) -> None:
        self.left = left
        self.over = over
        """Called where the answer has more than that, and the end is to come."""


cuts: dict[str, Cut] = {}
"""By the flow's id."""

heard_out: dict[str, int] = {}
"""The flows whose answers are read to their end, and dropped, each with the bytes that are read at the most."""


def _install_cuts() -> None:
    """Why: what streams an answer cannot end it, and what does not keeps it in memory, however long it gets."""
    stream, consume = HttpStream.state_stream_response_body, HttpStream.state_consume_response_body

    def stream_body(self: Any, event: Any) -> Any:
        cut = cuts.get(self.flow.id)
        if cut is None or not isinstance(event, _events.ResponseData):
            return stream(self, event)
        return _cut(stream, self, event, cut)

    def consume_body(self: Any, event: Any) -> Any:
        if self.flow.id not in heard_out or not isinstance(event, _events.ResponseData):
            return consume(self, event)
        return _hear(self, event)

    HttpStream.state_stream_response_body, HttpStream.state_consume_response_body = stream_body, consume_body


def _cut(original: Any, stream: Any, event: Any, cut: Cut) -> Iterator[Any]:
    data = event.data[: cut.left]
    cut.left -= len(data)
    if data:
        yield from original(stream, _events.ResponseData(event.stream_id, data))
    if len(data) < len(event.data):
        cut.over()
        yield from _end_stream(stream, emit=False)


def _hear(stream: Any, event: Any) -> Iterator[Any]:
    heard_out[stream.flow.id] -= len(event.data)
    if heard_out[stream.flow.id] < 0:
        yield from _end_stream(stream, emit=True)


def _end_stream(stream: Any, *, emit: bool) -> Iterator[Any]:
    """End an exchange within the answer of its upstream; `emit`: with the `error` hook."""
    error = _broken(_events.RequestProtocolError, stream.stream_id, "goto has ended it")
    yield SendHttp(error, stream.context.server)
    stream.flow.kill()
    yield from stream.check_killed(emit)


# ---------------------------------------------------------------- copies of requests' bodies
copies: dict[str, Copy] = {}
"""By the flow's id: what passes of its request's body is copied here."""


def _install_copies() -> None:
    """Why: what becomes of a body decides which hook sees it, and of one that is dropped none sees anything."""
    original = HttpStream._handle_event

    def handle(self: Any, event: Any) -> Any:
        if copies and isinstance(event, (_events.RequestData, _events.RequestEndOfMessage)):
            copy = copies.get(self.flow.id)
            if copy is not None and isinstance(event, _events.RequestData):
                copy.more(event.data)
            elif copy is not None:
                copy.end()
        return original(self, event)

    HttpStream._handle_event = handle


# ---------------------------------------------------------------- bodies that are not wanted whole
class Limit:
    """How much of a request's body is kept. Over it the rest is dropped, or the request is refused."""

    __slots__ = ("kept", "looked_at", "most", "refuse", "size")

    def __init__(self, most: int, refuse: Callable[[], None] | None = None, *, looked_at: bool = False) -> None:
        self.most = most
        self.refuse = refuse
        """Called once the body is over the limit; to kill the flow."""
        self.looked_at = looked_at
        """Once the body is over the limit, the `requestheaders` hook is called again: only then it is known where it goes."""
        self.kept = 0
        self.size = 0

    def take(self, data: bytes) -> bytes:
        """What is kept of a piece."""
        self.size += len(data)
        data = data[: self.most - self.kept]
        self.kept += len(data)
        return data


limits: dict[str, Limit] = {}
"""By the flow's id."""


def _install_limits() -> None:
    """Why: a body that does not stream is held in memory, however long it gets."""
    original = HttpStream.state_consume_request_body

    def consume(self: Any, event: Any) -> Any:
        limit = limits.get(self.flow.id)
        if limit is None or not isinstance(event, _events.RequestData):
            return original(self, event)
        return _consume(original, self, event, limit)

    HttpStream.state_consume_request_body = consume


def _consume(original: Any, stream: Any, event: Any, limit: Limit) -> Iterator[Any]:
    if limit.looked_at:
        yield from _look(original, stream, event, limit)
        return
    data = limit.take(event.data)
    if limit.refuse is not None and limit.size > limit.most:
        limit.refuse()
        yield from stream.check_killed(True)
    elif data:
        yield from original(stream, _events.RequestData(event.stream_id, data))


def _look(original: Any, stream: Any, event: Any, limit: Limit) -> Iterator[Any]:
    stream.request_body_buf += event.data
    limit.size = len(stream.request_body_buf)
    if limit.size <= limit.most:
        return
    stream.flow.request.data.content = bytes(stream.request_body_buf)
    yield HttpRequestHeadersHook(stream.flow)
    stream.flow.request.data.content = None
    if (yield from stream.check_killed(True)):
        return
    data = bytes(stream.request_body_buf)
    stream.request_body_buf.clear()
    if stream.flow.request.stream:
        yield from stream.start_request_stream()
    yield from stream.client_state(_events.RequestData(event.stream_id, data))


# ---------------------------------------------------------------- heads that are slow to come
head_waits: list[Callable[[Any, bool], None]] = []
"""Called with a client, and whether a part of a head is here and the rest is not."""


def _install_heads() -> None:
    """Why: the first hook of a request comes when its head is whole."""
    original = _http1.Http1Server.read_headers

    def read_headers(self: Any, event: Any) -> Iterator[Any]:
        yield from original(self, event)
        waits = bool(self.buf) and self.state == self.read_headers
        for tell in head_waits:
            tell(self.context.client, waits)

    _http1.Http1Server.read_headers = read_headers


# ---------------------------------------------------------------- answers before the answer
_INTERIM = re.compile(rb"HTTP/1\.[01] 1(?!01)[0-9]{2}[ \r]")


def _install_interim() -> None:
    """Why: an interim answer (RFC 9110, 15.2) is taken for the answer, and the client then waits for ever for what follows it."""
    original = _http1.Http1Client.read_headers

    def read_headers(self: Any, event: Any) -> Iterator[Any]:
        if isinstance(event, events.DataReceived) and self.request:
            _drop_interim(self.buf)
        yield from original(self, event)

    _http1.Http1Client.read_headers = read_headers


def _drop_interim(buffer: Any) -> None:
    """Drop the whole heads of interim answers that a buffer begins with; the rest of one that is cut off will come."""
    data = bytes(buffer)
    at = 0
    while _INTERIM.match(data, at) and (end := data.find(b"\r\n\r\n", at)) >= 0:
        at = end + 4
    if at:
        buffer.maybe_extract_at_most(at)


# ---------------------------------------------------------------- what heads say
_ANY_HOST = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)(.*)", re.DOTALL)
_NO_TRANSFER_CODING = (204, 304)

head_sizes: WeakKeyDictionary[http.Request, int] = WeakKeyDictionary()
"""Bytes of the heads of requests in HTTP/1 as they came."""


def _install_reading() -> None:
    """Why: a folded line is passed on as one (RFC 9112, 5.2), `OPTIONS http://h` is taken for `OPTIONS /` (3.2.4), an absolute
    target with a query and no path is refused, and a 204 or 304 that names a transfer coding too (6.1). How long a head was is
    not told.
    """
    fields, line = heads._read_headers, heads._read_request_line
    request_head, response_head = http1.read_request_head, http1.read_response_head

    def read_headers(lines: Any) -> http.Headers:
        read = fields(lines)
        if any(b"\r\n" in value for _, value in read.fields):
            read.fields = tuple((name, value.replace(b"\r\n ", b" ").strip()) for name, value in read.fields)
        return read

    def read_request_line(text: bytes) -> Any:
        read = line(_with_path(text))
        return (*read[:5], b"*", read[6]) if _asks_for_all(text) else read

    def read_request_head(lines: list[bytes]) -> http.Request:
        request = request_head(lines)
        head_sizes[request] = sum(map(len, lines)) + 2 * len(lines) + 2
        return request

    def read_response_head(lines: list[bytes]) -> http.Response:
        response = response_head(lines)
        if response.status_code in _NO_TRANSFER_CODING:
            response.headers.pop("transfer-encoding", None)
        if response.status_code == 204:
            response.headers.pop("content-length", None)
        return response

    heads._read_headers, heads._read_request_line = read_headers, read_request_line
    http1.read_request_head, http1.read_response_head = read_request_head, read_response_head


def _with_path(line: bytes) -> bytes:
    """A request line with the slash that an absolute target may lack in front of its query (RFC 9110, 4.2.3)."""
    words = line.split()
    found = _ANY_HOST.fullmatch(words[1]) if len(words) == 3 and words[0] != b"CONNECT" else None
    return b"%b %b/%b %b" % (words[0], found[1], found[2], words[2]) if found and found[2][:1] == b"?" else line


def _asks_for_all(line: bytes) -> bool:
    """Whether a request line is `OPTIONS` with an absolute target that has neither path nor query (RFC 9112, 3.2.4)."""
    method, _, rest = line.partition(b" ")
    found = _ANY_HOST.fullmatch(rest.split(b" ")[0]) if method == b"OPTIONS" else None
    return found is not None and not found[2]


# ---------------------------------------------------------------- trailers
class _WithoutTrailers:
    """Reads a body in chunks, and drops the trailers behind it."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.read_eof = reader.read_eof

    def __call__(self, buffer: Any) -> Any:
        event = self._reader(buffer)
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


def _install_trailers() -> None:
    """Why: the HTTP/1 layers crash on trailers, so that whoever waits for the end of that message waits for ever; and a body of
    HTTP/2 that has no length goes on to HTTP/1.1 without an end.
    """
    make, from_server, to_server = _http1.make_body_reader, _http1.Http1Server.send, _http1.Http1Client.send

    def make_body_reader(size: int | None) -> Any:
        return _WithoutTrailers(make(size)) if size is None else make(size)

    def send(self: Any, event: Any) -> Iterator[Any]:
        if isinstance(event, _events.ResponseHeaders):
            event.response.headers.pop("trailer", None)
        if not isinstance(event, _events.ResponseTrailers):
            yield from from_server(self, event)

    def send_on(self: Any, event: Any) -> Iterator[Any]:
        if isinstance(event, _events.RequestHeaders):
            for name in ("te", "trailer"):
                event.request.headers.pop(name, None)
            if event.request.is_http2 and not event.end_stream and not _is_framed(event.request):
                event.request.headers["transfer-encoding"] = "chunked"
        if not isinstance(event, _events.RequestTrailers):
            yield from to_server(self, event)

    _http1.make_body_reader, _http1.Http1Server.send, _http1.Http1Client.send = make_body_reader, send, send_on


def _is_framed(message: Any) -> bool:
    return "content-length" in message.headers or "transfer-encoding" in message.headers


# ---------------------------------------------------------------- bodies that only the end of the connection ends
def _install_ends() -> None:
    """Why: such a body is taken for whole, however its connection has ended (RFC 9112, 8)."""
    original = _http1.Http1Client.read_body

    def read_body(self: Any, event: Any) -> Iterator[Any]:
        until_end = isinstance(event, events.ConnectionClosed) and isinstance(self.body_reader, _http1.Http10Reader)
        if until_end and _was_cut(self.context.client, self.conn):
            yield commands.CloseConnection(self.conn)
            yield ReceiveHttp(_broken(_events.ResponseProtocolError, self.stream_id, "server closed connection"))
        else:
            yield from original(self, event)

    _http1.Http1Client.read_body = read_body


def _was_cut(client: Any, connection: Any) -> bool:
    """Whether a connection ended by a reset, or was ended from here."""
    io = _transport(client, connection)
    return connection.state is ConnectionState.CLOSED or (io is not None and io.reader.exception() is not None)


# ---------------------------------------------------------------- bodies that stand still
body_moves: dict[str, Callable[[bool], None]] = {}
"""By the flow's id: called with each piece of a request's body, and whether it was the end."""


def _install_moves() -> None:
    """Why: no hook tells of a body that is held, nor of its end if goto does not stream it."""
    for name in ("state_consume_request_body", "state_stream_request_body"):
        _tell_of_moves(name, getattr(HttpStream, name))


def _tell_of_moves(name: str, original: Any) -> None:
    def moving(self: Any, event: Any) -> Any:
        moved = body_moves.get(self.flow.id)
        if moved is not None:
            moved(isinstance(event, _events.RequestEndOfMessage))
        return original(self, event)

    moving.__name__ = name  # by which mitmproxy shows the state
    setattr(HttpStream, name, moving)


class _StopWaiting(events.Event):  # type: ignore[misc]  # mitmproxy has no types for mypy here
    """Wait no longer for more of a request's body. It goes down through mitmproxy's layers to that of the flow."""

    def __init__(self, flow: http.HTTPFlow, is_late: Callable[[bool], bool]) -> None:
        self.flow = flow
        self.is_late = is_late


def _install_stops() -> None:
    """Why: a flow is only looked at again when something comes for it, so that one that is killed may stay for ever."""
    original = HttpLayer._handle_event

    def handle(self: Any, event: Any) -> Iterator[Any]:
        if not isinstance(event, _StopWaiting):
            yield from original(self, event)
            return
        for stream in list(self.streams.values()):
            if stream.child_layer is not None:  # behind a CONNECT
                yield from self.event_to_child(stream, event)
            elif getattr(stream, "flow", None) is event.flow and event.is_late(not stream._paused):
                killed = _broken(_events.RequestProtocolError, stream.stream_id, Error.KILLED_MESSAGE)
                yield from self.event_to_child(stream, killed)

    HttpLayer._handle_event = handle


def stop_waiting(flow: http.HTTPFlow, is_late: Callable[[bool], bool]) -> None:
    """Kill a flow that waits for its request's body, if `is_late` says so; it is told whether nothing else is waited for."""
    handler = ctx.master.addons.get("proxyserver").connections.get(flow.client_conn.id)
    if handler is not None:
        _keep(asyncio.get_running_loop().create_task(handler.server_event(_StopWaiting(flow, is_late))))


# ---------------------------------------------------------------- connections
_tasks: set[asyncio.Task[None]] = set()


def _keep(task: asyncio.Task[None]) -> None:
    """Hold on to a task until it is done: asyncio itself does not."""
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


LINGER_SECONDS = 0.5
"""How long what a client still sends is read and dropped behind the last answer on its connection."""


def _install_closing() -> None:
    """Why: a connection that is closed on unread bytes is reset, and the client may never see its answer (RFC 9112, 9.6); and
    TLS ends without a close_notify. Behind one nothing can be sent, and HTTP/2 tries to when the client then ends too.
    """
    close, send_close = ConnectionHandler.close_connection, tls.ClientTLSLayer.send_close
    send_data = tls.ClientTLSLayer.send_data

    def close_connection(self: Any, connection: Any, half_close: bool = False) -> None:
        if connection is self.client and not half_close:
            _linger(self.transports[connection])
        close(self, connection, half_close)

    def send_close_notify(self: Any, command: Any) -> Iterator[Any]:
        io = _transport(self.conn, self.conn)
        if self.tunnel_state is TunnelState.OPEN and not (io is not None and _resets(io)):
            try:
                self.tls.shutdown()
            except SSL.Error:
                pass
            else:
                yield from self.tls_interact()
        yield from send_close(self, command)

    def send_before_close_notify(self: Any, data: bytes) -> Iterator[Any]:
        if not self.tls.get_shutdown() & SSL.SENT_SHUTDOWN:
            yield from send_data(self, data)

    ConnectionHandler.close_connection, tls.ClientTLSLayer.send_close = close_connection, send_close_notify
    tls.ClientTLSLayer.send_data = send_before_close_notify


async def _reset_when_taken(client: Any) -> None:
    await took_everything(client)
    reset(client)


def reset_behind_all(client: Any) -> None:
    """End a client's connection by a reset, once the system has all that was written. Why: a FIN says that nothing is wrong."""
    io = _transport(client, client)
    if io is not None and isinstance(io.writer, asyncio.StreamWriter):
        _socket_of(io).setsockopt(*_RESETS)  # whoever closes it
    _keep(asyncio.get_running_loop().create_task(_reset_when_taken(client)))


def reset(client: Any) -> None:
    """End a client's connection by a reset. Why: where only the end ends a body, a FIN would say that it is whole."""
    io = _transport(client, client)
    if io is not None and isinstance(io.writer, asyncio.StreamWriter):
        _socket_of(io).setsockopt(*_RESETS)
        io.writer.transport.abort()


_RESETS = (socket.SOL_SOCKET, socket.SO_LINGER, RESET)
"""An option of a socket: closing it resets the connection."""


def _socket_of(io: Any) -> Any:
    return io.writer.get_extra_info("socket")


def _resets(io: Any) -> bool:
    if not isinstance(io.writer, asyncio.StreamWriter) or _socket_of(io).fileno() < 0:
        return False
    level, option, value = _RESETS
    return bool(_socket_of(io).getsockopt(level, option, len(value)) == value)


def _transport(client: Any, connection: Any) -> Any:
    handler = ctx.master.addons.get("proxyserver").connections.get(client.id)
    return None if handler is None else handler.transports.get(connection)


def end(client: Any, connection: Any) -> bool:
    """End a connection, the client's or one to an upstream; whether there was one.

    Why: kept ones outlive their listener, and slow ones their time.
    """
    io = _transport(client, connection)
    if io is None or io.handler is None or not io.handler.cancel("goto"):
        return False
    if io.writer is not None:
        io.writer.close()  # which a handler that was only about to begin leaves undone
    return True


async def ended(client: Any, connection: Any) -> None:
    """End a connection and wait until it has. Why: the next request must not take it."""
    io = _transport(client, connection)
    if end(client, connection):
        await asyncio.wait({io.handler}, timeout=1)


def clients() -> list[Any]:
    """The clients that are connected. Why: a listener that closes has to end its connections."""
    return [handler.client for handler in ctx.master.addons.get("proxyserver").connections.values()]


def is_gone(client: Any) -> bool:
    """Whether a client has left. Why: a reset in mid-upload comes as an error that does not say so."""
    io = _transport(client, client)
    if client.timestamp_end is not None or io is None:
        return True
    closing: bool = io.writer.transport.is_closing() or io.reader.at_eof() or io.reader.exception() is not None
    return closing


def hear_out(client: Any, connection: Any) -> None:
    """Read a connection to an upstream to its end. Why: an answer that comes before the whole request is the answer, though a
    reset follows (RFC 9112, 9.5). But asyncio's streams forget what came before a reset, and mitmproxy stops reading where it
    cannot write.
    """
    io = _transport(client, connection)
    if io is None or not isinstance(io.writer, asyncio.StreamWriter):
        return
    reader: Any = io.reader
    writer: Any = io.writer
    protocol: Any = writer.transport.get_protocol()
    drain, lost = writer.drain, protocol.connection_lost

    def connection_lost(error: Exception | None) -> None:
        if error is not None:
            read_rest(writer.transport, reader.feed_data)
            reader.exception = lambda: error  # which is told, see `_was_cut`, and not raised ahead of what came
        lost(None)

    async def drain_if_open() -> None:
        with contextlib.suppress(OSError):  # its reader meets the end
            await drain()

    protocol.connection_lost, writer.drain = connection_lost, drain_if_open


def unsent(client: Any, connection: Any) -> int:
    """Bytes that wait for a connection to take them. Why: whoever takes nothing is the slow one."""
    io = _transport(client, connection)
    return 0 if io is None or io.writer is None else io.writer.transport.get_write_buffer_size()


async def took_everything(client: Any) -> bool:
    """Wait until the kernel has every byte for a client; False if it left before. Why: there is no hook for it."""
    io = _transport(client, client)
    if io is None:
        return True  # it left once all was written, or there would have been an error
    transport = io.writer.transport
    if not transport.get_write_buffer_size():
        return True
    try:
        transport.set_write_buffer_limits(0)
        await io.writer.drain()
    except OSError:
        return False
    finally:
        if not transport.is_closing():
            transport.set_write_buffer_limits()
    return True


def _linger(io: Any) -> None:
    """Read and drop what a client still sends once its connection is closed."""
    if not isinstance(io.writer, asyncio.StreamWriter) or io.reader.at_eof() or io.writer.transport.is_closing() or _resets(io):
        return
    copy = _socket_of(io).dup()
    _keep(asyncio.get_running_loop().create_task(_drain(io.writer.transport, copy, LINGER_SECONDS)))


async def _drain(transport: Any, copy: socket.socket, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    with copy:
        try:
            async with asyncio.timeout(seconds):
                # mitmproxy does so too, unless its layers close the connection twice: then it never comes to it
                transport.close()
                while transport.get_write_buffer_size():  # noqa: ASYNC110  # nothing tells
                    await asyncio.sleep(0.002)
                copy.setblocking(False)
                copy.shutdown(socket.SHUT_WR)
                while await loop.sock_recv(copy, 1 << 16):  # noqa: ASYNC110  # it does not wait for what is here,
                    await asyncio.sleep(0)  # and whoever sends fast would have the loop alone
        except (TimeoutError, OSError):
            pass


# ---------------------------------------------------------------- modes
async def set_modes(modes: list[str]) -> None:
    """Serve exactly these modes, and wait until it is so. Why: changing the option only schedules it."""
    ctx.options.update(mode=modes)
    await asyncio.sleep(0)  # what was scheduled comes first, and finds nothing changed since
    await ctx.master.addons.get("proxyserver").servers.update([Mode.parse(mode) for mode in modes])


def bind_error(mode: str) -> OSError | None:
    """Why a mode does not listen. Why here: it is nowhere else, and gone once the mode is removed."""
    server = ctx.master.addons.get("proxyserver").servers[mode]
    if server.is_running:
        return None
    error = server.last_exception
    if isinstance(error, OSError):
        return error.__cause__ if isinstance(error.__cause__, OSError) else error
    return OSError(str(error or "cannot listen"))


def forget_mode(mode: str) -> None:
    """Drop a mode that does not listen. Why: mitmproxy would stop it too, and log that this fails."""
    ctx.master.addons.get("proxyserver").servers._instances.pop(Mode.parse(mode), None)


def listening() -> Iterator[tuple[int, Mode]]:
    """The ports served, each with its mode. Why: the option does not say which port a mode got."""
    for server in ctx.master.addons.get("proxyserver").servers:
        for address in server.listen_addrs:
            yield address[1], server.mode


# ---------------------------------------------------------------- calling addons
_DISPATCHED = frozenset(
    (
        "requestheaders",
        "request",
        "responseheaders",
        "response",
        "error",
        "client_connected",
        "client_disconnected",
        "server_connect",
        "server_connected",
        "server_connect_error",
        "server_disconnected",
        "next_layer",
        "update",
    )
)


_WAY_THERE = ("requestheaders", "request")
_WAY_BACK = ("responseheaders", "response", "error")


def _install_dispatch(nearest: Any) -> None:
    """Call only the addons that have a hook, and `nearest` as the one next to the upstream: last on the way there, first on the
    way back. Why: each of some forty is asked for every hook, which is half of all the time, and in the order of `-s`.
    """
    manager = ctx.master.addons
    if hasattr(manager, "_goto_table"):
        return
    table: dict[str, list[Callable[..., Any]]] = {}
    manager._goto_table = table
    original = manager.handle_lifecycle

    async def call(name: str, *args: Any) -> None:
        hooks = table.get(name)
        if hooks is None:
            hooks = table[name] = _hooks(name, list(traverse(manager.chain)), nearest)
        for hook in hooks:
            try:
                with safecall():
                    result = hook(*args)
                    if result is not None and inspect.isawaitable(result):
                        await result
            except AddonHalt:
                return

    async def handle_lifecycle(event: Any) -> None:
        if event.name not in _DISPATCHED:
            await original(event)
            return
        args = event.args()
        await call(event.name, *args)
        if args and hasattr(args[0], "intercepted"):  # a flow: the user interface is told
            await call("update", [args[0]])

    manager.handle_lifecycle = handle_lifecycle
    for name in ("register", "remove", "clear"):  # scripts come and go
        _forget_on(manager, name, table)


def _hooks(name: str, addons: list[Any], nearest: Any) -> list[Callable[..., Any]]:
    if nearest in addons and name in (*_WAY_THERE, *_WAY_BACK):
        addons.remove(nearest)
        addons.insert(0 if name in _WAY_BACK else len(addons), nearest)
    return [hook for addon in addons if callable(hook := getattr(addon, name, None))]


def _forget_on(manager: Any, name: str, table: dict[str, Any]) -> None:
    original = getattr(manager, name)

    def forgetting(*args: Any) -> Any:
        table.clear()
        result = original(*args)
        table.clear()
        return result

    setattr(manager, name, forgetting)


_PATCHES: Iterable[Callable[[], None]] = (
    _install_pages,
    _install_cuts,
    _install_copies,
    _install_limits,
    _install_moves,
    _install_stops,
    _install_heads,
    _install_interim,
    _install_reading,
    _install_trailers,
    _install_ends,
    _install_closing,
)
_installed: set[Callable[[], None]] = set()


def install(nearest: Any) -> None:
    """Put all replacements in place, each once. `nearest` is the addon that stands next to the upstream."""
    for patch in _PATCHES:
        if patch not in _installed:
            _installed.add(patch)
            patch()
    _install_dispatch(nearest)
