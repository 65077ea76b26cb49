"""goto in a mitmproxy traffic path: `mitmdump -s addons/goto_addon.py`.

Listeners are mitmproxy modes. Features run in mitmproxy's hooks, see `exchange`. mitmproxy calls each method here that is named
like one of its hooks, so that no other method may be named like one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from itertools import count
from typing import Any, ClassVar

from mitmproxy import ctx, exceptions, http

from goto.api.access import comparable
from goto.config.errors import ConfigError
from goto.errors import ApiError
from goto.flow import ClientGone, Response
from goto.hosts.mitm import private
from goto.hosts.mitm.client import MitmClient
from goto.hosts.mitm.exchange import MitmExchange
from goto.hosts.mitm.messages import fault_of, is_killed, join_cookies, made
from goto.hosts.mitm.modes import Modes, pattern_of
from goto.hosts.mitm.options import PREFIX, STANDING_FOR, BadOption, Options, declare, read_options
from goto.hosts.standalone.admin import AdminPort
from goto.hosts.standalone.ports import Ports
from goto.instance.identity import own_names
from goto.instance.start import Start
from goto.instance.wiring import Instance
from goto.tls.settings import as_option
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import Listener, ListenerSpec
from goto.traffic.listeners import Load, loads_of
from goto.words import Port
from goto.words.hosts import host_without_zone

log = logging.getLogger("goto")

CLOSE_SECONDS = 10.0
"""How long exchanges may take to finish once their listener has closed."""

_BAD_REQUEST = 400

END_SECONDS = 1.0
"""How long the end of the process waits for clients' connections to end."""


