"""An upstream that misbehaves, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

from support.waiting import PATIENCE


class Scripted:
    """An upstream that does to each connection what a function says, in a thread each; then the connection is closed."""

    def __init__(
        self,
        behave: Callable[[socket.socket], None],
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.connections = 0
        self.ended = 0
        """Connections whose function has returned."""
        self._behave = behave
        self._tls = tls
        self._server = socket.create_server((host, port), backlog=256)
        self.port: int = self._server.getsockname()[1]
        self._closed = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(3 * PATIENCE)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if self._tls is not None:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            self._behave(connection)
        self.ended += 1

    def stop(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def read_head(connection: socket.socket) -> bytes:
    """A request's head, and whatever of its body came with it; empty where the other side closed."""
    got = b""
    while b"\r\n\r\n" not in got:
        data = connection.recv(65536)
        if not data:
            return got
        got += data
    return got


def answering(*pieces: bytes, wait: threading.Event | None = None) -> Callable[[socket.socket], None]:
    """Read a head, answer these pieces, each in a segment of its own; with `wait` only then close."""

    def behave(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not read_head(connection):
            return
        for number, piece in enumerate(pieces):
            if number:
                threading.Event().wait(0.02)
            connection.sendall(piece)
        if wait is not None:
            wait.wait(PATIENCE)

    return behave
