"""The answers that an invocation hands back."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable

import pytest
from support.ports import free_port
from support.upstream import Reply, Upstream

from goto.client import report as module
from goto.client.report import Report
from goto.client.results import Results
from goto.client.target import ClientTarget
from goto.upstream.errors import Broken

Target = Callable[..., ClientTarget]
Send = Callable[..., Results]


def test_each_answer_is_there_in_the_order_of_targets_and_replicas(send: Send, target: Target, upstream: Upstream):
    upstream.on("/a", Reply(201, b"body \xff", headers=[("X", "1"), ("x", "2"), ("Connection", "keep-alive")], reason="Made"))
    report = Report()
    report.unknown("nobody")
    send(
        target(name="a", url=f"{upstream.base}/a", replicas=2, requestCount=2),
        target(name="b", url=f"http://127.0.0.1:{free_port()}/"),
        report=report,
    )
    shown = report.show()
    assert [entry["TargetName"] for entry in shown] == ["a", "a", "a", "a", "b", "nobody"]
    assert [entry["TargetID"][:4] for entry in shown[:4]] == ["a[1]", "a[1]", "a[2]", "a[2]"]
    assert {entry["TargetID"][4:] for entry in shown[:4]} == {"[1]", "[2]", "[3]", "[4]"}
    entry = shown[0]
    assert (entry["Status"], entry["StatusCode"], b64decode(entry["BodyBase64"])) == ("201 Made", 201, b"body \xff")
    assert entry["Headers"] == {"X": ["1"], "x": ["2"]}
    assert (shown[4]["StatusCode"], shown[4]["Body"], shown[4]["Headers"]) == (0, "", {})
    assert "Connection refused" in shown[4]["Status"]
    assert shown[5] == {"TargetName": "nobody", "Status": "unknown client target", "StatusCode": 0}


def test_bodies_are_kept_as_far_as_the_budget_goes(send: Send, target: Target, upstream: Upstream):
    upstream.on("/", Reply(body=b"x" * 1000))
    report = Report()
    report.budget.left = 2500
    results = send(target(url=upstream.base, requestCount=5), report=report)
    shown = report.show()
    assert results.to_wire()["all"]["requests"] == 5
    assert len(shown[0]["Body"]) == 1000
    truncated = [entry for entry in shown if entry.get("BodyTruncated")]
    assert truncated
    assert all(entry["BodySize"] == 1000 for entry in truncated)
    assert sum(len(entry.get("Body", "")) for entry in shown) <= 2500


def test_what_is_left_out_is_named(send: Send, target: Target, upstream: Upstream, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "RESPONSES_LIMIT", 3)
    report = Report()
    results = send(target(url=upstream.base, requestCount=10), report=report)
    shown = report.show()
    assert results.to_wire()["all"]["requests"] == 10
    assert len(shown) == 4
    assert shown[3]["LeftOut"] == 7
    assert "3 responses" in shown[3]["Reason"]


def test_errors_are_answers_with_code_0():
    report = Report()
    report.error((1, 2, 3), "t", Broken("closed"))
    assert report.show() == [
        {"TargetName": "t", "TargetID": "t[2][3]", "Status": "closed", "StatusCode": 0, "Headers": {}, "Body": ""}
    ]
