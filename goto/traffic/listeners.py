"""Listeners at run time: added, opened, closed, removed."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import msgspec

from goto.errors import ApiError, BadInput, Conflict, NotFound
from goto.flow import Response
from goto.routes import Accepted, get, post, put
from goto.tls.authority import Authority
from goto.tls.server import server_context
from goto.tls.settings import ListenerTls
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import Listener, ListenerState
from goto.words import Label, Port

LISTENERS_LIMIT = 1000


@dataclass(slots=True)
class Carried:
    """What a listener has at a moment."""

    connections: int = 0
    """Of clients."""
    exchanges: int = 0
    """Of traffic, in flight."""
    counted: Counter[int] = field(default_factory=Counter)
    """Those of them that were counted by their status already."""


def carried(connections: Iterable[Listener], exchanges: Iterable[tuple[Listener, int]]) -> dict[Listener, Carried]:
    """From the listener of each connection; and of each exchange, with the status it was counted under, 0 for none."""
    found: dict[Listener, Carried] = defaultdict(Carried)
    for listener in connections:
        found[listener].connections += 1
    for listener, status in exchanges:
        has = found[listener]
        has.exchanges += 1
        if status:
            has.counted[status] += 1
    return found


class Carrier(Protocol):
    """The host that carries a listener's traffic."""

    protocols: ClassVar[tuple[str, ...]]
    elsewhere: ClassVar[dict[str, str]]
    """Protocols that it does not serve, and who does."""
    name: ClassVar[str]
    log: AccessLog

    def carried(self) -> dict[Listener, Carried]:
        """What each listener has at this moment; those that have nothing may be missing."""

    async def open(self, listener: Listener) -> None:
        """Accept traffic. Raises OSError with the reason."""

    async def close(self, listener: Listener) -> None:
        """Accept no more; returns once nothing new is accepted, exchanges in flight finish later."""


class ListenerSpec(msgspec.Struct):
    """What `POST /listeners/add` takes."""

    port: Port
    """The port to serve on."""
    protocol: str = "http"
    """What it speaks: http or https."""
    label: Label = Label("")
    """What `Via-Goto` says; the port if not given."""
    admin: bool = True
    """Whether management calls are answered there; if not, they are traffic."""
    tls: ListenerTls | None = None
    """With protocol https: the certificate to show."""

    example: ClassVar[dict[str, Any]] = {"port": 8081, "protocol": "http", "label": "inner"}


