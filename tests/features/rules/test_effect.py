"""What an entry comes to for one exchange."""

from __future__ import annotations

from typing import Any

import pytest
from support.rules import made

from goto.features.rules.effect import WORDS, Effect, Work
from goto.features.rules.given import Cut, Unable
from goto.flow import Headers, Response
from goto.matching.captures import Capture

WHEN = {"uris": ["/{n}"]}


def effect(**fields: Any) -> Effect:
    rule = made(when=WHEN, **fields)
    return Effect(rule, rule.when.captured)


def work(captured: str = "7", **fields: Any) -> Work:
    return effect(**fields).work({"n": Capture(captured, "uri")})


@pytest.mark.parametrize(
    ("fields", "outcome", "slows", "passes"),
    [
        ({"status": 503}, True, False, False),
        ({"body": "x"}, True, False, False),
        ({"abort": "hang"}, True, False, False),
        ({"garble": "head"}, True, False, False),
        ({"headers": [["a", "b"]]}, False, False, False),
        ({"truncate": {"after": 5}}, False, True, False),
        ({"pace": {"over": "1s"}}, False, True, False),
        ({"stall": {"after": 0, "for": "1s"}}, False, True, False),
        ({"delay": "1s"}, False, False, True),
    ],
)
def test_what_it_is(fields: dict[str, Any], outcome: bool, slows: bool, passes: bool) -> None:
    found = work(**fields)
    assert (found.outcome, found.slows, found.passes) == (outcome, slows, passes)


def test_what_holds_no_capture_is_worked_out_once() -> None:
    same = effect(status=503, json={"a": 1}, headers=[["x", "y"]])
    assert same.work({}) is same.work({})
    varies = effect(status=503, body="{n}")
    assert varies.work({"n": Capture("1", "uri")}).body == b"1"
    assert varies.work({"n": Capture("2", "uri")}).body == b"2"
    assert effect(size="{n}").work({"n": Capture("3", "uri")}).body == b"012"


def test_all_of_it_is_carried_over() -> None:
    found = work(
        size=1000,
        status="20{n}",
        headers=[["x", "{n}"]],
        truncate={"after": "{n}%", "by": "reset"},
        pace={"rate": "{n}KiB", "head": True},
        stall={"after": 5, "for": "2s"},
    )
    assert (found.status, found.headers, found.truncate, found.truncate_by) == (207, [(b"x", b"7")], Cut(None, 0.07), "reset")
    assert (found.rate, found.over, found.paced_head, found.stall, found.stall_at) == (7168.0, 0.0, True, 2.0, 5)


@pytest.mark.parametrize("fields", [{"status": "{n}"}, {"size": "{n}x"}, {"pace": {"rate": "{n}x"}}])
def test_what_cannot_be_worked_out(fields: dict[str, Any]) -> None:
    with pytest.raises(Unable):
        work(**fields)


def test_delays_are_made_apart() -> None:
    assert effect(delay="{n}s").spread({"n": Capture("7", "uri")}) is not None
    assert effect(status=503).spread({}) is None
    with pytest.raises(Unable):
        effect(delay="{n}s").spread({})


@pytest.mark.parametrize("status", [204, 205, 304])
def test_statuses_without_a_body(status: int) -> None:
    response = work(body="never").response(status)
    assert (response.body, response.headers.fields) == (b"", [])


def test_an_answer_of_its_own() -> None:
    alone, whole = work(status=418).response(418), work(json=[1]).response(503)
    assert (alone.body, alone.headers.get("content-type")) == (b"418 I'm a teapot\n", "text/plain; charset=utf-8")
    assert (whole.status, whole.body, whole.headers.get("content-type")) == (503, b"[1]", "application/json")


def answered() -> Response:
    fields = [(b"Content-Type", b"a/b"), (b"ETag", b"x"), (b"Content-Encoding", b"gzip"), (b"Set-Cookie", b"a=1"), (b"X", b"1")]
    return Response(200, b"old", Headers(fields), reason="Fine")


def test_what_is_not_named_stays() -> None:
    response = answered()
    work(status=502).change(response)
    assert (response.status, response.reason, response.body) == (502, None, b"old")
    assert response.headers.fields == answered().headers.fields
    response = answered()
    work(body="new").change(response)
    assert (response.status, response.reason, response.body, response.stream) == (200, "Fine", b"new", None)
    assert [name for name, _ in response.headers] == ["Set-Cookie", "X", "Content-Type"]
    assert response.headers.get("content-type") == "text/plain; charset=utf-8"


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_that_has_no_body_leaves_none(status: int) -> None:
    for fields in ({}, {"body": "mine"}):
        response = Response(200, b"old", Headers([(b"X", b"1")]))
        work(status=status, **fields).change(response)
        assert (response.status, response.body, response.stream, response.headers.get("x")) == (status, b"", None, "1")


def test_a_tunnel_has_no_body_to_be_named() -> None:
    response = Response(101)
    response.stream = tunnel = object()  # type: ignore[assignment]  # which stays
    assert not work(body="mine").change(response)
    assert (response.status, response.body, response.stream) == (101, b"", tunnel)


@pytest.mark.parametrize("old", [101, 204, 304])
def test_where_there_was_no_body_none_is_left(old: int) -> None:
    response = Response(old)
    response.stream = object()  # type: ignore[assignment]  # of which nothing will come
    work(status=502).change(response)
    assert (response.status, response.body, response.stream) == (502, b"", None)
    response = Response(old)
    work(status=502, body="mine").change(response)
    assert response.body == b"mine"


def test_headers_take_the_place_of_those_of_the_same_name() -> None:
    response = answered()
    work(headers=[["x", "a"], ["X", "b"], ["set-cookie", "c=3"]]).put_headers(response)
    assert response.headers.get_all("x") == ["a", "b"]
    assert response.headers.get_all("set-cookie") == ["a=1", "c=3"]


def test_words_stand_in_the_order_in_which_they_are_told() -> None:
    told = "unable answer close reset hang garble truncate stall pace delay headers trigger"
    assert " ".join(WORDS) == told
