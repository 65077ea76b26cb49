"""Forced statuses: on all traffic, or on exactly so many exchanges."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.client import get
from support.flows import flow, passed
from support.goto_process import Goto
from support.site import Site
from support.storm import storm
from support.upstream import Upstream

from goto.features.forced_status import ForcedStatus
from goto.features.local import Local
from goto.pipeline import Pipeline
from goto.traffic.echo import echo
from goto.words.values import Statuses


def forced(text: str) -> ForcedStatus:
    feature = ForcedStatus()
    feature.set(Statuses.parse(text))
    return feature


def test_a_count_runs_out_after_exactly_so_many() -> None:
    feature = forced("503:3")
    seen = [passed([feature, Local()], flow("/x", default=echo)).response for _ in range(5)]
    assert [response.status for response in seen if response] == [503, 503, 503, 200, 200]
    assert not feature.active
    assert feature.show() == "No forced response status"


def test_exchanges_with_the_pipeline_of_before_take_no_more_than_the_count() -> None:
    feature = forced("503:2")
    pipeline = Pipeline([feature])
    flows = [flow() for _ in range(5)]
    for one in flows:
        pipeline.request(one)
    assert [one.status for one in flows] == [503, 503, None, None, None]


def test_it_decides_nothing_itself() -> None:
    one = flow()
    forced("503").request(one)
    assert one.status == 503
    assert not one.decided


def test_what_is_shown() -> None:
    feature = ForcedStatus()
    assert feature.show() == "No forced response status"
    assert feature.set(Statuses.parse("418")) == "Response status: 418"
    assert feature.set(Statuses.parse("503:2")) == "Response status: 503 for the next 2"
    feature.set(Statuses.parse("0"))
    assert not feature.active
    feature.set(Statuses.parse("503"))
    assert feature.clear() == "Response status cleared"
    assert not feature.active


def test_several_are_taken_in_turn_and_begin_anew_at_each_set() -> None:
    feature = forced("500,502,503:5")
    seen = [passed([feature], flow()).status for _ in range(6)]
    assert seen == [500, 502, 503, 500, 502, None]
    feature.set(Statuses.parse("501,502"))
    assert passed([feature], flow()).status == 501
    feature.set(Statuses.parse("501,502"))
    assert [passed([feature], flow()).status for _ in range(3)] == [501, 502, 501]


def test_what_chance_leaves_out_takes_neither_from_the_count_nor_from_the_list() -> None:
    feature = forced("500,502,503:7@30%")
    seen = [status for _ in range(1_000) if (status := passed([feature], flow()).status)]
    assert seen == [500, 502, 503, 500, 502, 503, 500]
    assert not feature.active
    feature = forced("503:2@0.000001%")
    assert not any(passed([feature], flow()).status for _ in range(50))
    assert feature.show() == "Response status: 503 for the next 2 at 0.000001%"


@pytest.mark.parametrize("text", ["", "199", "600", "1000", "abc", "503:0", "503:-1", "503:", "503:x", ":2", "-503", "5e2"])
def test_what_is_no_forced_status(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Statuses.parse(text)


def test_exactly_500_of_5000_at_64_connections(goto: Callable[..., Goto]) -> None:
    site = Site(goto("forced", "--quiet"))
    site.api("PUT", "/response/status/set/503:500")
    request = get("/any")
    assert storm(site.port, 5_000, 64, lambda n: request) == {503: 500, 200: 4_500}
    assert site.reported == {"200": 4_500, "503": 500}


def test_exactly_500_of_3000_proxied_requests(goto: Callable[..., Goto]) -> None:
    process = goto("forced-proxied", "--quiet")
    site, behind = Site(process), Site(process)
    site.target(behind.port)
    site.api("PUT", "/response/status/set/503:500")
    request = get("/status/202")
    assert storm(site.port, 3_000, 64, lambda n: request) == {503: 500, 202: 2_500}
    assert behind.reported == {"202": 2_500}


def test_traffic_is_answered_instead_of_being_proxied_with_the_local_body(goto: Callable[..., Goto], upstream: Upstream) -> None:
    site = Site(goto("forced-local"))
    site.target(upstream.port)
    site.api("PUT", "/response/status/set/503")
    answer = site.call("POST", "/a?b=c", "hello")
    assert answer.status == 503
    assert answer.json()["RequestBody"] == "hello"
    assert site.call("GET", "/status/418").status == 503
    assert site.call("GET", "/status/418").text == "503 Service Unavailable\n"
    assert site.call("GET", "/echo").json()["RequestURI"] == "/echo"
    assert upstream.take() == []
    for status in (204, 304):
        site.api("PUT", f"/response/status/set/{status}")
        answer = site.call("GET", "/x")
        assert (answer.status, answer.body, answer.value("content-length")) == (status, b"", None)
    site.api("PUT", "/response/status/set/0")
    assert site.call("GET", "/x").body == b"hello\n"
