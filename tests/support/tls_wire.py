"""TLS over a socket of one's own, so that a test sees how the connection below it ends.

`ssl.SSLSocket` calls a reset and a FIN alike an unexpected end.
"""

from __future__ import annotations

import socket
import ssl
from typing import Self


class TlsWire:
    """A client's side of TLS that trusts everybody."""

    def __init__(self, bare: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._bare = bare
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing)
        self.ended = False
        """A close_notify has come."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._incoming.write(bare.recv(65536))
            else:
                self._flush()
                return

    def settimeout(self, seconds: float) -> None:
        self._bare.settimeout(seconds)

    def sendall(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def recv(self, size: int) -> bytes:
        """What has come; nothing at the end of the connection. Raises `ConnectionResetError` where it was reset."""
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                data = self._bare.recv(65536)
                if not data:
                    return b""
                self._incoming.write(data)
            except ssl.SSLZeroReturnError:
                self.ended = True
                return self._bare.recv(65536) and b""

    def close(self) -> None:
        self._bare.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._bare.sendall(data)
