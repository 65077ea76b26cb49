"""The table of routes: every declared route of the API, found by method and path."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Union, get_type_hints
from urllib.parse import unquote_to_bytes

import msgspec

from goto.errors import ApiError, BadInput, WrongMethod
from goto.flow import Request
from goto.routes import ADMIN, MANAGEMENT_LIMIT, Accepted, Answers, Declared, Later, Who
from goto.settings import members
from goto.traffic.listener import Listener
from goto.words import one_line
from goto.words.reading import read_json, read_struct


@dataclass(frozen=True, slots=True)
class Parameter:
    argument: str
    """The name of the method's argument."""
    kind: Any
    source: str
    """`path`, `query`, `payload` (a JSON body), `raw` (the body's bytes), `request` or `listener` (the one that is acted on)."""
    required: bool

    @property
    def name(self) -> str:
        """As calls have it: without the underscore that `from_` needs in Python."""
        return self.argument.removesuffix("_")


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the API and the method that serves it."""

    methods: tuple[str, ...]
    path: str
    owner: type
    method: str
    description: str
    parameters: tuple[Parameter, ...]
    returns: Any = Any
    """The type of the method's answer."""
    body_limit: int = MANAGEMENT_LIMIT
    media: tuple[str, ...] = ()
    raises: tuple[type[ApiError], ...] = ()
    answers: Answers | None = None
    who: Who = ADMIN

    def arguments(self, listener: Listener, request: Request, words: list[str], body: bytes) -> tuple[dict[str, Any], list[str]]:
        """The arguments of a call, and the JSON keys that are not known. `BadInput` names the field and the reason."""
        given = iter(words)
        arguments: dict[str, Any] = {}
        unknown: list[str] = []
        for parameter in self.parameters:
            match parameter.source:
                case "path":
                    arguments[parameter.argument] = _word(
                        parameter, unquote_to_bytes(next(given).encode("utf-8", "surrogateescape"))
                    )
                case "query":
                    value = _query_value(request.query, parameter.name)
                    if value:
                        arguments[parameter.argument] = _word(parameter, value)
                    elif parameter.required:
                        raise BadInput(f"{parameter.name}: missing, give it as ?{parameter.name}=…")
                case "payload":
                    arguments[parameter.argument], unknown = read_struct(read_json(body), parameter.kind)
                case "raw":
                    arguments[parameter.argument] = body
                case "listener":
                    arguments[parameter.argument] = listener
                case _:
                    arguments[parameter.argument] = request
        return arguments, unknown

    def call(self, owner: Any, listener: Listener, request: Request, words: list[str], body: bytes) -> tuple[Any, list[str]]:
        """Call the method; what it returned, which may have to be awaited, and the JSON keys that are not known."""
        arguments, unknown = self.arguments(listener, request, words, body)
        return getattr(owner, self.method)(**arguments), unknown


def remarks(result: Any, keys: list[str], parameters: list[str]) -> tuple[Any, list[str]]:
    """A result with remarks on keys of the body and parameters of the query that are not known; the parameters that it has no
    room for.
    """
    if isinstance(result, Accepted):
        text, parameters = remarks(result.text, keys, parameters)
        return Accepted(text), parameters
    if isinstance(result, str):
        given = {"keys": keys, "parameters": parameters}
        said = [f" (ignored unknown {what}: {', '.join(names)})" for what, names in given.items() if names]
        return "".join([result, *said]), []
    if isinstance(result, dict) and keys:
        result = {**result, "ignored": keys}
    return result, parameters


def unknown_parameters(route: Route, query: str) -> list[str]:
    """The parameters of a query that a route does not know, as they came, each once."""
    known = {parameter.name for parameter in route.parameters if parameter.source == "query"}
    return list(dict.fromkeys(name for pair in query.split("&") if (name := pair.partition("=")[0]) and name not in known))


def _word(parameter: Parameter, data: bytes) -> Any:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{parameter.name}: not valid UTF-8") from None
    try:
        return parameter.kind.parse(text) if hasattr(parameter.kind, "parse") else one_line(text)
    except ValueError as error:
        raise BadInput(f"{parameter.name}: {error}") from None


