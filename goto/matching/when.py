"""What a request must have to fit: all the criteria given, where a target's `match` asks for any (`goto.matching.criteria`)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from goto.http.fields import encode
from goto.matching.criteria import NameAndValue, UriTemplate, check_pairs
from goto.matching.templates import Piece, Variable, parse_template
from goto.words.headers import HeaderName
from goto.words.reading import json_type

BODY_LIMIT = 1 << 20
"""Bytes of a body that are looked at. A longer one fits no criterion on the body."""


class Body:
    """The body of one request as criteria see it. JSON in it is read once, when it is asked for first."""

    __slots__ = ("_json", "_read", "data", "whole")

    def __init__(self, data: bytes, whole: bool) -> None:
        self.data = data
        self.whole = whole
        """Whether `data` is all there is."""
        self._read = False
        self._json: Any = None

    @property
    def json(self) -> Any:
        """Raises ValueError where it is none."""
        if not self._read:
            try:
                self._json = msgspec.json.decode(self.data)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._json = ValueError("not JSON")
            self._read = True
        if isinstance(self._json, ValueError):
            raise self._json
        return self._json


class BodyTest:
    """A criterion on the body: `{"contains": text}`, `{"equals": text}` or `{"json": value}`.

    JSON fits that has the keys given, within objects too; in lists all items in order. `1` is `1.0`, and `true` is not `1`.
    """

    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"contains": {"type": "string", "minLength": 1}, "equals": {"type": "string"}, "json": {}},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "examples": [{"contains": "needle"}],
    }

    __slots__ = ("_bytes", "how", "value")

    def __init__(self, how: Literal["contains", "equals", "json"], value: Any) -> None:
        self.how = how
        self.value = value
        self._bytes = encode(value) if how != "json" else b""

    @classmethod
    def read(cls, value: Any) -> BodyTest:
        """Raises ValueError with the reason."""
        if not isinstance(value, dict):
            raise ValueError(f"expected an object, got {json_type(value)}")
        given: dict[str, Any] = {}
        for key, test in value.items():
            how = key.lower()
            if how not in ("contains", "equals", "json"):
                raise ValueError(f"{key} is not known: give one of contains, equals and json")
            if test is not None and (test != "" or how == "equals"):
                given[how] = test
        if len(given) != 1:
            raise ValueError("give one of contains, equals and json")
        ((how, test),) = given.items()
        if how != "json" and not isinstance(test, str):
            raise ValueError(f"{how} is text, not {json_type(test)}")
        return cls(how, test)  # type: ignore[arg-type]  # one of the three

    @property
    def written(self) -> dict[str, Any]:
        return {self.how: self.value}

    def __eq__(self, other: object) -> bool:
        # JSON tells true from 1, Python does not
        return (
            isinstance(other, BodyTest)
            and self.how == other.how
            and msgspec.json.encode(self.value) == msgspec.json.encode(other.value)
        )

    def __hash__(self) -> int:
        return hash((self.how, self._bytes))

    def fits(self, body: Body) -> bool:
        if not body.whole:
            return False
        if self.how == "contains":
            return self._bytes in body.data
        if self.how == "equals":
            return self._bytes == body.data
        try:
            return _part_of(self.value, body.json)
        except ValueError:
            return False


def _part_of(part: Any, whole: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _part_of(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) == len(whole) and all(map(_part_of, part, whole))
    return isinstance(part, bool) == isinstance(whole, bool) and bool(part == whole)


class Method(str):
    """A method, in the letter case that it is sent in."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", "examples": ["POST"]}

    @classmethod
    def parse(cls, text: str) -> Method:
        try:
            return cls(HeaderName.parse(text))  # both are tokens (RFC 9110, 9.1)
        except ValueError:
            raise ValueError(f"{text!r} is not a method") from None


class When(msgspec.Struct, omit_defaults=True):
    """What has to fit: all that is given. Nothing given is all traffic."""

    closed: ClassVar[bool] = True

    methods: list[Method] = msgspec.field(default_factory=list)
    """One of these, in the letter case given."""
    uris: list[UriTemplate] = msgspec.field(default_factory=list)
    """One of these whole paths, `/orders/{id}`."""
    headers: list[NameAndValue] = msgspec.field(default_factory=list)
    """Every one: `[name]` where it is there, `[name, value]`, or `[name, "{x}"]` to capture its value."""
    query: list[NameAndValue] = msgspec.field(default_factory=list)
    """As headers, for parameters; names compare exactly."""
    body: BodyTest | None = None
    """One of contains, equals and json. The request waits for its body where all else fits; over 1 MiB it does not fit."""
    reused: bool | None = None
    """Whether it is not the first request of its connection."""

    def __post_init__(self) -> None:
        check_pairs(self.headers, self.query)

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        lists = self.methods or self.uris or self.headers or self.query
        return bool(lists) or self.body is not None or self.reused is not None

    @property
    def captured(self) -> frozenset[str]:
        """The names that it may capture."""
        texts = [*self.uris, *(pair[1] for pair in [*self.headers, *self.query] if len(pair) > 1)]
        return frozenset(piece.name for text in texts for piece in _pieces(text) if isinstance(piece, Variable))


def _pieces(text: str) -> tuple[Piece, ...]:
    return parse_template(text) if "{" in text else ()
