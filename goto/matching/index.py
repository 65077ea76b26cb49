"""An index of targets: finds those that a request triggers without looking at the others.

URIs are in a trie by path segment: literal segments in a dict, `{x}` as one branch, segments that are partly variable in a
`TemplateSet`. A regex may span segments, so the rest of a path that begins with one is in a `TemplateSet` too. Header and query
criteria are found by name, then by value. So the cost grows with the request and the criteria that hold, not with the targets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from goto.http.fields import decode, encode
from goto.http.memo import Memo
from goto.http.messages import Request
from goto.http.targets import percent_decoded
from goto.matching.captures import Capture, CaptureSource
from goto.matching.criteria import Criteria
from goto.matching.templates import ANY_VALUE, Piece, Template, TemplateSet, Variable, fold

T = TypeVar("T")


class _Criterion(NamedTuple):
    """One criterion of one target, numbered in the order in which captures are taken."""

    number: int
    target: int
    source: CaptureSource
    template: Template | None
    """The template to capture with; None where nothing is captured."""


Hit = tuple[_Criterion, str]
"""A criterion that holds, and the text that its template captures from."""


class _Node:
    """A node of the trie of path segments."""

    __slots__ = ("ends", "literals", "partial", "partials", "tails", "variable")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.partial: TemplateSet[_Node] | None = None
        self.partials: dict[bytes, _Node] = {}
        """The nodes in `partial` by their regex, since equal regexes lead to the same node."""
        self.tails: TemplateSet[_Criterion] | None = None
        """Criteria whose regex begins here, matched against the rest of the path."""
        self.ends: list[_Criterion] = []

    def add(self, segments: list[tuple[Piece, ...]], criterion: _Criterion) -> None:
        """Add the path that has these segments after this node."""
        node = self
        for at, segment in enumerate(segments):
            if all(isinstance(piece, str) for piece in segment):
                node = node._literal(fold("".join(map(str, segment))))
            elif any(isinstance(piece, Variable) and piece.regex is not None for piece in segment):
                if node.tails is None:
                    node.tails = TemplateSet()
                node.tails.add(Template(_joined(segments[at:])), criterion)
                return
            elif len(segment) == 1:
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node._partial(Template(segment))
        node.ends.append(criterion)

    def _literal(self, segment: str) -> _Node:
        if segment not in self.literals:
            self.literals[segment] = _Node()
        return self.literals[segment]

    def _partial(self, template: Template) -> _Node:
        if template.regex not in self.partials:
            if self.partial is None:
                self.partial = TemplateSet()
            self.partials[template.regex] = _Node()
            self.partial.add(template, self.partials[template.regex])
        return self.partials[template.regex]


class _Values:
    """The criteria on one header or query parameter."""

    __slots__ = ("any", "exact", "patterns")

    def __init__(self) -> None:
        self.any: list[_Criterion] = []
        self.exact: dict[str, list[_Criterion]] = {}
        self.patterns: TemplateSet[_Criterion] | None = None

    def add(self, template: Template | None, criterion: _Criterion) -> None:
        if template is None or template.matches_everything:
            self.any.append(criterion)
        elif template.literal is not None:
            self.exact.setdefault(template.literal, []).append(criterion)
        else:
            if self.patterns is None:
                self.patterns = TemplateSet()
            self.patterns.add(template, criterion)

    def find(self, value: str, hits: list[Hit]) -> None:
        for criterion in self.any:
            hits.append((criterion, value))
        if self.exact:
            for criterion in self.exact.get(fold(value), ()):
                hits.append((criterion, value))
        if self.patterns is not None:
            for criterion in self.patterns.find(value):
                hits.append((criterion, value))


class MatchIndex(Generic[T]):
    """Finds which of many targets a request triggers. Targets are kept in the order in which they are added."""

    def __init__(self, targets: Iterable[tuple[T, Criteria]] = (), *, remembers: bool = True) -> None:
        """`remembers`: what was found for a request target is kept for the next one that is alike, up to 4 MiB of it. Not for an
        index of which there may be thousands.
        """
        self._targets: list[T] = []
        self._everything: list[Hit] = []
        self._root: _Node | None = None
        self._headers: dict[bytes, _Values] = {}
        self._query: dict[str, _Values] = {}
        self._numbers = 0
        self._in_target: Memo[str, list[Hit]] | None = Memo(self._find) if remembers else None
        """The criteria on path and query that hold, by request target, remembered."""
        self._always: list[tuple[T, dict[str, Capture]]] | None = None
        """The result for every request, where `/` is the only criterion there is."""
        for target, criteria in targets:
            self.add(target, criteria)

    def add(self, item: T, criteria: Criteria) -> None:
        """Add a target after all others."""
        target = len(self._targets)
        self._targets.append(item)
        self._always = None
        if self._in_target is not None:
            self._in_target.clear()
        for uri in criteria.uris:
            template = Template.parse(uri)
            criterion = self._criterion(target, "uri", template)
            if uri == "/":
                self._everything.append((criterion, ""))
                continue
            if self._root is None:
                self._root = _Node()
            self._root.add(_segments(template.pieces), criterion)
        for name, *value in criteria.headers:
            header = self._headers.setdefault(encode(name).lower(), _Values())
            self._add_value(target, "header", header, value)
        for name, *value in criteria.query:
            parameter = self._query.setdefault(name, _Values())
            self._add_value(target, "query", parameter, value)

    def match(self, request: Request) -> list[tuple[T, dict[str, Capture]]]:
        """The targets that a request triggers, in order, each with its captures. The list must not be changed."""
        if self._always is not None:
            return self._always
        hits = self.hits(request)
        if not hits:
            return []
        matches = self.collect(hits)
        if self._root is None and not self._headers and not self._query:
            self._always = matches
        return matches

    def hits(self, request: Request) -> list[Hit]:
        """The criteria that hold, in no order, and with nothing captured yet."""
        known = self._in_target
        hits = [*self._everything, *(self._find(request.target) if known is None else known[request.target])]
        if self._headers:
            headers = self._headers
            for name, fields in request.headers.index.items():
                if name in headers:
                    for _, value in fields:
                        headers[name].find(decode(value), hits)
        return hits

    def _find(self, target: str) -> list[Hit]:
        """The criteria on path and query that hold for a request target."""
        hits: list[Hit] = []
        path, _, query = target.partition("?")
        if self._root is not None:
            self._find_path(self._root, path, hits)
        if self._query and query:
            self._find_query(query, hits)
        return hits

    def _find_path(self, root: _Node, path: str, hits: list[Hit]) -> None:
        segments = fold(path).split("/")
        nodes = [root]
        # a path begins with a slash, so the first segment is empty, except in `OPTIONS *`, which no template matches
        for at in range(1, len(segments)):
            segment = segments[at]
            following = []
            for node in nodes:
                if segment in node.literals:
                    following.append(node.literals[segment])
                if node.variable is not None and segment:
                    following.append(node.variable)
                if node.partial is not None and segment:
                    following += node.partial.find(segment)
                if node.tails is not None:
                    rest = path.split("/", at)[at]
                    hits += [(criterion, path) for criterion in node.tails.find(rest)]
            if not following:
                return
            nodes = following
        for node in nodes:
            hits += [(criterion, path) for criterion in node.ends]

    def _find_query(self, query: str, hits: list[Hit]) -> None:
        criteria = self._query
        for pair in query.split("&"):
            name, _, value = pair.partition("=")
            name = percent_decoded(name)
            if name in criteria:
                criteria[name].find(percent_decoded(value), hits)

    def collect(self, hits: list[Hit]) -> list[tuple[T, dict[str, Capture]]]:
        """The targets of some criteria, in order, each with its captures."""
        hits.sort(key=_number)
        found: dict[int, dict[str, Capture]] = {}
        for criterion, text in hits:
            captures = found.setdefault(criterion.target, {})
            if criterion.template is not None:
                for name, value in (criterion.template.match(text) or {}).items():
                    captures.setdefault(name, Capture(value, criterion.source))
        return [(self._targets[target], captures) for target, captures in found.items()]

    def _add_value(self, target: int, source: CaptureSource, values: _Values, value: list[str]) -> None:
        template = Template.parse(value[0], ANY_VALUE) if value and value[0] else None
        values.add(template, self._criterion(target, source, template))

    def _criterion(self, target: int, source: CaptureSource, template: Template | None) -> _Criterion:
        self._numbers += 1
        return _Criterion(self._numbers, target, source, template if template and template.literal is None else None)


def _number(hit: Hit) -> int:
    return hit[0].number


def _segments(pieces: tuple[Piece, ...]) -> list[tuple[Piece, ...]]:
    """The pieces of a path, cut into segments at the slashes of its literal text."""
    segments: list[list[Piece]] = [[]]
    for piece in pieces:
        if isinstance(piece, Variable):
            segments[-1].append(piece)
            continue
        first, *others = piece.split("/")
        segments[-1].append(first)
        segments += [[other] for other in others]
    return [tuple(piece for piece in segment if piece) for segment in segments[1:]]


def _joined(segments: list[tuple[Piece, ...]]) -> list[Piece]:
    """The pieces of a path, joined from its segments; the reverse of `_segments`."""
    pieces: list[Piece] = []
    for segment in segments:
        pieces += ["/", *segment]
    return pieces[1:]
