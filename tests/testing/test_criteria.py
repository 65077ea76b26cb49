"""Friendly keywords become fields of the API."""

from __future__ import annotations

from typing import Any

import pytest

from goto.features.rules.rule import Rule
from goto.testing.criteria import Criteria, RuleOptions, count_of, fits, queries, rule_of, when_of
from goto.testing.exchanges import Exchange
from goto.words.reading import read_struct


@pytest.mark.parametrize(
    ("to", "criteria", "when"),
    [
        (None, {}, {}),
        ("/a", {}, {"uris": ["/a"]}),
        (["/a", "/b"], {"method": "GET"}, {"uris": ["/a", "/b"], "methods": ["GET"]}),
        (None, {"method": ["GET", "PUT"], "status": 503}, {"methods": ["GET", "PUT"], "status": "503"}),
        (None, {"headers": {"x": "1", "y": None}}, {"headers": [["x", "1"], ["y"]]}),
        (None, {"headers": [["x", "1"], ["y"]], "query": [("q",)]}, {"headers": [["x", "1"], ["y"]], "query": [["q"]]}),
        (None, {"query": {"x": "{v}"}, "end": None}, {"query": [["x", "{v}"]]}),
        (None, {"body": "needle"}, {"body": {"contains": "needle"}}),
        (None, {"body": {"item": 1}, "rule": "r"}, {"body": {"json": {"item": 1}}, "rule": "r"}),
        (None, {"took": {"atLeast": 1.9, "atMost": "2.1s"}}, {"took": {"atLeast": "1.9s", "atMost": "2.1s"}}),
    ],
)
def test_criteria(to: Any, criteria: dict[str, Any], when: dict[str, Any]):
    assert when_of(to, criteria) == when


@pytest.mark.parametrize(
    ("options", "does", "rule"),
    [
        ({}, {"status": 503, "body": None}, {"when": {"uris": ["/a"]}, "status": 503}),
        ({"times": 2, "name": "n", "for_": 1.5, "after": "1s"}, {"abort": "reset"}, {"count": 2, "for_": "1.5s", "after": "1s"}),
        (
            {"body_has": {"a": 1}, "headers": {"x": "1"}},
            {"status": 1},
            {"when.body": {"json": {"a": 1}}, "when.headers": [["x", "1"]]},
        ),
        ({"response_headers": {"Retry-After": "1"}}, {"status": 503}, {"headers": [["Retry-After", "1"]]}),
        ({"probability": 0.5, "seed": 7, "per": "{id}", "at": "response"}, {"status": 1}, {"probability": 0.5, "at": "response"}),
    ],
)
def test_rules(options: dict[str, Any], does: dict[str, Any], rule: dict[str, Any]):
    found = rule_of("/a", options, does)
    for path, value in rule.items():
        inner: Any = found
        for key in path.split("."):
            inner = inner[key]
        assert inner == value
    assert "name" not in found
    assert None not in found.values()


def test_every_option_of_a_rule_is_one_of_the_api():
    known = {field.rstrip("_") for field in Rule.__struct_fields__}
    friendly = {"method", "query", "body_has", "reused", "times", "response_headers"}
    assert {name.rstrip("_") for name in RuleOptions.__annotations__} - known == friendly
    options: Any = {"times": 1, "after": 1, "for_": 2, "method": "GET", "query": {"a": None}, "body_has": "a", "reused": True}
    read_struct({"name": "a", **{key.rstrip("_"): value for key, value in rule_of("/a", options, {"status": 503}).items()}}, Rule)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ((None, None, None), None),
        ((0, None, None), {"exactly": 0}),
        ((None, 1, None), {"atLeast": 1}),
        ((None, 1, 3), {"atLeast": 1, "atMost": 3}),
    ],
)
def test_counts(given: tuple[int | None, int | None, int | None], count: dict[str, int] | None):
    assert count_of(*given) == count


def test_counts_that_exclude_each_other():
    with pytest.raises(ValueError, match="times: cannot be given together with"):
        count_of(1, 1, None)


def test_what_the_journal_is_asked_for():
    assert list(queries(None, {})) == [{}]
    assert list(queries(["/a", "/b"], {"status": 503})) == [{"status": "503", "uri": "/a"}, {"status": "503", "uri": "/b"}]
    assert list(queries(None, {"method": "GET", "end": "aborted", "body": "x"})) == [{"end": "aborted", "method": "GET"}]
    assert list(queries(None, {"method": ["GET"]})) == [{}]


def exchange(**entry: Any) -> Exchange:
    given = {"seq": 1, "method": "POST", "uri": "/a?b=c+d&b=e", "headers": [["X", "1"]], "status": 200, "end": "completed"}
    return Exchange({**given, "ms": {"end": 2000.0}, "body": {"size": 8, "text": '{"a": 1}'}, "onConnection": 2, **entry})


@pytest.mark.parametrize(
    ("criteria", "fit"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"method": ["GET", "PUT"]}, False),
        ({"headers": {"x": "1"}}, True),
        ({"headers": {"x": "2"}}, False),
        ({"headers": {"x": None}}, True),
        ({"headers": [["x"], ["x", "1"]]}, True),
        ({"query": [["b", "c d"], ["z"]]}, False),
        ({"headers": {"x": "{v}"}}, True),
        ({"headers": {"y": None}}, False),
        ({"query": {"b": "c d"}}, True),
        ({"query": {"b": "e"}}, True),
        ({"query": {"c": None}}, False),
        ({"reused": True}, True),
        ({"reused": False}, False),
        ({"body": "a"}, True),
        ({"body": {"a": 1}}, True),
        ({"body": {"a": 2}}, False),
        ({"took": {"atLeast": "1.9s", "atMost": 2.1}}, True),
        ({"took": {"atLeast": 3}}, False),
        ({"took": {"atMost": 1}}, False),
    ],
)
def test_what_fits(criteria: Criteria, fit: bool):
    assert fits(exchange(), criteria) is fit


def test_what_is_not_known_does_not_fit():
    assert not fits(exchange(body={"size": 9, "text": '{"a": 1}', "truncated": True}), {"body": "a"})
    assert not fits(exchange(ms={"end": None}), {"took": {"atMost": 1}})
