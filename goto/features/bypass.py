"""URIs that are answered at once, before any other feature: above all those of health checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, TypedDict

import msgspec

from goto.errors import Conflict, NotFound
from goto.feature import Feature, measure
from goto.flow import Flow, Response
from goto.matching.given import as_sent, template_as_sent
from goto.matching.remarks import about_uri, in_brackets
from goto.matching.templates import Template, fold, parse_template
from goto.routes import get, put
from goto.settings import setting
from goto.words import Status, one_line

URIS_LIMIT = 10_000
"""Bypass URIs of one listener."""


class BypassUri(str):
    """A path, in which `{x}` stands for one segment. With a query it matches that query only. Letter case is ignored, and what
    cannot stand in a URI is percent-encoded.
    """

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": r"^/[^\x00-\x1f\x7f]*$", "examples": ["/live"]}
    template: Template

    @classmethod
    def parse(cls, text: str) -> BypassUri:
        one_line(text)
        if not text.startswith("/"):
            raise ValueError(f"{text!r} does not begin with /: write it like /live")
        uri = cls(_as_sent(text))
        uri.template = Template.parse(uri.partition("?")[0])
        return uri

    def matches(self, path: str, query: str) -> bool:
        """Whether a request has this URI."""
        wanted = self.partition("?")[2]
        return (not wanted or wanted.lower() == query.lower()) and self.template.match(path) is not None


class AddedUri(str):
    """A bypass URI that was added before."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["/live"]}

    @classmethod
    def parse(cls, text: str) -> AddedUri:
        return cls(_as_sent(one_line(text)))


Uris = Annotated[list[BypassUri], msgspec.Meta(max_length=URIS_LIMIT)]


class BypassState(TypedDict):
    """The bypass URIs and how they are answered."""

    Uris: dict[str, int]
    """The number of requests for each URI."""
    BypassStatus: int
    """The status that they are answered with."""


class Bypass(Feature):
    """Answer some URIs at once: they are not tracked, delayed, counted or proxied, and get no configured headers."""

    def __init__(self) -> None:
        self.status = Status(200)
        self._answered = 0
        """Requests answered here, including those of URIs that were removed since."""
        self.counts: dict[BypassUri, int] = {}
        self._known: dict[str, BypassUri] = {}
        """The URIs by their `_key`, which is the same in any letter case."""
        self._literal: dict[str, BypassUri] = {}
        """The URIs without variables and query, by their lower-case path."""
        self._patterns: list[BypassUri] = []

    @property
    def active(self) -> bool:
        return bool(self.counts)

    def request(self, flow: Flow) -> None:
        uri = self._find(flow.request.path, flow.request.query)
        if uri is not None:
            self.counts[uri] += 1
            self._answered += 1
            flow.response = Response(self.status)
            flow.hint = ""

    def _find(self, path: str, query: str) -> BypassUri | None:
        found = self._literal.get(path.lower())
        if found is not None:
            return found
        return next((uri for uri in self._patterns if uri.matches(path, query)), None)

    def forget(self) -> None:
        self.counts = dict.fromkeys(self.counts, 0)

    @put("/request/uri/bypass/add", raises=[Conflict])
    def add(self, uri: BypassUri) -> str:
        """Add a bypass URI."""
        key = _key(uri)
        if key in self._known:
            return f"Bypass URI {self._known[key]} is there already"
        self._check_room(len(self.counts) + 1)
        self._known[key] = uri
        self.counts[uri] = 0
        if "{" in uri or "?" in uri:
            self._patterns.append(uri)
        else:
            self._literal.setdefault(uri.lower(), uri)
        self.changed()
        return f"Added bypass URI {uri}{in_brackets([_about(uri)])}"

    def remarks(self) -> Iterator[tuple[str, str]]:
        return (("request.uri.bypass.uris", said) for uri in self.counts if (said := _about(uri)))

    @put("/request/uri/bypass/remove", raises=[NotFound])
    def remove(self, uri: AddedUri) -> str:
        """Remove a bypass URI."""
        known = self._added(uri)
        self.configure_uris([other for other in self.counts if other != known])
        return f"Removed bypass URI {known}"

    @put("/request/uri/bypass/clear")
    def clear(self) -> str:
        """Remove all bypass URIs."""
        self.counts, self._known, self._literal, self._patterns = {}, {}, {}, []
        self.changed()
        return "Bypass URIs cleared"

    @put("/request/uri/bypass/status/set/{status}")
    def set_status(self, status: Status) -> str:
        """Set the status that bypass URIs are answered with."""
        self.status = status
        return f"Bypass status set to {status}"

    @get("/request/uri/bypass", "/request/uri/bypass/list")
    def list(self) -> BypassState:
        """List the bypass URIs with their counts, and their status."""
        return {"Uris": {str(uri): count for uri, count in self.counts.items()}, "BypassStatus": int(self.status)}

    @get("/request/uri/bypass/status")
    def get_status(self) -> str:
        """Show the status that bypass URIs are answered with."""
        return f"Bypass status: {self.status}"

    @get("/request/uri/bypass/counts", raises=[NotFound])
    def count(self, uri: AddedUri) -> int:
        """Show how many requests a bypass URI got."""
        return self.counts[self._added(uri)]

    @setting("request.uri.bypass.uris")
    def configured_uris(self) -> Uris:
        """URIs that are answered at once: they are not tracked, delayed, counted or proxied, and get no configured headers."""
        return [*self.counts]

    @configured_uris.setter
    def configure_uris(self, uris: Uris) -> None:
        self._check_room(len(uris))
        counts = {_key(uri): count for uri, count in self.counts.items()}
        self.clear()
        for uri in uris:
            self.add(uri)
        for key, uri in self._known.items():
            self.counts[uri] = counts.get(key, 0)

    @setting("request.uri.bypass.status")
    def configured_status(self) -> Status | None:
        """The status that bypass URIs are answered with; 200 if not given."""
        return None if self.status == 200 else self.status

    @configured_status.setter
    def configure_status(self, status: Status | None) -> None:
        self.set_status(status or Status(200))

    @measure("goto_bypassed_exchanges", "counter")
    def answered(self) -> int:
        """Exchanges answered by a bypass URI, which are in no other metric."""
        return self._answered

    def _check_room(self, size: int) -> None:
        if size > URIS_LIMIT:
            raise Conflict(f"uri: at most {URIS_LIMIT} bypass URIs can be added: remove some first")

    def _added(self, uri: str) -> BypassUri:
        """The URI as it was added."""
        known = self._known.get(_key(uri))
        if known is None:
            raise NotFound(f"uri: {uri} is not a bypass URI: GET /request/uri/bypass lists them")
        return known


def _about(uri: str) -> str:
    """A remark on a URI, which is one path for most who add it."""
    return about_uri(uri.partition("?")[0], whole=False)


def _as_sent(text: str) -> str:
    """A path and perhaps a query as a request has them. Raises ValueError where the path is no template."""
    path, mark, query = text.partition("?")
    return template_as_sent(path) + mark + as_sent(query)


def _key(text: str) -> str:
    """A key that is the same for URIs that differ only in the letter case of their literal text; regexes are case-sensitive."""
    try:
        pieces = parse_template(text)
    except ValueError:
        return text  # such a text was never added
    return "".join(fold(piece) if isinstance(piece, str) else str(piece) for piece in pieces)
