"""A management call on its way: what goes out, what comes back, and the plain connection that carries it.

It stands on the standard library alone, so that a command may begin with it at once.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from goto import __version__
from goto.testing.failures import NotReached
from goto.words.failures import system_reason
from goto.words.hosts import bracketed, host_without_zone, lookup_host, missing_interface
from goto.words.urls import http_url, with_scheme

SECONDS = 30.0
"""For an answer, besides the time that a call is to wait."""

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
"""Hosts whose certificate is not checked: it may be for the names that others use."""


class Ask(NamedTuple):
    """A request."""

    method: str
    target: str
    """Path and query, percent-encoded."""
    body: bytes | None = None
    headers: Mapping[str, str] = {}
    seconds: float = 0.0
    """How long the instance may wait before it answers."""


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def is_json(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/json")

    @property
    def astray(self) -> str:
        """What it says where the call was none of the API, and was answered as traffic; else empty."""
        hint = self.headers.get("goto-hint", "")
        return hint if hint.startswith("no route ") else ""

    @property
    def text(self) -> str:
        """The body without its line end."""
        return self.body.decode("utf-8", "replace").rstrip("\n")


class Place:
    """Where an instance is, and what it is asked with."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """Raises ValueError for what is no http or https URL."""
        self.url = http_url(with_scheme(url)).rstrip("/")
        parts = urlsplit(self.url)
        self.secure = parts.scheme == "https"
        host = lookup_host(parts.hostname or "")
        self.host = "localhost" if host == "localhost." else host
        self.port = parts.port or (443 if self.secure else 80)
        self.server_name = host_without_zone(host).removesuffix(".")
        usual = self.port == (443 if self.secure else 80)
        self.authority = bracketed(host_without_zone(host)) + ("" if usual else f":{self.port}")
        self.base = parts.path
        """What comes before every path."""
        self.headers = {"Host": self.authority, "User-Agent": f"goto/{__version__}"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def context(self, *, insecure: bool = False) -> ssl.SSLContext:
        """What is trusted: what the system does, or what `SSL_CERT_FILE` names; on this machine everything."""
        context = ssl.create_default_context()
        if insecure or self.server_name in THIS_MACHINE:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def not_reached(self, reason: str) -> NotReached:
        return NotReached(f"{self.url}: {reason}")


def connected(place: Place, seconds: float, *, insecure: bool = False) -> socket.socket:
    """Raises OSError."""
    if missing := missing_interface(place.host):
        raise OSError(f"no interface {missing}")
    connection = socket.create_connection((place.host, place.port), seconds)
    if not place.secure:
        return connection
    try:
        return place.context(insecure=insecure).wrap_socket(connection, server_hostname=place.server_name)
    except BaseException:
        connection.close()
        raise


class Connection:
    """Makes calls, one after another on one kept connection, from any thread. A second one at a time has its own."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """Raises ValueError for what is no http or https URL. A proxy of the environment is not used."""
        self.place = Place(url, token)
        self._kept: http.client.HTTPConnection | None = None
        self._taking = threading.Lock()

    def ask(self, ask: Ask) -> Answer:
        """Raises `NotReached` where there is no answer."""
        connection, fresh = self._take()
        try:
            try:
                answer = self._exchange(connection, ask)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # a kept connection may end while a call is on its way; what says twice what it says once is said again
                if fresh or ask.method == "POST":
                    raise
                connection.close()
                answer = self._exchange(connection, ask)
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise self.place.not_reached(reason(error, SECONDS + ask.seconds)) from None
        except BaseException:
            connection.close()  # a call that was interrupted leaves half an answer behind
            raise
        self._give_back(connection)
        return answer

    def _take(self) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it is a fresh one."""
        with self._taking:
            kept, self._kept = self._kept, None
        if kept is not None:
            if kept.sock is not None and not select.select([kept.sock], [], [], 0)[0]:
                return kept, False
            kept.close()  # the other side has ended it
        return http.client.HTTPConnection(self.place.host, self.place.port), True

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._taking:
            if self._kept is None and connection.sock is not None:
                self._kept = connection
                return
        connection.close()

    def _exchange(self, connection: http.client.HTTPConnection, ask: Ask) -> Answer:
        seconds = SECONDS + ask.seconds
        if connection.sock is None:
            connection.sock = connected(self.place, SECONDS)
        connection.sock.settimeout(seconds)
        headers = {**self.place.headers, **ask.headers}
        connection.request(ask.method, self.place.base + ask.target, ask.body, headers)
        response = connection.getresponse()
        body = response.read()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, fields, body)

    def close(self) -> None:
        with self._taking:
            kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def reason(error: Exception, seconds: float) -> str:
    """Why there is no answer, in words."""
    if isinstance(error, TimeoutError):
        return f"no answer within {seconds:g}s"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed without an answer"
    if isinstance(error, http.client.HTTPException):
        return "did not answer in HTTP"
    return system_reason(error)
