"""Every use of mitmproxy's private parts, in one file. Each says why; a test fails when one changes.

`proxyserver.connections[client.id]` is the handler of a client's connection; its `transports` hold, for each connection, the
task that reads it (`handler`) and its streams (`reader`, `writer`). The layers of `mitmproxy.proxy.layers.http` turn bytes into
hooks and back; a method of theirs is replaced where no hook reaches.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, TypeAlias

from mitmproxy import ctx, http
from mitmproxy.addonmanager import safecall, traverse
from mitmproxy.exceptions import AddonHalt
from mitmproxy.net.http import http1
from mitmproxy.proxy import commands, events, mode_specs
from mitmproxy.proxy.layers.http import HttpStream, _events, _http1, _http2

Mode: TypeAlias = mode_specs.ProxyMode


# ---------------------------------------------------------------- own pages
own_page: ContextVar[http.Response | None] = ContextVar("own_page", default=None)
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
        return send2(self, event) if page is None or page is NO_PAGE else _page2(send2, self, event.stream_id, page)

    _http1.Http1Server.send, _http2.Http2Server._handle_event = send, handle


def _page1(server: Any, page: http.Response) -> Iterator[Any]:
    own_page.set(None)
    if not server.response and page is not NO_PAGE:
        yield commands.SendData(server.conn, http1.assemble_response(page))
    yield commands.CloseConnection(server.conn)


def _page2(handle: Any, server: Any, stream: int, page: http.Response) -> Iterator[Any]:
    own_page.set(None)
    yield from handle(server, _events.ResponseHeaders(stream, page, end_stream=not page.raw_content))
    if page.raw_content:
        yield from handle(server, _events.ResponseData(stream, page.raw_content))
        yield from handle(server, _events.ResponseEndOfMessage(stream))


# ---------------------------------------------------------------- bodies that are not wanted whole
class Limit:
    """How much of a request's body is kept. Over it the rest is dropped, or the request is refused."""

    __slots__ = ("kept", "most", "refuse", "size")

    def __init__(self, most: int, refuse: Callable[[], None] | None = None) -> None:
        self.most = most
        self.refuse = refuse
        """Called once the body is over the limit; to kill the flow."""
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
    data = limit.take(event.data)
    if limit.refuse is not None and limit.size > limit.most:
        limit.refuse()
        yield from stream.check_killed(True)
    elif data:
        yield from original(stream, _events.RequestData(event.stream_id, data))


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


# ---------------------------------------------------------------- connections
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


def linger(client: Any, seconds: float) -> asyncio.Task[None] | None:
    """Read and drop what a client still sends once mitmproxy has closed its connection.

    Why: a connection that is closed on unread bytes is reset, and the client may never see its answer.
    """
    io = _transport(client, client)
    if io is None:
        return None
    copy = io.writer.get_extra_info("socket").dup()
    return asyncio.get_running_loop().create_task(_drain(io.writer.transport, copy, seconds))


async def _drain(transport: Any, copy: socket.socket, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    with copy:
        try:
            async with asyncio.timeout(seconds):
                while not transport.is_closing() or transport.get_write_buffer_size():  # noqa: ASYNC110  # nothing tells
                    await asyncio.sleep(0.002)
                copy.setblocking(False)
                copy.shutdown(socket.SHUT_WR)
                while await loop.sock_recv(copy, 1 << 16):
                    pass
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


def _install_dispatch() -> None:
    """Call only the addons that have a hook. Why: each of some forty is asked for every hook, which is half of all the time."""
    manager = ctx.master.addons
    if hasattr(manager, "_goto_table"):
        return
    table: dict[str, list[Callable[..., Any]]] = {}
    manager._goto_table = table
    original = manager.handle_lifecycle

    async def call(name: str, *args: Any) -> None:
        hooks = table.get(name)
        if hooks is None:
            hooks = table[name] = [
                hook for addon in manager.chain for each in traverse([addon]) if callable(hook := getattr(each, name, None))
            ]
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


def _forget_on(manager: Any, name: str, table: dict[str, Any]) -> None:
    original = getattr(manager, name)

    def forgetting(*args: Any) -> Any:
        table.clear()
        result = original(*args)
        table.clear()
        return result

    setattr(manager, name, forgetting)


_PATCHES: Iterable[Callable[[], None]] = (_install_pages, _install_limits, _install_heads, _install_interim)
_installed: set[Callable[[], None]] = set()


def install() -> None:
    """Put all replacements in place, each once."""
    for patch in _PATCHES:
        if patch not in _installed:
            _installed.add(patch)
            patch()
    _install_dispatch()
