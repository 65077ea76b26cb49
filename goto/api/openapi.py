"""The OpenAPI 3.1 document of an API, made from the declarations of its routes alone."""

from __future__ import annotations

import inspect
import re
from typing import Any

from goto import __version__
from goto.api.access import refusals
from goto.api.management import PORT_PREFIX, Error, TextAnswer
from goto.api.table import Parameter, Route, RouteTable
from goto.errors import ApiError, BadInput, StoodStill, TooLarge, Unauthorized, WrongMethod
from goto.flow import Response
from goto.routes import Accepted, Forward
from goto.settings import members
from goto.upstream.kept import Reported
from goto.words.schema import Schema, Types, first_paragraph

FOR_ALL: tuple[type[ApiError], ...] = (TooLarge,)
"""Errors that every route may answer."""

TEXT, JSON, BYTES = "text/plain", "application/json", "application/octet-stream"

_BYTES = {"type": "string", "format": "binary"}

DESCRIPTION = """\
goto answers HTTP requests the way it is told to, passes them on to other servers and changes them on the way, and sends
requests of its own. What is set or counted belongs to one listener, a port that goto serves on.

- A call acts on the listener it is sent to. With `/goto/port/{port}` in front of its path it acts on the listener of that
  port; `404` if there is none. That is the second server here.
- Answers are a line of text, or JSON where there is structure. With `Accept: application/json` all of them are JSON, errors
  too.
- What is wrong with a call is said naming the field, and then nothing was changed.
- A trailing slash makes no difference. Where `GET` works, `HEAD` does. Another method on a known path is `405` with `Allow`.
- The content type of a JSON body does not matter. Its keys may be in any letter case; unknown ones are named in the answer.
  `null` and `""` mean *not given*, wherever a field need not be given.
- Every other path is traffic. That includes `/status/{status}`, answered with that status, and `/echo`, answered with the
  request as JSON, both in any method.
"""

_SHARED_HEADERS: dict[str, Schema] = {
    "Via-Goto": {"description": "The label of the listener; its port where it has none.", "schema": {"type": "string"}},
    "Goto-Host": {"description": "Where goto runs: host, namespace and address.", "schema": {"type": "string"}},
}
_SECURITY: list[dict[str, list[str]]] = [{}, {"token": []}]  # an instance may have no token: then none is needed
_SCHEMES = {"token": {"type": "http", "scheme": "bearer", "description": "The admin token, if one is set."}}
_IDENTITY = {name: {"$ref": f"#/components/headers/{name}"} for name in _SHARED_HEADERS}


def document(table: RouteTable, *, guarded: bool = True) -> dict[str, Any]:
    """The document as plain data. One of an instance without a token, which is not `guarded`, asks for none."""
    made = _Document(guarded)
    for route in table.routes:
        made.add(route)
    return made.whole()


