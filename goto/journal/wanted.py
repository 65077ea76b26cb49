"""What is asked of exchanges: the criteria of a rule, and those that only the journal can tell, such as how it ended."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import msgspec

from goto.matching.when import When
from goto.words import Duration, Name, Port, one_line
from goto.words.reading import json_type

MOST_SECONDS = 60
"""Seconds that a call may wait, for each of what it waits for."""

_STATUS = re.compile(r"(!?)(?:([1-5])xx|([1-5][0-9]{2})|(0))", re.IGNORECASE)


class StatusTest:
    """A status, `503`; a class of them, `5xx`; all others, `!2xx`; or `0` for exchanges without an answer."""

    schema: ClassVar[dict[str, Any]] = {
        "type": ["string", "integer"],
        "pattern": "^!?([1-5][xX][xX]|[1-5][0-9]{2}|0)$",
        "minimum": 0,
        "maximum": 599,
        "examples": ["2xx"],
    }

    __slots__ = ("_high", "_low", "_not", "text")

    def __init__(self, text: str, low: int, high: int, *, others: bool) -> None:
        self.text = text
        self._low = low
        self._high = high
        self._not = others

    @classmethod
    def parse(cls, text: str) -> StatusTest:
        found = _STATUS.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a status: write it like 503, 5xx, !2xx, or 0 for none")
        others, hundreds, status, _ = found.groups()
        low, high = (int(hundreds) * 100, int(hundreds) * 100 + 99) if hundreds else (int(status or 0), int(status or 0))
        return cls(text.lower(), low, high, others=bool(others))

    @classmethod
    def read(cls, value: Any) -> StatusTest:
        if isinstance(value, int) and not isinstance(value, bool):
            return cls.parse(str(value))
        if not isinstance(value, str):
            raise ValueError(f"expected a status like 503 or 5xx, got {json_type(value)}")
        return cls.parse(value)

    @property
    def written(self) -> Any:
        return int(self.text) if self.text.isdecimal() else self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StatusTest) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def fits(self, status: int) -> bool:
        return (self._low <= status <= self._high) is not self._not


class Ended(str):
    """How an exchange ended; `open` where it has not."""

    choices = ("completed", "client_gone", "aborted", "broke_off", "upstream_failed", "open")
    schema: ClassVar[dict[str, Any]] = {"type": "string", "enum": list(choices), "examples": ["completed"]}

    @classmethod
    def parse(cls, text: str) -> Ended:
        word = text.lower()
        if word not in cls.choices:
            raise ValueError(f"{text!r} is none of {', '.join(cls.choices)}")
        return cls(word)


class RequestId(str):
    """The id of a request."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["id-1"]}

    @classmethod
    def parse(cls, text: str) -> RequestId:
        return cls(one_line(text))


class UpToAMinute(Duration):
    """A time to wait, at most 60s."""

    schema: ClassVar[dict[str, Any]] = {**Duration.schema, "examples": ["300ms", "5s"]}

    @classmethod
    def parse(cls, text: str) -> UpToAMinute:
        duration = cls(Duration.parse(text))
        if duration.seconds > MOST_SECONDS:
            raise ValueError(f"{text} is longer than {MOST_SECONDS}s")
        return duration


class Took(msgspec.Struct):
    """How long an exchange took, from the head of the request to its end: at least, at most, or both."""

    closed: ClassVar[bool] = True

    at_least: Duration | None = msgspec.field(default=None, name="atLeast")
    at_most: Duration | None = msgspec.field(default=None, name="atMost")

    def __post_init__(self) -> None:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give atLeast, atMost or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"atLeast {self.at_least} is more than atMost {self.at_most}")

    def fits(self, seconds: float) -> bool:
        return (self.at_least is None or seconds >= self.at_least.seconds) and (
            self.at_most is None or seconds <= self.at_most.seconds
        )

    def __str__(self) -> str:
        words = [("≥", self.at_least), ("≤", self.at_most)]
        return " ".join(f"{sign} {bound}" for sign, bound in words if bound is not None)


class Wanted(When):
    """What an exchange must have to count: all that is given. Nothing given is all of them."""

    listener: Port | None = None
    """The port that it came to."""
    status: StatusTest | None = None
    """`503`, `5xx`, `!2xx`, or `0` for none."""
    target: Name | None = None
    """A target that was called."""
    rule: Name | None = None
    """A rule that struck it."""
    end: Ended | None = None
    """How it ended; `open` where it has not."""
    id: RequestId | None = None
    """Its id: the parameter `x-request-id`, else the header of that name."""
    took: Took | None = None
    """How long it took."""

    example: ClassVar[dict[str, Any]] = {"methods": ["POST"], "uris": ["/orders"], "status": "2xx"}


class Count:
    """How many there have to be: a number, `{"exactly": n}`, or `atLeast`, `atMost` or both."""

    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {
                "type": "object",
                "properties": {name: {"type": "integer", "minimum": 0} for name in ("exactly", "atLeast", "atMost")},
                "minProperties": 1,
                "maxProperties": 2,
                "additionalProperties": False,
            },
        ],
        "examples": [{"exactly": 2}],
    }

    __slots__ = ("least", "most", "written")

    def __init__(self, least: int, most: int | None, written: dict[str, int]) -> None:
        self.least = least
        self.most = most
        """None for any number."""
        self.written = written
        """As it was given."""

    @classmethod
    def read(cls, value: Any) -> Count:
        if isinstance(value, dict):
            known = {"exactly": "exactly", "atleast": "atLeast", "atmost": "atMost"}
            given: dict[str, int] = {}
            for key, number in value.items():
                name = known.get(key.lower())
                if name is None:
                    raise ValueError(f"{key} is not known: give exactly, atLeast or atMost")
                if number is not None and number != "":
                    given[name] = _natural(name, number)
        else:
            given = {"exactly": _natural("", value)}
        if not given:
            raise ValueError("give a number, exactly, atLeast or atMost")
        if "exactly" in given:
            if len(given) > 1:
                other = next(name for name in given if name != "exactly")
                raise ValueError(f"exactly cannot be given together with {other}")
            return cls(given["exactly"], given["exactly"], given)
        least, most = given.get("atLeast", 0), given.get("atMost")
        if most is not None and least > most:
            raise ValueError(f"atLeast {least} is more than atMost {most}")
        return cls(least, most, given)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Count) and self.written == other.written

    def __hash__(self) -> int:
        return hash((self.least, self.most))

    def __str__(self) -> str:
        words = {"exactly": "exactly", "atLeast": "at least", "atMost": "at most"}
        return ", ".join(f"{words[name]} {number}" for name, number in self.written.items())

    def holds(self, seen: int) -> bool:
        return seen >= self.least and not self.exceeded(seen)

    def exceeded(self, seen: int) -> bool:
        return self.most is not None and seen > self.most


AT_LEAST_ONE = Count(1, None, {"atLeast": 1})
"""What is asked for where no count is given."""


def _natural(name: str, value: Any) -> int:
    before = f"{name} " if name else ""
    if type(value) is not int:
        if isinstance(value, float):
            raise ValueError(f"{before}{value} is not a whole number from 0")
        raise ValueError(f"{before}is a whole number, not {json_type(value)}")
    if not 0 <= value < 1 << 53:
        raise ValueError(f"{before}{value} is not a whole number from 0")
    return value


MOST_IN_ORDER = 100
"""What may be asked for one after the other."""
