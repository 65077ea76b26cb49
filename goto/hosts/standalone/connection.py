"""One client's connection on the standalone host: requests come in, one exchange at a time answers.

What a client sends is read by `Reading`, which tells this connection of requests and bodies. Each request begins an `Exchange`,
which is stepped by whoever has what it waits for, and tells when it is over. The states:

    state     means                                    goes to
    IDLE      no exchange; a head may have begun       SERVING by a request. REFUSED or CLOSED by what is none, CLOSED by a late
                                                       head, by the client's leaving, or where the listener closes
    SERVING   an exchange is under way                 IDLE by its end, CLOSED where the connection does not stay, DRAINING where
                                                       the body of the request has not come whole
    DRAINING  the answer is out, what still comes      IDLE or CLOSED with the last byte of the body; CLOSED when its time is up,
              of the body is dropped                   or it breaks
    REFUSED   the last answer is out, what still       CLOSED when its time is up
              comes is dropped
    CLOSED    nothing more is read or answered         nothing

While an exchange runs, what stands behind its request is held in `Reading`, up to HELD_LIMIT bytes; then the client has to wait,
as it has to where the body goes on more slowly than it comes. After an exchange a client that does not read its answers waits
for room before the next request is looked at.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from goto.api.management import Management
from goto.flow import Peer, Request, Response, Wait
from goto.hosts.standalone.body import RequestBody
from goto.hosts.standalone.reading import BROKEN, HEAD, WHOLE, Malformed, Reader, Reading
from goto.http.heads import CHUNKED
from goto.http.wire import whole_response
from goto.traffic.accesslog import AccessLog, address_of
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Listener
from goto.upstream.answer import Upstream
from goto.upstream.sink import Sink, nothing

IDLE: Final = 0
SERVING: Final = 1
DRAINING: Final = 2
REFUSED: Final = 3
CLOSED: Final = 4

HELD_LIMIT: Final = 1 << 16
"""Bytes that are held of what a client sends before its present request is answered; then it has to wait."""

AT_ONCE: Final = 1 << 14
"""Bytes from which on an answer is written at once, so that it shows whether the client takes it."""

CLOSE_SECONDS: Final = 10.0
"""Exchanges in flight when their listener closes get this long to finish."""

LINGER_SECONDS: Final = 10.0
"""A body that nobody wanted is read for this long after the answer, so that the client sees the answer."""

LINGER_REFUSED_SECONDS: Final = 0.5
"""The same after a 413, and for a connection that is one too many."""

SOON_SECONDS: Final = 0.01
"""Under TLS: until it is looked again whether the system has taken all, where nothing tells."""

RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER for an end by a reset; else the system sends a FIN wherever all was read."""


class Exchange(ABC):
    """What is in progress on a connection, as far as the connection must know."""

    keep: bool
    """Whether the connection stays."""
    linger: float
    """Seconds for which a body that nobody wants is read after the answer."""
    traffic: bool
    """It is no management call, and was not refused."""

    @property
    @abstractmethod
    def counted(self) -> int:
        """The status that it was counted under already; 0 for none."""

    @abstractmethod
    def begin(self) -> None:
        """Serve the request. `connection.over(exchange)` is called at the end, which may be before this returns."""

    @abstractmethod
    def left(self) -> None:
        """The client's FIN or reset was seen."""


class Shared:
    """What the connections of one server share."""

    def __init__(
        self,
        listener: Listener,
        management: Management,
        upstream: Upstream,
        log: AccessLog,
        exchange: Callable[[ClientConnection, Request, str, RequestBody | None, bool], Exchange],
        number: Callable[[], int],
        *,
        admin: bool = False,
    ) -> None:
        self.listener = listener
        self.management = management
        self.upstream = upstream
        self.batch = upstream.batch
        self.log = log
        self.exchange = exchange
        """Makes one of a connection, a request, the target as it came, the body if there is one, and whether the client stays."""
        self.number = number
        """The number of the next connection."""
        self.admin = admin
        """Only management calls are served."""
        self.loop = asyncio.get_running_loop()
        self.count = 0
        """Connections there are."""


