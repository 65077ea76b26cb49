"""What goto says of itself, under `/goto/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from goto import __version__
from goto.api.management import wants_json
from goto.api.table import RouteTable
from goto.errors import Unavailable
from goto.flow import Request, Response
from goto.instance.build import COMPILED
from goto.routes import PROBE, get
from goto.words.writing import json_bytes


class Listed(TypedDict):
    """A route."""

    methods: list[str]
    path: str
    description: str


class Version(TypedDict):
    version: str
    compiled: bool
    """Whether what every exchange goes through was compiled when goto was built."""


class About:
    """Health, readiness and the list of routes."""

    def __init__(self, table: Callable[[], RouteTable]) -> None:
        self._table = table
        self.ready = False
        """All that was to be set up at the start is, and the end has not begun."""

    @get("/goto/health", who=PROBE)
    def health(self) -> str:
        """Say that this process lives."""
        return f"goto {__version__} is healthy"

    @get("/goto/ready", who=PROBE, raises=[Unavailable])
    def readiness(self) -> str:
        """Say whether traffic may be sent here: 200 or 503."""
        if not self.ready:
            raise Unavailable("not ready")
        return "ready"

    @get("/goto/version")
    def version(self) -> Version:
        """Show the version."""
        return {"version": __version__, "compiled": COMPILED}

    @get("/goto/help", answers={200: {"text/plain": str, "application/json": list[Listed]}})
    def help(self, request: Request) -> Response:
        """List the routes with what they do."""
        routes = self._table().routes
        if wants_json(request):
            listed: list[Listed] = [
                {"methods": [*route.methods], "path": route.path, "description": route.description} for route in routes
            ]
            response = Response.json(200, json_bytes(listed))
        else:
            lines = [
                f"{', '.join(route.methods):<10} {route.path + _query(route.parameters):<60} {route.description}"
                for route in routes
            ]
            response = Response.text(200, "\n".join(lines))
        response.headers.add("Vary", "Accept")
        return response


def _query(parameters: tuple[object, ...]) -> str:
    names = [getattr(p, "name", "") for p in parameters if getattr(p, "source", "") == "query"]
    return "?" + "&".join(f"{name}={{{name}}}" for name in names) if names else ""
