"""Serving management calls: from a route and a body to a response, with every error a clear one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypedDict

from goto.api.access import Access
from goto.api.nearest import HINT_LENGTH, nearest, no_route
from goto.api.table import Route, RouteTable, remarks, unknown_parameters
from goto.errors import ApiError, NotFound, Unauthorized, Unavailable, WrongMethod
from goto.flow import ClientGone, Flow, Request, Response
from goto.http.memo import Memo
from goto.pipeline import Cancelled, in_own_task
from goto.routes import ADMIN, Accepted, Forward, Later, Who
from goto.traffic.listener import Listener
from goto.traffic.passage import HINT
from goto.words.writing import json_bytes

log = logging.getLogger("goto")

OWN = "/goto"
"""All below it is goto's: what is no route there is 404, and never traffic where management is served."""

PORT_PREFIX = f"{OWN}/port/"
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
        self,
        table: RouteTable,
        services: Mapping[type, object],
        by_port: Callable[[int], Listener | None],
        access: Access,
        on_served: Callable[[Listener, Route], None] = lambda listener, route: None,
    ) -> None:
        """`services` are what serves routes besides listeners, by type. `on_served` is told of each call that was carried out."""
        self.table = table
        self._access = access
        self._services = services
        self._by_port = by_port
        self._on_served = on_served
        self.prefixes = (OWN, *[f"/{segment}" for segment in table.prefixes])
        """How the paths of the API begin."""
        self._nearest = Memo(self._route_nearest_to, lambda asked: len(asked[1]))
        """What was worked out for the method and path of traffic: a service may have paths that begin as those of the API."""

    def find(self, listener: Listener, request: Request, *, apart: bool = False) -> ApiRequest | None:
        """What a request asks of the API, or None where it is traffic. It came through a listener, or to a port `apart`.

        Nothing is changed and nobody is refused: that is for `admit`.
        """
        if not request.path.startswith(self.prefixes):
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
        """None for traffic. Raises `WrongMethod`, and `NotFound` for what is no route and yet goto's."""
        if not request.path.startswith(PORT_PREFIX):
            found = self.table.find(request.method, request.path)
            if found is None and (request.path == OWN or request.path.startswith(OWN + "/")):
                raise self._missing(request, request.path)
            return ManagementCall(listener, *found) if found is not None else None
        word, slash, rest = request.path.removeprefix(PORT_PREFIX).partition("/")
        other = self._by_port(int(word)) if word.isascii() and word.isdecimal() and len(word) <= 5 else None
        if other is None:
            raise NotFound(f"port: there is no listener {word}")
        found = self.table.find(request.method, slash + rest)
        if found is None:
            raise self._missing(request, slash + rest, before=f"{PORT_PREFIX}{word}")
        return ManagementCall(other, *found)

    def _missing(self, request: Request, path: str, before: str = "") -> NotFound:
        """The error for a path below `/goto` that is no route; `before` is what of it names another listener."""
        meant = self._nearest[request.method, path]
        meant = None if meant is None else before + meant
        return NotFound(no_route("", before + path, " is no route", meant, ": GET /goto/help lists those there are"))

    def _route_nearest_to(self, asked: tuple[str, str]) -> str | None:
        return nearest(self.table.routes, *asked)

    def hint(self, listener: Listener, request: Request) -> str:
        """What the answer to traffic says in `Goto-Hint`, since its path begins as those of the API; empty for other traffic."""
        path = request.path
        if not path.startswith(self.prefixes) or path[1:].partition("/")[0] not in self.table.prefixes:
            return ""
        if not self._access.serves(request, ADMIN, managed=listener.managed):
            return ""
        return no_route(f"no route {request.method} ", path, "", self._nearest[request.method, path])

    def admit(self, asked: ApiRequest) -> ManagementCall:
        """Let a request in, taking off it the token that it has shown. Raises what `Access.admit` does.

        Only who is let in learns what is wrong with the path: raises `WrongMethod` and `NotFound` after that.
        """
        self._access.admit(asked.request, asked.who, apart=asked.apart)
        if isinstance(asked.asks, ApiError):
            raise asked.asks
        return asked.asks

    async def serve(self, call: ManagementCall, flow: Flow, body: bytes) -> Served:
        """Carry out a call that was let in, waiting for `Wait`s alone. An error is a response, so that nothing is raised but
        `ClientGone`, by a call whose answer comes later.

        A method that is plain is called at once, one that is `async def` runs in a task of its own.
        """
        request = flow.request
        listener, route, words = call
        try:
            result, unknown = route.call(self._owner(listener, route.owner), listener, request, words, body)
            if isinstance(result, Awaitable):
                result = await in_own_task(result)
            if isinstance(result, Later):
                result = await _later(result, flow)
            self._on_served(listener, route)
        except ClientGone:
            raise
        except ApiError as error:
            return refusal(error, request)
        except Cancelled:
            # as all that waits is, where the process ends
            log.warning("%s %s was cancelled", request.method, request.path)
            return refusal(Unavailable(f"goto: {request.method} {request.path} was cancelled"), request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return refusal(ApiError(f"goto: {request.method} {request.path} failed"), request)
        if isinstance(result, Forward):
            return result
        ignored = unknown_parameters(route, request.query)
        if not isinstance(result, Response):
            result, ignored = remarks(result, unknown, ignored)
            result = _answer(result, request)
        if ignored:
            result.headers.add(HINT, f"ignored unknown parameters: {', '.join(ignored)}"[:HINT_LENGTH])
        return _unstored(result)

    def _owner(self, listener: Listener, kind: type) -> object:
        if kind is Listener:
            return listener
        return listener.feature(kind) if listener.has(kind) else self._services[kind]


async def _later(later: Later, flow: Flow) -> Any:
    """What comes later. Raises `ClientGone`, and what it fails with."""
    try:
        came = await flow.until(later.wait)
    finally:
        later.over()
    result = later.then(came)
    return await in_own_task(result) if isinstance(result, Awaitable) else result


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
    response.headers.add("Vary", "Accept")
    return _unstored(response)


def _unstored(response: Response) -> Response:
    """Unless it says otherwise, nobody is to keep an answer (RFC 9111, 5.2.2.5)."""
    if "cache-control" not in response.headers:
        response.headers.add("Cache-Control", "no-store")
    return response


def _answer(result: Any, request: Request) -> Response:
    status = 200
    if isinstance(result, Accepted):
        status, result = 202, result.text
    if not isinstance(result, str):
        return Response.json(status, json_bytes(result))
    if wants_json(request):
        response = Response.json(status, json_bytes(TextAnswer(message=result)))
    else:
        response = Response.text(status, result)
    response.headers.add("Vary", "Accept")  # RFC 9110, 12.5.5
    return response


def wants_json(request: Request) -> bool:
    return any("application/json" in value.lower() for value in request.headers.get_all("accept"))