class Listeners:
    """The listeners of this process, by port."""

    def __init__(self, carrier: Carrier, make: Callable[[int, str, str], Listener], authority: Authority) -> None:
        self._carrier = carrier
        self._authority = authority
        self._make = make
        self.by_port: dict[int, Listener] = {}
        self._first: Listener | None = None
        self._changing = asyncio.Lock()
        """One listener opens or closes at a time: each step finds the one before it done."""

    @property
    def first(self) -> Listener | None:
        """The one that the process started with; None once it is removed."""
        first = self._first
        return first if first is not None and self.by_port.get(first.port) is first else None

    @property
    def managed(self) -> bool:
        """Whether management calls are answered on any of them."""
        return any(listener.managed for listener in self.by_port.values())

    async def start(
        self,
        port: int,
        label: str,
        prepare: Callable[[], Awaitable[None]] | None = None,
        *,
        managed: bool = True,
        protocol: str = "http",
        tls: ListenerTls | None = None,
    ) -> Listener:
        """Add the first listener and open it, once all is prepared. Raises OSError, `ApiError`, and what `prepare` does."""
        self.check_protocol(protocol, tls)
        listener = self.adopt(port, label)
        listener.managed = managed
        listener.protocol, listener.tls = protocol, tls
        try:
            listener.secure = self._secure(protocol, tls)
            if prepare is not None:
                await prepare()
            await self._carrier.open(listener)
        except BaseException:
            listener.open = False
            del self.by_port[port]
            raise
        return listener

    def adopt(self, port: int, label: str) -> Listener:
        """Add a listener that the host has opened already."""
        listener = self.by_port[port] = self._make(port, label, "http")
        listener.open = True
        self._first = self._first or listener
        return listener

    @post("/listeners/add", raises=[Conflict])
    def add(self, spec: ListenerSpec, caller: Listener | None = None) -> str | Accepted:
        """Add a listener; it is closed until it is opened."""
        protocol = self.check_protocol(spec.protocol, spec.tls)
        if spec.port in self.by_port:
            return Accepted(f"Listener {spec.port} is there already")
        if len(self.by_port) >= LISTENERS_LIMIT:
            raise Conflict(f"port: {LISTENERS_LIMIT} listeners are the limit")
        self._secure(protocol, spec.tls)  # what will not do is said now; the files are read again when it opens
        listener = self._make(spec.port, spec.label, protocol)
        listener.managed = spec.admin
        listener.tls = spec.tls
        if caller is not None:
            listener.mode = caller.mode
        self.by_port[spec.port] = listener
        return f"Added listener {spec.port}"

    def check_protocol(self, word: str, tls: ListenerTls | None = None) -> str:
        """A protocol that the host serves, in lower case. Raises `BadInput`, where `tls` does not go with it too."""
        protocol = word.lower()
        if protocol not in self._carrier.protocols:
            if protocol in self._carrier.elsewhere:
                raise BadInput(f"protocol: {word!r} is not served, since {self._carrier.elsewhere[protocol]}")
            raise BadInput(f"protocol: {word!r} is not served, use {' or '.join(self._carrier.protocols)}")
        if tls is not None and protocol != "https":
            raise BadInput(f"tls: the protocol is {protocol}")
        return protocol

    def check(self, word: str, tls: ListenerTls | None) -> None:
        """Whether a listener can be opened like this. Raises `BadInput`."""
        self._secure(self.check_protocol(word, tls), tls)

    def _secure(self, protocol: str, tls: ListenerTls | None) -> ssl.SSLContext | None:
        """What an https listener shows, its files read now. Raises `BadInput`."""
        if protocol != "https":
            return None
        tls = tls or ListenerTls()
        return server_context(self._authority, tls.cert, tls.key, tls.names)

    @put("/listeners/{port}/open", raises=[NotFound, Conflict])
    async def open(self, port: Port) -> str:
        """Open an added listener to traffic."""
        async with self._changing:
            listener = self._known(port)
            if listener.open:
                raise Conflict(f"port: listener {port} is open already")
            listener.open = True  # what is accepted from now on is to be served
            try:
                listener.secure = self._secure(listener.protocol, listener.tls)
                await self._carrier.open(listener)
            except ApiError:
                listener.open = False
                raise
            except OSError as error:
                listener.open = False
                raise Conflict(f"port: cannot open listener {port}: {error.strerror or error}") from None
        return f"Opened listener {port}"

    @put("/listeners/{port}/close", raises=[NotFound, Conflict])
    async def close(self, port: Port) -> str:
        """Close a listener: nothing new is accepted, exchanges in flight finish."""
        async with self._changing:
            listener = self._known(port)
            if not listener.open:
                raise Conflict(f"port: listener {port} is closed already")
            self._keep_one_open(listener)
            listener.open = False
            await self._carrier.close(listener)
        return f"Closed listener {port}"

    @put("/listeners/{port}/remove", raises=[NotFound, Conflict])
    async def remove(self, port: Port) -> str:
        """Close a listener and forget it."""
        async with self._changing:
            listener = self._known(port)
            self._keep_one_open(listener)
            del self.by_port[port]
            if listener.open:
                listener.open = False
                await self._carrier.close(listener)
        listener.stop()
        return f"Removed listener {port}"

    @get("/listeners")
    def list(self) -> dict[str, ListenerState]:
        """List the listeners, by port."""
        return {str(port): listener.show() for port, listener in self.by_port.items()}

    @get("/goto/ca.pem", raises=[NotFound], answers={200: {"application/x-pem-file": str}})
    def show_ca(self) -> Response:
        """Show the certificate of the CA of https listeners that were given none, for clients to trust."""
        if reason := self._carrier.elsewhere.get("https"):
            raise NotFound(reason)
        response = Response(200, self._authority.certificate)
        response.headers.add("Content-Type", "application/x-pem-file")
        return response

    def _known(self, port: int) -> Listener:
        if port not in self.by_port:
            raise NotFound(f"port: there is no listener {port}")
        return self.by_port[port]

    def _keep_one_open(self, listener: Listener) -> None:
        """A process whose last port is closed could never be reached again."""
        if listener.open and sum(other.open for other in self.by_port.values()) == 1:
            raise Conflict(f"port: listener {listener.port} is the last open one")
