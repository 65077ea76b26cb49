"""Results of several targets: shown, cleared, merged, sent from one instance to another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.counting import count_answer, count_failure

from goto.client import results as module
from goto.client.rate import Rate
from goto.client.results import Results
from goto.upstream.errors import Unreachable
from goto.words.writing import json_bytes

TRACKED = {b"x": "x"}


def count(results: Results, name: str, status: int, latency: float = 0.001, value: str = "1") -> None:
    counts = results.of(name)
    if status:
        fields = [(b"X", value.encode())]
        count_answer(counts, status, b"So", fields, TRACKED, now=1.0 + latency, body=2)
    else:
        count_failure(counts, Unreachable("cannot connect"), now=1.0 + latency)


def test_without_results_there_are_empty_maps():
    wire = Results().to_wire()
    assert {key for key in wire if key.startswith(("counts", "target"))} == {
        "targetInvocationCounts",
        "countsByStatus",
        "countsByStatusCodes",
        "countsByHeaders",
        "countsByHeaderValues",
        "countsByTargetStatus",
        "countsByTargetStatusCode",
        "countsByTargetHeaders",
        "countsByTargetHeaderValues",
        "targets",
    }
    assert all(wire[key] == {} for key in wire if key != "all")
    assert (wire["all"]["start"], wire["all"]["requests"]) == (None, 0)


def test_they_are_shown_by_target_and_in_all():
    results = Results()
    for name, status in (("a", 200), ("a", 200), ("b", 404), ("b", 0)):
        count(results, name, status)
    wire = json.loads(json_bytes(results.to_wire()))
    assert wire["targetInvocationCounts"] == {"a": 2, "b": 2}
    assert wire["countsByStatus"] == {"200 So": 2, "404 So": 1, "cannot connect": 1}
    assert wire["countsByStatusCodes"] == {"200": 2, "404": 1, "0": 1}
    assert wire["countsByHeaders"] == {"x": 3}
    assert wire["countsByHeaderValues"] == {"x": {"1": 3}}
    assert wire["countsByTargetStatus"] == {"a": {"200 So": 2}, "b": {"404 So": 1, "cannot connect": 1}}
    assert wire["countsByTargetStatusCode"] == {"a": {"200": 2}, "b": {"404": 1, "0": 1}}
    assert wire["countsByTargetHeaders"] == {"a": {"x": 2}, "b": {"x": 1}}
    assert wire["countsByTargetHeaderValues"] == {"a": {"x": {"1": 2}}, "b": {"x": {"1": 1}}}
    assert wire["all"]["errors"] == wire["targets"]["b"]["errors"] == {"connect": 1}
    assert (wire["all"]["requests"], wire["all"]["bytesSent"], wire["all"]["bytesReceived"]) == (4, 30, 6)
    assert wire["all"]["latency"]["raw"]["count"] == wire["all"]["latency"]["corrected"]["count"] == 3
    assert wire["all"]["latency"]["raw"]["p99"] == pytest.approx(1.0)
    assert wire["all"]["requestsPerSecond"] == pytest.approx(4000, rel=0.01)
    assert wire["all"]["start"].endswith("Z")
    assert "histograms" not in wire


def test_clearing_some_leaves_the_others_and_who_counts_there():
    results = Results()
    for name in ("a", "b", "c"):
        count(results, name, 200)
    running = results.of("b")
    running.users += 1
    results.clear(["a", "b", "unknown"])
    assert list(results.to_wire()["countsByTargetStatus"]) == ["c"]
    assert results.to_wire()["countsByStatusCodes"] == {200: 1}
    assert "a" not in results.targets
    assert results.of("b") is running
    count(results, "b", 200)
    assert results.to_wire()["targetInvocationCounts"] == {"b": 1, "c": 1}
    results.clear()
    assert list(results.targets) == ["b"]
    assert results.to_wire()["countsByStatus"] == {}


def test_names_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "NAMES_LIMIT", 3)
    results = Results()
    for number in range(6):
        count(results, f"t{number}", 200)
    assert results.to_wire()["targetInvocationCounts"] == {"t0": 1, "t1": 1, "t2": 1, "_other": 3}


happened = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([200, 503, 0]),
        st.floats(0, 10, allow_nan=False),
        st.sampled_from(["1", "2", "ü"]),
    ),
    max_size=15,
)


@given(happened, happened)
def test_merged_over_the_wire_they_are_as_counted_in_one_place(here: list[Any], there: list[Any]):
    together, merged = Results(), Results()
    for part in (here, there):
        results = Results()
        for one in part:
            count(results, *one)
            count(together, *one)
        merged.merge(Results.from_wire(json.loads(json_bytes(results.to_wire(histograms=True)))))
    got, expected = merged.to_wire(histograms=True), together.to_wire(histograms=True)
    assert got["histograms"] == expected["histograms"]
    assert got["all"]["latency"] == expected["all"]["latency"]
    for key in expected.keys() - {"targets", "all"}:
        assert got[key] == expected[key], key
    for name, measures in expected["targets"].items():
        assert {**measures, "start": 0, "end": 0, "requestsPerSecond": 0} == {
            **got["targets"][name],
            "start": 0,
            "end": 0,
            "requestsPerSecond": 0,
        }


def test_moments_survive_the_wire():
    results = Results()
    count(results, "a", 200)
    wire = results.to_wire(histograms=True)
    again = Results.from_wire(json.loads(json_bytes(wire))).to_wire(histograms=True)
    # on the wire they are whole microseconds, and the rate follows from them
    for measures in (wire["all"], wire["targets"]["a"], again["all"], again["targets"]["a"]):
        assert measures.pop("requestsPerSecond") == pytest.approx(1000, rel=0.01)
    assert again == wire


def test_the_originals_results_are_read():
    results = Results.from_wire(
        {
            "targetInvocationCounts": {"t": 3},
            "countsByTargetStatus": {"t": {"200 OK": 3}},
            "countsByTargetStatusCode": {"t": {"200": 3}},
            "countsByTargetHeaders": None,
            "countsByTargetHeaderValues": {"t": None},
            "countsByHeaders": {},
        }
    )
    assert results.to_wire()["countsByStatus"] == {"200 OK": 3}
    assert results.to_wire()["all"]["requests"] == 3


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        "x",
        {"countsByTargetStatusCode": []},
        {"countsByTargetStatusCode": {"t": {"200": "3"}}},
        {"countsByTargetStatusCode": {"t": {"OK": 3}}},
        {"countsByTargetStatusCode": {"t": {"200": 3}}, "targets": {"t": {"start": "yesterday"}}},
        {"countsByTargetStatusCode": {"t": {"200": 3}}, "histograms": {"t": {"raw": "x", "corrected": "x"}}},
        {"countsByTargetStatusCode": {"t": {"200": 3}}, "histograms": {"t": {"raw": "x"}}},
    ],
)
def test_what_is_no_results_is_refused(document: Any):
    with pytest.raises(ValueError, match=r"not client results|not an HDR histogram|HDR histogram of other buckets|status code"):
        Results.from_wire(document)


def test_phases_checks_connections_and_rates_are_merged_over_the_wire():
    merged = Results()
    for late in (1, 2):
        here = Results()
        counts = here.of("t")
        counts.connected((0.0, 0.002, 0.03))
        count_answer(counts, now=1.01, first=1.004, failed=["body~ok"])
        counts.rate = Rate(late, (100.0, 99.5))
        merged.merge(Results.from_wire(json.loads(json_bytes(here.to_wire(histograms=True)))))
    for shown in (merged.to_wire()["targets"]["t"], merged.to_wire()["all"]):
        phases = {phase: (summary["count"], summary["max"]) for phase, summary in shown["phases"].items()}
        assert phases == {"dns": (0, 0), "connect": (2, 2.0), "tls": (2, 30.015), "firstByte": (2, 4.001)}
        assert (shown["connections"], shown["checks"], shown["errors"]) == (2, {"body~ok": 2}, {"check": 2})
        assert shown["rate"] == {"wanted": 200.0, "sent": 199.0, "late": 3}


def test_so_many_targets_have_a_series(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SERIES_LIMIT", 2)
    results = Results()
    for name in ("a", "b", "c"):
        count(results, name, 200)
    assert list(results.to_wire(series=True)["series"]) == ["a", "b"]
    assert "series" not in results.to_wire()
