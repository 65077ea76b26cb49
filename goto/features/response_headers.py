"""Headers that are added to every response to traffic."""

from __future__ import annotations

from typing import Annotated

import msgspec

from goto.errors import Conflict, NotFound
from goto.feature import Feature
from goto.flow import Field, Flow, encode
from goto.routes import get, put
from goto.settings import setting
from goto.words import HeaderName, HeaderValue, SentHeaderName

HEADERS_LIMIT = 1000
"""Response headers of one listener."""

Pairs = Annotated[list[tuple[SentHeaderName, HeaderValue]], msgspec.Meta(max_length=HEADERS_LIMIT)]


class ResponseHeaders(Feature):
    """Add configured headers to every response to traffic, proxied ones included."""

    def __init__(self) -> None:
        self.headers: Pairs = []
        self._fields: list[Field] = []

    @property
    def active(self) -> bool:
        return bool(self.headers)

    def response(self, flow: Flow) -> None:
        assert flow.response is not None
        flow.response.headers.extend(self._fields)

    @put("/response/headers/add/{header}/{value}", raises=[Conflict])
    def add(self, header: SentHeaderName, value: HeaderValue) -> str:
        """Add a header to all responses to traffic; one added twice is sent twice."""
        self._set([*self.headers, (header, value)])
        return f"Added response header {header}: {value}"

    @put("/response/headers/remove/{header}", raises=[NotFound])
    def remove(self, header: HeaderName) -> str:
        """Remove a header with all its values."""
        rest = [pair for pair in self.headers if pair[0].lower() != header.lower()]
        if len(rest) == len(self.headers):
            raise NotFound(f"header: {header} is not a response header: GET /response/headers lists them")
        self._set(rest)
        return f"Removed response header {header}"

    @put("/response/headers/clear")
    def clear(self) -> str:
        """Remove all response headers."""
        self._set([])
        return "Response headers cleared"

    @get("/response/headers", "/response/headers/list")
    def show(self) -> dict[str, list[str]]:
        """List the response headers."""
        listed: dict[str, list[str]] = {}
        for name, value in self.headers:
            listed.setdefault(name, []).append(value)
        return listed

    @setting("response.headers")
    def configured(self) -> Pairs:
        """Headers added to all responses to traffic: `[[name, value], …]`; one given twice is sent twice."""
        return list(self.headers)

    @configured.setter
    def configure(self, headers: Pairs) -> None:
        self._set(list(headers))

    def _set(self, headers: Pairs) -> None:
        if len(headers) > HEADERS_LIMIT:
            raise Conflict(f"header: at most {HEADERS_LIMIT} response headers can be added: remove some first")
        self.headers = headers
        self._fields = [(encode(name), encode(value)) for name, value in headers]
        self.changed()
