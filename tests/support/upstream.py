"""An upstream that answers what a test says, and records what comes."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import unquote_plus

from support.calls import Pairs
from support.waiting import PATIENCE, eventually


@dataclass
class Received:
    """A request as it came to an upstream."""

    method: str
    target: str
    """The raw request target."""
    headers: Pairs
    """In order, names as they were spelled."""
    body: bytes = b""
    connection: int = 0
    """The number of the connection it came over, from 1."""
    aborted: threading.Event = field(default_factory=threading.Event)
    """Set when the sender leaves while its answer is held."""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> Pairs:
        """Parameters in order, decoded."""
        raw_query = self.target.partition("?")[2]
        pairs = [pair.partition("=") for pair in raw_query.split("&") if pair]
        return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Reply:
    """What an upstream answers."""

    status: int = 200
    body: bytes | Iterable[bytes] = b"hello\n"
    """An iterable goes out chunked, piece by piece."""
    headers: Pairs = field(default_factory=list)
    reason: str = "Fine"
    hold: threading.Event | None = None
    """Wait for it before the first byte."""
    verbatim: bytes | None = None
    """These bytes instead of all that, then the connection ends. Empty ones: an upstream that drops the request."""
    close: bool = False
    """End the connection afterwards, unannounced."""


class Upstream:
    """A real HTTP/1.1 server in a thread. It records what comes and answers what the test says.

        upstream.on("/slow", Reply(hold=event))
        upstream.on("/count", lambda received: Reply(body=str(len(upstream.received)).encode()))

    Paths nobody spoke about are answered 200 `hello`.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self._replies: dict[str, Reply | Callable[[Received], Reply]] = {}
        self._lock = threading.Lock()
        upstream = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self) -> None:
                upstream._serve(self.connection, self.rfile)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                if not isinstance(sys.exc_info()[1], OSError):  # a sender that left is no error
                    super().handle_error(request, client_address)

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def on(self, path: str, reply: Reply | Callable[[Received], Reply]) -> None:
        self._replies[path] = reply

    def take(self, count: int | None = None) -> list[Received]:
        """What came since the last look; with a count, wait until that many are there. There must be no more."""
        if count is not None:
            eventually(lambda: len(self.received), lambda there: there >= count)
        with self._lock:
            taken, self.received = self.received, []
        assert count is None or len(taken) == count, [f"{one.method} {one.target}" for one in taken]
        return taken

    def reset(self) -> None:
        """Forget what came and what was said about answers."""
        self.take()
        self._replies.clear()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self, connection: socket.socket, stream: Any) -> None:
        with self._lock:
            self.connections += 1
            number = self.connections
        while line := stream.readline():
            received = self._read(line, stream, number)
            with self._lock:
                self.received.append(received)
            said = self._replies.get(received.path, Reply())
            reply = said(received) if callable(said) else said
            if reply.hold is not None and not _held(connection, reply.hold):
                received.aborted.set()
                return
            if reply.verbatim is not None:
                connection.sendall(reply.verbatim)
                return
            self._write(connection, received, reply)
            if reply.close or "close" in " ".join(received.values("connection")).lower():
                return

    @staticmethod
    def _read(line: bytes, stream: Any, number: int) -> Received:
        method, target, _ = line.decode("latin-1").rstrip("\r\n").split(" ")
        headers: Pairs = []
        while field_line := stream.readline().decode("utf-8", "surrogateescape").rstrip("\r\n"):
            name, _, value = field_line.partition(":")
            headers.append((name, value.strip()))
        received = Received(method, target, headers, connection=number)
        if "chunked" in " ".join(received.values("transfer-encoding")).lower():
            while size := int(stream.readline().partition(b";")[0], 16):
                received.body += stream.read(size)
                stream.readline()
            while stream.readline().strip():  # trailers
                pass
        elif length := received.values("content-length"):
            received.body = stream.read(int(length[0]))
        return received

    @staticmethod
    def _write(connection: socket.socket, received: Received, reply: Reply) -> None:
        head = f"HTTP/1.1 {reply.status} {reply.reason}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
        bodiless = received.method == "HEAD" or reply.status in (204, 304)
        if not isinstance(reply.body, bytes):
            connection.sendall((head + "Transfer-Encoding: chunked\r\n\r\n").encode())
            for piece in () if bodiless else reply.body:
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            if not bodiless:
                connection.sendall(b"0\r\n\r\n")
            return
        if reply.status not in (204, 304):
            head += f"Content-Length: {len(reply.body)}\r\n"
        connection.sendall((head + "\r\n").encode() + (b"" if bodiless else reply.body))


def _held(connection: socket.socket, event: threading.Event) -> bool:
    """Wait for an event; whether it came before the other side left."""
    until = time.monotonic() + 3 * PATIENCE
    while not event.wait(0.01):
        readable, _, _ = select.select([connection], [], [], 0)
        if readable:
            try:
                if not connection.recv(1, socket.MSG_PEEK):
                    return False
            except OSError:
                return False
        if time.monotonic() > until:
            raise AssertionError("an answer was held and never let go")
    return True


@contextlib.contextmanager
def held() -> Iterator[threading.Event]:
    """An event for `Reply.hold`, let go at the end whatever happens."""
    event = threading.Event()
    try:
        yield event
    finally:
        event.set()
