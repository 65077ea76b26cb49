"""Listeners at run time: added, opened, closed, removed."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import msgspec

from goto.errors import ApiError, BadInput, Conflict, NotFound
from goto.flow import Response
from goto.routes import Accepted, get, post, put
from goto.tls.authority import Authority
from goto.tls.files import pair_digest
from goto.tls.server import server_context
from goto.tls.settings import ListenerTls
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import Listener, ListenerSpec, ListenerState
from goto.words import Port
from goto.words.failures import system_reason
from goto.words.numbers import AnyPort

LISTENERS_LIMIT = 1000


@dataclass(slots=True)
class Load:
    """What a listener has at a moment."""

    connections: int = 0
    """Of clients."""
    exchanges: int = 0
    """Of traffic, in flight."""
    counted: Counter[int] = field(default_factory=Counter)
    """Those of them that were counted by their status already."""


def loads_of(connections: Iterable[Listener], exchanges: Iterable[tuple[Listener, int]]) -> dict[Listener, Load]:
    """By listener, from the listener of each connection, and that of each exchange with the status it was counted under or 0."""
    found: dict[Listener, Load] = defaultdict(Load)
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
    abilities: ClassVar[frozenset[str]]
    """What it can do to an answer on its way, see `goto.flow.Delivery`."""
    log: AccessLog

    def loads(self) -> dict[Listener, Load]:
        """What each listener has at this moment; those that have nothing may be missing."""

    async def open(self, listener: Listener) -> None:
        """Accept traffic. Raises OSError with the reason."""

    async def reserve(self) -> int:
        """A port that the system chooses, kept until it is opened. Raises OSError with the reason, or `BadInput`."""

    async def close(self, listener: Listener) -> None:
        """Accept no more; returns once nothing new is accepted, exchanges in flight finish later."""


class Listeners:
    """The listeners of this process, by port."""

    def __init__(self, carrier: Carrier, make: Callable[[ListenerSpec, str], Listener], authority: Authority) -> None:
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

    async def start(self, spec: ListenerSpec, prepare: Callable[[], Awaitable[None]] | None = None) -> Listener:
        """Add the first listener and open it, once all is prepared. Raises OSError, `ApiError`, and what `prepare` does."""
        shown = _digest(spec.tls)  # before they are read: what changes in between is found at the next look
        listener = self.adopt(spec, secure=self.secured(spec.protocol, spec.tls), shown=shown)
        try:
            if prepare is not None:
                await prepare()
            await self._carrier.open(listener)
        except BaseException:
            listener.closed()
            del self.by_port[listener.port]
            raise
        return listener

    def adopt(self, spec: ListenerSpec, mode: str = "", secure: ssl.SSLContext | None = None, shown: bytes = b"") -> Listener:
        """Add a listener that is open already, or about to be."""
        listener = self.by_port[spec.port] = self._make(spec, mode)
        self._first = self._first or listener
        listener.opening(secure, shown)
        return listener

    @post("/listeners/add", raises=[Conflict])
    async def add_by_call(self, spec: ListenerSpec, caller: Listener) -> str | Accepted:
        """Add a listener. It is closed until it is opened, which `"open": true` does at once."""
        if not spec.open:
            if not spec.port:
                raise BadInput('port: 0 stands for one that the system chooses when it is opened: give "open": true, or a port')
            return self.add(spec, caller)
        self.secured(spec.protocol, spec.tls)
        if not spec.port:
            try:
                spec = msgspec.structs.replace(spec, port=AnyPort(await self._carrier.reserve()))
            except OSError as error:
                raise Conflict(f"port: none could be had: {error.strerror or error}") from None
        added = self.add(spec, caller)
        if isinstance(added, Accepted):
            return added
        try:
            await self.open(Port(spec.port))
        except ApiError:
            self.by_port.pop(spec.port, None)
            raise
        return f"Added and opened listener {spec.port}"

    def add(self, spec: ListenerSpec, caller: Listener | None = None) -> str | Accepted:
        """Add a listener that is closed."""
        self._check_protocol(spec.protocol, spec.tls)
        if spec.port in self.by_port:
            return Accepted(f"Listener {spec.port} is there already")
        if len(self.by_port) >= LISTENERS_LIMIT:
            raise Conflict(f"port: {LISTENERS_LIMIT} listeners are the limit: remove one to add another")
        self.secured(spec.protocol, spec.tls)  # what will not do is said now; the files are read again when it opens
        self.by_port[spec.port] = self._make(spec, caller.mode if caller is not None else "")
        return f"Added listener {spec.port}"

    def secured(self, protocol: str, tls: ListenerTls | None) -> ssl.SSLContext | None:
        """What a listener with this protocol shows, its files read now; None without https.

        Raises `BadInput` where no listener can be opened like this, and `Conflict` where none can be now.
        """
        self._check_protocol(protocol, tls)
        if protocol != "https":
            return None
        tls = tls or ListenerTls()
        try:
            return server_context(self._authority, tls.cert, tls.key, tls.names)
        except OSError as error:
            raise Conflict(f"tls: {system_reason(error)}") from None  # too many open files, for one

    def _check_protocol(self, protocol: str, tls: ListenerTls | None) -> None:
        """Raises `BadInput` for a protocol that the host does not serve, or that `tls` does not go with."""
        if protocol not in self._carrier.protocols:
            if protocol in self._carrier.elsewhere:
                raise BadInput(f"protocol: {protocol!r} is not served, since {self._carrier.elsewhere[protocol]}")
            raise BadInput(f"protocol: {protocol!r} is not served, use {' or '.join(self._carrier.protocols)}")
        if tls is not None and protocol != "https":
            raise BadInput(f"tls: the protocol is {protocol}: leave tls out, or make it https")

    @put("/listeners/{port}/open", raises=[NotFound, Conflict])
    async def open(self, port: Port) -> str:
        """Open an added listener to traffic."""
        async with self._changing:
            listener = self._known(port)
            if listener.open:
                raise Conflict(f"port: listener {port} is open already")
            shown = _digest(listener.tls)
            listener.opening(self.secured(listener.protocol, listener.tls), shown)
            try:
                await self._carrier.open(listener)
            except OSError as error:
                listener.closed()
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
            listener.closed()
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
                listener.closed()
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
            raise NotFound(f"port: there is no listener {port}: GET /listeners lists those there are")
        return self.by_port[port]

    def _keep_one_open(self, listener: Listener) -> None:
        """A process whose last port is closed could never be reached again."""
        if listener.open and sum(other.open for other in self.by_port.values()) == 1:
            raise Conflict(f"port: listener {listener.port} is the last open one: open another first")


def _digest(tls: ListenerTls | None) -> bytes:
    return pair_digest(tls.cert, tls.key) if tls is not None and tls.cert else b""
