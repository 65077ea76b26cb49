"""Requests on connections of their own, by name or byte for byte."""

from __future__ import annotations

import http.client
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

from support.waiting import PATIENCE

Pairs = list[tuple[str, str]]


def raw(port: int, data: bytes, *, until: bytes | None = None, half_close: bool = False) -> bytes:
    """Send these bytes on a connection of their own; what comes back until the other side closes, or `until` was seen.

    A server that keeps connections alive closes when the request says `Connection: close`.
    """
    got = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        while until is None or until not in got:
            try:
                chunk = connection.recv(65536)
            except ConnectionResetError:
                break
            except TimeoutError:
                raise AssertionError(f"neither closed nor {until!r} within {PATIENCE:g} s; got {got[:500]!r}") from None
            if not chunk:
                break
            got += chunk
    return got


@dataclass
class Answer:
    """A response, read to its end."""

    status: int
    reason: str
    headers: Pairs
    body: bytes
    took: float

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "surrogateescape")

    def json(self) -> Any:
        return json.loads(self.body)

    def values(self, name: str) -> list[str]:
        """All values of a header, in any letter case of its name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        return next(iter(self.values(name)), None)


def call(
    port: int,
    method: str,
    path: str,
    body: bytes | str | dict[str, Any] | list[Any] | None = None,
    headers: dict[str, str] | Pairs | None = None,
    timeout: float = PATIENCE,
) -> Answer:
    """One request on a connection of its own. The path goes out byte for byte; a dict or list goes as JSON.

    PUT and POST without a body say `Content-Length: 0`, as curl does. TimeoutError when no response comes within `timeout`.
    """
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or ())
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    if body is None and method in ("PUT", "POST"):
        body = b""
    names = {name.lower() for name, _ in pairs}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    started = time.monotonic()
    try:
        connection.putrequest(method, path, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in pairs:
            connection.putheader(name, value)
        if body is not None and "content-length" not in names:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        data = response.read()
        return Answer(response.status, response.reason, response.getheaders(), data, time.monotonic() - started)
    finally:
        connection.close()
