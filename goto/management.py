"""Serving management calls: from a route and a body to a response, with every error a clear one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from goto.call import Call
from goto.errors import ApiError, WrongMethod
from goto.flow import Request, Response
from goto.jsontext import json_bytes
from goto.listener import Listener
from goto.routes import Accepted, Route, RouteTable

log = logging.getLogger("goto")

Served = Response | list[Call]
"""An answer; or calls to be sent, whose answer it then is."""


class Management:
    """The API of a process: its routes, and what serves them besides a listener and its features."""

    def __init__(self, table: RouteTable, services: Iterable[object]) -> None:
        self.table = table
        self._services: Mapping[type, object] = {type(service): service for service in services}

    def find(self, method: str, path: str) -> tuple[Route, list[str]] | None:
        """See `RouteTable.find`."""
        return self.table.find(method, path)

    async def serve(self, listener: Listener, route: Route, request: Request, words: list[str], body: bytes) -> Served:
        """Carry out a call on a listener."""
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
        response = Response.json(error.status, json_bytes({"error": error.message}))
    else:
        response = Response.text(error.status, error.message)
    if isinstance(error, WrongMethod):
        response.headers.add("Allow", ", ".join(error.allowed))
    return response


def _answer(result: Any, request: Request) -> Response:
    status = 200
    if isinstance(result, Accepted):
        status, result = 202, result.text
    if not isinstance(result, str):
        return Response.json(status, json_bytes(result))
    if wants_json(request):
        return Response.json(status, json_bytes({"message": result}))
    return Response.text(status, result)


def wants_json(request: Request) -> bool:
    return any("application/json" in value.lower() for value in request.headers.get_all("accept"))
