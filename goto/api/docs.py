"""The API described: an OpenAPI document, and a page that shows it and sends calls.

The page is Swagger UI, which comes along with goto: nothing is asked of any other host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from goto.api.table import RouteTable
from goto.errors import NotFound
from goto.flow import Request, Response
from goto.routes import ANYBODY, get
from goto.words import one_line

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load (Content Security Policy Level 3): its own files, and what it asks this goto."""

PAGE = "index.html"
FILES = {
    PAGE: ("page", "text/html; charset=utf-8"),
    "page.js": ("page", "text/javascript; charset=utf-8"),
    "swagger-ui.css": ("swagger-ui", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": ("swagger-ui", "text/javascript; charset=utf-8"),
}
"""The files of the page: the folder below goto/api where each is, and its media type."""


class File(str):
    """A file of the page."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "enum": [*FILES], "examples": ["page.js"]}

    @classmethod
    def parse(cls, text: str) -> File:
        return cls(one_line(text))


class Docs:
    """The API described: as a document for programs, and as a page for people.

    Its routes are open to anybody: a browser shows no token when it loads a page, and what the page then calls needs it.
    """

    def __init__(self, table: Callable[[], RouteTable]) -> None:
        self._table = table
        self._made: tuple[RouteTable, bytes, str] | None = None
        """The document as it was made last, for which routes, and its entity tag."""
        self._tags: dict[str, str] = {}

    @get("/goto/openapi.json", who=ANYBODY, answers={200: {"application/json": dict[str, Any]}, 304: {}})
    async def document(self, request: Request) -> Response:
        """Show the OpenAPI document of all routes."""
        table = self._table()
        if self._made is None or self._made[0] is not table:
            data = await asyncio.to_thread(_document, table)
            self._made = table, data, _entity_tag(data)
        _, data, tag = self._made
        return _cached(request, tag, "application/json", lambda: data)

    @get("/goto/docs", who=ANYBODY, answers={200: {"text/html": str}, 304: {}})
    def page(self, request: Request) -> Response:
        """Show all routes on a page that can call them."""
        return self._file(PAGE, request)

    @get(
        "/goto/docs/{file}",
        who=ANYBODY,
        raises=[NotFound],
        answers={200: {"text/javascript": str, "text/css": str, "text/html": str}, 304: {}},
    )
    def file(self, file: File, request: Request) -> Response:
        """Show a file of that page."""
        if file not in FILES:
            raise NotFound(f"file: the page has no {file}")
        return self._file(file, request)

    def _file(self, name: str, request: Request) -> Response:
        if name not in self._tags:
            self._tags[name] = _entity_tag(_bytes_of(name))
        response = _cached(request, self._tags[name], FILES[name][1], lambda: _bytes_of(name))
        response.headers.add("Content-Security-Policy", POLICY)
        response.headers.add("X-Content-Type-Options", "nosniff")
        response.headers.add("Referrer-Policy", "no-referrer")
        return response


def _document(table: RouteTable) -> bytes:
    from goto.api.openapi import document  # needed by few processes, and then once
    from goto.words.writing import json_bytes

    return json_bytes(document(table))


def _bytes_of(name: str) -> bytes:
    from importlib import resources  # by most processes never

    return resources.files("goto.api").joinpath(FILES[name][0], name).read_bytes()


def _entity_tag(data: bytes) -> str:
    from hashlib import blake2b  # with OpenSSL

    return f'"{blake2b(data, digest_size=12).hexdigest()}"'


def _cached(request: Request, tag: str, media: str, read: Callable[[], bytes]) -> Response:
    """What a client has already is not sent again (RFC 9110, 13.1.2)."""
    known = [word.strip().removeprefix("W/") for value in request.headers.get_all("if-none-match") for word in value.split(",")]
    if tag in known or "*" in known:
        response = Response(304)
    else:
        response = Response(200, read())
        response.headers.add("Content-Type", media)
    response.headers.add("ETag", tag)
    response.headers.add("Cache-Control", "no-cache")
    return response
