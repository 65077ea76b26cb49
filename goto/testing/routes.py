"""A route of the API as a client has it: arguments become a request, and the answer what the route declares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

import msgspec

from goto.settings import members
from goto.testing.asking import Answer, Ask
from goto.testing.failures import ApiFailure, NotFound, failure_of
from goto.words import Duration
from goto.words.reading import decode_word
from goto.words.writing import as_json

T = TypeVar("T")

UNESCAPED = "!$&'()*+,;=:@-._~"
"""What may stand in a segment of a path as it is (RFC 3986, 3.3)."""

IN_QUERY = "!$'()*,;:@/?-._~"
"""What may stand in the value of a parameter as it is."""

LONGEST = 3600.0
"""Seconds that an invocation may take, which answers when all is done."""

JSON = "application/json"


@dataclass(frozen=True)
class Route(Generic[T]):
    """One route: `Route[str]("PUT", "/response/delay/set/{delay}", str)`."""

    method: str
    path: str
    answer: Any
    """The type of the answer. `Answer` stands for one that is handed on as it came."""
    query: tuple[str, ...] = ()
    """The parameters of the query; those that are required have a `!` behind."""
    body: str = ""
    """What the body is: `json` (a struct, or its fields), `any` (any JSON), `raw`, `forward` (raw, with headers), or
    nothing.
    """
    durations: frozenset[str] = frozenset()
    """Parameters and fields that are durations, which may be given in seconds."""

    @property
    def variables(self) -> int:
        return self.path.count("{")

    def fits(self, words: Sequence[object], fields: Mapping[str, object]) -> bool:
        """Whether these can be its arguments: words of the path, then a struct for the body, or fields by name."""
        structs = sum(isinstance(word, msgspec.Struct) for word in words)
        known = {name.rstrip("!") for name in self.query}
        needed = {name[:-1] for name in self.query if name.endswith("!")}
        match self.body:
            case "json":
                known |= set(fields)
                if not structs and not fields:
                    return False
            case "raw":
                needed |= {"body"}
                known |= {"body"}
            case "forward":
                known |= {"body", "headers"}
        return (
            len(words) - structs == self.variables
            and (not structs or self.body == "json")
            and set(fields) <= known
            and needed <= set(fields)
        )

    def ask(self, words: Sequence[object], fields: Mapping[str, Any], before: str = "") -> Ask:
        """The request; `before` goes before its path."""
        struct = words[-1] if words and isinstance(words[-1], msgspec.Struct) else None
        given = iter(words)
        segments = [quote(_text(next(given)), UNESCAPED) if part.startswith("{") else part for part in self.path.split("/")]
        pairs, rest, seconds = [], {}, 0.0
        asked = {name.rstrip("!") for name in self.query}
        for name, value in fields.items():
            key = name.removesuffix("_")
            if value is not None and key in self.durations:
                value = in_words(value)
            if key in ("wait", "timeout", "settle") and isinstance(value, str):
                seconds += _seconds(value)
            if key not in asked:
                rest[key] = value
            elif value is not None:
                pairs.append(f"{quote(key)}={quote(_text(value), IN_QUERY)}")
        target = before + "/".join(segments) + (f"?{'&'.join(pairs)}" if pairs else "")
        headers = {"Accept": JSON} if self._wants_json else {}
        if "/invoke" in self.path:
            seconds = LONGEST
        body: bytes | None = None
        if self.body in ("json", "any"):
            document = rest["json"] if self.body == "any" else rest
            body = json.dumps(plain(document if struct is None else struct)).encode()
            headers["Content-Type"] = JSON
        elif self.body:
            body = _raw(rest.get("body"))
            headers |= rest.get("headers") or {}
        elif self.method != "GET":
            body = b""
        return Ask(self.method, target, body, headers, seconds)

    @property
    def _wants_json(self) -> bool:
        kinds = members(self.answer)
        return not {str, Answer, Any} & {*kinds}

    def read(self, answer: Answer) -> T:
        """What the route declares, out of an answer. Raises an `ApiFailure`."""
        if self.answer is Answer:
            return cast("T", answer)
        if answer.astray:
            raise NotFound(answer.astray, 404)
        value = _json(answer)
        if answer.status >= 400:
            said = value.get("error", value.get("text")) if isinstance(value, dict) else None
            raise failure_of(answer.status, said or answer.text, value)
        kinds = members(self.answer)
        if self.answer is Any:
            return cast("T", answer.text if value is None else value)
        if str in kinds and (len(kinds) == 1 or value is None):
            return cast("T", answer.text)
        try:
            return cast("T", msgspec.convert(value, self.answer, dec_hook=decode_word, str_keys=True))
        except msgspec.ValidationError as error:
            raise ApiFailure(f"{self.method} {self.path}: the answer is not as declared: {error}", answer.status, value) from None


def chosen(routes: Sequence[Route[Any]], words: Sequence[object], fields: Mapping[str, object]) -> Route[Any]:
    """The first of several routes that arguments fit. Raises `TypeError`."""
    for route in routes:
        if route.fits(words, fields):
            return route
    ways = " or ".join(f"{route.method} {route.path}" for route in routes)
    raise TypeError(f"these are no arguments of {ways}")


def in_words(value: object) -> object:
    """A duration as the API reads it: text stays as it is, a number is seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, Duration):
        return str(value)
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"


def plain(value: Any) -> Any:
    """Fields of a body as JSON has them: without those that are None, and by their keys in the API (`for_` is `for`)."""
    if isinstance(value, Mapping):
        return {str(name).removesuffix("_"): plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return as_json(value)


def _text(value: object) -> str:
    """A word of a path or a query."""
    if isinstance(value, bool):
        return "y" if value else "n"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value)


def _seconds(text: str) -> float:
    try:
        return Duration.parse(text).seconds
    except ValueError:
        return 0.0  # the instance says what is wrong


def _raw(value: Any) -> bytes:
    if value is None or isinstance(value, bytes):
        return value or b""
    return value.encode() if isinstance(value, str) else json.dumps(plain(value)).encode()


def _json(answer: Answer) -> Any:
    if not answer.is_json:
        return None
    try:
        return json.loads(answer.body)
    except ValueError:
        return None
