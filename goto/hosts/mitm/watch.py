"""Whom mitmproxy asks, and for how long: its own upstream, for as long as mitmproxy does; or a target, which has its time."""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import Any

from mitmproxy import http

from goto.flow import Call
from goto.hosts.mitm import private
from goto.hosts.mitm.messages import passed_on, spoken_error
from goto.http.record import MadeCall
from goto.upstream.pause import DEFAULT_PAUSE, longest_pause
from goto.words.duration import duration_text


class Unwatched:
    """mitmproxy's own upstream. It has no time limit, nobody counts what becomes of it, and it may be shown by mitmproxy."""

    name = "upstream"
    """As a client is told of it."""
    call: Call | None = None
    """What is sent, where it is a target."""
    late = False
    """It was ended since it took too long."""

    def connecting(self, server: Any) -> bool:
        """A connection is about to be made; whether it is this one's."""
        return False

    def connected(self, server: Any) -> None:
        """A connection was made."""

    def sending(self, data: bytes) -> bytes:
        """A piece of the request's body is on its way."""
        return data

    def sent(self) -> None:
        """The whole request was handed over."""

    def answered(self) -> None:
        """The head of the response is here."""

    def passing(self, response: http.Response) -> None:
        """Its head goes to the client, and its body may."""

    def receiving(self, data: bytes) -> bytes:
        """A piece of the response's body has come; an empty one at its end."""
        return data

    def stop(self) -> None:
        """Nothing more is expected of it."""

    def failed(self) -> None:
        """It gave no answer, or not all of it."""

    def verdict(self, message: str) -> tuple[int, str]:
        """The status and the reason of an exchange that failed with mitmproxy's message."""
        return 502, spoken_error(message)

    def passed_on(self, response: http.Response) -> http.Response:
        """Its response as the client gets it: no answer shows the mark of hops."""
        response.headers.pop("goto-hops", None)
        return response


UNWATCHED = Unwatched()


class Watch(Unwatched):
    """A target. The connection to it is ended if it takes longer than `call.timeout` seconds to be connected to, to read a piece
    of the request, or to send the head of its response; or if the body of that pauses for too long."""

    def __init__(self, flow: http.HTTPFlow, call: Call) -> None:
        self.call: Call = call
        self.name = f"target {call.target}"
        self._mitm = flow
        self._began = time.monotonic()
        self._server: Any = None
        """The connection made for this exchange; None while a kept one serves."""
        self._connecting = False
        self._sent = False
        self._slow = ""
        self._pause = DEFAULT_PAUSE
        self._timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------ what happens
    def connecting(self, server: Any) -> bool:
        origin = self.call.origin
        if self._server is not None or tuple(server.address[:2]) != (origin.resolvable, origin.port):
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
        if data and not self._connecting:
            self._start("reads no more of the request within", reading=True)
        return data

    def sent(self) -> None:
        self._sent = True
        if not self._connecting:
            self._start("no answer within")

    def answered(self) -> None:
        self.stop()
        if self.call.tally is not None:
            self.call.tally.answered(time.monotonic() - self._began)
        if self.call.made is not None:
            self._reached(self.call.made)
            self.call.made.answered(self._mitm.response.status_code if self._mitm.response is not None else 0)

    def passing(self, response: http.Response) -> None:
        self._pause = longest_pause(self.call, response.headers.fields)
        self._wait_for_more()

    def receiving(self, data: bytes) -> bytes:
        if data:
            self._wait_for_more()
        else:
            self.stop()
        return data

    def _wait_for_more(self) -> None:
        self._start("no more of its answer within", self._pause, writing=True)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ------------------------------------------------------------ what comes of it
    def failed(self) -> None:
        if self.call.tally is not None:
            self.call.tally.failed("timeout" if self.late else "connect" if self._connecting else "broken")
        if self.call.made is not None:
            self._reached(self.call.made)
            self.call.made.failed(self.verdict(self._mitm.error.msg if self._mitm.error is not None else "")[1])

    def _reached(self, made: MadeCall) -> None:
        """Say what connection carries it, and what that took to be made, if it was made for it."""
        server = self._server or self._mitm.server_conn
        made.reached(server.peername)
        if self._server is not None and server.timestamp_tcp_setup is not None:
            tls = server.timestamp_tls_setup
            made.connected(
                (tls or server.timestamp_tcp_setup) - server.timestamp_start, tls - server.timestamp_tcp_setup if tls else None
            )

    def verdict(self, message: str) -> tuple[int, str]:
        if self.late:
            return 504, self._slow
        reason = spoken_error(message)
        return 502, f"cannot connect to {self._where}: {reason}" if self._connecting else reason

    def passed_on(self, response: http.Response) -> http.Response:
        return passed_on(response)

    @property
    def _where(self) -> str:
        return f"{self.call.origin.scheme}://{self.call.origin.authority}"

    def _start(self, what: str, seconds: float | None = None, *, reading: bool = False, writing: bool = False) -> None:
        """Give it so long; `requestTimeout` if not said."""
        self.stop()
        seconds = self.call.timeout if seconds is None else seconds
        if seconds != inf:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._fire, what, seconds, reading, writing)

    def _fire(self, what: str, seconds: float, reading: bool, writing: bool) -> None:
        client, server = self._mitm.client_conn, self._server or self._mitm.server_conn
        if reading and not private.unsent(client, server):
            return  # it is the client that pauses
        if writing and private.unsent(client, client):
            self._start(what, seconds, writing=True)  # it is the client that reads no more
            return
        if private.end(client, server):
            self.late = True
            self._slow = f"{what} {duration_text(seconds)}"
