"""Connections to origins over TLS: the handshake, and an eye on what lies below it.

The event loop's own `ssl=` would hide the transport below, and with it two things that only that one tells: that the connection
ended without a close_notify, so that more may have been meant to come (RFC 9112, 9.8), and what the system still holds of an
answer when writing fails (RFC 9112, 9.5).
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, cast

from goto.upstream.connection import Connection
from goto.upstream.sockets import read_rest


class Below(asyncio.BufferedProtocol):
    """Between TLS and the transport below it."""

    def __init__(self, raw: Any, tls: Any, connection: Connection) -> None:
        self._raw = raw
        self._tls = tls
        self._connection = connection
        self.get_buffer = tls.get_buffer  # type: ignore[method-assign]  # so that what comes is handed on at no cost
        self.buffer_updated = tls.buffer_updated  # type: ignore[method-assign]  # likewise
        self.pause_writing = tls.pause_writing  # type: ignore[method-assign]  # likewise
        self.resume_writing = tls.resume_writing  # type: ignore[method-assign]  # likewise

    def eof_received(self) -> bool:
        self._connection.on_fin()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            read_rest(self._raw, self._decrypt)
        self._tls.connection_lost(exc)

    def _decrypt(self, data: bytes) -> None:
        while data:
            buffer = self._tls.get_buffer(len(data))
            count = min(len(data), len(buffer))
            buffer[:count] = data[:count]
            self._tls.buffer_updated(count)
            data = data[count:]


async def connect_securely(connection: Connection, raw: asyncio.Transport, context: ssl.SSLContext, timeout: float) -> None:
    """Shake hands with the connection's origin over a transport that leads there. Raises what kept that from being done; then the
    transport is aborted.
    """
    loop = asyncio.get_running_loop()
    try:
        secure = await loop.start_tls(
            cast("asyncio.WriteTransport", raw),
            cast("asyncio.BaseProtocol", connection),
            context,
            server_hostname=connection.origin.server_name,
            ssl_handshake_timeout=timeout,
        )
        if secure is None:
            raise ConnectionResetError
    except BaseException:
        raw.abort()
        raise
    raw.set_protocol(Below(raw, raw.get_protocol(), connection))
    connection.connection_made(secure)
