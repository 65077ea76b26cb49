"""Timeout tracking: each exchange ends one way, once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.flows import Onion, flow, passed

from goto.counting.bounded import OTHER, TRACKED_LIMIT, VALUES_LIMIT
from goto.errors import Conflict
from goto.exchange.waiting import step_in_task
from goto.feature import Feature
from goto.features.timeouts import Timeouts
from goto.flow import Delivery, Flow
from goto.pipeline import Pipeline
from goto.traffic.passage import Passage
from goto.words import HeaderName, HeaderNames

DONE, LEFT = {"ConnectionClosed": 0, "RequestCompleted": 1}, {"ConnectionClosed": 1, "RequestCompleted": 0}


def tracking(headers: str = "", *, everything: bool = False) -> Timeouts:
    feature = Timeouts()
    if headers:
        feature.track_headers(HeaderNames.parse(headers))
    if everything:
        feature.track_all()
    return feature


def test_all_requests_end_one_way_or_the_other() -> None:
    feature = tracking(everything=True)
    passed([feature], flow(), completed=True)
    passed([feature], flow(), completed=False)
    passed([feature], flow(), completed=False)
    assert feature.status() == {"all": {"ConnectionClosed": 2, "RequestCompleted": 1}, "headers": {}}


def test_an_upstream_that_broke_off_is_a_third_way() -> None:
    feature = tracking("x", everything=True)
    for outcome in ("broke_off", "client_gone", None):
        passing = flow("/", ("x", "1"))
        passage = Passage(Onion([feature]), passing)
        asyncio.run(step_in_task(passage.ask()))
        passage.over(outcome, completed=outcome is None)
        assert passing.broken is (outcome == "broke_off")
    ends = {"ConnectionClosed": 1, "RequestCompleted": 1, "Broken": 1}
    assert feature.status() == {"all": ends, "headers": {"x": {"1": ends}}}


def test_by_the_values_of_headers_in_any_case_reported_as_added() -> None:
    feature = tracking("X-One,y")
    passed([feature], flow("/", ("x-ONE", "A"), ("Y", "b")))
    passed([feature], flow("/", ("x-one", "a")), completed=False)
    passed([feature], flow("/", ("z", "a")), completed=False)
    assert feature.status() == {"all": None, "headers": {"X-One": {"A": DONE, "a": LEFT}, "y": {"b": DONE}}}


def test_a_repeated_header_counts_each_distinct_value_once() -> None:
    feature = tracking("x")
    passed([feature], flow("/", ("x", "1"), ("X", "2"), ("x", "1")))
    assert feature.status()["headers"] == {"x": {"1": DONE, "2": DONE}}


def test_tracking_again_keeps_counts_and_the_first_spelling() -> None:
    feature = tracking("x", everything=True)
    passed([feature], flow("/", ("x", "1")))
    feature.track_headers(HeaderNames.parse("X,y"))
    feature.track_all()
    assert feature.status() == {"all": DONE, "headers": {"x": {"1": DONE}, "y": {}}}


def test_clear_forgets_and_ends_tracking_even_for_exchanges_under_way() -> None:
    feature = tracking("x", everything=True)
    under_way = flow("/", ("x", "1"))
    pipeline = Pipeline([feature])
    pipeline.request(under_way)
    feature.clear()
    assert not feature.active
    feature.track_all()
    pipeline.closed(under_way)
    assert feature.status() == {"all": {"ConnectionClosed": 0, "RequestCompleted": 0}, "headers": {}}


def test_an_exchange_that_began_before_tracking_is_not_counted() -> None:
    feature = Timeouts()
    early = flow()
    feature.track_all()
    feature.closed(early)
    assert feature.status()["all"] == {"ConnectionClosed": 0, "RequestCompleted": 0}


def test_activity_follows_what_is_tracked() -> None:
    seen: list[bool] = []
    feature = Timeouts()
    feature.bind(lambda: seen.append(feature.active))
    assert not feature.active
    feature.track_headers(HeaderNames.parse("x"))
    feature.clear()
    feature.track_all()
    assert seen == [True, False, True]


def test_one_header_too_many_is_refused_and_changes_nothing() -> None:
    names = [f"h{number}" for number in range(TRACKED_LIMIT)]
    feature = tracking(",".join(names))
    for change in (
        lambda: feature.track_headers(HeaderNames(["all", "new"])),
        lambda: feature.configure([*names, HeaderName("x")]),
    ):
        with pytest.raises(Conflict):
            change()
        assert (feature.all, list(feature.headers)) == (None, names)
    feature.track_headers(HeaderNames(["ALL", "H1"]))  # neither is one more
    assert len(feature.configured) == TRACKED_LIMIT + 1
    feature.configure(feature.configured)
    assert (feature.all is not None, list(feature.headers)) == (True, names)


def test_memory_is_bounded_and_no_exchange_is_lost() -> None:
    feature = tracking("x")
    count = VALUES_LIMIT + 50
    for number in range(count):
        one = flow("/", ("x", str(number)))
        feature.request(one)
        one.completed = True
        feature.closed(one)
    values: dict[str, Any] = feature.status()["headers"]["x"]
    assert len(values) == VALUES_LIMIT + 1
    assert values[OTHER]["RequestCompleted"] == 50
    assert sum(ends["RequestCompleted"] for ends in values.values()) == count


def test_what_goto_ended_on_purpose_is_a_key_of_its_own():
    feature = Timeouts()
    feature.track_all()
    passed([feature], flow())
    assert feature.status()["all"] == {"ConnectionClosed": 0, "RequestCompleted": 1}

    class Ends(Feature):
        def request(self, flow: Flow) -> None:
            flow.delivery = Delivery(end="close")

    passed([feature, Ends()], flow())
    assert feature.status()["all"] == {"ConnectionClosed": 0, "RequestCompleted": 1, "Aborted": 1}
