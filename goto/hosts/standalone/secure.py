"""Connections over TLS: the handshake, and an eye on what lies below it.

The event loop's own `ssl=` would hide the transport below, and with it what tells whether a response was taken and a client has
left: its TLS transport calls bytes written once it has passed them down, and says nothing of a FIN that no close_notify precedes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from goto.hosts.standalone.connection import FAREWELL_SECONDS
from goto.hosts.standalone.server import ClientProtocol, Server
from goto.http.messages import Response
from goto.http.wire import whole_response
from goto.traffic.accesslog import address_of
from goto.traffic.limits import LIMITS
from goto.traffic.listener import Listener

HANDSHAKE_SECONDS = 10.0
"""A handshake that takes longer ends the connection."""

EARLY_LIMIT = 1 << 16
"""Bytes kept of what a client sends before its handshake is begun."""

RECORD_HEAD = 5
RECORD_LIMIT = RECORD_HEAD + (1 << 14) + 2048
"""Bytes of a TLS record (RFC 5246, 6.2.3)."""

_RECORD = re.compile(rb"[\x14-\x18](?:\x03|$)", re.DOTALL)

_METHOD = re.compile(rb"[!-~]")
"""What begins a request that is not under TLS."""

_BUFFER = bytearray(EARLY_LIMIT)
"""What is read into, for all connections: it is taken out, or dropped, before the next read."""

TURNS = 4
"""Turns of the loop within which the end of a handshake is told: to a future, to the task that waits for it, and to us."""


_DELEGATED = (
    "abort",
    "get_extra_info",
    "get_protocol",
    "get_write_buffer_size",
    "is_closing",
    "is_reading",
    "pause_reading",
    "resume_reading",
    "set_protocol",
    "set_write_buffer_limits",
    "write",
    "writelines",
)


class Above(asyncio.Transport):
    """TLS's own transport, but for its end: that the client agrees to it is not waited for (RFC 5246, 7.2.1).

    A client that keeps an idle connection does not answer it, and would hold a process up that is to end.
    """

    def __init__(self, tls: Any, raw: Any) -> None:
        super().__init__()
        self._tls = tls
        self._raw = raw
        # the very methods, at no cost
        for name in _DELEGATED:
            setattr(self, name, getattr(tls, name))

    def close(self) -> None:
        self._tls.close()
        self._raw.close()  # it takes what TLS still has to pass down, a close_notify last, and then ends

    def write_eof(self) -> None:
        """A close_notify, and a FIN behind it. What still comes is dropped, and its end told."""
        asyncio.get_running_loop().call_soon(self._part)  # not within what TLS is reading

    def _part(self) -> None:
        raw = self._raw
        if not raw.is_closing():
            self._tls.resume_reading()  # what it has read and not handed on would be in the way of its close_notify
            self._tls.close()
            raw.set_protocol(Parting(self._tls, raw, raw.get_protocol()))


class Below(asyncio.BufferedProtocol):
    """Between TLS and the transport below it: hands everything on, and tells the connection what TLS would keep to itself."""

    def __init__(self, tls: Any, raw: Any, protocol: ClientProtocol) -> None:
        self._tls = tls
        self._raw = raw
        self.protocol = protocol
        self.get_buffer = tls.get_buffer  # type: ignore[method-assign]  # so that what comes is handed on at no cost
        self.buffer_updated = tls.buffer_updated  # type: ignore[method-assign]  # likewise

    def pause_writing(self) -> None:
        self.protocol.connection.paused_below = True
        self._tls.pause_writing()

    def resume_writing(self) -> None:
        self._tls.resume_writing()
        self.protocol.connection.resumed_below()

    def eof_received(self) -> bool | None:
        connection = self.protocol.connection
        if connection.held_back:
            connection.release()
            # behind what TLS has still to hand over, which it does soon
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._end)
            return True
        self.protocol.eof_received()
        keep: bool | None = self._tls.eof_received()
        return keep

    def _end(self) -> None:
        """The client's FIN, once all is read that came before it."""
        if not self._raw.is_closing() and self._raw.get_protocol() is self and not self.eof_received():
            self._raw.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._tls.connection_lost(exc)


class Parting(asyncio.BufferedProtocol):
    """In place of `Below` once this side has ended: TLS would take what still comes for an error, and reset the connection."""

    def __init__(self, secure: Any, raw: Any, below: Below) -> None:
        self._secure = secure
        self._raw = raw
        self._below = below
        self._finish()

    def _finish(self) -> None:
        """The FIN, once TLS has passed all down."""
        if not self._raw.is_closing() and not self._secure.get_write_buffer_size():
            self._raw.write_eof()

    def get_buffer(self, sizehint: int) -> bytearray:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        pass

    def pause_writing(self) -> None:
        self._below.pause_writing()

    def resume_writing(self) -> None:
        self._below.resume_writing()
        self._finish()

    def eof_received(self) -> None:
        self._below.protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._below.connection_lost(exc)


