"""Header tracking: counts per value that add up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.client import get
from support.flows import flow, passed
from support.goto_process import Goto
from support.nginx import Nginx
from support.site import Site
from support.storm import storm
from support.waiting import eventually

from goto.counting.bounded import OTHER, TRACKED_LIMIT, VALUE_LENGTH, VALUES_LIMIT
from goto.errors import Conflict, NotFound
from goto.features.tracking import Tracking
from goto.flow import Response
from goto.pipeline import Pipeline
from goto.words import HeaderName, HeaderNames

BY_VALUE = "RequestCountsByHeaderValue"
BY_REQUESTED = "RequestCountsByHeaderValueAndRequestedStatus"
BY_RESPONSE = "RequestCountsByHeaderValueAndResponseStatus"


def tracking(headers: str) -> Tracking:
    feature = Tracking()
    feature.add(HeaderNames.parse(headers))
    return feature


def test_the_three_counts() -> None:
    feature = tracking("X,y")
    passed([feature], flow("/status/418", ("x", "x1"), ("Y", "y1")), status=418)
    passed([feature], flow("/status/418", ("x", "x1")), status=503)
    passed([feature], flow("/other", ("x", "X1")), status=200)
    assert feature.show() == {
        "X": {
            BY_VALUE: {"x1": 2, "X1": 1},
            BY_REQUESTED: {"x1": {418: 2}},
            BY_RESPONSE: {"x1": {418: 1, 503: 1}, "X1": {200: 1}},
        },
        "y": {BY_VALUE: {"y1": 1}, BY_REQUESTED: {"y1": {418: 1}}, BY_RESPONSE: {"y1": {418: 1}}},
    }
    assert feature.show_one(HeaderName("x")) == feature.show()["X"]


def test_without_requests_the_maps_are_there_and_empty() -> None:
    assert tracking("x").show() == {"x": {BY_VALUE: {}, BY_REQUESTED: {}, BY_RESPONSE: {}}}


def test_a_repeated_header_counts_each_distinct_value_once() -> None:
    feature = tracking("x")
    passed([feature], flow("/status/200", ("x", "1"), ("X", "2"), ("x", "1")))
    shown = feature.show()["x"]
    assert shown == {
        BY_VALUE: {"1": 1, "2": 1},
        BY_REQUESTED: {v: {200: 1} for v in "12"},
        BY_RESPONSE: {v: {200: 1} for v in "12"},
    }


def test_an_empty_value_is_a_value() -> None:
    feature = tracking("x")
    passed([feature], flow("/", ("x", "")))
    assert feature.show()["x"][BY_VALUE] == {"": 1}


def test_adding_again_keeps_counts_spelling_and_order() -> None:
    feature = tracking("X,y")
    passed([feature], flow("/", ("x", "1")))
    feature.add(HeaderNames.parse("z,x"))
    assert feature.list() == ["X", "y", "z"]
    assert feature.show()["X"][BY_VALUE] == {"1": 1}


def test_remove_and_clear() -> None:
    feature = tracking("x,y")
    feature.remove(HeaderName("X"))
    assert feature.list() == ["y"]
    assert feature.active
    with pytest.raises(NotFound, match=r"header: x is not tracked"):
        feature.remove(HeaderName("x"))
    with pytest.raises(NotFound):
        feature.show_one(HeaderName("x"))
    feature.clear()
    assert (feature.active, feature.list()) == (False, [])


def test_counts_are_cleared_for_those_named_and_for_all() -> None:
    feature = tracking("x,y")
    passed([feature], flow("/", ("x", "1"), ("y", "1")))
    assert feature.clear_counts(HeaderNames.parse("X,nope")).endswith("(unknown headers: nope)")
    assert [feature.show()[name][BY_VALUE] for name in "xy"] == [{}, {"1": 1}]
    with pytest.raises(NotFound):
        feature.clear_counts(HeaderNames.parse("nope"))
    feature.clear_all_counts()
    assert feature.show()["y"][BY_VALUE] == {}


def test_a_client_that_left_before_a_response_is_under_no_response_status() -> None:
    feature = tracking("x")
    pipeline = Pipeline([feature])
    one = flow("/status/418", ("x", "1"))
    pipeline.request(one)
    pipeline.closed(one)
    assert feature.show()["x"] == {BY_VALUE: {"1": 1}, BY_REQUESTED: {"1": {418: 1}}, BY_RESPONSE: {}}


def test_counts_of_an_exchange_that_was_under_way_when_they_were_cleared() -> None:
    feature = tracking("x")
    pipeline = Pipeline([feature])
    one = flow("/", ("x", "1"))
    pipeline.request(one)
    feature.clear_all_counts()
    one.response = Response(200)
    pipeline.response(one)
    assert feature.show()["x"][BY_VALUE] == {}


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", ""]), st.sampled_from([200, 418, 503])), max_size=40))
def test_counts_add_up(requests: list[tuple[str, int]]) -> None:
    feature = tracking("x")
    pipeline = Pipeline([feature])
    for value, status in requests:
        one = flow(f"/status/{status}", ("x", value))
        pipeline.request(one)
        one.response = Response(status)
        pipeline.response(one)
    shown = feature.show()["x"]
    assert sum(shown[BY_VALUE].values()) == len(requests)
    for kind in (BY_REQUESTED, BY_RESPONSE):
        assert {value: sum(statuses.values()) for value, statuses in shown[kind].items()} == shown[BY_VALUE]


def test_memory_is_bounded_and_counts_add_up() -> None:
    feature = tracking("x")
    pipeline = Pipeline([feature])
    many = VALUES_LIMIT + 20
    for number in range(many):
        pipeline.request(flow("/", ("x", str(number))))
    pipeline.request(flow("/", ("x", "y" * (VALUE_LENGTH + 1))))
    counted: dict[str, int] = feature.show()["x"][BY_VALUE]
    assert len(counted) == VALUES_LIMIT + 1
    assert counted[OTHER] == 21
    assert sum(counted.values()) == many + 1


def test_one_header_too_many_is_refused_and_changes_nothing() -> None:
    feature = tracking(",".join(f"h{number}" for number in range(TRACKED_LIMIT - 1)))
    before = feature.list()
    for headers in ("new,newer", "h1,new,newer"):
        with pytest.raises(Conflict):
            feature.add(HeaderNames.parse(headers))
        assert feature.list() == before
    feature.add(HeaderNames.parse("h1,new,H2"))  # two of them are there already
    assert feature.list() == [*before, "new"]


def test_values_that_are_no_utf8_are_all_counted(goto: Callable[..., Goto]) -> None:
    site = Site(goto("tracking-bytes"))
    site.api("PUT", "/request/headers/track/add/x")
    for value in (b"\xff", b"\xfe"):
        site.raw(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: " + value + b"\r\n\r\n")
    counts: dict[str, Any] = site.api("GET", "/request/headers/track/x/counts").json()
    assert sum(counts[BY_VALUE].values()) == 2


def test_counts_of_five_thousand_requests_at_64_connections_add_up(goto: Callable[..., Goto]) -> None:
    site = Site(goto("tracking-storm", "--quiet"))
    site.api("PUT", "/request/headers/track/add/x,y")
    requests = [get(f"/status/{200 + n % 3}", f"X: x{n % 7}", f"Y: y{n % 2}") for n in range(42)]
    statuses = storm(site.port, 5_000, 64, lambda n: requests[n % 42])
    assert sum(statuses.values()) == 5_000
    counts = site.api("GET", "/request/headers/track/counts").json()
    for name, values in (("x", 7), ("y", 2)):
        assert len(counts[name][BY_VALUE]) == values
        assert sum(counts[name][BY_VALUE].values()) == 5_000
        for kind in (BY_REQUESTED, BY_RESPONSE):
            summed = {value: sum(by.values()) for value, by in counts[name][kind].items()}
            assert summed == counts[name][BY_VALUE]


def test_twenty_thousand_requests_to_nginx_add_up(goto: Callable[..., Goto], nginx: Callable[..., Nginx]) -> None:
    """goto in front of a real server at 50 connections: no error, and every request counted once."""
    site, server = Site(goto("tracking-nginx", "--quiet")), nginx()
    site.api("PUT", "/request/headers/track/add/x")
    site.target(server.port)
    requests = [get("/hello", f"X: x{n}") for n in range(10)]
    assert storm(site.port, 20_000, 50, lambda n: requests[n % 10]) == {200: 20_000}
    counts = site.api("GET", "/request/headers/track/x/counts").json()
    assert counts[BY_VALUE] == {f"x{n}": 2_000 for n in range(10)}
    assert counts[BY_RESPONSE] == {f"x{n}": {"200": 2_000} for n in range(10)}
    assert counts[BY_REQUESTED] == {}
    assert site.reported == {"200": 20_000}
    # nginx writes its line once the answer is out
    assert len(eventually(lambda: server.requests, lambda lines: len(lines) >= 20_000)) == 20_000
