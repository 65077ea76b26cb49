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
    """Add configured headers to every response to traffic, or replace those that it has. This includes proxied responses."""

    def __init__(self) -> None:
        self.added: Pairs = []
        self.replacing: Pairs = []
        """Headers that replace others, each name once. Those of the same name in `added` were added later."""
        self._fields: list[Field] = []
        self._replaced: frozenset[bytes] = frozenset()

    @property
    def active(self) -> bool:
        return bool(self._fields)

    def response(self, flow: Flow) -> None:
        response = flow.response
        assert response is not None
        if self._replaced:
            headers = response.headers
            headers.fields = [field for field in headers.fields if field[0].lower() not in self._replaced]
            response.replaced = self._replaced
        response.headers.extend(self._fields)

    @put("/response/headers/add/{header}/{value}", raises=[Conflict])
    def add(self, header: SentHeaderName, value: HeaderValue) -> str:
        """Add a header to all responses to traffic; one added twice is sent twice."""
        self._change(self.replacing, [*self.added, (header, value)])
        return f"Added response header {header}: {value}"

    @put("/response/headers/set/{header}/{value}", raises=[Conflict])
    def set(self, header: SentHeaderName, value: HeaderValue) -> str:
        """Set a header of all responses to traffic, which replaces all others of this name."""
        self._change([*_without(self.replacing, header), (header, value)], _without(self.added, header))
        return f"Set response header {header}: {value}"

    @put("/response/headers/remove/{header}", raises=[NotFound])
    def remove(self, header: HeaderName) -> str:
        """Remove a header, set or added, with all its values."""
        replacing, added = _without(self.replacing, header), _without(self.added, header)
        if (replacing, added) == (self.replacing, self.added):
            raise NotFound(f"header: {header} is not a response header: GET /response/headers lists them")
        self._change(replacing, added)
        return f"Removed response header {header}"

    @put("/response/headers/clear")
    def clear(self) -> str:
        """Remove all response headers, set or added."""
        self._change([], [])
        return "Response headers cleared"

    @get("/response/headers", "/response/headers/list")
    def show(self) -> dict[str, list[str]]:
        """List the response headers, set or added."""
        listed: dict[str, list[str]] = {}
        for name, value in (*self.replacing, *self.added):
            listed.setdefault(name, []).append(value)
        return listed

    @get("/response/headers/set")
    def show_set(self) -> dict[str, str]:
        """List the response headers that replace others of their name."""
        return {name: str(value) for name, value in self.replacing}

    @setting("response.headers")
    def configured(self) -> Pairs:
        """Headers added to all responses to traffic: `[[name, value], …]`; one given twice is sent twice."""
        return list(self.added)

    @configured.setter
    def configure(self, headers: Pairs) -> None:
        self._change(self.replacing, list(headers))

    @setting("response.setHeaders")
    def configured_set(self) -> Pairs:
        """Headers of all responses to traffic, which replace others of their name except those of `response.headers`. If two have
        the same name, the last one counts.
        """
        return list(self.replacing)

    @configured_set.setter
    def configure_set(self, headers: Pairs) -> None:
        last: dict[str, tuple[SentHeaderName, HeaderValue]] = {}
        for pair in headers:
            last.pop(pair[0].lower(), None)
            last[pair[0].lower()] = pair
        self._change([*last.values()], self.added)

    def _change(self, replacing: Pairs, added: Pairs) -> None:
        if len(replacing) + len(added) > HEADERS_LIMIT:
            raise Conflict(f"header: at most {HEADERS_LIMIT} response headers can be set or added: remove some first")
        self.replacing, self.added = replacing, added
        self._fields = [(encode(name), encode(value)) for name, value in (*replacing, *added)]
        self._replaced = frozenset(encode(name).lower() for name, _ in replacing)
        self.changed()


def _without(pairs: Pairs, header: str) -> Pairs:
    return [pair for pair in pairs if pair[0].lower() != header.lower()]
