"""From arguments to a request, and from an answer to what a route declares."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.features.rules.rule import Rule
from goto.features.rules.shown import ShownRule
from goto.testing.asking import Answer
from goto.testing.failures import ApiFailure, BadInput, NotHeld
from goto.testing.routes import Route, chosen, in_words, plain
from goto.words import Duration
from goto.words.reading import read_struct

SET = Route[str]("PUT", "/response/headers/set/{header}/{value}", str)
SHOW = Route[dict[str, str]]("GET", "/response/headers/set", dict[str, str])
ADD = Route[str]("POST", "/response/rules/add", str, body="json", durations=frozenset({"for", "after"}))
PLAN = Route[list[int]]("GET", "/response/rules/{rule}/plan", list[int], query=("from", "count"))
URI = Route[int]("GET", "/request/uri/bypass/counts", int, query=("uri!",))
CONFIG = Route[str]("POST", "/goto/config", str, query=("replace",), body="raw")


def said(body: bytes, kind: str = "text/plain", status: int = 200) -> Answer:
    return Answer(status, {"content-type": kind}, body)


def test_words_of_the_path_are_encoded():
    ask = SET.ask(("x", "a/b ?ü%{"), {})
    assert (ask.method, ask.target, ask.body) == ("PUT", "/response/headers/set/x/a%2Fb%20%3F%C3%BC%25%7B", b"")
    assert SET.ask((["a", "b"], True), {}).target == "/response/headers/set/a,b/y"


def test_the_query_has_what_is_given():
    assert PLAN.ask(("r",), {"from_": 3, "count": None}).target == "/response/rules/r/plan?from=3"
    assert URI.ask((), {"uri": "/a?b=c&d"}).target == "/request/uri/bypass/counts?uri=/a?b%3Dc%26d"
    assert PLAN.ask(("r",), {}).headers == {"Accept": "application/json"}
    assert SET.ask(("a", "b"), {}).headers == {}


def test_what_comes_before_a_path():
    assert SHOW.ask((), {}, "/goto/port/81").target == "/goto/port/81/response/headers/set"


def test_a_body_by_fields_and_as_a_struct():
    by_fields = ADD.ask((), {"name": "a", "status": 503, "for_": 1.5, "when": {"uris": ["/a"]}, "seed": None})
    assert json.loads(by_fields.body or b"") == {"name": "a", "status": 503, "for": "1.5s", "when": {"uris": ["/a"]}}
    rule, _ = read_struct({"name": "a", "status": 503, "for": "1.5s"}, Rule)
    assert json.loads(ADD.ask((rule,), {}).body or b"") == {"name": "a", "status": 503, "for": "1.5s"}


@pytest.mark.parametrize(
    ("body", "sent"), [(b"\xff", b"\xff"), ("ü", "ü".encode()), ({"a": {"b_": None}}, b'{"a": {}}'), (None, b"")]
)
def test_a_raw_body(body: Any, sent: bytes):
    assert CONFIG.ask((), {"body": body, "replace": True}).body == sent


def test_a_call_may_last_as_long_as_it_waits():
    verify = Route[Any]("POST", "/v", Any, body="json", durations=frozenset({"timeout", "settle"}))
    assert verify.ask((), {"timeout": 5, "settle": "200ms"}).seconds == 5.2
    assert verify.ask((), {"timeout": "soon"}).seconds == 0  # the instance says what is wrong with it


@pytest.mark.parametrize(
    ("words", "fields", "route"),
    [((), {}, SHOW), (("a", "b"), {}, SET), ((), {"name": "a"}, ADD), (("r",), {"count": 2}, PLAN), ((), {"uri": "/"}, URI)],
)
def test_of_several_routes_the_one_that_arguments_fit(words: tuple[str, ...], fields: dict[str, Any], route: Route[Any]):
    assert chosen((URI, SHOW, SET, PLAN, ADD), words, fields) is route


def test_arguments_that_fit_none():
    with pytest.raises(TypeError, match=r"no arguments of GET /response/headers/set or PUT /response/headers/set/\{header\}"):
        chosen((SHOW, SET), ("a",), {})


@given(st.integers(0, 10**15))
def test_seconds_are_durations(nanoseconds: int):
    assert abs(int(Duration.parse(str(in_words(nanoseconds / 1e9)))) - nanoseconds) <= max(1, nanoseconds * 1e-9)


def test_what_is_no_number_of_seconds():
    assert [in_words(value) for value in ("2s", None, True, Duration.parse("2ms"), 0)] == ["2s", None, True, "2ms", "0s"]


def test_fields_as_json_has_them():
    assert plain({"for_": 1, "a": [{"b": None}], "c": (1, 2)}) == {"for": 1, "a": [{}], "c": [1, 2]}


def test_answers_are_as_declared():
    assert SET.read(said(b"done\n")) == "done"
    assert URI.read(said(b"5", "application/json")) == 5
    by_code = Route[dict[int, int]]("GET", "/", dict[int, int])
    assert by_code.read(said(b'{"200": 1}', "application/json")) == {200: 1}
    shown = json.dumps({**ShownRule.example, "more": 1}).encode()
    rule = Route[ShownRule]("GET", "/", ShownRule).read(said(shown, "application/json"))
    assert (str(rule.name), str(rule.state), rule.matched) == ("flaky", "active", 12)
    either = Route[Any]("POST", "/", str | list[int])
    assert either.read(said(b"text\n")) == "text"
    assert either.read(said(b"[1]", "application/json")) == [1]
    assert Route[Answer]("POST", "/", Answer).read(said(b"x", status=503)).status == 503


def test_errors_have_the_text_of_the_instance():
    with pytest.raises(BadInput, match=r"^status: 99 is not a status$"):
        SET.read(said(b"status: 99 is not a status\n", status=400))
    with pytest.raises(BadInput, match=r"^no$"):
        URI.read(said(b'{"error": "no"}', "application/json", 400))
    with pytest.raises(NotHeld, match=r"^wanted 1$") as caught:
        URI.read(said(b'{"holds": false, "text": "wanted 1"}', "application/json", 417))
    assert caught.value.answer["holds"] is False


def test_an_answer_that_is_not_as_declared():
    with pytest.raises(ApiFailure, match="the answer is not as declared"):
        URI.read(said(b'{"a": 1}', "application/json"))
    with pytest.raises(ApiFailure, match="the answer is not as declared"):
        URI.read(said(b"hello"))
