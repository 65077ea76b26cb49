"""Connections through an http proxy.

To an http origin the proxy is simply where the connection goes, and requests name the origin in absolute form (RFC 9112, 3.2.2).
To an https one it is asked for a tunnel first (RFC 9110, 9.3.6), in which TLS is spoken with the origin.
"""

from __future__ import annotations

import asyncio
import re
from typing import NamedTuple

from goto.flow import Origin
from goto.http.shown import shown
from goto.words.hosts import bracketed, host_without_zone
from goto.words.unseen import escaped
from goto.words.urls import ProxyUrl

HEAD_LIMIT = 1 << 16
"""Bytes of the head of a proxy's answer."""

_STATUS = re.compile(rb"HTTP/1\.[0-9] (?P<status>[1-5][0-9]{2})(?P<reason>| [^\r\n]*)\r?\n")


class Through(NamedTuple):
    """A proxy on the way to an origin."""

    place: str
    """Where it is, as messages name it."""
    tunnel: bytes
    """The request for a tunnel; empty where there is to be none."""

    @classmethod
    def of(cls, proxy: ProxyUrl, origin: Origin) -> Through:
        place = f"{bracketed(proxy.host)}:{proxy.port}"
        if origin.scheme != "https":
            return cls(place, b"")
        # with its port always, also where that is the scheme's own
        there = f"{bracketed(host_without_zone(origin.host))}:{origin.port}"
        who = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
        return cls(place, f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n{who}\r\n".encode())


async def dig(transport: asyncio.Transport, request: bytes) -> None:
    """Ask for a tunnel over a transport, which leads to the origin from then on. Raises OSError where there is none; then the
    transport is aborted.
    """
    answer = _Answer()
    transport.set_protocol(answer)
    try:
        transport.write(request)
        await answer.granted
    except BaseException:
        transport.abort()
        raise


class _Answer(asyncio.Protocol):
    """Reads a proxy's answer to a request for a tunnel."""

    def __init__(self) -> None:
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while not self.granted.done() and (end := re.search(rb"\r?\n\r?\n", self._data)):
            head, self._data = self._data[: end.end()], self._data[end.end() :]
            found = _STATUS.match(head)
            if found is None:
                self._fail("answered with what is no HTTP")
            elif found["status"].startswith(b"2") and self._data:
                self._fail("sent more than it was asked for")  # the origin waits for TLS to begin on this side
            elif found["status"].startswith(b"2"):
                self.granted.set_result(None)
            elif not found["status"].startswith(b"1"):
                self._fail(f"answered {escaped(shown(found['status'] + found['reason']))}")
        if len(self._data) > HEAD_LIMIT:
            self._fail(f"answered with a head over {HEAD_LIMIT} bytes")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("closed the connection without an answer")

    def _fail(self, what: str) -> None:
        if not self.granted.done():
            self.granted.set_exception(OSError(f"the proxy {what}"))
