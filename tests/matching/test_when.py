"""Criteria all of which have to fit, as they are given; and those on the body."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.errors import BadInput
from goto.matching.when import Body, BodyTest, When
from goto.words.reading import read_struct


class Holder(msgspec.Struct):
    when: When = msgspec.field(default_factory=When)


def read(when: Any) -> When:
    return read_struct({"when": when}, Holder)[0].when


def test_nothing_given_is_all_traffic() -> None:
    assert not read({})
    assert not read({"uris": [], "headers": None, "query": "", "methods": []})
    assert read({"reused": False})


def test_keys_are_read_in_any_letter_case() -> None:
    when = read({"METHODS": ["POST"], "Uris": ["/a/{x}"], "body": {"Contains": "a"}})
    assert (when.methods, when.uris, when.body) == (["POST"], ["/a/{x}"], BodyTest("contains", "a"))


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"uri": ["/a"]}, "when.uri: unknown key; known here: methods, uris, headers, query, body, reused"),
        ({"uris": ["a"]}, "when.uris[0]: 'a' does not start with a slash: write it like /foo/{x}"),
        ({"uris": ["/a?b=c"]}, "when.uris[0]: a URI is matched without its query: name parameters in query"),
        (
            {"headers": [["x"], ["a b"]]},
            "when.headers[1]: 'a b' is not a legal header name: use letters, digits and !#$%&'*+-.^_`|~",
        ),
        ({"query": [[""]]}, "when.query[0]: the name of a parameter must not be empty"),
        ({"methods": ["A B"]}, "when.methods[0]: 'A B' is not a method"),
        ({"reused": "yes"}, "when.reused: expected true or false, got a string"),
        ({"body": {}}, "when.body: give one of contains, equals and json"),
        ({"body": {"contains": ""}}, "when.body: give one of contains, equals and json"),
        ({"body": {"contains": "a", "equals": "b"}}, "when.body: give one of contains, equals and json"),
        ({"body": {"has": "a"}}, "when.body: has is not known: give one of contains, equals and json"),
        ({"body": {"equals": 5}}, "when.body: equals is text, not a number"),
        ({"body": "a"}, "when.body: expected an object, got a string"),
    ],
)
def test_what_will_not_do_is_named(when: Any, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(when)
    assert caught.value.message == message


def test_names_captured() -> None:
    when = read({"uris": ["/a/{x}/{y:[0-9]+}", "/b"], "headers": [["h", "v{z}"], ["i"]], "query": [["q", "{x}"]]})
    assert when.captured == {"x", "y", "z"}
    assert read({"methods": ["GET"], "body": {"contains": "{n}"}}).captured == frozenset()


def fits(test: dict[str, Any], data: bytes, *, whole: bool = True) -> bool:
    return BodyTest.read(test).fits(Body(data, whole))


@pytest.mark.parametrize(
    ("test", "data", "expected"),
    [
        ({"contains": "needle"}, b"hay needle", True),
        ({"contains": "needle"}, b"hay", False),
        ({"contains": "ü"}, "grün".encode(), True),
        ({"equals": "all of it"}, b"all of it", True),
        ({"equals": "all of it"}, b"all of it.", False),
        ({"equals": ""}, b"", True),
        ({"equals": ""}, b"x", False),
        ({"json": {"a": {"b": 1}}}, b'{"a": {"b": 1.0, "c": 2}, "d": null}', True),
        ({"json": {"a": 1}}, b'{"a": true}', False),
        ({"json": {"a": True}}, b'{"a": 1}', False),
        ({"json": {"a": [1, {"b": 2}]}}, b'{"a": [1, {"b": 2, "c": 3}]}', True),
        ({"json": {"a": [1]}}, b'{"a": [1, 2]}', False),
        ({"json": [1, 2]}, b"[2, 1]", False),
        ({"json": {"a": None}}, b'{"a": null}', True),
        ({"json": {"a": None}}, b"{}", False),
        ({"json": {}}, b"[]", False),
        ({"json": {"a": 1}}, b"not JSON", False),
        ({"json": {"a": 1}}, b"", False),
        ({"json": {"a": 1}}, b"[" * 100_000, False),
        ({"json": "x"}, b'"x"', True),
        ({"json": 0}, b"false", False),
    ],
)
def test_bodies(test: dict[str, Any], data: bytes, expected: bool) -> None:
    assert fits(test, data) is expected


def test_a_body_that_is_not_whole_fits_nothing() -> None:
    assert not fits({"contains": "a"}, b"a", whole=False)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(values.filter(lambda value: value not in (None, "")))
def test_json_fits_itself(value: Any) -> None:
    test = BodyTest.read({"json": value})
    assert test.fits(Body(json.dumps(value).encode(), True))
    assert test == BodyTest.read(test.written)


def test_equal_ones_are_equal() -> None:
    assert BodyTest("json", {"a": 1}) != BodyTest("json", {"a": True})
    assert len({BodyTest("contains", "a"), BodyTest("contains", "a"), BodyTest("equals", "a")}) == 2
