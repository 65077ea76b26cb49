"""The time a target has, where mitmproxy carries the exchange: it knows no such limit itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from goto.flow import Call
from goto.hosts.mitm import private as private
from goto.hosts.mitm.messages import spoken_error
from goto.words.duration import spoken

if TYPE_CHECKING:
    from goto.hosts.mitm.exchange import MitmExchange


class Watch:
    """Ends the connection to a target that takes longer than `call.timeout` seconds: to be connected to, to read a piece of
    the request, to send the head of its response or the next piece of it."""

    def __init__(self, exchange: MitmExchange, call: Call) -> None:
        self._mitm = exchange.mitm
        self._call = call
        self._server: Any = None
        """The connection made for this exchange; None while a kept one serves."""
        self._connecting = False
        self._sent = False
        self._slow = ""
        self._timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------ what happens
    def connecting(self, server: Any) -> bool:
        """A connection is about to be made; whether it is this one's."""
        origin = self._call.origin
        if self._server is not None or tuple(server.address[:2]) != (origin.host, origin.port):
            return False
        self._server = server
        self._connecting = True
        self._start(f"cannot connect to {self._where} within")
        return True

    def connected(self, server: Any) -> None:
        if server is self._server:
            self._connecting = False
            if self._sent:
                self.sent()
            else:
                self.stop()

    def sending(self, data: bytes) -> bytes:
        """A piece of the request's body is on its way."""
        if data and not self._connecting:
            self._start("reads no more of the request within", reading=True)
        return data

    def sent(self) -> None:
        """The whole request was handed over."""
        self._sent = True
        if not self._connecting:
            self._start("no answer within")

    def receiving(self, data: bytes) -> bytes:
        """A piece of the response's body has come; a body may pause for as long as its head may take."""
        if data:
            self._start("no more of its answer within", writing=True)
        else:
            self.stop()
        return data

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ------------------------------------------------------------ what comes of it
    def verdict(self, message: str) -> tuple[int, str]:
        """The status and the reason of an exchange that failed with mitmproxy's message."""
        if self._slow:
            return 504, self._slow
        reason = spoken_error(message)
        return 502, f"cannot connect to {self._where}: {reason}" if self._connecting else reason

    @property
    def late(self) -> bool:
        """It was ended since it took too long."""
        return bool(self._slow)

    @property
    def kind(self) -> str:
        """What its failure is counted as, see `UpstreamError`."""
        return "timeout" if self._slow else "connect" if self._connecting else "broken"

    @property
    def _where(self) -> str:
        return f"{self._call.origin.scheme}://{self._call.origin.authority}"

    def _start(self, what: str, *, reading: bool = False, writing: bool = False) -> None:
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(self._call.timeout, self._fire, what, reading, writing)

    def _fire(self, what: str, reading: bool, writing: bool) -> None:
        client, server = self._mitm.client_conn, self._server or self._mitm.server_conn
        if reading and not private.unsent(client, server):
            return  # it is the client that pauses
        if writing and private.unsent(client, client):
            self._start(what, writing=True)  # it is the client that reads no more
            return
        self._slow = f"{what} {spoken(self._call.timeout)}"
        if not private.end(client, server):
            self._slow = ""
