"""Serving management calls: from a route and a body to a response, with every error a clear one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple, TypedDict

from goto.api.access import Access
from goto.api.table import Route, RouteTable
from goto.errors import ApiError, NotFound, Unauthorized, WrongMethod
from goto.flow import Call, Request, Response
from goto.routes import Accepted
from goto.traffic.listener import Listener
from goto.words.writing import json_bytes

log = logging.getLogger("goto")

PORT_PREFIX = "/goto/port/"
"""`/goto/port/{port}` before any route acts on that listener, from whichever port it is called."""

through: ContextVar[Listener | None] = ContextVar("through", default=None)
"""The listener that the present management call acts on."""

Served = Response | list[Call]
"""An answer; or calls to be sent, whose answer it then is."""


class Message(TypedDict):
    """A line of text, as JSON."""

    message: str


class Error(TypedDict):
    """What is wrong, naming the field and the reason."""

    error: str


class Found(NamedTuple):
    """A management call: what it acts on, its route, and the words of its path, still encoded."""

    listener: Listener
    route: Route
    words: list[str]


class Management:
    """The API of a process: its routes, and what serves them besides a listener and its features."""

    def __init__(
        self, table: RouteTable, services: Iterable[object], by_port: Callable[[int], Listener | None], access: Access
    ) -> None:
        self.table = table
        self._access = access
        self._services: Mapping[type, object] = {type(service): service for service in services}
        self._by_port = by_port

    def find(self, listener: Listener, request: Request, *, apart: bool = False) -> Found | None:
        """What a request through a listener, or on a port `apart` from traffic, asks of the API; None for traffic.

        Raises `WrongMethod`, `NotFound`, and what `Access.admit` does.
        """
        path, found, wrong = request.path, None, None
        acted_on = listener
        try:
            elsewhere = path.startswith(PORT_PREFIX)
            if elsewhere:
                acted_on, path = self._other(path.removeprefix(PORT_PREFIX))
            found = self.table.find(request.method, path)
            if found is None:
                if elsewhere:
                    raise NotFound(f"{path} is no route of the API")
                return None
        except ApiError as error:
            wrong = error
        # what follows is not asked of traffic, but for what would be a management call elsewhere
        route = found[0].path if found is not None else ""
        if not apart and not self._access.serves(request, route, managed=listener.managed):
            return None
        self._access.admit(request, route, apart=apart)
        if wrong is not None:
            raise wrong
        assert found is not None
        return Found(acted_on, *found)

    def _other(self, rest: str) -> tuple[Listener, str]:
        word, slash, path = rest.partition("/")
        listener = self._by_port(int(word)) if word.isascii() and word.isdecimal() and len(word) <= 5 else None
        if listener is None:
            raise NotFound(f"port: there is no listener {word}")
        return listener, slash + path

    async def serve(self, found: Found, request: Request, body: bytes) -> Served:
        """Carry out a call."""
        listener, route, words = found
        through.set(listener)
        try:
            result = await route.call(self._owner(listener, route.owner), request, words, body)
        except ApiError as error:
            return refusal(error, request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return refusal(ApiError(f"goto: {request.method} {request.path} failed"), request)
        if isinstance(result, Response) or (isinstance(result, list) and result and isinstance(result[0], Call)):
            return result
        return _answer(result, request)

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
        return Response.json(status, json_bytes(Message(message=result)))
    return Response.text(status, result)


def wants_json(request: Request) -> bool:
    return any("application/json" in value.lower() for value in request.headers.get_all("accept"))
