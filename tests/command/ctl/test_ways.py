"""Routes as words and options."""

from __future__ import annotations

from typing import Any

import pytest

from goto.api.openapi import document
from goto.command.ctl.table import WAYS
from goto.command.ctl.ways import Field, Way, chosen, folded, following, kinds_of, matching, ways_of
from goto.instance.wiring import route_table


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("response delay set 200ms", ["PUT /response/delay/set/{delay}"]),
        ("response rules enable all", ["PUT /response/rules/enable/all"]),
        ("response rules flaky enable", ["PUT /response/rules/{rule}/enable"]),
        ("response rules enable", ["GET /response/rules/{rule}"]),  # a rule of that name
        ("goto config", ["GET /goto/config", "POST /goto/config"]),
        ("response", []),
        ("response delays", []),
    ],
)
def test_words_are_the_path(words: str, paths: list[str]):
    assert [f"{way.method} {way.path}" for way in matching(WAYS, words.split())] == paths


def test_of_several_methods():
    ways = matching(WAYS, ["goto", "config"])
    assert chosen(ways, body=False).method == "GET"
    assert chosen(ways, body=True).method == "POST"


def test_what_may_follow():
    assert following(WAYS, ["response", "delay"]) == ["clear", "set"]
    assert following(WAYS, ["listeners"]) == ["add", "{port}"]
    assert following(WAYS, ["response", "delay", "set", "1s"]) == []


def test_every_route_has_its_way():
    served = {route.path for route in route_table().routes}
    assert {way.path for way in WAYS} == served
    assert list(ways_of(document(route_table()))) == list(WAYS)


@pytest.mark.parametrize(
    ("name", "option"), [("requestTimeout", "--request-timeout"), ("verifyTLS", "--verify-tls"), ("for", "--for")]
)
def test_options_are_spelled_as_options_are(name: str, option: str):
    assert Field(name, "s").option == option
    assert folded(option) == folded(name)


@pytest.mark.parametrize(
    ("schema", "kinds"),
    [
        ({"type": "string"}, "s"),
        ({"type": ["integer", "null"]}, "n"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "ns"),
        ({"$ref": "#/components/schemas/A"}, "j"),
        ({"type": "array", "items": {"type": "string"}}, "l"),
        ({"type": "array", "items": {"type": "array"}}, "j"),
        ({"type": "string", "enum": ["y", "n"]}, "b"),
        ({"enum": ["a"]}, "s"),
        ({}, "snbj"),
    ],
)
def test_kinds_of_values(schema: dict[str, Any], kinds: str):
    assert kinds_of(schema, {"A": {"type": "object"}}) == kinds


def test_put_and_post_of_one_route_are_one_way():
    assert [way.method for way in WAYS if way.path == "/label/set/{label}"] == ["PUT"]
    assert Way("GET", "/a/{b}", "").words == ["a", "{b}"]