class ClientConnection(Reader):
    """Reads requests, has them answered one after the other, and writes what exchanges send. `below` is the transport that bytes
    leave by: another one than `transport` under TLS. `on_gone` is called when the connection and its last exchange have ended.
    """

    def __init__(self, shared: Shared, transport: Any, below: Any, on_gone: Callable[[], None]) -> None:
        self.shared = shared
        self.listener = shared.listener
        self.peer = Peer(address_of(transport.get_extra_info("peername")), shared.number())
        self.transport = transport
        self.state = IDLE
        self.exchange: Exchange | None = None
        self.body: RequestBody | None = None
        """That of the present request."""
        self.closing = False
        """No request after the present one is answered."""
        self.congested = False
        """The client does not take what is written as fast as it comes."""
        self.outlet: Sink | None = None
        """What is told of that."""
        self.paused_below = False
        """Under TLS: the system takes no more for now."""
        self._below = below
        self._on_gone = on_gone
        self._lost = False
        self._loop = shared.loop
        self._reading = Reading(self, shared.loop)
        self._feeding = False
        """Within `Reading.feed`."""
        self._fresh: Exchange | None = None
        """One that begins with the last byte of its body, or when all is read that has come: most bodies are here then."""
        self._held_back = False
        """The client has to wait: nothing is read of its socket."""
        self._timer: asyncio.TimerHandle | None = None
        """For the rest of a head where IDLE, of a body where DRAINING."""
        self._taken: Wait[None] | None = None

    def made(self) -> None:
        """It was accepted."""
        shared = self.shared
        shared.count += 1
        if shared.admin:
            return
        if not self.listener.open:
            self.break_off()  # accepted by the system while the listener was closing
        elif shared.count > LIMITS.connections:
            LIMITS.hit["connections"] += 1
            reason = f"there are {LIMITS.connections} connections already, which is the limit"
            self._refuse(Malformed(503, reason), "turned-away", LINGER_REFUSED_SECONDS)

    # ------------------------------------------------------------ what an exchange calls
    @property
    def gone(self) -> bool:
        """Nothing that is written now would reach the client."""
        return self.state == CLOSED or self.transport.is_closing()

    def send(self, data: bytes) -> None:
        """Write: what is small at the end of the loop's turn, together with what else is answered in it."""
        if len(data) < AT_ONCE:
            self.shared.batch.write(self.transport, data)
        else:
            self.shared.batch.flush()
            if not self.transport.is_closing():
                self.transport.write(data)

    def break_off(self, *, reset: bool = True) -> None:
        """End the connection within a response; by a reset, where a FIN would say that the body is whole."""
        self.shared.batch.flush()
        if reset:
            sock = self._below.get_extra_info("socket")
            if sock is not None and not self._below.is_closing():
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._below.abort()
        else:
            self.transport.close()
        self._close()

    def taken(self) -> Wait[None]:
        """Comes as soon as the system has every byte that was written. That the client leaves first is told to the exchange."""
        wait: Wait[None] = Wait()
        self._taken = wait
        self.shared.batch.then(self._look)
        return wait

    @property
    def all_taken(self) -> bool:
        """The system has every byte that was written."""
        transport, below = self.transport, self._below
        if transport.get_write_buffer_size():
            return False
        return below is transport or not below.get_write_buffer_size()

    def switch(self, sink: Sink) -> None:
        """Protocols are switched: all further bytes of the client go to this sink."""
        body = RequestBody(None, False, nothing, self.settle)
        self.body = body
        body.to(sink)
        self._reading.switch()
        if self._reading.rest and not self._feeding:
            self._loop.call_soon(self._go_on)

    def over(self, exchange: Exchange) -> None:
        """An exchange is over: what comes behind it has its turn."""
        self.exchange = None
        self.outlet = None
        body = self.body
        unfinished = body is not None and not body.over
        if self.state == CLOSED:
            self._gone()
        elif body is not None and unfinished and exchange.linger and not body.awaited:
            self.state = DRAINING
            if not exchange.keep:
                self.closing = True
            self._timer = self._loop.call_later(exchange.linger, self._close)
            body.drop()
        elif unfinished or not exchange.keep or self.closing or self._reading.state == BROKEN:
            self._close()
        else:
            self._idle()

    # ------------------------------------------------------------ what the server calls
    def finish(self) -> None:
        """The listener closes: an exchange in flight may finish, for a while; nothing else is answered."""
        if self.state == IDLE:
            self._close()
        elif self.state != CLOSED:
            self.closing = True
            self._loop.call_later(CLOSE_SECONDS, self._end_late)

    def _end_late(self) -> None:
        if self.state != CLOSED:
            self.break_off()

    # ------------------------------------------------------------ what the transport calls
    def data_received(self, data: bytes) -> None:
        if self.state < REFUSED:
            self._feed(data)

    def eof_received(self) -> None:
        """The client's FIN: for whoever waits for an answer, it has left."""
        self.shared.batch.flush()
        self._look()  # one that only waits for its answer to be taken may be over
        if self.exchange is not None:
            self.exchange.left()

    def connection_lost(self) -> None:
        self._close()
        self._lost = True
        self._taken = None
        self.shared.count -= 1
        if self.exchange is not None:
            self.exchange.left()
        else:
            self._gone()

    def pause_writing(self) -> None:
        self.congested = True
        if self.outlet is not None:
            self.outlet.congested = True

    def resume_writing(self) -> None:
        self.congested = False
        outlet = self.outlet
        if outlet is not None:
            outlet.congested = False
            outlet.on_drained()
        if self._taken is not None:
            self._look()
        elif self.state == IDLE and self._reading.state == WHOLE:
            self._next()

    def resumed_below(self) -> None:
        """Under TLS: the system has taken what was passed down."""
        self.paused_below = False
        if self._taken is not None:
            self._look()

    # ------------------------------------------------------------ what the reading calls
    def on_request(self, request: Request, target: str, length: int, keep: bool, expects: bool) -> None:
        self.state = SERVING
        self.peer.requests += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        body: RequestBody | None = None
        if length != 0:
            body = RequestBody(None if length == CHUNKED else length, expects, self._invite, self.settle)
        self.body = body
        exchange = self.shared.exchange(self, request, target, body, keep)
        self.exchange = exchange
        if body is None:
            exchange.begin()
        else:
            self._fresh = exchange

    def on_data(self, data: bytes) -> None:
        if self.body is not None:
            self.body.more(data)

    def on_end(self) -> None:
        if self.body is not None:
            self.body.end()
        if self._fresh is not None:
            self._begin(self._fresh)
        elif self.state == DRAINING:
            self._drained()

    def on_broken(self, malformed: Malformed) -> None:
        body = self.body
        if self.state == IDLE:
            self._refuse(malformed, "malformed", 0.0)
        elif self.state == SERVING and self.exchange is not None and body is not None:
            self.exchange.keep = False
            body.broken(malformed.reason)
        else:
            self._close()

    # ------------------------------------------------------------ inside
    def _feed(self, data: bytes) -> None:
        reading = self._reading
        self._feeding = True
        reading.feed(data)
        self._feeding = False
        if self._fresh is not None:
            self._begin(self._fresh)
        body = self.body
        if body is not None:
            body.flush()
        if reading.rest or body is not None or self._held_back:
            self.settle()
        if self.state == IDLE and reading.state == HEAD:
            if reading.rest:
                self._loop.call_soon(self._go_on)
            elif reading.partial and self._timer is None:
                self._timer = self._loop.call_later(LIMITS.head_time, self._head_late)

    def _begin(self, exchange: Exchange) -> None:
        self._fresh = None
        exchange.begin()

    def _go_on(self) -> None:
        """What was held back has its turn."""
        if self.state < REFUSED:
            self._feed(b"")

    def settle(self) -> None:
        """Read of the socket, or not: as there is room for what comes."""
        body = self.body
        hold = len(self._reading.rest) > HELD_LIMIT or (body is not None and body.congested)
        if hold != self._held_back and not self.transport.is_closing():
            self._held_back = hold
            if hold:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def _idle(self) -> None:
        self.state = IDLE
        self.body = None
        if not self.congested:
            self._next()

    def _next(self) -> None:
        """The next request has its turn. Within `feed` it goes on by itself."""
        self._reading.next()
        if not self._feeding and (self._reading.rest or self._held_back):
            self._loop.call_soon(self._go_on)

    def _drained(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.closing:
            self._close()
        else:
            self._idle()

    def _invite(self) -> None:
        self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _head_late(self) -> None:
        self._timer = None
        LIMITS.hit["head_time"] += 1
        self._close()

    def _refuse(self, malformed: Malformed, went: str, linger: float) -> None:
        """Answer what is no request, and end the connection (RFC 9112, 2.2)."""
        shared, status = self.shared, malformed.status
        self.listener.refused[status] += 1
        refused = Response.text(status, f"goto: {malformed.reason}")
        self.send(whole_response(refused, self.listener.identity_bytes, malformed.method, (1, 1), keep_alive=False))
        shared.log.exchange(self.listener.port, self.peer.address, malformed.method, malformed.target, status, 0.0, went)
        if linger:
            self.state = REFUSED
            self._loop.call_later(linger, self._close)
        else:
            self._close()

    def _close(self) -> None:
        """Nothing more is read or answered; what was written still goes out."""
        if self.state == CLOSED:
            return
        self.state = CLOSED
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.transport.is_closing():
            self.shared.batch.flush()
            self.transport.close()

    def _gone(self) -> None:
        """The last exchange is over. The connection is gone as soon as it is lost, too."""
        if self._lost:
            on_gone, self._on_gone = self._on_gone, nothing
            on_gone()

    def _look(self) -> None:
        """Whether the system has taken all."""
        wait, transport = self._taken, self.transport
        if wait is None:
            return
        if self.all_taken:
            self._taken = None
            if not transport.is_closing():
                transport.set_write_buffer_limits()
            wait.come()
        elif self._below is transport:
            transport.set_write_buffer_limits(0)  # then it says so
        elif not self.paused_below:
            self._loop.call_later(SOON_SECONDS, self._look)
