"""Counts by value: each request once under each value, and no more values than the limit."""

from __future__ import annotations

from support.flows import flow

from goto.counting.bounded import OTHER, OVERFLOW, VALUE_LENGTH, VALUES_LIMIT
from goto.counting.by_value import HeaderCounts, count_request, count_response


def test_a_request_and_its_answer_are_counted_in_the_same_places() -> None:
    headers = {name: HeaderCounts(name) for name in ("X", "y", "z")}
    counted = count_request(headers, flow("/status/418", ("x", "a"), ("X", "b"), ("x", "a"), ("Y", "c")).request)
    assert counted == [headers["X"].by_value[b"a"], headers["X"].by_value[b"b"], headers["y"].by_value[b"c"]]
    count_response(counted, 503)
    for counts in counted:
        assert (counts.requests, counts.requested, counts.responses) == (1, {418: 1}, {503: 1})
    assert headers["z"].by_value == {}


def test_a_request_for_no_status_is_counted_under_none() -> None:
    header = HeaderCounts("x")
    (counted,) = count_request({"x": header}, flow("/statuses", ("x", "a")).request)
    assert (counted.requests, counted.requested) == (1, {})


def test_values_past_the_limits_share_one_place() -> None:
    header = HeaderCounts("x")
    before = OVERFLOW.values
    long = header.of(b"y" * (VALUE_LENGTH + 1))
    assert header.by_value == {OTHER.encode(): long}
    for number in range(VALUES_LIMIT):
        header.of(b"%d" % number)
    assert len(header.by_value) == VALUES_LIMIT
    assert header.of(b"new") is header.of(b"newer") is long
    assert header.of(b"0") is header.of(b"0") is not long
    assert OVERFLOW.values - before == 4


def test_what_is_cleared_is_counted_anew() -> None:
    header = HeaderCounts("x")
    old = header.of(b"a")
    header.clear()
    assert header.by_value == {}
    assert header.of(b"a") is not old
