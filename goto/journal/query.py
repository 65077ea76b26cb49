"""The query of `GET /goto/journal`: what is given has to fit together."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, ClassVar

from goto.errors import BadInput
from goto.journal.keeping import EntriesNumber
from goto.journal.wanted import Ended, RequestId, StatusTest, Wanted
from goto.matching.criteria import HeaderText, QueryName, QueryText, UriTemplate
from goto.matching.templates import ANY_VALUE, Template
from goto.matching.when import Method
from goto.words import Duration, HeaderName, Name, Port, whole_number

MOST_ENTRIES = 10_000
"""Entries in one answer."""

USUAL_ENTRIES = 100
"""Entries where no number is given."""


class Limit(EntriesNumber):
    """How many entries, at most 10000: the newest that fit."""

    most = MOST_ENTRIES
    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": most, "examples": [USUAL_ENTRIES]}


class Seq(int):
    """The number of an entry."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 0, "examples": [1042]}

    @classmethod
    def parse(cls, text: str) -> Seq:
        return cls(whole_number(text))


class Since:
    """A number, of which later ones are meant; a time in RFC 3339; or how long ago, `30s`."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["30s"]}

    __slots__ = ("_ago", "_at", "seq")

    def __init__(self, seq: int = 0, at: int | None = None, ago: Duration | None = None) -> None:
        self.seq = seq
        self._at = at
        """In ns since 1970."""
        self._ago = ago

    @classmethod
    def parse(cls, text: str) -> Since:
        if text.isascii() and text.isdecimal():
            return cls(whole_number(text))
        if text[:5].endswith("-"):
            try:
                moment = datetime.fromisoformat(text.upper().replace(" ", "+"))  # in a query a plus is a blank
            except ValueError:
                moment = None
            if moment is None or moment.tzinfo is None:
                raise ValueError(f"{text!r} is not a time: write it like 2026-11-26T10:45:12Z") from None
            whole = int(moment.replace(microsecond=0).timestamp())
            return cls(at=whole * 1_000_000_000 + moment.microsecond * 1000)
        try:
            return cls(ago=Duration.parse(text))
        except ValueError:
            raise ValueError(f"{text!r} is no number, no time like 2026-11-26T10:45:12Z, and no duration like 30s") from None

    def moment(self) -> int:
        """The time in ns since 1970 from which on an entry is meant, as of now; 0 where it goes by number."""
        if self._ago is not None:
            return time.time_ns() - int(self._ago)
        return self._at or 0


class _Pair:
    """A name, or a name and a value behind a colon, which may have variables: `x`, `x:x1`, `x:{v}`."""

    name_of: ClassVar[type[HeaderName | QueryName]] = HeaderName
    value_of: ClassVar[type[HeaderText | QueryText]] = HeaderText

    __slots__ = ("pair",)

    def __init__(self, pair: list[str]) -> None:
        self.pair = pair

    @classmethod
    def parse(cls, text: str) -> _Pair:
        name, colon, value = text.partition(":")
        pair: list[str] = [cls.name_of.parse(name)]
        value = cls.bare(value)
        if colon and value:
            pair.append(cls.value_of.parse(value))
            Template.parse(pair[1], ANY_VALUE)
        return cls(pair)

    @staticmethod
    def bare(value: str) -> str:
        """Blanks around the value of a header are none of it (RFC 9110, 5.5)."""
        return value.strip()


class HeaderPair(_Pair):
    """A header that is there, `x`, or that has this value, `x:x1`, `x:{v}`."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["x:x1"]}


class QueryPair(_Pair):
    """A parameter that is there, `x`, or that has this value, `x:x1`, `x:{v}`."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["page:1"]}
    name_of = QueryName
    value_of = QueryText

    @staticmethod
    def bare(value: str) -> str:
        """All that stands behind the colon."""
        return value


class Format(str):
    """What entries are written as: json, ndjson (an entry a line), har or text (a line each)."""

    choices = ("json", "ndjson", "har", "text")
    schema: ClassVar[dict[str, Any]] = {"type": "string", "enum": list(choices), "examples": ["ndjson"]}

    @classmethod
    def parse(cls, text: str) -> Format:
        word = text.lower()
        if word not in cls.choices:
            raise ValueError(f"{text!r} is none of {', '.join(cls.choices)}")
        return cls(word)


NO_PORT = Port(0)
NO_METHOD = Method("")
NO_NAME = Name("")
NO_STATUS = StatusTest("", 0, 0, others=False)
NO_END = Ended("")
NO_ID = RequestId("")
NO_URI = UriTemplate("")
NO_HEADER = HeaderPair([])
NO_QUERY = QueryPair([])
NOT_SINCE = Since()


def wanted_of(
    listener: Port,
    method: Method,
    target: Name,
    rule: Name,
    end: Ended,
    id_: RequestId,
    uri: UriTemplate,
    header: _Pair,
    query: _Pair,
    status: StatusTest,
) -> Wanted:
    """What a query asks for; each is one of those above where it was not given."""
    try:
        return Wanted(
            methods=[method] if method else [],
            uris=[uri] if uri else [],
            headers=[header.pair] if header.pair else [],
            query=[query.pair] if query.pair else [],
            listener=listener or None,
            status=status if status.text else None,
            target=target or None,
            rule=rule or None,
            end=end or None,
            id=id_ or None,
        )
    except ValueError as error:
        raise BadInput(str(error)) from None
