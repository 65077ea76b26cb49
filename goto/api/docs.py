"""The API described: an OpenAPI document, and a page that shows it and sends calls.

The page is Swagger UI, which comes along with goto: nothing is asked of any other host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from goto.api.access import Access
from goto.api.files import File, Files, cached, entity_tag
from goto.api.table import RouteTable
from goto.errors import NotFound
from goto.flow import Request, Response
from goto.routes import ANYBODY, get
from goto.words import one_line

PAGE = "index.html"
FILES = {
    PAGE: File("page", PAGE),
    "page.js": File("page", "page.js"),
    "page.css": File("page", "page.css"),
    "swagger-ui.css": File("swagger-ui", "swagger-ui.css"),
    "swagger-ui-bundle.js": File("swagger-ui", "swagger-ui-bundle.js"),
}
"""The files of the page."""


class DocsFile(str):
    """A file of the page."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "enum": [*FILES], "examples": ["page.js"]}

    @classmethod
    def parse(cls, text: str) -> DocsFile:
        return cls(one_line(text))


class Docs:
    """The API described: as a document for programs, and as a page for people.

    Its routes are open to anybody: a browser shows no token when it loads a page, and what the page then calls needs it.
    """

    def __init__(self, table: Callable[[], RouteTable], access: Access) -> None:
        self._table = table
        self._access = access
        self._made: tuple[RouteTable, bytes, str] | None = None
        """The document as it was made last, for which routes, and its entity tag."""
        self._files = Files(FILES)

    @get("/goto/openapi.json", who=ANYBODY, answers={200: {"application/json": dict[str, Any]}, 304: {}})
    async def document(self, request: Request) -> Response:
        """Show the OpenAPI document of all routes."""
        table = self._table()
        if self._made is None or self._made[0] is not table:
            data = await asyncio.to_thread(_document, table, guarded=self._access.token is not None)
            self._made = table, data, entity_tag(data)
        _, data, tag = self._made
        return cached(request, tag, "application/json", lambda: data)

    @get("/goto/docs", who=ANYBODY, answers={200: {"text/html": str}, 304: {}})
    def page(self, request: Request) -> Response:
        """Show all routes on a page that can call them."""
        return self._files.answer(PAGE, request)

    @get(
        "/goto/docs/{file}",
        who=ANYBODY,
        raises=[NotFound],
        answers={200: {"text/javascript": str, "text/css": str, "text/html": str}, 304: {}},
    )
    def file(self, file: DocsFile, request: Request) -> Response:
        """Show a file of that page."""
        if file not in FILES:
            raise NotFound(f"file: the page has no {file}")
        return self._files.answer(file, request)


def _document(table: RouteTable, *, guarded: bool) -> bytes:
    from goto.api.openapi import document  # needed by few processes, and then once
    from goto.words.writing import json_bytes

    return json_bytes(document(table, guarded=guarded))
