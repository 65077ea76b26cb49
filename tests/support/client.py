"""A client's connection, kept until it is left."""

from __future__ import annotations

import contextlib
import socket
from typing import Self

from support.calls import Answer, Pairs
from support.waiting import PATIENCE

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