class Records(asyncio.BufferedProtocol):
    """Below TLS while it shakes hands: hands it one record at a time (RFC 8446, 5.1), and holds what comes behind.

    So nothing behind the handshake is read before the connection is there, not even the client's end, after which TLS would let
    nothing be answered. Where the first byte is that of a request, `on_plain` is called with what came, and the rest is dropped.
    """

    def __init__(self, raw: Any, data: bytes, on_plain: Callable[[bytes], None]) -> None:
        self.ended = False
        """The client's FIN was seen."""
        self._raw = raw
        self.tls = raw.get_protocol()
        self._loop = asyncio.get_running_loop()
        self._held = data
        self._on_plain: Callable[[bytes], None] | None = on_plain
        """Until the first byte has come."""
        self._waits = False
        self._done = False
        raw.set_protocol(self)
        self._next()

    def get_buffer(self, sizehint: int) -> bytearray:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        if self._done:
            return
        self._held += _BUFFER[:nbytes]
        if len(self._held) > 2 * EARLY_LIMIT:
            self._raw.pause_reading()
        self._next()

    def eof_received(self) -> bool:
        self.ended = True
        self._next()
        return not self._done

    def pause_writing(self) -> None:
        self.tls.pause_writing()

    def resume_writing(self) -> None:
        self.tls.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._done = True
        self.tls.connection_lost(exc)

    def _next(self) -> None:
        """Hand on the next record, and see a few turns later whether the handshake was done with it."""
        if self._waits or self._done:
            return
        held = self._held
        if held and self._on_plain is not None:
            on_plain, self._on_plain = self._on_plain, None
            if _METHOD.match(held):
                self._done = True
                on_plain(held)
                return
        size = record_size(held)
        if held and 0 <= size <= len(held):
            self._held = held[size:]
            self._waits = True
            self._soon(TURNS)
            hand_on(self.tls, held[:size])
        elif self.ended:
            self._raw.abort()

    def _soon(self, turns: int) -> None:
        if turns:
            self._loop.call_soon(self._soon, turns - 1)
        else:
            self._waits = False
            self._next()

    def over(self) -> bytes:
        """The handshake is done: what came behind it."""
        self._done = True
        held, self._held = self._held, b""
        return held


def record_size(data: bytes) -> int:
    """Bytes of the record that begins here, -1 where that is not known yet. What is no TLS is one: TLS itself may say so."""
    if not _RECORD.match(data):
        return len(data)
    size = RECORD_HEAD + int.from_bytes(data[3:5])
    return -1 if len(data) < RECORD_HEAD else size if size <= RECORD_LIMIT else len(data)


def hand_on(tls: Any, data: bytes) -> None:
    """Give a protocol what came from below."""
    while data:
        buffer = tls.get_buffer(len(data))
        count = min(len(data), len(buffer))
        buffer[:count] = data[:count]
        tls.buffer_updated(count)
        data = data[count:]


class Handshake(asyncio.Protocol):
    """What accepts a client, and makes a connection of it once the handshake is done. One that fails is simply over."""

    def __init__(self, server: Server, listener: Listener) -> None:
        assert listener.secure is not None
        self._server = server
        self._context = listener.secure
        self._raw: Any = None
        self._early = b""
        self._records: Records | None = None
        self._task: asyncio.Task[Any] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = transport
        if self._server.handshakes >= LIMITS.connections:
            LIMITS.hit["connections"] += 1
            self._raw.abort()
            return
        self._server.handshakes += 1
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(
            loop.start_tls(
                self._raw,
                asyncio.Protocol(),
                self._context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=FAREWELL_SECONDS,
            )
        )
        self._task.add_done_callback(self._over)
        # behind what start_tls itself lets be called soon, and in the same turn: before anything more is read
        loop.call_soon(loop.call_soon, self._feed)

    def data_received(self, data: bytes) -> None:
        """uvloop reads even before the handshake is begun."""
        self._early += data
        if len(self._early) > EARLY_LIMIT:
            if _METHOD.match(self._early):
                self._early = self._early[:EARLY_LIMIT]
            else:
                self._raw.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def _feed(self) -> None:
        """Come between TLS and the transport, with what came before TLS was there."""
        data, self._early = self._early, b""
        if not self._raw.is_closing():
            self._records = Records(self._raw, data, self._refuse)

    def _refuse(self, request: bytes) -> None:
        """Answer a client that does not speak TLS. The time of the handshake is what it has to read that."""
        listener = self._server.listener
        listener.refused[400] += 1
        response = Response.text(400, "goto: this port speaks https: use https:// instead of http://")
        method = "HEAD" if request.startswith(b"HEAD ") else "GET"
        self._raw.write(whole_response(response, listener.identity_bytes, method, (1, 1), keep_alive=False))
        self._raw.write_eof()
        client = address_of(self._raw.get_extra_info("peername"))
        self._server.shared.log.exchange(listener.port, client, "-", "-", 400, 0.0, "malformed")

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._server.handshakes -= 1
        records = self._records
        if task.cancelled() or task.exception() is not None or task.result() is None or records is None or self._raw.is_closing():
            self._raw.abort()
            return
        secure, raw = task.result(), self._raw
        protocol = self._server(raw)
        secure.set_protocol(protocol)
        held = records.over()
        below = Below(records.tls, raw, protocol)
        raw.set_protocol(below)
        # then the transport below says when the kernel has taken all
        raw.set_write_buffer_limits(0)
        protocol.connection_made(Above(secure, raw))
        hand_on(records.tls, held)
        if records.ended:
            if not below.eof_received():
                raw.close()
        elif not raw.is_closing():
            raw.resume_reading()
