"""What stands in the fields of a rule, and is the same for every exchange."""

from __future__ import annotations

import base64
import binascii
from typing import Any, ClassVar, Final, Self

import msgspec

from goto.features.rules.given import short, spoken
from goto.words import Duration, Size
from goto.words.reading import json_type

MOST_RAW: Final = 64 << 10
"""Bytes that are sent in place of an answer."""


class ShortTime(Duration):
    """A duration of at most 1h."""

    @classmethod
    def parse(cls, text: str) -> ShortTime:
        return cls(short(Duration.parse(text)))


class Bytes(int):
    """A number of bytes, or a size like `64KiB`."""

    schema: ClassVar[dict[str, Any]] = {"type": ["integer", "string"], "minimum": 0, "examples": [100]}

    @classmethod
    def read(cls, value: Any) -> Bytes:
        if not isinstance(value, str) and type(value) is not int:
            raise ValueError(f"expected a number or a size like 64KiB, got {json_type(value)}")
        return cls(Size.parse(str(value)))

    @property
    def written(self) -> int:
        return int(self)


class Chance(float):
    """A probability from 0 to 1."""

    schema: ClassVar[dict[str, Any]] = {"type": "number", "minimum": 0, "maximum": 1, "examples": [0.1]}

    @classmethod
    def read(cls, value: Any) -> Chance:
        if type(value) not in (int, float) or not 0 <= value <= 1:
            shown = repr(value) if isinstance(value, str) else msgspec.json.encode(value).decode()
            raise ValueError(f"{shown} is not a number from 0 to 1")
        return cls(value)

    @property
    def written(self) -> float | int:
        return int(self) if self.is_integer() else float(self)


class Choice(str):
    """One of a few words."""

    choices: ClassVar[tuple[str, ...]] = ()
    schema: ClassVar[dict[str, Any]] = {"type": "string"}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.schema = {"type": "string", "enum": list(cls.choices)}

    @classmethod
    def parse(cls, text: str) -> Self:
        if text not in cls.choices:
            raise ValueError(f"{text!r} is none of {', '.join(cls.choices)}")
        return cls(text)


class At(Choice):
    """When something is done: instead of serving the request or sending it on, or once the head of its answer is known."""

    choices = ("request", "response")


class Abort(Choice):
    """How an exchange ends without an answer."""

    choices = ("close", "reset", "hang")


class CutBy(Choice):
    """How the connection ends behind a part of the body."""

    choices = ("close", "reset")


class Then(Choice):
    """What comes behind the last of several answers."""

    choices = ("last", "again", "pass")


class Json:
    """Any value of JSON."""

    schema: ClassVar[dict[str, Any]] = {"type": ["object", "array", "string", "number", "boolean"]}

    __slots__ = ("written",)

    def __init__(self, written: Any) -> None:
        self.written = written

    @classmethod
    def read(cls, value: Any) -> Json:
        return cls(value)

    def __eq__(self, other: object) -> bool:
        # JSON tells true from 1, Python does not
        return isinstance(other, Json) and msgspec.json.encode(self.written) == msgspec.json.encode(other.written)

    def __hash__(self) -> int:
        return hash(msgspec.json.encode(self.written))


class Base64(str):
    """Bytes in base64 (RFC 4648, 4)."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "contentEncoding": "base64", "examples": ["aGVsbG8="]}

    @classmethod
    def parse(cls, text: str) -> Base64:
        from_base64(text)
        return cls(text)


def from_base64(text: str) -> bytes:
    """Raises ValueError for what is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{text[:40]!r} is not base64") from None


GARBLES: Final = ("status-line", "head", "chunk", "length", "double-length", "double-encoding", "huge-head")
"""The kinds of what is no HTTP."""


class GarbleGiven:
    """What is sent in place of an answer: one of the kinds, or `{"raw": text}`, or `{"base64": text}`."""

    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string", "enum": list(GARBLES)},
            {
                "type": "object",
                "properties": {"raw": {"type": "string"}, "base64": {"type": "string", "contentEncoding": "base64"}},
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
            },
        ],
        "examples": ["chunk"],
    }

    __slots__ = ("kind", "raw", "written")

    def __init__(self, written: Any, kind: str, raw: bytes | None) -> None:
        self.written = written
        self.kind = kind
        self.raw = raw
        """The bytes that are sent; None where `kind` says which."""

    @classmethod
    def read(cls, value: Any) -> GarbleGiven:
        """Raises ValueError with the reason."""
        if isinstance(value, str) and value in GARBLES:
            return cls(value, value, None)
        if not isinstance(value, dict):
            raise ValueError(f"{value!r} is none of {', '.join(GARBLES)}, and no object with raw or base64")
        given = {key.lower(): text for key, text in value.items() if text not in (None, "")}
        if len(given) != 1 or not given.keys() <= {"raw", "base64"}:
            raise ValueError("give either raw or base64")
        ((key, text),) = given.items()
        if not isinstance(text, str):
            raise ValueError(f"{key} is text, not {json_type(text)}")
        data = text.encode() if key == "raw" else from_base64(text)
        if len(data) > MOST_RAW:
            raise ValueError(f"{len(data)} bytes are more than {spoken(MOST_RAW)}")
        return cls(value, key, data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GarbleGiven) and other.written == self.written

    def __hash__(self) -> int:
        return hash((self.kind, self.raw))
