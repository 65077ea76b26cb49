"""Serving management calls: from a route and a body to a response, with every error a clear one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypedDict

from goto.api.access import Access
from goto.api.table import Route, RouteTable, remark
from goto.errors import ApiError, NotFound, Unauthorized, WrongMethod
from goto.flow import Request, Response
from goto.pipeline import in_own_task
from goto.routes import ADMIN, Accepted, Forward, Who
from goto.traffic.listener import Listener
from goto.words.writing import json_bytes

log = logging.getLogger("goto")

PORT_PREFIX = "/goto/port/"
"""`/goto/port/{port}` before any route acts on that listener, from whichever port it is called."""

Served = Response | Forward
"""An answer, or where the host gets it from."""


class TextAnswer(TypedDict):
    """A line of text, as JSON."""

    message: str


class Error(TypedDict):
    """What is wrong, naming the field and the reason."""

    error: str


class ManagementCall(NamedTuple):
    """What is to be served: the listener that is acted on, the route, and the words of the path, still percent-encoded."""

    listener: Listener
    route: Route
    words: list[str]


class ApiRequest(NamedTuple):
    """A request to the API that was not let in yet."""

    request: Request
    apart: bool
    """Whether it came to the admin port, which serves no traffic."""
    asks: ManagementCall | ApiError
    """What it asks for, or the error to answer where there is no such route, method or listener."""

    @property
    def who(self) -> Who:
        """Who may make it."""
        return self.asks.route.who if isinstance(self.asks, ManagementCall) else ADMIN


class Management:
    """The API of a process: its routes, and what serves them besides a listener and its features."""

    def __init__(
        self, table: RouteTable, services: Mapping[type, object], by_port: Callable[[int], Listener | None], access: Access
    ) -> None:
        """`services` are what serves routes besides listeners, by type."""
        self.table = table
        self._access = access
        self._services = services
        self._by_port = by_port
        self._prefixes = tuple([f"/{segment}" for segment in table.prefixes])
        """How the paths of the API begin."""

    def find(self, listener: Listener, request: Request, *, apart: bool = False) -> ApiRequest | None:
        """What a request asks of the API, or None where it is traffic. It came through a listener, or to a port `apart`.

        Nothing is changed and nobody is refused: that is for `admit`.
        """
        if not request.path.startswith(self._prefixes):
            return None
        try:
            asks: ManagementCall | ApiError | None = self._asked_for(listener, request)
        except ApiError as error:
            asks = error
        if asks is None:
            return None
        asked = ApiRequest(request, apart, asks)
        # asked last, so that traffic does not pay for it
        if not apart and not self._access.serves(request, asked.who, managed=listener.managed):
            return None
        return asked

    def _asked_for(self, listener: Listener, request: Request) -> ManagementCall | None:
        """None for traffic. Raises `WrongMethod`, and `NotFound` behind the prefix of another listener."""
        if not request.path.startswith(PORT_PREFIX):
            found = self.table.find(request.method, request.path)
            return ManagementCall(listener, *found) if found is not None else None
        word, slash, rest = request.path.removeprefix(PORT_PREFIX).partition("/")
        other = self._by_port(int(word)) if word.isascii() and word.isdecimal() and len(word) <= 5 else None
        if other is None:
            raise NotFound(f"port: there is no listener {word}")
        found = self.table.find(request.method, slash + rest)
        if found is None:
            raise NotFound(f"there is no route {slash + rest}: GET /goto/help lists those there are")
        return ManagementCall(other, *found)

    def admit(self, asked: ApiRequest) -> ManagementCall:
        """Let a request in, taking off it the token that it has shown. Raises what `Access.admit` does.

        Only who is let in learns what is wrong with the path: raises `WrongMethod` and `NotFound` after that.
        """
        self._access.admit(asked.request, asked.who, apart=asked.apart)
        if isinstance(asked.asks, ApiError):
            raise asked.asks
        return asked.asks

    async def serve(self, call: ManagementCall, request: Request, body: bytes) -> Served:
        """Carry out a call that was let in, waiting for `Wait`s alone. Raises nothing: an error is a response.

        A method that is plain is called at once, one that is `async def` runs in a task of its own.
        """
        listener, route, words = call
        try:
            result, unknown = route.call(self._owner(listener, route.owner), listener, request, words, body)
            if isinstance(result, Awaitable):
                result = await in_own_task(result)
        except ApiError as error:
            return refusal(error, request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return refusal(ApiError(f"goto: {request.method} {request.path} failed"), request)
        if isinstance(result, (Response, Forward)):
            return result
        return _answer(remark(result, unknown) if unknown else result, request)

    def _owner(self, listener: Listener, kind: type) -> object:
        if kind is Listener:
            return listener
        return listener.feature(kind) if listener.has(kind) else self._services[kind]


def refusal(error: ApiError, request: Request) -> Response:
    """An error as a response: a line of text, or `{"error": …}` where JSON is asked for."""
    if wants_json(request):
        response = Response.json(error.status, json_bytes(Error(error=error.message)))
    else:
        response = Response.text(error.status, error.message)
    if isinstance(error, WrongMethod):
        response.headers.add("Allow", ", ".join(error.allowed))
    elif isinstance(error, Unauthorized):
        response.headers.add("WWW-Authenticate", "Bearer")
    return response


def _answer(result: Any, request: Request) -> Response:
    status = 200
    if isinstance(result, Accepted):
        status, result = 202, result.text
    if not isinstance(result, str):
        return Response.json(status, json_bytes(result))
    if wants_json(request):
        return Response.json(status, json_bytes(TextAnswer(message=result)))
    return Response.text(status, result)


def wants_json(request: Request) -> bool:
    return any("application/json" in value.lower() for value in request.headers.get_all("accept"))
