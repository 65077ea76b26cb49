"""One client's connection on the standalone host: requests come in, one exchange at a time answers.

What a client sends is read by `Reading`, which tells this connection of requests and bodies. Each request begins an `Exchange`,
which is stepped by whoever has what it waits for, and tells when it is over. The states:

    state     means                                    goes to
    IDLE      no exchange; a head may have begun       SERVING by a request, ENDING by what is none, CLOSED by a late head, by
                                                       the client's leaving, or where the listener closes
    SERVING   an exchange is under way                 IDLE by its end, DRAINING where the body of the request has not come
                                                       whole, ENDING or CLOSED where the connection does not stay
    DRAINING  the answer is out, what still comes      IDLE or ENDING with the last byte of the body; ENDING when its time is up,
              of the body is dropped                   or it breaks
    ENDING    the last answer is out and a FIN, what   CLOSED by the client's FIN, or when its time is up
              still comes is dropped
    CLOSED    nothing more is read or answered         nothing

ENDING is what lets a client that is still sending read its answer: closing at once would reset the connection, and with it
what the client has not read yet (RFC 9112, 9.6). Only a client that has said itself that it is done goes without.

Once protocols are switched, the client's FIN is the end of what it sends, and no leaving (see `Tunnel`). Else, behind the
client's FIN, what came whole before it is still answered, as far as no answer has to be waited for; whoever waits for
an answer has left.

While an exchange runs, what stands behind its request is held in `Reading`, up to HELD_LIMIT bytes; then the client has to wait,
as it has to where the body goes on more slowly than it comes. Nothing is read of its socket then, so that the socket is asked
every PEEK_SECONDS whether the client is still there. After an exchange a client that does not read its answers waits for room
before the next request is looked at.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from goto.api.management import Management
from goto.exchange.waiting import Wait
from goto.flow import Peer, Request, Response
from goto.hosts.standalone.body import RequestBody
from goto.hosts.standalone.reading import BROKEN, HEAD, SWITCHED, WHOLE, Reader, Reading
from goto.http.fields import Field
from goto.http.heads import CHUNKED
from goto.http.requests import Refused
from goto.http.wire import whole_response
from goto.traffic.accesslog import AccessLog, address_of
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Listener
from goto.upstream.answer import Upstream
from goto.upstream.presence import PEEK_SECONDS, has_ended, was_reset
from goto.upstream.sink import Sink, nothing
from goto.upstream.sockets import RESET

IDLE: Final = 0
SERVING: Final = 1
DRAINING: Final = 2
ENDING: Final = 3
CLOSED: Final = 4

HELD_LIMIT: Final = 1 << 16
"""Bytes that are held of what a client sends before its present request is answered; then it has to wait."""

AT_ONCE: Final = 1 << 14
"""Bytes from which on an answer is written at once, so that it shows whether the client takes it."""

CLOSE_SECONDS: Final = 10.0
"""Exchanges in flight when their listener closes get this long to finish."""

LINGER_SECONDS: Final = 10.0
"""Behind the last answer it is read on for this long, so that the client sees the answer; so is a body that nobody wanted."""

LINGER_BRIEF_SECONDS: Final = 0.5
"""The same for a connection that is one too many, and where the process ends."""

FAREWELL_SECONDS = 600.0
"""How long a client may take to read what was written before the end."""

HOOK_TURNS: Final = 0 if sys.version_info >= (3, 12) else 32
"""Turns of the loop that an exchange has behind the client's FIN: before Python 3.12 a hook that is `async def` takes some, even
if it waits for nothing."""

SOON_SECONDS: Final = 0.01
"""Under TLS: until it is looked again whether the system has taken all, where nothing tells."""


class Exchange(ABC):
    """What is in progress on a connection, as far as the connection must know."""

    keep: bool
    """Whether the connection stays."""
    traffic: bool
    """It is no management call, and was not refused."""

    @property
    @abstractmethod
    def counted(self) -> int:
        """The status that it was counted under already; 0 for none."""

    @property
    @abstractmethod
    def answered(self) -> bool:
        """Its answer was made here without waiting, and written to the last byte."""

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
        self.prefixes = management.prefixes
        self.number = number
        """The number of the next connection."""
        self.admin = admin
        """Only management calls are served."""
        self.loop = asyncio.get_running_loop()
        self.count = 0
        """Connections there are."""
        self.linger = LINGER_SECONDS
        """Seconds for which it is read on behind a last answer."""
        self.finished = False
        """The listener has closed: another server has what it accepts once it is open again."""


class ClientConnection(Reader):
    """Reads requests, has them answered one after the other, and writes what exchanges send. `below` is the transport that bytes
    leave by: another one than `transport` under TLS. `on_gone` is called when the connection and its last exchange have ended.
    """

    def __init__(self, shared: Shared, transport: Any, below: Any, on_gone: Callable[[], None]) -> None:
        self.shared = shared
        self.listener = shared.listener
        self.peer = Peer(address_of(transport.get_extra_info("peername")), shared.number())
        self.peer.secure = below is not transport
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
        self._parted = False
        """The client's FIN was seen."""
        self._asked_to_end = False
        """The client has said that its present request is its last."""
        self._loop = shared.loop
        self._reading = Reading()
        self._feeding = False
        """Within `Reading.feed`."""
        self._fresh: Exchange | None = None
        """One that begins with the last byte of its body, or when all is read that has come: most bodies are here then."""
        self._held_back = False
        """The client has to wait: nothing is read of its socket."""
        self._peeks: asyncio.TimerHandle | None = None
        """Until the socket of one that is held back is asked for it."""
        self._timer: asyncio.TimerHandle | None = None
        """For the rest of a head where IDLE, of a body where DRAINING; for the client's FIN where ENDING; for it to have read all
        where CLOSED."""
        self._body_timer: asyncio.TimerHandle | None = None
        """For the next byte of a body that somebody wants. One serves many bodies."""
        self._body_since = 0.0
        """When such a byte came last, or began to be waited for."""
        self._taken: Wait[None] | None = None

    def made(self) -> None:
        """The server has accepted it: turn it away where it is one too many, or the listener has closed."""
        shared = self.shared
        shared.count += 1
        if shared.admin:
            return
        if shared.finished or not self.listener.open:
            self.break_off()  # accepted by the system while the listener was closing
        elif shared.count > LIMITS.connections:
            LIMITS.hit["connections"] += 1
            reason = f"there are {LIMITS.connections} connections already, which is the limit"
            self._refuse(Refused(503, reason), "turned-away", LINGER_BRIEF_SECONDS)

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

    def write_eof(self) -> None:
        """A FIN behind all that was sent; the client may go on. Not under TLS."""
        self.shared.batch.flush()
        if not self.transport.is_closing():
            self.transport.write_eof()

    @property
    def was_reset(self) -> bool:
        """As its socket has it, whether it is read or not."""
        return was_reset(self._below)

    @property
    def plain(self) -> bool:
        """Whether it is without TLS."""
        return self._below is self.transport

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
        body.lead(sink)
        self._reading.switch()
        if self._reading.rest and not self._feeding:
            self._loop.call_soon(self._go_on)

    def over(self, exchange: Exchange) -> None:
        """An exchange is over: what comes behind it has its turn."""
        self.exchange = None
        self.outlet = None
        body, reading = self.body, self._reading
        unfinished = body is not None and not body.whole
        if self.state == CLOSED:
            self._gone()
        elif self._parted and (unfinished or not exchange.keep):
            self._close()
        elif body is not None and unfinished and exchange.keep and not body.awaited and not self.closing:
            self.state = DRAINING
            self._timer = self._loop.call_later(LINGER_SECONDS, self._end)
            body.drop()
        elif unfinished or not exchange.keep or self.closing or reading.state == BROKEN:
            if self._asked_to_end and not unfinished and not reading.rest:
                self._close()
            else:
                self._end()
        else:
            self._idle()

    # ------------------------------------------------------------ what the server calls
    def finish(self) -> None:
        """The listener closes: an exchange in flight may finish, for a while; nothing else is answered."""
        if self.state == IDLE:
            self._close()
        elif self.state == ENDING:
            self._wait_for_fin(self.shared.linger)
        elif self.state != CLOSED:
            self.closing = True
            self._loop.call_later(CLOSE_SECONDS, self._end_late)

    def _end_late(self) -> None:
        if self.state < ENDING:
            self.break_off()

    # ------------------------------------------------------------ what the transport calls
    def data_received(self, data: bytes) -> None:
        if self.state < ENDING:
            self._feed(data)

    def eof_received(self) -> bool:
        """The client's FIN. True: the other direction stays, for answers to what came before it."""
        self._parted = True
        self.shared.batch.flush()
        self._look()  # one that only waits for its answer to be taken may be over
        if self._below is not self.transport:
            # TLS ends both directions, so that all has to be answered now
            while self.state == IDLE and self._reading.rest:
                self._reading.next()
                self._feed(b"")
            self.shared.batch.flush()
        if self._reading.state == SWITCHED and self._reading.rest:
            self._feed(b"")
        self._part()
        return self.state != CLOSED

    @property
    def held_back(self) -> bool:
        """What the client sends is not read for now."""
        return self._held_back

    def release(self) -> None:
        """Read all the same: the client's FIN is here, so that no more can come than has."""
        if self._held_back and not self.transport.is_closing():
            self._held_back = False
            self.transport.resume_reading()

    def connection_lost(self, error: BaseException | None = None) -> None:
        taken, self._taken = self._taken, None
        if taken is not None and self._parted and error is None and self.state == SERVING:
            taken.come()  # the transport has ended by itself, behind its last byte
        self._close()
        self._end_timer()
        if self._peeks is not None:
            self._peeks.cancel()
            self._peeks = None
        self._lost = True
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
        self._asked_to_end = not keep
        self.peer.requests += 1
        if self._timer is not None:
            self._end_timer()
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

    def on_end(self, trailers: list[Field]) -> None:
        if self.body is not None:
            self.body.end(trailers)
        if self._fresh is not None:
            self._begin(self._fresh)
        elif self.state == DRAINING:
            self._drained()

    def on_broken(self, refused: Refused) -> None:
        body = self.body
        if self.state == IDLE:
            self._refuse(refused, "malformed", self.shared.linger)
        elif self.state == SERVING and self.exchange is not None and body is not None:
            self.exchange.keep = False
            body.broken(refused.reason)
        else:
            self._end()

    # ------------------------------------------------------------ inside
    def _feed(self, data: bytes) -> None:
        reading = self._reading
        self._feeding = True
        reading.feed(data, self)
        self._feeding = False
        if self._fresh is not None:
            self._begin(self._fresh)
        body = self.body
        if body is not None:
            body.flush()
        if reading.rest or body is not None or self._held_back:
            self.settle()
        if self.state >= ENDING:
            reading.rest = b""
        elif self.state == IDLE and reading.state == HEAD:
            if reading.rest:
                self._loop.call_soon(self._go_on)
            elif reading.partial and self._timer is None:
                self._timer = self._loop.call_later(LIMITS.head_time, self._head_late)
        if self._parted:
            self._part()

    def _begin(self, exchange: Exchange) -> None:
        self._fresh = None
        exchange.begin()

    def _go_on(self) -> None:
        """What was held back has its turn."""
        if self.state < ENDING:
            self._feed(b"")

    def _part(self) -> None:
        """The client's FIN was seen: whoever waits for an answer has left, and nothing more comes than what is here."""
        exchange, body = self.exchange, self.body
        if exchange is not None:
            if self._reading.state == SWITCHED and body is not None:
                if not body.over:
                    body.end([])
            else:
                self._leave(exchange, HOOK_TURNS)
        elif self.state != IDLE or not self._reading.rest:
            self._close()

    def _leave(self, exchange: Exchange, turns: int) -> None:
        """The client has left, unless its answer is here by then."""
        if self.exchange is not exchange or exchange.answered:
            return
        if turns:
            self._loop.call_soon(self._leave, exchange, turns - 1)
        else:
            exchange.left()

    def settle(self) -> None:
        """Read of the socket, or not: as there is room for what comes."""
        body = self.body
        hold = self.state < ENDING and (len(self._reading.rest) > HELD_LIMIT or (body is not None and body.congested))
        if hold != self._held_back and not self.transport.is_closing():
            self._held_back = hold
            if hold:
                self.transport.pause_reading()
                if self._peeks is None:
                    self._peeks = self._loop.call_later(PEEK_SECONDS, self._peek)
            else:
                self.transport.resume_reading()
        if body is not None and body.waiting:
            self._body_since = self._loop.time()
            if self._body_timer is None:
                self._body_timer = self._loop.call_later(LIMITS.body_time, self._body_late)

    def _peek(self) -> None:
        """See whether a client that is held back is still there."""
        self._peeks = None
        if not self._held_back or self.state >= ENDING:
            return
        exchange = self.exchange
        if was_reset(self._below):
            self.break_off()
            return
        if exchange is not None and self._reading.state != SWITCHED and not exchange.answered and has_ended(self._below):
            exchange.left()
        if self._held_back and self.state < ENDING:
            self._peeks = self._loop.call_later(PEEK_SECONDS, self._peek)

    def _idle(self) -> None:
        self.state = IDLE
        self.body = None
        if self._parted and not self._feeding and not self._reading.rest:
            self._close()
            return
        if not self.congested:
            self._next()

    def _next(self) -> None:
        """The next request has its turn. Within `feed` it goes on by itself."""
        self._reading.next()
        if not self._feeding and (self._reading.rest or self._held_back):
            self._loop.call_soon(self._go_on)

    def _drained(self) -> None:
        self._end_timer()
        if self.closing:
            self._end()
        else:
            self._idle()

    def _invite(self) -> None:
        self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _head_late(self) -> None:
        self._timer = None
        LIMITS.hit["head_time"] += 1
        self._close()

    def _body_late(self) -> None:
        self._body_timer = None
        body, exchange = self.body, self.exchange
        if exchange is None or body is None or not body.waiting:
            return
        left = self._body_since + LIMITS.body_time - self._loop.time()
        if left > 0:
            self._body_timer = self._loop.call_later(left, self._body_late)
            return
        LIMITS.hit["body_time"] += 1
        exchange.keep = False
        body.stood_still()

    def _refuse(self, refused: Refused, went: str, linger: float) -> None:
        """Answer what is no request, and end the connection (RFC 9112, 2.2)."""
        shared, status = self.shared, refused.status
        self.listener.refused[status] += 1
        response = Response.text(status, f"goto: {refused.reason}")
        self.send(whole_response(response, self.listener.identity_bytes, refused.method, (1, 1), keep_alive=False))
        shared.log.exchange(self.listener.port, self.peer.address, refused.method, refused.target, status, 0.0, went)
        self._end(linger)

    def _end(self, linger: float | None = None) -> None:
        """The last answer is out: a FIN, and what still comes is dropped until the client's, for so many seconds at most."""
        if self.state >= ENDING:
            return
        body, self.body = self.body, None
        if body is not None and body.unclaimed:
            body.drop()
        if body is not None:
            body.left()
        if self._parted or self.transport.is_closing():
            self._close()
            return
        self.state = ENDING
        self._reading.rest = b""
        self.settle()
        self.shared.batch.flush()
        self.transport.write_eof()
        self._wait_for_fin(self.shared.linger if linger is None else linger)

    def _wait_for_fin(self, seconds: float) -> None:
        self._end_timer()
        self._timer = self._loop.call_later(seconds, self._close)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        """Nothing more is read or answered; what was written still goes out."""
        if self.state == CLOSED:
            return
        ending = self.state == ENDING
        self.state = CLOSED
        if self.body is not None:
            self.body.left()
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None
        self._end_timer()
        if ending or not self.transport.is_closing():
            self.shared.batch.flush()
            self.transport.close()
            if not self.all_taken:
                self._timer = self._loop.call_later(FAREWELL_SECONDS, self._below.abort)

    def _gone(self) -> None:
        """The last exchange is over. The connection is gone as soon as it is lost, too."""
        if self._lost:
            on_gone, self._on_gone = self._on_gone, nothing
            self.body = None  # it leads back here
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
