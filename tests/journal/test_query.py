"""The query of the journal: what is given has to fit together."""

from __future__ import annotations

import time
from typing import Any

import pytest

from goto.journal.query import (
    NO_END,
    NO_HEADER,
    NO_ID,
    NO_METHOD,
    NO_NAME,
    NO_PORT,
    NO_QUERY,
    NO_STATUS,
    NO_URI,
    Format,
    HeaderPair,
    Limit,
    QueryPair,
    Seq,
    Since,
    wanted_of,
)
from goto.journal.wanted import Ended, RequestId, StatusTest, Wanted
from goto.matching.criteria import UriTemplate
from goto.matching.when import Method
from goto.words import Name, Port


def test_what_is_not_given_is_not_asked() -> None:
    nothing = wanted_of(NO_PORT, NO_METHOD, NO_NAME, NO_NAME, NO_END, NO_ID, NO_URI, NO_HEADER, NO_QUERY, NO_STATUS)
    assert nothing == Wanted()


def test_all_that_may_be_given() -> None:
    wanted = wanted_of(
        Port(1),
        Method("PUT"),
        Name("t"),
        Name("r"),
        Ended("open"),
        RequestId("i"),
        UriTemplate.parse("/{x}"),
        HeaderPair.parse("x: x1:2"),
        QueryPair.parse("p:{v}"),
        StatusTest.parse("0"),
    )
    assert (wanted.listener, wanted.methods, wanted.target, wanted.rule, wanted.end, wanted.id) == (
        1,
        ["PUT"],
        "t",
        "r",
        "open",
        "i",
    )
    assert (wanted.uris, wanted.headers, wanted.query, wanted.status) == (
        ["/{x}"],
        [["x", "x1:2"]],
        [["p", "{v}"]],
        StatusTest.parse("0"),
    )


@pytest.mark.parametrize(
    ("text", "seq", "moment"),
    [
        ("17", 17, 0),
        ("0", 0, 0),
        ("2026-11-26T10:45:12.123456Z", 0, 1_795_689_912_123_456_000),
        ("2026-11-26T11:45:12+01:00", 0, 1_795_689_912_000_000_000),
        ("2026-11-26t10:45:12z", 0, 1_795_689_912_000_000_000),
    ],
)
def test_since(text: str, seq: int, moment: int) -> None:
    since = Since.parse(text)
    assert (since.seq, since.moment()) == (seq, moment)


def test_since_how_long_ago() -> None:
    before = time.time_ns()
    assert before - 30_000_000_000 <= Since.parse("30s").moment() <= time.time_ns() - 30_000_000_000


@pytest.mark.parametrize(
    ("word", "text", "message"),
    [
        (Since, "yesterday", "no number, no time like"),
        (Since, "2026-11-26T10:45:12", "is not a time"),
        (Since, "2026-13-26T10:45:12Z", "is not a time"),
        (Limit, "0", "number of entries from 1 to 10000"),
        (Limit, "10001", "number of entries from 1 to 10000"),
        (Seq, "x", "is not a whole number"),
        (Format, "xml", "is none of json, ndjson, har, text"),
        (HeaderPair, "a b", "is not a legal header name"),
        (HeaderPair, "x:{v:[}", "is not closed"),
        (QueryPair, "", "must not be empty"),
    ],
)
def test_what_is_refused(word: Any, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        word.parse(text)


def test_names_alone() -> None:
    assert (HeaderPair.parse("x").pair, HeaderPair.parse("x:").pair, QueryPair.parse("p").pair) == (["x"], ["x"], ["p"])
    assert Format.parse("HAR") == "har"


def test_blanks_belong_to_the_value_of_a_parameter() -> None:
    assert (HeaderPair.parse("x: a ").pair, QueryPair.parse("p: a").pair) == (["x", "a"], ["p", " a"])
