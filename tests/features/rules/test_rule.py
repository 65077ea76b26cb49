"""A rule as it is given, and what is said of what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from support.rules import made

from goto.errors import BadInput
from goto.features.rules.rule import Rule, names_in
from goto.words.reading import read_struct
from goto.words.writing import as_json


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "rule: it does nothing: give it an answer, a fault or a delay"),
        ({"status": 503, "abort": "close"}, "abort: cannot be given together with status"),
        ({"abort": "drop"}, "abort: 'drop' is none of close, reset, hang"),
        ({"body": "a", "json": {"a": 1}}, "body: cannot be given together with json"),
        ({"status": 503, "probability": 1.5}, "probability: 1.5 is not a number from 0 to 1"),
        ({"status": 503, "probability": True}, "probability: true is not a number from 0 to 1"),
        ({"status": 503, "per": "{id}"}, "per: {id} is captured by nothing in when"),
        ({"status": 503, "per": "{id"}, "per: '{id' is not closed"),
        ({"status": 503, "when": {"body": {"contains": "a", "equals": "b"}}}, "when.body: give one of contains, equals and json"),
        ({"delay": "300ms-100ms"}, "delay: 300ms-100ms ends before it begins"),
        ({"delay": {"p50": "80ms", "p99": "50ms"}}, "delay: p99 (50ms) is less than p50 (80ms)"),
        ({"pace": {"rate": "1KiB", "over": "1s"}}, "pace: give either rate or over"),
        ({"pace": {}}, "pace: give either rate or over"),
        ({"status": "{n}"}, "status: {n} is captured by nothing in when"),
        ({"size": "{n}"}, "size: {n} is captured by nothing in when"),
        ({"pace": {"over": "{n}"}}, "pace.over: {n} is captured by nothing in when"),
        ({"truncate": {"after": "{n}"}}, "truncate.after: {n} is captured by nothing in when"),
        ({"headers": [["a", "b"], ["x", "{n}"]]}, "headers[1]: {n} is captured by nothing in when"),
        ({"answers": [{}, {"status": "{n}"}]}, "answers[1].status: {n} is captured by nothing in when"),
        ({"answers": [{"status": 99}]}, "answers[0].status: 99 is not a status from 200 to 599"),
        ({"oneOf": [{"status": 503}, {"abort": "hang", "body": "x"}]}, "oneOf[1].abort: cannot be given together with body"),
        ({"oneOf": [{"weight": 0}, {}]}, "oneOf[0].weight: expected a whole number from 1 on"),
        ({"oneOf": [{"weight": 1 << 53}, {}]}, "oneOf[0].weight: expected a whole number up to 9007199254740991"),
        ({"oneOf": [{}]}, "oneOf: expected a list of length 2 or more"),
        ({"answers": []}, "answers: expected a list of length 1 or more"),
        ({"answers": [{}], "oneOf": [{}, {}]}, "answers: cannot be given together with oneOf"),
        ({"answers": [{}], "status": 500}, "status: cannot be given together with answers"),
        ({"oneOf": [{}, {}], "headers": [["a", "b"]]}, "headers: cannot be given together with oneOf"),
        ({"oneOf": [{}, {}], "stall": {"after": 1, "for": "1s"}}, "oneOf: cannot be given together with stall"),
        ({"status": 503, "then": "last"}, "then: stands beside answers alone"),
        ({"garble": "head", "abort": "hang"}, "abort: cannot be given together with garble"),
        ({"garble": "head", "body": "x"}, "garble: cannot be given together with body"),
        ({"abort": "close", "truncate": {"after": 1}}, "abort: cannot be given together with truncate"),
        ({"stall": {"after": 1}}, "stall.for: missing"),
        ({"stall": {"after": 1, "for": "2h"}}, "stall.for: 2h0m0s is more than 1h0m0s"),
        ({"truncate": {"by": "close"}}, "truncate.after: missing"),
        ({"status": 503, "unless": {}}, "unless: nothing would be left: give it a criterion"),
        ({"status": 503, "unless": {"url": "/a"}}, "unless.url: unknown key"),
        ({"status": 503, "every": 0}, "every: expected a whole number from 1 on"),
        ({"status": 503, "count": 0}, "count: expected a whole number from 1 on"),
        ({"status": 503, "skip": -1}, "skip: expected a whole number from 0 on"),
        ({"status": 503, "seed": 1 << 53}, "seed: expected a whole number up to 9007199254740991"),
        ({"status": 503, "at": "later"}, "at: 'later' is none of request, response"),
        ({"status": 503, "headers": [["Content-Length", "1"]]}, "headers[0][0]: 'Content-Length' belongs to the connection"),
        ({"status": 503, "headers": [["x", "a\r\nb"]]}, "headers[0][1]: control characters"),
        ({"status": 503, "for": "soon"}, "for: 'soon' is not a duration"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_struct({"name": "bad", **fields}, Rule)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("name", [None, "", "a,b", "a\nb"])
def test_it_needs_a_name(name: Any) -> None:
    with pytest.raises(BadInput, match=r"^name: "):
        read_struct({"name": name, "status": 503}, Rule)


def test_unknown_keys_are_named_within_entries_too() -> None:
    _, unknown = read_struct({"name": "r", "colour": 1, "answers": [{"STATUS": 503, "x": 2}]}, Rule)
    assert unknown == ["colour", "answers[0].x"]


def test_null_and_empty_are_not_given() -> None:
    assert made(status=503, body="", json=None, headers=None, delay="", abort=None, answers=None, when=None) == made(status=503)


WHOLE: dict[str, Any] = {
    "name": "r",
    "when": {"uris": ["/a/{n}"], "body": {"json": {"a": True}}},
    "unless": {"methods": ["GET"]},
    "at": "response",
    "probability": 0.25,
    "seed": 7,
    "skip": 1,
    "every": 2,
    "count": 3,
    "per": "{n}",
    "after": "1s",
    "for": "1m0s",
    "probes": True,
    "receipt": False,
    "trigger": ["t"],
    "delay": {"p50": "80ms", "p99": "900ms"},
    "answers": [
        {"status": "{n}", "json": {"a": ["{n}", 1, None]}, "headers": [["x", "{n}"]]},
        {},
        {"truncate": {"after": "50%", "by": "reset"}, "pace": {"rate": "1KiB", "head": True}, "stall": {"after": 5, "for": "1s"}},
        {"garble": {"raw": "x"}},
    ],
    "then": "again",
}


def test_what_was_given_is_written_so_again() -> None:
    rule, _ = read_struct(WHOLE, Rule)
    assert as_json(rule) == WHOLE
    assert read_struct(as_json(rule), Rule)[0] == rule


def test_the_same_whatever_its_seed_is_where_none_is_given() -> None:
    assert made(status=503).same(made(status=503, seed=9))
    assert made(status=503, seed=9).same(made(status=503, seed=9))
    assert not made(status=503, seed=8).same(made(status=503, seed=9))
    assert not made(status=503).same(made(status=502))
    assert not made(json={"a": 1}).same(made(json={"a": 2}))
    assert not made(json={"a": 1}).same(made(json={"a": True}))
    assert made(json={"a": [1, None]}).same(made(json={"a": [1, None]}))


def test_names_in_a_text() -> None:
    assert names_in("a{b}c{d:x}") == {"b", "d"}
    with pytest.raises(ValueError, match="is not closed"):
        names_in("{e")
