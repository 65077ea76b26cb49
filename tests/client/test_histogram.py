"""Latencies: the same as the hdrhistogram package counts, only faster."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from goto.client.histogram import LONGEST, Latencies, more_without

microseconds = st.lists(st.one_of(st.integers(0, 5000), st.integers(0, 2**30), st.integers(0, LONGEST)), max_size=60)


def counted(values: list[int]) -> Latencies:
    latencies = Latencies()
    latencies.add(value / 1e6 for value in values)
    return latencies


@given(microseconds)
def test_it_has_the_buckets_of_the_package(values: list[int]):
    latencies, histogram = counted(values), HdrHistogram(1, LONGEST, 3)
    for value in values:
        histogram.record_value(value)
    assert len(latencies) == len(values)
    assert latencies.max == histogram.get_max_value() / 1000
    assert latencies.mean == pytest.approx(histogram.get_mean_value() / 1000, abs=0.001)


percentiles = st.sampled_from(["0.001", "1", "50", "99", "99.9", "99.999999", "100"])


@given(st.lists(st.integers(0, 2047), min_size=1, max_size=60), percentiles)
def test_a_percentile_is_the_smallest_that_so_many_are_at_or_below(values: list[int], percentile: str):
    (found,) = counted(values).percentiles([float(percentile)])
    rank = ceil(Fraction(percentile) * len(values) / 100)
    assert found == sorted(values)[rank - 1] / 1000


@pytest.mark.parametrize(
    ("without", "total", "percentile", "more"),
    [
        (1, 100, 99, False),
        (2, 100, 99, True),
        (1, 1000, 99.9, False),
        (2, 1000, 99.9, True),
        (1, 10**9, 100, True),
        (0, 0, 50, False),
    ],
)
def test_more_without_a_latency_than_a_percentile_leaves_out(without: int, total: int, percentile: float, more: bool):
    assert more_without(without, total, percentile) == more


@given(microseconds, microseconds)
def test_merging_is_counting_all(one: list[int], other: list[int]):
    merged = counted(one)
    merged.merge(counted(other))
    assert merged.counts == counted(one + other).counts


@given(microseconds)
def test_encoded_and_decoded_it_is_the_same(values: list[int]):
    latencies = counted(values)
    assert Latencies.decoded(latencies.encoded()).counts == latencies.counts


def test_other_tools_read_it():
    histogram = HdrHistogram.decode(counted([100, 200, 3_000_000]).encoded())
    assert histogram.get_total_count() == 3
    assert histogram.get_value_at_percentile(50) == 200


@pytest.mark.parametrize("text", ["", "x", "HISTFAAAA", "SGVsbG8gd29ybGQ=", "ü", HdrHistogram(1, 10_000, 2).encode().decode()])
def test_what_is_no_such_histogram_is_refused(text: str):
    with pytest.raises(ValueError, match="HDR histogram"):
        Latencies.decoded(text)


def test_a_summary_is_in_milliseconds():
    summary = counted([1000] * 90 + [10_000] * 9 + [500_000]).summary()
    assert summary == {"count": 100, "mean": 6.8, "p50": 1.0, "p90": 1.0, "p99": 10.007, "p99.9": 500.223, "max": 500.223} | {
        "mean": summary["mean"]
    }
    assert summary["mean"] == pytest.approx(6.8, rel=0.01)


def test_what_is_beyond_its_range_counts_at_the_end_of_it():
    latencies = counted([LONGEST * 5])
    latencies.add([-1.0])
    assert len(latencies) == 2
    assert latencies.max == pytest.approx(LONGEST / 1000, rel=0.001)
    assert latencies.percentiles([1]) == [0.0]


def test_without_latencies_all_is_zero():
    assert set(Latencies().summary().values()) == {0}
