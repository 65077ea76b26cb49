"""Which targets a request triggers, by any criterion or by all of them."""

from __future__ import annotations

from typing import Any

import pytest
from support.flows import flow, passed

from goto.features.proxy.feature import Proxy
from goto.features.proxy.target import ProxyTarget
from goto.flow import Flow
from goto.matching.when import BODY_LIMIT
from goto.words.reading import read_struct


def proxy(*targets: dict[str, Any]) -> Proxy:
    feature = Proxy()
    for number, fields in enumerate(targets):
        document = {"name": str(number), "url": "http://u", **fields}
        feature.add(read_struct(document, ProxyTarget)[0])
    return feature


def triggered(feature: Proxy, one: Flow | None = None, *, body: bytes = b"") -> list[str]:
    one = passed([feature], one or flow(), body=body)
    return [call.target for call in one.upstreams]


def test_all_criteria_of_when_have_to_hold_and_capture_together() -> None:
    when = {"methods": ["POST"], "uris": ["/orders/{id}"], "headers": [["tenant", "{t}"]]}
    feature = proxy({"when": when, "unless": {"query": [["dry"]]}, "replaceURI": "/{t}/{id}"})
    one = flow("/orders/7", ("tenant", "acme"), method="POST")
    assert triggered(feature, one) == ["0"]
    assert one.upstreams[0].path == "/acme/7"
    for other in (
        flow("/orders/7", ("tenant", "acme")),
        flow("/orders/7", method="POST"),
        flow("/orders", ("tenant", "acme"), method="POST"),
        flow("/orders/7?dry=1", ("tenant", "acme"), method="POST"),
    ):
        assert triggered(feature, other) == []


def test_targets_of_both_kinds_stand_in_the_order_added() -> None:
    feature = proxy({"match": {"uris": ["/a"]}}, {"when": {}}, {"match": {"uris": ["/a"]}}, {"when": {"uris": ["/a"]}})
    assert triggered(feature, flow("/a")) == ["0", "1", "2", "3"]
    assert triggered(feature, flow("/b")) == ["1"]
    # one that is added under traffic follows
    feature.add(read_struct({"name": "late", "url": "http://u", "when": {"uris": ["/b"]}}, ProxyTarget)[0])
    assert triggered(feature, flow("/b")) == ["1", "late"]


@pytest.mark.parametrize("kind", ["match", "when"])
def test_a_fallback_is_triggered_by_what_triggers_no_other_target(kind: str) -> None:
    feature = proxy({kind: {"uris": ["/{x:.*}"]}, "fallback": True}, {kind: {"uris": ["/api/{x}"]}})
    assert triggered(feature, flow("/api/1")) == ["1"]
    assert triggered(feature, flow("/other")) == ["0"]
    feature = proxy({kind: {"uris": ["/a"]}, "fallback": True}, {"match": {"uris": ["/"]}, "fallback": True})
    assert triggered(feature, flow("/a")) == ["0", "1"]
    assert triggered(feature, flow("/b")) == ["1"]


def test_the_body_is_waited_for_where_all_else_holds() -> None:
    feature = proxy({"when": {"methods": ["POST"], "body": {"json": {"kind": "new"}}}}, {"match": {"uris": ["/b"]}})
    post: Any = {"method": "POST"}
    assert triggered(feature, flow("/a", **post), body=b'{"kind": "new", "n": 1}') == ["0"]
    one = flow("/b", **post)
    assert triggered(feature, one, body=b'{"kind": "old"}') == ["1"]
    assert one.request_body is not None
    one = flow("/b")
    assert triggered(feature, one, body=b'{"kind": "new"}') == ["1"]
    assert one.request_body is None
    long = b'{"kind": "new", "x": "' + b"x" * BODY_LIMIT + b'"}'
    assert triggered(feature, flow("/b", **post), body=long) == ["1"]


def test_without_criteria_a_target_is_called_by_hand_only() -> None:
    assert not proxy({}).active
    assert proxy({"when": {}}).active