class _Document:
    def __init__(self, guarded: bool) -> None:
        self._guarded = guarded
        self._types = Types()
        self._paths: dict[str, dict[str, Any]] = {}
        self._by_shape: dict[str, str] = {}
        self._spelled: dict[tuple[type, str], str] = {}
        """The first path of a method."""
        self._ids: set[str] = set()
        self._tags: dict[str, type] = {}
        self._errors: dict[str, type[ApiError]] = {}

    def whole(self) -> dict[str, Any]:
        """All that was added, as a document."""
        self._refer(WrongMethod)
        responses = {name: self._error(error) for name, error in self._errors.items()}
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "goto",
                "version": __version__,
                "summary": "An HTTP test server, an intercepting proxy and a load-sending client in one.",
                "description": DESCRIPTION,
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [
                {"url": "/", "description": "The listener that is called."},
                {
                    "url": f"{PORT_PREFIX}{{port}}",
                    "description": "Another listener of the same process.",
                    "variables": {"port": {"default": "8080", "description": "Its port."}},
                },
            ],
            "tags": [
                {"name": name, "description": first_paragraph(inspect.getdoc(owner) or "")} for name, owner in self._tags.items()
            ],
            "paths": self._paths,
            **({"security": _SECURITY} if self._guarded else {}),
            "components": {
                "schemas": self._types.defs,
                "responses": responses,
                "headers": _SHARED_HEADERS,
                **({"securitySchemes": _SCHEMES} if self._guarded else {}),
            },
        }

    def add(self, route: Route) -> None:
        """Add the operations of a route."""
        path = self._by_shape.setdefault("/".join("{}" if is_variable(s) else s for s in route.path.split("/")), route.path)
        tag = in_words(route.owner.__name__)
        self._tags.setdefault(tag, route.owner)
        operation: dict[str, Any] = {
            "tags": [tag],
            "summary": route.description,
            "description": self._description(route),
            "parameters": self._parameters(route, path),
            "requestBody": self._body(route),
            "responses": self._responses(route),
        }
        if route.who.anybody and self._guarded:
            # an empty list would be no key at all below
            operation["security"] = [{}]
        for method in route.methods:
            self._paths.setdefault(path, {})[method.lower()] = {
                "operationId": self._id(method, route.path),
                **{key: value for key, value in operation.items() if value},
            }

    def _description(self, route: Route) -> str:
        text = inspect.getdoc(getattr(route.owner, route.method)) or ""
        rest = text.partition("\n")[2].strip()
        first = self._spelled.setdefault((route.owner, route.method), route.path)
        same = f"The same as `{first}`." if first != route.path else ""
        return "\n\n".join(part for part in (rest, same) if part)

    def _id(self, method: str, path: str) -> str:
        """Method and path in one word, as stable as these are; two underscores begin a variable."""
        words = [f"_{word[1:-1]}" if is_variable(word) else word for word in path.split("/")[1:]]
        made = re.sub(r"\W", "_", "_".join([method.lower(), *words]))
        while made in self._ids:
            made += "_"
        self._ids.add(made)
        return made

    # ------------------------------------------------------------ what comes
    def _parameters(self, route: Route, path: str) -> list[dict[str, Any]]:
        """Words of the path by the names that the first route of this shape gives them: one path has one set of names."""
        names = iter(segment[1:-1] for segment in path.split("/") if is_variable(segment))
        return [
            self._parameter(parameter, next(names) if parameter.source == "path" else parameter.name)
            for parameter in route.parameters
            if parameter.source in ("path", "query")
        ]

    def _parameter(self, parameter: Parameter, name: str) -> dict[str, Any]:
        schema = self._types.of(parameter.kind)
        described = {"name": name, "in": parameter.source, "required": parameter.required, "schema": schema}
        if "description" in schema:
            described["description"] = schema.pop("description")
        if "examples" in schema:
            described["example"] = schema.pop("examples")[0]
        return described

    def _body(self, route: Route) -> dict[str, Any] | None:
        if route.returns is Forward:
            return {"description": "What the targets are sent.", "content": {BYTES: {"schema": _BYTES}}}
        for parameter in route.parameters:
            if parameter.source == "payload":
                described: Schema = {"schema": self._types.of(parameter.kind)}
                if example := getattr(parameter.kind, "example", None):
                    described["example"] = example
                return {"required": True, "content": {JSON: described}}
            if parameter.source == "raw":
                return {"content": {media: {"schema": {}} for media in route.media or (BYTES,)}}
        return None

    # ------------------------------------------------------------ what goes
    def _responses(self, route: Route) -> dict[str, Any]:
        responses = self._declared(route) if route.answers is not None else self._answers(route.returns)
        given = any(parameter.source not in ("request", "listener") for parameter in route.parameters)
        errors: list[type[ApiError]] = [*route.raises, *refusals(route.who), *FOR_ALL]
        if given:
            errors.append(BadInput)
        if self._body(route) is not None:
            errors.append(StoodStill)
        for error in sorted(set(errors), key=lambda error: error.status):
            responses.setdefault(str(error.status), self._refer(error))
        return responses

    def _declared(self, route: Route) -> dict[str, Any]:
        return {
            str(status): _response(
                "Nothing new." if status == 304 else "The answer.",
                {
                    media: {"schema": _any_of([self._types.of(each) for each in members(kind)])}
                    for media, kind in by_media.items()
                },
            )
            for status, by_media in (route.answers or {}).items()
        }

    def _answers(self, returns: Any) -> dict[str, Any]:
        """By what a method returns; the rules are those of `goto.api.management`."""
        if returns is Forward:
            what = "What the target answers, whatever that is; `502` or `504` with the reason where it does not."
            several = "The answers of several calls, in the order of targets and then replicas."
            return {
                "208": _response(several, {JSON: {"schema": self._types.of(list[Reported])}}),
                "default": _response(what, {"*/*": {"schema": {}}}),
            }
        kinds = members(returns)
        if Response in kinds:
            return {"default": _response("The answer.", {"*/*": {"schema": {}}})}
        responses = {}
        message = self._types.of(TextAnswer)
        if rest := [kind for kind in kinds if kind not in (str, Accepted)]:
            options = [*([message] if str in kinds else []), *map(self._types.of, rest)]
            content = {JSON: {"schema": _any_of(options)}}
            if str in kinds or Any in kinds:
                content[TEXT] = {"schema": {"type": "string"}}
            responses["200"] = _response("The answer.", content)
        elif str in kinds:
            responses["200"] = _response("A line that says what was done, or how things stand.", _either(message))
        if Accepted in kinds:
            responses["202"] = _response("Heard: nothing had to be done, or it is done later.", _either(message))
        return responses

    def _refer(self, error: type[ApiError]) -> dict[str, Any]:
        self._errors[error.__name__] = error
        return {"$ref": f"#/components/responses/{error.__name__}"}

    def _error(self, error: type[ApiError]) -> dict[str, Any]:
        response = _response(first_paragraph(inspect.getdoc(error) or ""), _either(self._types.of(Error)))
        if error.example:
            response["content"][TEXT]["example"] = error.example
            response["content"][JSON]["example"] = {"error": error.example}
        if error is WrongMethod:
            response["headers"]["Allow"] = {"description": "The methods there are.", "schema": {"type": "string"}}
        if error is Unauthorized:
            response["headers"]["WWW-Authenticate"] = {"description": "`Bearer`.", "schema": {"type": "string"}}
        return response


def _response(description: str, content: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"description": description, "headers": dict(_IDENTITY)}
    return {**made, "content": content} if content else made


def _any_of(schemas: list[Schema]) -> Schema:
    return {"anyOf": schemas} if len(schemas) > 1 else schemas[0]


def _either(schema: Schema) -> dict[str, Any]:
    """A line of text, or JSON where that is asked for."""
    return {TEXT: {"schema": {"type": "string"}}, JSON: {"schema": schema}}


def is_variable(segment: str) -> bool:
    return segment.startswith("{")


def in_words(name: str) -> str:
    """A class name in words: `Response headers`."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda found: f" {found[0].lower()}", name)
