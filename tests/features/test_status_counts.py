"""Counts of statuses asked for and answered."""

from __future__ import annotations

import pytest
from support.flows import flow, passed

from goto.features.local import Local
from goto.features.status_counts import StatusCounts
from goto.pipeline import Pipeline
from goto.words import Status


def test_requested_and_reported_are_counted_apart() -> None:
    feature = StatusCounts()
    for target, status in (("/status/418", 418), ("/status/418", 503), ("/x", 503), ("/status/200/", 200)):
        passed([feature], flow(target), status=status)
    reported = {"200": 1, "418": 1, "503": 2}
    assert feature.show() == {
        "countsByRequestedStatus": {"200": 1, "418": 2},
        "countsByReportedStatus": reported,
        "countsByResponseStatus": reported,
    }
    assert feature.show_one(Status(418)) == {"status": 418, "requestCount": 2, "responseCount": 1}
    assert feature.show_one(Status(404)) == {"status": 404, "requestCount": 0, "responseCount": 0}


@pytest.mark.parametrize(
    "target", ["/status/199", "/status/600", "/status/abc", "/status/", "/status", "/x/status/200", "/status/0200"]
)
def test_what_requests_no_status(target: str) -> None:
    feature = StatusCounts()
    passed([feature], flow(target))
    assert feature.requested == {}
    assert feature.reported == {200: 1}


def test_statuses_come_in_order() -> None:
    feature = StatusCounts()
    for status in (503, 200, 404):
        passed([feature], flow(f"/status/{status}"), status=status)
    assert list(feature.show()["countsByReportedStatus"]) == ["200", "404", "503"]
    assert list(feature.show()["countsByRequestedStatus"]) == ["200", "404", "503"]


def test_clear() -> None:
    feature = StatusCounts()
    passed([feature, Local()], flow("/status/418"))
    feature.clear()
    assert feature.show() == {"countsByRequestedStatus": {}, "countsByReportedStatus": {}, "countsByResponseStatus": {}}


def test_a_client_that_left_before_a_response_is_under_no_status() -> None:
    feature = StatusCounts()
    pipeline = Pipeline([feature])
    one = flow("/status/418")
    pipeline.request(one)
    pipeline.closed(one)
    assert (feature.requested, feature.reported) == ({418: 1}, {})
