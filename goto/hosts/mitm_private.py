"""Every use of mitmproxy's private parts, in one file. Each says why; a test fails when one changes.

`proxyserver.connections[client.id]` is the handler of a client's connection; its `transports` hold, for each connection, the
task that reads it (`handler`) and its streams (`reader`, `writer`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from mitmproxy import ctx
from mitmproxy.addonmanager import safecall, traverse
from mitmproxy.exceptions import AddonHalt
from mitmproxy.proxy import mode_specs
from mitmproxy.proxy.layers.http import _http1

own_page: ContextVar[bytes | None] = ContextVar("own_page", default=None)
"""A whole response to be sent in place of mitmproxy's error page, by the task that runs the `error` hook."""


def install_error_page() -> None:
    """Why: an upstream's failure is answered with mitmproxy's own page, whatever an addon sets in `error`."""
    original = _http1.make_error_response
    if getattr(original, "goto", False):
        return

    def make_error_response(status: int, *words: Any) -> bytes:
        page = own_page.get()
        own_page.set(None)
        made: bytes = page if page is not None else original(status, *words)
        return made

    make_error_response.goto = True  # type: ignore[attr-defined]
    _http1.make_error_response = make_error_response


def _transport(client: Any, connection: Any) -> Any:
    handler = ctx.master.addons.get("proxyserver").connections.get(client.id)
    return None if handler is None else handler.transports.get(connection)


def end(client: Any, connection: Any) -> None:
    """End a connection, the client's or one to an upstream. Why: kept ones outlive their listener, and slow ones their time."""
    io = _transport(client, connection)
    if io is not None and io.handler is not None:
        io.handler.cancel("goto")


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


def refuse_now(client: Any, response: bytes) -> None:
    """Answer and end the connection. Why: a response set in a hook waits for a body that is not to be read."""
    io = _transport(client, client)
    if io is not None:
        io.writer.write(response)
        end(client, client)


async def set_modes(modes: list[str]) -> None:
    """Serve exactly these modes, and wait until it is so. Why: changing the option only schedules it."""
    ctx.options.update(mode=modes)
    await ctx.master.addons.get("proxyserver").servers.update([mode_specs.ProxyMode.parse(mode) for mode in modes])


def bind_error(mode: str) -> Exception | None:
    """Why a mode does not listen. Why here: it is nowhere else, and gone once the mode is removed."""
    server = ctx.master.addons.get("proxyserver").servers[mode]
    return None if server.is_running else server.last_exception or OSError("cannot listen")


def listening() -> Iterator[tuple[int, str]]:
    """The ports served, each with its mode. Why: the option does not say which port a mode got."""
    for server in ctx.master.addons.get("proxyserver").servers:
        for address in server.listen_addrs:
            yield address[1], server.mode.full_spec


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
        "server_disconnected",
        "next_layer",
        "update",
    )
)


def install_dispatch() -> None:
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