def _query_value(query: str, name: str) -> bytes | None:
    """The first value of a parameter, percent-decoded; a `+` stays one, since URIs are given this way."""
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key == name:
            return unquote_to_bytes(value.encode("utf-8", "surrogateescape"))
    return None


def routes_of(owner: type) -> list[Route]:
    """The routes declared on a class, in the order written."""
    found = []
    for base in reversed(owner.__mro__):
        for name, member in base.__dict__.items():
            for declared in getattr(member, "__routes__", ()):
                found.append(_route(declared, owner, name, member))
    return found


def _route(declared: Declared, owner: type, name: str, method: Callable[..., Any]) -> Route:
    hints = get_type_hints(method)
    return Route(
        declared.methods,
        declared.path,
        owner,
        name,
        (inspect.getdoc(method) or "").partition("\n")[0],
        _parameters(method, hints, declared.path),
        _answer(hints.get("return", Any)),
        declared.body_limit,
        declared.media,
        declared.raises,
        declared.answers,
        declared.who,
    )


def _answer(returns: Any) -> Any:
    """The type of an answer, whether it comes at once or later."""
    kinds = [kind for kind in members(returns) if kind is not Later]
    return returns if len(kinds) == len(members(returns)) else Union[tuple(kinds)]  # noqa: UP007  # made of a list


def _parameters(method: Callable[..., Any], hints: Mapping[str, Any], path: str) -> tuple[Parameter, ...]:
    in_path = [segment[1:-1] for segment in path.split("/") if segment.startswith("{")]
    parameters = []
    for name, parameter in inspect.signature(method).parameters.items():
        if name == "self":
            continue
        kind = hints.get(name, str)
        required = parameter.default is inspect.Parameter.empty
        parameters.append(Parameter(name, kind, _source(name, kind, in_path), required))
    # words come in the order of the path, whatever the order of the signature
    parameters.sort(key=lambda p: in_path.index(p.name) if p.name in in_path else len(in_path))
    return tuple(parameters)


def _source(name: str, kind: Any, in_path: list[str]) -> str:
    if name in in_path:
        return "path"
    if kind is Request:
        return "request"
    if Listener in members(kind):
        return "listener"
    if kind is bytes:
        return "raw"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "payload"
    return "query"


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    routes: list[Route] = field(default_factory=list)


class RouteTable:
    """All routes, by path. Literal segments win over variables, leftmost first."""

    def __init__(self, owners: Iterable[type]) -> None:
        self.routes = [route for owner in owners for route in routes_of(owner)]
        self._root = _Node()
        for route in self.routes:
            node = self._root
            for segment in route.path.split("/")[1:]:
                if segment.startswith("{"):
                    node.variable = node.variable or _Node()
                    node = node.variable
                else:
                    node = node.literals.setdefault(segment, _Node())
            node.routes.append(route)
        self.prefixes = frozenset(self._root.literals)
        """First path segments of the API: a request whose path has another one is traffic at a glance."""

    def find(self, method: str, path: str) -> tuple[Route, list[str]] | None:
        """The route of a management call and its path words, still encoded; None for traffic.

        A trailing slash does not matter; HEAD is served by GET. Raises `WrongMethod` for a known path.
        """
        segments = path.split("/")[1:]
        if not segments or segments[0] not in self.prefixes:
            return None
        if not segments[-1]:
            segments.pop()
        wanted = "GET" if method == "HEAD" else method
        allowed: list[str] = []
        for node, words in _walk(self._root, segments, []):
            for route in node.routes:
                if wanted in route.methods:
                    return route, words
                allowed += route.methods
        if allowed:
            if "GET" in allowed:
                allowed.append("HEAD")
            raise WrongMethod(method, path, list(dict.fromkeys(allowed)))
        return None


def _walk(node: _Node, segments: list[str], words: list[str]) -> Iterable[tuple[_Node, list[str]]]:
    if not segments:
        if node.routes:
            yield node, words
        return
    first, rest = segments[0], segments[1:]
    if first in node.literals:
        yield from _walk(node.literals[first], rest, words)
    if node.variable is not None and first:
        yield from _walk(node.variable, rest, [*words, first])
