"""What a request must have to be matched: read, refused, given back."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from goto.errors import BadInput
from goto.matching.criteria import Criteria
from goto.words.reading import read_json, read_struct


class Holder(msgspec.Struct):
    """Criteria where they stand in a target."""

    match: Criteria = msgspec.field(default_factory=Criteria)


def read(criteria: Any) -> Criteria:
    holder, unknown = read_struct(read_json(json.dumps({"match": criteria}).encode()), Holder)
    assert not unknown
    return holder.match


@pytest.mark.parametrize("kind", ["headers", "uris", "query"])
def test_any_one_is_a_criterion(kind: str) -> None:
    assert not read({})
    assert not read({kind: None})
    assert read({kind: ["/"] if kind == "uris" else [["a"]]})


def test_what_is_read_is_what_was_given() -> None:
    given = {"headers": [["foo"], ["bar", "{y}"]], "uris": ["/x/{x}/y/{y:[0-9]{3}}", "/"], "query": [["foo", "{f}"], ["q"]]}
    assert json.loads(msgspec.json.encode(read(given), enc_hook=str)) == given


def test_values_of_headers_are_trimmed_and_those_of_queries_are_not() -> None:
    criteria = read({"headers": [["a", " b "]], "query": [["a", " b "]]})
    assert (criteria.headers, criteria.query) == ([["a", "b"]], [["a", " b "]])


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({"uris": ["/", "/a/{unclosed"]}, "match.uris[1]: '{unclosed' is not closed"),
        ({"uris": ["a"]}, "match.uris[0]: 'a' does not start with a slash"),
        ({"uris": ["/a?b=c"]}, "match.uris[0]: a URI is matched without its query"),
        ({"uris": ["/{x:(}"]}, "match.uris[0]: '{x:(}' does not compile: missing )"),
        ({"headers": [["a"], []]}, "match.headers[1]: "),
        ({"headers": [["a", "b", "c"]]}, "match.headers[0]: "),
        ({"headers": [["a"], ["b c"]]}, "match.headers[1]: 'b c' is not a legal header name"),
        ({"headers": [["a", "{x:[}"]]}, "match.headers[0]: "),
        ({"headers": [["a", "{x:*}"]]}, "match.headers[0]: '{x:*}' does not compile"),
        ({"query": [[""]]}, "match.query[0]: the name of a parameter must not be empty"),
        ({"query": [["a", "{x:*}"]]}, "match.query[0]: '{x:*}' does not compile"),
    ],
)
def test_bad_input_is_named_with_its_place(criteria: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(criteria)
    assert refused.value.message.startswith(message)
