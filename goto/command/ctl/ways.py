"""Routes as the command line has them: words, and options for what is not in the path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

LOCAL = "#/components/schemas/"


class Field(NamedTuple):
    """A parameter of the query, or a field of the body."""

    name: str
    kinds: str
    """What a value may be, a letter each: `s` text, `n` a number, `b` yes or no, `l` a list of texts, `j` other JSON."""

    @property
    def option(self) -> str:
        """`requestTimeout` is `--request-timeout`."""
        return "--" + re.sub("(?<=[a-z0-9])(?=[A-Z])", "-", self.name).lower()


class Way(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    about: str
    """The first line of its description."""
    query: tuple[Field, ...] = ()
    fields: tuple[Field, ...] = ()
    """Of the JSON body."""
    raw: bool = False
    """The body is sent as it is given."""

    @property
    def words(self) -> list[str]:
        """The segments of the path; those in braces stand for any word."""
        return self.path.split("/")[1:]

    @property
    def options(self) -> tuple[Field, ...]:
        return (*self.query, *self.fields)


def folded(name: str) -> str:
    """A name as options are compared: `requestTimeout`, `--request-timeout` and `--requesttimeout` are the same."""
    return name.replace("-", "").lower()


def matching(ways: Iterable[Way], words: Sequence[str]) -> list[Way]:
    """The ways whose path the words are. A fixed word goes before one in braces, leftmost first, as in the API."""
    found = [way for way in ways if len(way.words) == len(words) and all(map(_fits, words, way.words))]
    best = min(([word.startswith("{") for word in way.words] for way in found), default=[])
    return [way for way in found if [word.startswith("{") for word in way.words] == best]


def chosen(ways: Sequence[Way], *, body: bool) -> Way:
    """Of several methods of a path: with a body one that takes it, else GET, PUT, POST in this order."""
    order = ("GET", "PUT", "POST")
    return min(ways, key=lambda way: (body and not (way.fields or way.raw), order.index(way.method)))


def following(ways: Iterable[Way], words: Sequence[str]) -> list[str]:
    """The words that may come behind these, those in braces last."""
    count = len(words)
    found = [way.words[count] for way in ways if len(way.words) > count and all(map(_fits, words, way.words))]
    return sorted(dict.fromkeys(found), key=lambda word: (word.startswith("{"), word))


def _fits(word: str, wanted: str) -> bool:
    return word == wanted or wanted.startswith("{")


# ---------------------------------------------------------------- from the OpenAPI document
def ways_of(document: dict[str, Any]) -> Iterator[Way]:
    """The ways of an instance, as its OpenAPI document has them. Of PUT and POST that do the same it is PUT."""
    schemas = document.get("components", {}).get("schemas", {})
    for path, methods in document.get("paths", {}).items():
        seen: set[str] = set()
        for method in ("get", "put", "post"):
            operation = methods.get(method)
            if operation is None or (method == "post" and operation.get("summary", "") in seen):
                continue
            seen.add(operation.get("summary", ""))
            yield _way(method, path, operation, schemas)


def _way(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Way:
    query = tuple(
        Field(parameter["name"], kinds_of(parameter.get("schema", {}), schemas))
        for parameter in operation.get("parameters", ())
        if parameter.get("in") == "query"
    )
    content = operation.get("requestBody", {}).get("content", {})
    schema = resolved(content.get("application/json", {}).get("schema", {}), schemas)
    fields = tuple(Field(name, kinds_of(value, schemas)) for name, value in schema.get("properties", {}).items())
    return Way(method.upper(), path, operation.get("summary", ""), query, fields, raw=bool(content) and not fields)


def resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """What a schema refers to."""
    reference = str(schema.get("$ref", ""))
    return dict(schemas.get(reference.removeprefix(LOCAL), {})) if reference.startswith(LOCAL) else schema


def kinds_of(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """The letters of a schema, see `Field.kinds`."""
    schema = resolved(schema, schemas)
    found = ""
    if "anyOf" in schema:
        found = "".join(kinds_of(option, schemas) for option in schema["anyOf"])
    else:
        named = schema.get("type", "string" if "enum" in schema else "any")
        for kind in [named] if isinstance(named, str) else named:
            match kind:
                case "array":
                    items = resolved(schema.get("items", {}), schemas)
                    found += "l" if kinds_of(items, schemas) == "s" else "j"
                case "any":
                    found += "snbj"
                case _:
                    found += {"string": "s", "integer": "n", "number": "n", "boolean": "b", "object": "j"}.get(kind, "")
    if set(schema.get("enum", ())) >= {"y", "n"}:
        found = "b"  # a flag
    return "".join(dict.fromkeys(found))