class MitmHost:
    """The addon."""

    protocols: ClassVar[tuple[str, ...]] = ("http",)
    abilities: ClassVar[frozenset[str]] = frozenset(("close", "reset", "cut", "raw"))
    elsewhere: ClassVar[dict[str, str]] = {
        "https": "mitmproxy does TLS here: add it with http, which takes TLS on the same port, with mitmproxy's certificates"
    }
    name: ClassVar[str] = "mitmproxy"

    def __init__(self) -> None:
        self.log = AccessLog(enabled=False)  # mitmproxy shows its flows itself
        self.instance = Instance(self)
        self.keeps_host = False
        """The user wants `Host` kept for mitmproxy's own upstream."""
        self._options: Options | None = None
        self._start: Start | None = None
        self._modes = Modes()
        self._serves = asyncio.Event()
        """Set once everything is set up; requests wait for it."""
        self._clients: dict[str, MitmClient] = {}
        self._number = count(1).__next__
        """The number of the next client's connection."""
        self._exchanges: dict[str, MitmExchange] = {}
        self._refusals: dict[str, http.Response] = {}
        """What requests that are no exchange are answered with, by their flows' ids."""
        self._own_hosts = frozenset(name.lower() for name in own_names())
        self._admin: AdminPort | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------ life
    def load(self, loader: Any) -> None:
        declare(loader)

    def configure(self, updated: set[str]) -> None:
        if not any(name.startswith(PREFIX) for name in updated):
            return
        try:
            options = read_options(ctx.options)
            if self._serves.is_set():
                if options != self._options:
                    raise BadOption("goto's options are read at the start only: restart mitmproxy to change them")
                return
            self.instance.use(options.features)
            self._start = Start(self.instance, options.start)
        except (BadOption, ConfigError) as error:
            if self._serves.is_set():
                raise exceptions.OptionsError(str(error)) from None
            self._refuse(error.problems if isinstance(error, ConfigError) else [error])
        else:
            if self._options is None:
                self._take_over()
            self._options = options

    def _take_over(self) -> None:
        """Set mitmproxy's own options as goto needs them, before the first connection: mitmproxy listens before it is running.

        Eager connections would make a dead upstream hang up on management calls too; a rewritten Host could not be matched.
        """
        self.keeps_host = ctx.options.keep_host_header
        ctx.options.update(connection_strategy="lazy", keep_host_header=True)

    def running(self) -> asyncio.Task[None]:
        # a task, since a script that is added at run time is called without being awaited
        return self._task(self._begin())

    async def _begin(self) -> None:
        start, listening = self._start, list(private.listening())
        if start is None or not listening:
            return  # the options are wrong, which was said, or mitmproxy only reads flows
        private.install(self)
        private.head_waits.append(self._head_waits)
        try:
            (port, mode), *others = listening
            first = self._adopt(start.take(Port(port)), mode)
            for port, mode in others:
                self._adopt(ListenerSpec(Port(port)), mode)
            await start.seed()
            await start.serve(first, self._open_admin)
        except ApiError as error:
            self._refuse([as_option(error.message, STANDING_FOR)])
            return
        self.instance.access.interface = ctx.options.listen_host or None
        start.warn()
        self._serves.set()

    async def reserve(self) -> int:
        """A port that is free. mitmproxy binds it itself, so that nothing can keep it until it is opened."""
        ports = Ports(ctx.options.listen_host or None)
        try:
            return await ports.reserve()
        finally:
            ports.close()

    async def _open_admin(self, port: int) -> None:
        first = self.instance.listeners.first
        assert first is not None
        self._admin = AdminPort(self.instance, self.log, first)
        await self._admin.open(port, Ports(ctx.options.listen_host or None))

    @staticmethod
    def _refuse(reasons: list[Any]) -> None:
        """While mitmproxy starts, an error logged ends it with exit status 1."""
        for reason in reasons:
            log.error("goto: %s", reason)

    def done(self) -> asyncio.Task[None]:
        return self._task(self._stop())

    async def _stop(self) -> None:
        if self._head_waits in private.head_waits:
            private.head_waits.remove(self._head_waits)
        if self._start is not None:
            await self._start.stop()
        if self._admin is not None:
            await self._admin.close()
        await self._end_clients()
        await self.instance.stop()

    async def _end_clients(self) -> None:
        """End the clients' connections: those that mitmproxy leaves open are cut off with a traceback on some Pythons."""
        for client in list(self._clients.values()):
            client.end()
        until = time.monotonic() + END_SECONDS
        while self._clients and time.monotonic() < until:  # noqa: ASYNC110  # nothing else tells
            await asyncio.sleep(0.01)

    def _task(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ------------------------------------------------------------ Carrier
    def loads(self) -> dict[Listener, Load]:
        """What each listener has at this moment."""
        return loads_of(
            (client.listener for client in self._clients.values() if client.listener is not None),
            ((exchange.listener, exchange.flow.counted) for exchange in self._exchanges.values() if exchange.passage is not None),
        )

    async def open(self, listener: Listener) -> None:
        """Listen in the mode of the listener that this one was added through. Raises OSError."""
        first = next(iter(self.instance.listeners.by_port.values()))
        await self._modes.open(listener.mode or first.mode, listener.port)

    async def close(self, listener: Listener) -> None:
        """Listen no more; idle connections end, the others when their exchange does."""
        await self._modes.close(listener.port)
        for client in list(self._clients.values()):
            if client.listener is listener:
                if client.exchanges:
                    asyncio.get_running_loop().call_later(CLOSE_SECONDS, client.end)
                else:
                    client.end()

    def _adopt(self, spec: ListenerSpec, mode: private.Mode) -> Listener:
        """The listener of a port that mitmproxy serves, made if there is none."""
        listeners = self.instance.listeners
        return listeners.by_port.get(spec.port) or listeners.adopt(spec, pattern_of(mode))

    # ------------------------------------------------------------ connections
    def client_connected(self, client: Any) -> None:
        listener = self._listener(client)
        if listener is not None and not listener.open:
            client.error = "goto: the listener is closed"
        else:
            self._clients[client.id] = MitmClient(client, listener, self._number())

    def client_disconnected(self, client: Any) -> None:
        known = self._clients.pop(client.id, None)
        if known is not None:
            known.left()

    def _head_waits(self, client: Any, waits: bool) -> None:
        known = self._clients.get(client.id)
        if known is not None:
            known.head_waits(waits)

    def server_connect(self, data: Any) -> None:
        client = self._clients.get(data.client.id)
        if data.server.sni:
            # neither a zone nor a dot at the end (RFC 6066, 3)
            data.server.sni = host_without_zone(data.server.sni).removesuffix(".")
        for exchange in client.exchanges if client is not None else ():
            if exchange.connecting(data.server):
                # a target may be another listener of this instance, which mitmproxy takes for a loop
                data.server.error = None
                break

    def server_connected(self, data: Any) -> None:
        private.hear_out(data.client, data.server)
        client = self._clients.get(data.client.id)
        for exchange in client.exchanges if client is not None else ():
            exchange.connected(data.server)

    def server_connect_error(self, data: Any) -> None:
        if data.client.alpn == b"h2":
            # mitmproxy would answer all further requests for that server on this connection with this error
            data.server.error = None

    # ------------------------------------------------------------ exchanges
    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        if flow.is_replay or not flow.live or flow.response is not None or is_killed(flow):
            return
        if (known := self._exchanges.get(flow.id)) is not None:
            await self._step(known, known.request_headers())  # its body is longer than what is looked at
            return
        await self._serves.wait()
        client = self._clients.get(flow.client_conn.id)
        if client is None:
            return
        listener = client.listener = client.listener or self._listener(flow.client_conn)
        if listener is None:
            return
        if not listener.open:
            flow.kill()
            return
        if fault := flow.error.msg if flow.error else fault_of(flow.request):
            self._refuse_request(flow, listener, fault)
            return
        join_cookies(flow.request)
        try:
            local = self._is_local(flow, listener)
            exchange = MitmExchange(
                self.instance,
                client,
                flow,
                listener,
                self._exchange_over,
                local=local,
                keeps_host=self.keeps_host,
                streams=self._options is None or self._options.streams,
            )
        except Exception:
            response = self._failed(flow)
            flow.response = http.Response.make(500, response.body, http.Headers(response.headers.fields))
            return
        self._exchanges[flow.id] = exchange
        client.exchanges.add(exchange)
        await self._step(exchange, exchange.request_headers())

    async def request(self, flow: http.HTTPFlow) -> None:
        exchange = self._exchanges.get(flow.id)
        if exchange is not None and not is_killed(flow):
            await self._step(exchange, exchange.request())

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange = self._exchanges.get(flow.id)
        if exchange is not None:
            await self._step(exchange, exchange.response_headers())

    def response(self, flow: http.HTTPFlow) -> None:
        exchange = self._exchanges.get(flow.id)
        if exchange is not None:
            exchange.responded()

    async def error(self, flow: http.HTTPFlow) -> None:
        private.own_page.set(self._refusals.pop(flow.id, None))
        exchange = self._exchanges.get(flow.id)
        if exchange is not None:
            try:
                await exchange.failed()
            except Exception:
                exchange.broke(self._failed(flow))
                exchange.ended("broke_off")

    def _refuse_request(self, flow: http.HTTPFlow, listener: Listener, fault: str) -> None:
        """Answer 400 before any feature sees it, and end the connection: an error of the flow follows."""
        listener.refused[_BAD_REQUEST] += 1
        answer = Response.text(_BAD_REQUEST, f"goto: {fault}")
        self._refusals[flow.id] = made(answer, listener.identity, flow.request.method, close=not flow.request.is_http2)
        if flow.error is None:
            flow.kill()

    def _exchange_over(self, exchange: MitmExchange) -> None:
        """An exchange has ended; if its listener has closed, so does its connection."""
        self._exchanges.pop(exchange.mitm.id, None)
        client = exchange.client
        client.exchanges.discard(exchange)
        if not exchange.listener.open and not client.exchanges:
            client.end()

    async def _step(self, exchange: MitmExchange, step: Awaitable[None]) -> None:
        """Take an exchange through a hook. An exception that came out of it would pass the traffic through."""
        try:
            await step
        except ClientGone:
            exchange.gone()
        except Exception:
            exchange.broke(self._failed(exchange.mitm))

    @staticmethod
    def _failed(flow: http.HTTPFlow) -> Response:
        """What is answered where goto itself has failed, which is logged."""
        log.exception("goto failed on %s %s", flow.request.method, flow.request.path)
        return Response.text(500, "goto: the request failed")

    # ------------------------------------------------------------ whose request it is
    def _listener(self, client: Any) -> Listener | None:
        """The one of the port that the client came to or, for a redirected connection, of its mode."""
        listener = self.instance.listeners.by_port.get(client.sockname[1])
        if listener is None and self._serves.is_set():
            for port, mode in private.listening():
                if mode == client.proxy_mode:
                    return self._adopt(ListenerSpec(Port(port)), mode)
        return listener

    def _is_local(self, flow: http.HTTPFlow, listener: Listener) -> bool:
        """Addressed to the listener itself, not to a site behind it."""
        if flow.client_conn.proxy_mode.type_name == "reverse":
            return True
        host, hosts = self._host_of(flow), self.instance.access.hosts
        if hosts is not None and host in hosts:
            return True
        own = flow.request.port == listener.port
        return own and (host in self._own_hosts or host == flow.client_conn.sockname[0])

    @staticmethod
    def _host_of(flow: http.HTTPFlow) -> str:
        """The host that is asked for, as hosts are compared."""
        return comparable(str(flow.request.pretty_host))
