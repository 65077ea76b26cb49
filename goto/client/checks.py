"""Checks of answers, as they are written: `status=2xx`, `body~text`, `json:$.a=1`, `header:x=x1`, `size<1MiB`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import msgspec

from goto.flow import Field, encode
from goto.words import HeaderName
from goto.words.numbers import Size

MOST_CHECKS = 20

KEPT = 1 << 20
"""Bytes that are kept of a body for checks. Of a longer one all that look into it fail."""

_STATUS = re.compile(r"status(?P<sign>!?=)(?P<wanted>[1-9](?:xx|[0-9]{2})(?:,[1-9](?:xx|[0-9]{2}))*)", re.ASCII)
_BODY = re.compile(r"body(?P<sign>!~|~|=)(?P<text>.*)", re.DOTALL)
_STEP = r"""\.[^.\[\]="\s]+|\[[0-9]{1,9}\]|\["(?:[^"\\]|\\.)*"\]"""
_JSON = re.compile(rf"json:\$(?P<path>(?:{_STEP})*)(?:=(?P<value>.*))?", re.DOTALL)
_HEADER = re.compile(r"header:(?P<name>[^=]+)(?:=(?P<value>.*))?", re.DOTALL)
_SIZE = re.compile(r"size(?P<sign>!=|<=|>=|=|<|>)(?P<size>[0-9A-Za-z]+)", re.ASCII)

_SIGNS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NOTHING = object()
"""What stands where there is no JSON value."""


class Answer:
    """What checks look at."""

    __slots__ = ("_json", "body", "fields", "size", "status")

    def __init__(self, status: int, fields: Sequence[Field], body: bytes | None, size: int) -> None:
        """`body`: None where it is longer than what is kept; `size`: its bytes."""
        self.status = status
        self.fields = fields
        self.body = body
        self.size = size
        self._json: Any = None

    def json(self) -> Any:
        """The body as JSON, read once; `_NOTHING` where it is none."""
        if self._json is None:
            try:
                self._json = (_NOTHING if self.body is None else msgspec.json.decode(self.body),)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._json = (_NOTHING,)
        return self._json[0]


class Check(str):
    """A check of answers: `status=2xx`, `body~ok`, `json:$.a.b[0]=1`, `header:x=x1`, `size<1MiB`."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": r"^(status!?=|body(!~|~|=)|json:\$|header:|size(!=|<=|>=|=|<|>))",
        "examples": ["status=2xx"],
    }

    holds: Callable[[Answer], bool]
    reads_body: bool
    """Whether it looks into the body."""

    @classmethod
    def parse(cls, text: str) -> Check:
        """Raises ValueError with the reason."""
        holds = _status(text) or _body(text) or _json(text) or _header(text) or _size(text)
        if holds is None:
            raise ValueError(f"{text!r} is no check: write it like status=2xx, body~text, json:$.a=1, header:x=x1, size<1MiB")
        check = cls(text)
        check.holds = holds
        check.reads_body = text.startswith(("body", "json"))
        return check


def _status(text: str) -> Callable[[Answer], bool] | None:
    found = _STATUS.fullmatch(text)
    if found is None:
        return None
    wanted = {
        code
        for one in found["wanted"].split(",")
        for code in (range(int(one[0]) * 100, int(one[0]) * 100 + 100) if one.endswith("xx") else (int(one),))
    }
    if found["sign"] == "=":
        return lambda answer: answer.status in wanted
    return lambda answer: answer.status not in wanted


def _body(text: str) -> Callable[[Answer], bool] | None:
    found = _BODY.fullmatch(text)
    if found is None or (not found["text"] and found["sign"] != "="):
        return None
    wanted = encode(found["text"])
    match found["sign"]:
        case "~":
            return lambda answer: answer.body is not None and wanted in answer.body
        case "!~":
            return lambda answer: answer.body is not None and wanted not in answer.body
        case _:
            return lambda answer: answer.body == wanted


def _json(text: str) -> Callable[[Answer], bool] | None:
    found = _JSON.fullmatch(text)
    if found is None:
        return None
    try:
        steps = [_step(step) for step in re.findall(_STEP, found["path"])]
    except msgspec.DecodeError:
        return None
    if found["value"] is None:
        return lambda answer: _at(answer.json(), steps) is not _NOTHING
    wanted = _value(found["value"])
    return lambda answer: _same(_at(answer.json(), steps), wanted)


def _step(text: str) -> str | int:
    if text.startswith("."):
        return text[1:]
    step: str | int = msgspec.json.decode(text[1:-1].lstrip("0") or "0" if text[1] != '"' else text[1:-1])
    return step


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(encode(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text


def _at(value: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        if isinstance(step, str):
            value = value.get(step, _NOTHING) if isinstance(value, dict) else _NOTHING
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else _NOTHING
    return value


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; true is not 1, as it is in Python."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _header(text: str) -> Callable[[Answer], bool] | None:
    found = _HEADER.fullmatch(text)
    if found is None:
        return None
    try:
        name = HeaderName.parse(found["name"]).lower().encode()
    except ValueError:
        return None
    if found["value"] is None:
        return lambda answer: any(field.lower() == name for field, _ in answer.fields)
    wanted = encode(found["value"]).strip()
    return lambda answer: any(field.lower() == name and value.strip() == wanted for field, value in answer.fields)


def _size(text: str) -> Callable[[Answer], bool] | None:
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    try:
        wanted = int(Size.parse(found["size"]))
    except ValueError:
        return None
    compare = _SIGNS[found["sign"]]
    return lambda answer: compare(answer.size, wanted)
