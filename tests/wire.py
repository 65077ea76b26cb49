"""For tests that look at bytes: a client's connection, an upstream that misbehaves, many clients at once, flows by hand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from support import PATIENCE, Answer, Goto, Pairs, call, eventually, free_port, raw

from goto.feature import Feature
from goto.flow import Answer as Make
from goto.flow import Flow, Headers, Request, Response
from goto.pipeline import Pipeline

HOST = b"Host: a\r\n"


def get(target: str, *fields: str, method: str = "GET", body: bytes | None = None) -> bytes:
    """A request's bytes."""
    lines = [f"{method} {target} HTTP/1.1", "Host: a", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class Client:
    """A client's connection, kept until it is left."""

    def __init__(self, port: int, *, small: bool = False) -> None:
        self.socket = socket.socket()
        if small:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.stream = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self) -> tuple[int, str, Pairs]:
        """The next response's head; status 0 where the connection ended."""
        line = self.stream.readline().decode("latin-1").rstrip("\r\n")
        if not line:
            return 0, "", []
        _, status, reason = (*line.split(" ", 2), "")[:3]
        fields: Pairs = []
        while field := self.stream.readline().decode("utf-8", "surrogateescape").rstrip("\r\n"):
            name, _, value = field.partition(": ")
            fields.append((name, value))
        return int(status), reason, fields

    def answer(self, method: str = "GET") -> Answer:
        """The next response, read to its end."""
        status, reason, fields = self.head()
        answer = Answer(status, reason, fields, b"", 0.0)
        if not status or method == "HEAD" or status < 200 or status in (204, 304):
            return answer
        if answer.value("transfer-encoding") == "chunked":
            while size := int(self.stream.readline(), 16):
                answer.body += self.stream.read(size)
                assert self.stream.read(2) == b"\r\n"
            assert self.stream.readline() == b"\r\n"
        elif (length := answer.value("content-length")) is not None:
            answer.body = self.stream.read(int(length))
        else:
            answer.body = self.stream.read()
        return answer

    def rest(self) -> bytes:
        """All that comes until the other side closes."""
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while data := self.stream.read1(65536):
                got += data
        return got

    def close(self) -> None:
        """Leave; with unread bytes the kernel sends a reset, else a FIN."""
        self.stream.close()
        self.socket.close()

    def reset(self) -> None:
        """Leave by a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Scripted:
    """An upstream that does to each connection what a function says, in a thread each; then the connection is closed."""

    def __init__(self, behave: Callable[[socket.socket], None], *, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.ended = 0
        """Connections whose function has returned."""
        self._behave = behave
        self._tls = tls
        self._server = socket.create_server(("127.0.0.1", 0), backlog=256)
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


class Site:
    """A listener of a goto process for one test alone: nothing is configured on it."""

    def __init__(self, goto: Goto) -> None:
        self.goto = goto
        self.port = free_port()
        goto.api("POST", "/listeners/add", {"port": self.port})
        goto.api("PUT", f"/listeners/{self.port}/open")

    def call(self, method: str, path: str, body: Any = None, headers: Any = None) -> Answer:
        return call(self.port, method, path, body, headers)

    def api(self, method: str, path: str, body: Any = None) -> Answer:
        answer = self.call(method, path, body)
        assert answer.status in (200, 202), f"{method} {path}: {answer}"
        return answer

    def raw(self, data: bytes, **how: Any) -> bytes:
        return raw(self.port, data, **how)

    def target(self, port: int, uri: str = "/", *, scheme: str = "http", **fields: Any) -> None:
        """A proxy target named as its URI, to a port of this machine."""
        spec = {"name": uri, "url": f"{scheme}://127.0.0.1:{port}", "match": {"uris": [uri]}, **fields}
        self.api("POST", "/request/proxy/targets/add", spec)

    def client(self, **how: Any) -> Client:
        return Client(self.port, **how)

    @property
    def ends(self) -> dict[str, int]:
        """How exchanges ended, all of them."""
        ends: dict[str, int] = self.api("GET", "/request/timeout/status").json()["all"]
        return ends

    def ended(self, *, closed: int = 0, completed: int = 0) -> None:
        """Wait until so many exchanges have ended, and check that each ended one way."""
        ends = eventually(lambda: self.ends, lambda ends: sum(ends.values()) >= closed + completed)
        assert ends == {"ConnectionClosed": closed, "RequestCompleted": completed}

    @property
    def reported(self) -> dict[str, int]:
        counts: dict[str, int] = self.api("GET", "/response/status/counts").json()["countsByReportedStatus"]
        return counts

    def log(self) -> list[str]:
        """The log lines of traffic on this listener."""
        lines = re.findall(rf"^\S+Z {self.port} .*$", self.goto.log, re.M)
        return [line for line in lines if not line.endswith(" api")]


def storm(port: int, requests: int, connections: int, head: Callable[[int], bytes]) -> Counter[int]:
    """So many requests over so many kept connections at once; how often each status came. `head(n)` makes the nth request."""
    numbers: Iterator[int] = iter(range(requests))
    statuses: Counter[int] = Counter()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            writer.write(head(number))
            got = await reader.readuntil(b"\r\n\r\n")
            statuses[int(got[9:12])] += 1
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", got)
            if length:
                await reader.readexactly(int(length[1]))
        writer.close()

    async def every() -> None:
        await asyncio.gather(*(one() for _ in range(connections)))

    asyncio.run(asyncio.wait_for(every(), 6 * PATIENCE))
    return statuses


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def sockets(pid: int) -> int:
    """Sockets a process has open."""
    count = 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:")
    return count


# ---------------------------------------------------------------- flows by hand
def flow(target: str = "/", *fields: tuple[str, str], method: str = "GET", default: Make | None = None) -> Flow:
    headers = Headers((name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in fields)
    return Flow(Request(method, target, headers), default)


async def pass_through(features: Iterable[Feature], passing: Flow, *, completed: bool = True, status: int = 200) -> Flow:
    """A flow through the active ones of some features, answered `status` where nobody decides, to its end."""
    pipeline = Pipeline(features)
    depth = await pipeline.request_async(passing)
    if passing.response is None:
        make = passing.answer or passing.default or (lambda flow, body, size: Response(status))
        passing.response = make(passing, b"", 0)
    await pipeline.response_async(passing, depth)
    passing.completed = completed
    pipeline.closed(passing, depth)
    return passing


def passed(features: Iterable[Feature], passing: Flow, **how: Any) -> Flow:
    """As `pass_through`, from outside an event loop."""
    return asyncio.run(pass_through(features, passing, **how))
