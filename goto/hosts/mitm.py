"""goto in a mitmproxy traffic path: `mitmdump -s addons/goto_addon.py`.

Listeners are mitmproxy modes. Features run in mitmproxy's hooks; the decision falls in `requestheaders`, since a body that
streams leaves no later moment for it. No method here may bear the name of a hook that it is not.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from mitmproxy import ctx, exceptions, http

from goto.accesslog import AccessLog
from goto.errors import ApiError
from goto.flow import ClientGone, Response
from goto.hosts import mitm_private as private
from goto.hosts.admin import AdminPort
from goto.hosts.mitm_exchange import MitmExchange
from goto.identity import pod_ip
from goto.instance import Instance
from goto.listener import Listener
from goto.words import Label, Port

log = logging.getLogger("goto")

CLOSE_SECONDS = 10.0
"""Exchanges in flight when their listener closes get this long to finish."""

HEAD_SECONDS = 60.0
"""A head that is not here after this time ends the connection."""

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


class MitmHost:
    """The addon. Options are strings, since mitmproxy loses a bad number without a word."""

    protocols: ClassVar[tuple[str, ...]] = ("http",)

    def __init__(self) -> None:
        self.log = AccessLog(enabled=False)  # mitmproxy shows its flows itself
        self.instance = Instance(self)
        self._exchanges: WeakKeyDictionary[http.HTTPFlow, MitmExchange] = WeakKeyDictionary()
        self._by_client: dict[str, set[MitmExchange]] = {}
        self._head_timers: dict[str, asyncio.TimerHandle] = {}
        self._admin: AdminPort | None = None
        self._first: Listener | None = None

    # ------------------------------------------------------------ life
    def load(self, loader: Any) -> None:
        options = {
            "label": "Label of the first listener.",
            "admin_host": "Answer management calls only for this Host; `none` takes them off the traffic ports.",
            "admin_port": "Serve management calls on a port of their own.",
        }
        for name, text in options.items():
            loader.add_option(f"goto_{name}", str, "", f"goto: {text}")

    def configure(self, updated: set[str]) -> None:
        options = ctx.options
        unknown = [name for name in options.deferred if name.startswith("goto_")]
        if unknown:
            raise exceptions.OptionsError(f"goto: unknown option {', '.join(unknown)}")
        for name, parse in (("goto_admin_port", Port.parse), ("goto_label", Label.parse)):
            value = getattr(options, name)
            if name in updated and value:
                try:
                    parse(value)
                except ValueError as error:
                    raise exceptions.OptionsError(f"{name}: {error}") from None

    async def running(self) -> None:
        # eager connections would make a dead upstream hang up on management calls too; a rewritten Host could not be matched
        ctx.options.update(connection_strategy="lazy", keep_host_header=True)
        private.install_error_page()
        private.install_dispatch()
        for port, mode in private.listening():
            if port not in self.instance.listeners.by_port:
                listener = self.instance.listeners.adopt(port, ctx.options.goto_label if self._first is None else "")
                listener.mode = mode.partition("@")[0]
                self._first = self._first or listener
        if self._first is not None and ctx.options.goto_admin_port:
            self._admin = AdminPort(self, self._first)
            try:
                await self._admin.open(int(ctx.options.goto_admin_port), None)
            except OSError as error:
                # an error logged now ends mitmproxy with exit status 1
                logging.error(f"goto: cannot listen on admin port {ctx.options.goto_admin_port}: {error.strerror or error}")
        self.instance.about.ready = True

    async def done(self) -> None:
        if self._admin is not None:
            await self._admin.close()
        await self.instance.stop()

    # ------------------------------------------------------------ Carrier
    async def open(self, listener: Listener) -> None:
        """Listen in the mode of the listener that this one was added through. Raises OSError."""
        mode = f"{listener.mode or ctx.options.mode[0].partition('@')[0]}@{listener.port}"
        before = list(ctx.options.mode)
        try:
            await private.set_modes([*before, mode])
        except exceptions.OptionsError as error:
            raise OSError(str(error)) from None
        failure = private.bind_error(mode)
        if failure is not None:
            await private.set_modes(before)
            raise failure if isinstance(failure, OSError) else OSError(str(failure))

    async def close(self, listener: Listener) -> None:
        """Listen no more; idle connections end, the others when their exchange does."""
        gone = {mode for port, mode in private.listening() if port == listener.port}
        await private.set_modes(
            [mode for mode in ctx.options.mode if mode not in gone and not mode.endswith(f"@{listener.port}")]
        )
        for client in private.clients():
            if client.sockname[1] == listener.port:
                if not self._by_client.get(client.id):
                    private.end(client, client)
                else:
                    asyncio.get_running_loop().call_later(CLOSE_SECONDS, private.end, client, client)

    # ------------------------------------------------------------ connections
    def client_connected(self, client: Any) -> None:
        listener = self._listener(client)
        if listener is not None and not listener.open:
            client.error = "goto: the listener is closed"
            return
        self._by_client[client.id] = set()
        timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, private.end, client, client)
        self._head_timers[client.id] = timer

    def client_disconnected(self, client: Any) -> None:
        self._stop_head_timer(client)
        for exchange in self._by_client.pop(client.id, set()):
            exchange.left()

    def server_connect(self, data: Any) -> None:
        # a target may be another listener of this instance, which mitmproxy takes for a loop
        if data.server.error and any(exchange.flow.upstreams for exchange in self._by_client.get(data.client.id, ())):
            data.server.error = None

    # ------------------------------------------------------------ exchanges
    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        self._stop_head_timer(flow.client_conn)
        listener = self._listener(flow.client_conn)
        if flow.error or flow.is_replay or listener is None:
            return
        local = self._is_local(flow, listener)
        exchange = self._exchanges[flow] = MitmExchange(self, flow, listener, local=local)
        self._by_client.setdefault(flow.client_conn.id, set()).add(exchange)
        try:
            await exchange.request_headers(managed=self._is_managed(flow, local=local))
        except Exception:
            self._broke(flow)

    async def request(self, flow: http.HTTPFlow) -> None:
        exchange = self._exchanges.get(flow)
        if exchange is None or flow.response is not None:
            return
        try:
            await exchange.request()
        except ClientGone:
            exchange.ended(completed=False)
        except Exception:
            self._broke(flow)

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange = self._exchanges.get(flow)
        if exchange is None:
            return
        try:
            await exchange.response_headers()
        except ClientGone:
            exchange.ended(completed=False)
        except Exception:
            self._broke(flow)

    def response(self, flow: http.HTTPFlow) -> None:
        exchange = self._exchanges.get(flow)
        if exchange is not None:
            exchange.responded()

    async def error(self, flow: http.HTTPFlow) -> None:
        exchange = self._exchanges.get(flow)
        if exchange is not None:
            try:
                await exchange.failed()
            except ApiError:
                self._broke(flow)

    def exchange_over(self, exchange: MitmExchange) -> None:
        """An exchange has ended; if its listener has closed, so does its connection."""
        client = exchange.mitm.client_conn
        self._by_client.get(client.id, set()).discard(exchange)

    def _broke(self, flow: http.HTTPFlow) -> None:
        """An exception in a hook would pass the traffic through as if goto were not there."""
        log.exception("goto failed on %s %s", flow.request.method, flow.request.path)
        refused = Response.text(500, "goto: the request failed")
        flow.request.stream = False
        flow.response = http.Response.make(500, refused.body, http.Headers(refused.headers.fields))

    # ------------------------------------------------------------ whose request it is
    def _listener(self, client: Any) -> Listener | None:
        return self.instance.listeners.by_port.get(client.sockname[1])

    def _is_local(self, flow: http.HTTPFlow, listener: Listener) -> bool:
        """Addressed to the listener itself, not to a site behind it."""
        if flow.client_conn.proxy_mode.type_name == "reverse":
            return True
        host, only = flow.request.pretty_host.strip("[]"), ctx.options.goto_admin_host
        if only and host == only:
            return True
        own = flow.request.port == listener.port
        return own and (host in _LOOPBACK or host in (flow.client_conn.sockname[0], pod_ip(), socket.gethostname()))

    def _is_managed(self, flow: http.HTTPFlow, *, local: bool) -> bool:
        only = ctx.options.goto_admin_host
        return local and (not only or (only != "none" and flow.request.pretty_host.strip("[]") == only))

    def _stop_head_timer(self, client: Any) -> None:
        timer = self._head_timers.pop(client.id, None)
        if timer is not None:
            timer.cancel()
