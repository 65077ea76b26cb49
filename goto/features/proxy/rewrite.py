"""Makes the calls of a proxy target from a request. What depends on the target alone is worked out when it is configured.

Captured values come from clients, so they are encoded: a value cannot add a header, a path segment or a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from urllib.parse import quote, urlsplit

from goto.counting.tally import Tally
from goto.features.proxy.target import ProxyTarget
from goto.flow import Call, Field, Request, encode
from goto.http.forwards import MAX_FORWARDS, one_less
from goto.http.hops import to_upstream
from goto.http.request_id import REQUEST_ID, fresh_id
from goto.http.targets import has_parameter, joined_queries, percent_encoded, without_parameters
from goto.matching.captures import Capture, in_header, in_text
from goto.matching.templates import MissingCapture, Piece, expand, parse_template

_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_NOTHING_CAPTURED: dict[str, Capture] = {}

_Templates = Sequence[tuple[str, tuple[Piece, ...]]]
"""Names, each with the template of its value."""


class Rewrite:
    """Makes the calls of one target from requests."""

    def __init__(self, target: ProxyTarget, tally: Tally | None = None) -> None:
        self.target = target
        self.tally = tally
        self.rank = 0
        """The place of the target among those that traffic can trigger."""
        self._origin = target.origin
        self._timeout = target.timeout
        self._body_timeout = None if target.body_timeout is None else target.body_timeout.seconds or inf
        self._id = f"{target.name}[1][1]"
        url = urlsplit(target.url)
        self._url_path = _printable(url.path) or "/"
        self._base = _printable(url.path).removesuffix("/")
        self._url_query = _printable(url.query)
        path, query = _split(parse_template(target.replace_uri))
        self._replace_path = tuple(_printable(piece) if isinstance(piece, str) else piece for piece in path)
        self._replace_query = tuple(_printable(piece) if isinstance(piece, str) else piece for piece in query)
        self._removed_query = frozenset(target.remove_query)
        self._added_query = [
            (percent_encoded(name), tuple(percent_encoded(piece) if isinstance(piece, str) else piece for piece in pieces))
            for name, pieces in _templates(target.add_query)
        ]
        self._removed = frozenset(encode(name).lower() for name in target.remove_headers)
        if any(encode(name).lower() == MAX_FORWARDS for name, _ in target.add_headers):
            self._removed |= {MAX_FORWARDS}  # the target has the last word, and two of them would be no number (RFC 9110, 7.6.2)
        self._authority = (b"Host", encode(self._origin.authority))
        self._hosts = _templates((name, text) for name, text in target.add_headers if name.lower() == "host")
        self._added = _templates((name, text) for name, text in target.add_headers if name.lower() != "host")
        self._target_is_kept = not (
            target.send_id or target.replace_uri or target.add_query or target.remove_query or self._url_query
        )

    def calls(self, request: Request, captures: Mapping[str, Capture]) -> list[Call]:
        """The calls for a request that triggered the target, one for each replica."""
        headers = self._headers(request, captures)
        target = request.target
        if self._target_is_kept and target.startswith("/"):
            return self._replicated(request, self._base + target, headers)
        if self._replace_path or self._replace_query:
            return self._replaced(request, captures, headers)
        if request.path.startswith("/"):
            return self._with_query(request, self._base + request.path, "", captures, headers)
        # `OPTIONS *` has neither path nor query (RFC 9112, 3.2.4)
        return self._replicated(request, self._base or target, headers)

    def manual(self, request: Request) -> list[Call]:
        """The calls of a manual invocation, one for each replica: to `replaceURI` if there is one, else to the url as it is."""
        headers = self._headers(request, _NOTHING_CAPTURED)
        if self._replace_path or self._replace_query:
            return self._replaced(request, _NOTHING_CAPTURED, headers)
        return self._with_query(request, self._url_path, "", _NOTHING_CAPTURED, headers)

    def _replaced(self, request: Request, captures: Mapping[str, Capture], headers: list[Field]) -> list[Call]:
        try:
            path = expand(self._replace_path, captures, _in_path)
            query = expand(self._replace_query, captures, _in_query)
        except MissingCapture as missing:
            failure = f"replaceURI uses {{{missing.name}}}, but nothing was captured for it"
            return self._replicated(request, self._url_path, headers, failure)
        if not path.startswith("/"):
            path = "/" + path
        if request.target == "*":
            return self._replicated(request, self._base + path, headers)  # `OPTIONS *` has no query
        return self._with_query(request, self._base + path, query, captures, headers)

    def _with_query(
        self, request: Request, path: str, replaced: str, captures: Mapping[str, Capture], headers: list[Field]
    ) -> list[Call]:
        added = [f"{name}={value}" for name, value in _filled(self._added_query, captures, _in_query)]
        before = joined_queries((self._url_query, replaced, *added))
        after = without_parameters(request.query, self._removed_query) if self._removed_query else request.query
        if self.target.send_id and not has_parameter(before, REQUEST_ID) and not has_parameter(after, REQUEST_ID):
            calls = self._replicated(request, path, headers)
            for call in calls:
                call.path = f"{path}?{joined_queries((before, f'{REQUEST_ID}={fresh_id()}', after))}"
            return calls
        query = f"{before}&{after}" if before and after else before or after
        # a request target that ends with a bare question mark keeps it
        mark = "?" if query or (request.target.endswith("?") and not request.query) else ""
        return self._replicated(request, path + mark + query, headers)

    def _replicated(self, request: Request, path: str, headers: list[Field], failure: str = "") -> list[Call]:
        target, timeout, tally = self.target, self._timeout, self.tally
        call = Call(target.name, self._origin, request.method, path, headers, timeout, failure, tally=tally, id=self._id)
        call.body_timeout = self._body_timeout
        if target.replicas == 1:
            return [call]
        calls = [call]
        for number in range(2, target.replicas + 1):
            name = f"{target.name}[{number}][{number}]"
            again = Call(target.name, self._origin, request.method, path, list(headers), timeout, failure, tally=tally, id=name)
            again.body_timeout = self._body_timeout
            calls.append(again)
        return calls

    def _headers(self, request: Request, captures: Mapping[str, Capture]) -> list[Field]:
        """`Host`, the fields of the request that are forwarded (see `goto.http.hops`), and those that the target adds."""
        host = self._authority
        if self._hosts:
            for _, value in _filled(self._hosts, captures, in_header):
                host = (b"Host", encode(value))
                break
        passed = to_upstream(request.headers.fields)
        if MAX_FORWARDS in request.headers.index:
            passed = one_less(request, passed)
        if self._removed:
            passed = [field for field in passed if field[0].lower() not in self._removed]
        headers = [host, *passed]
        if self._added:
            for added, value in _filled(self._added, captures, in_header):
                headers.append((encode(added), encode(value)))
        return headers


def _templates(pairs: Iterable[tuple[str, str]]) -> _Templates:
    return [(name, parse_template(text)) for name, text in pairs]


def _filled(values: _Templates, captures: Mapping[str, Capture], encoder: Callable[[Capture], str]) -> Iterator[tuple[str, str]]:
    """Names and values with the variables filled in. Values that lack a capture are left out."""
    for name, pieces in values:
        try:
            yield name, expand(pieces, captures, encoder)
        except MissingCapture:
            continue


def _split(pieces: tuple[Piece, ...]) -> tuple[list[Piece], list[Piece]]:
    """The pieces before and after the first question mark of the literal text."""
    for at, piece in enumerate(pieces):
        if isinstance(piece, str) and "?" in piece:
            path, _, query = piece.partition("?")
            return [*pieces[:at], path], [query, *pieces[at + 1 :]]
    return list(pieces), []


def _printable(text: str) -> str:
    """Configured text as a request line may have it: percent-encoded except for visible ASCII."""
    return quote(encode(text), safe=_PRINTABLE)


def _in_path(capture: Capture) -> str:
    """A capture in a path. One from a path stays as it came; others are encoded to stay within one segment, `..` too."""
    if capture.source == "uri":
        return capture.text
    return percent_encoded(capture.text) if capture.text.strip(".") else capture.text.replace(".", "%2E")


def _in_query(capture: Capture) -> str:
    """A capture in a query, percent-encoded."""
    return percent_encoded(in_text(capture))
