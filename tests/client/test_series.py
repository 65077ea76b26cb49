"""What came of requests over time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.counting import count_answer, count_failure

from goto.client.counts import Counts
from goto.client.rate import Pursuit
from goto.client.series import FIRST_SECONDS, MOST_POINTS, Recorder
from goto.client.stages import Course
from goto.upstream.errors import Broken, TooSlow


def recorded(*moments: float, took: float = 0.01) -> Counts:
    counts = Counts(recorded=True)
    counts.begin(0.0)
    for moment in moments:
        count_answer(counts, sent=moment - took, now=moment, body=5)
    counts.fold()
    return counts


def test_a_point_is_of_the_requests_that_ended_in_it():
    counts = recorded(0.01, 0.02, 0.0999, 0.1, 0.35)
    count_failure(counts, TooSlow("no answer"), sent=0.2, now=0.36)
    count_failure(counts, Broken("closed"), sent=0.36, now=0.37)
    count_answer(counts, sent=0.37, now=0.38, failed=["status=2xx"])
    counts.fold()
    assert counts.recorder is not None
    series = counts.recorder.show()
    assert series["every"] == "100ms"
    assert [point["at"] for point in series["points"]] == [0.0, 0.1, 0.2, 0.3]
    assert [point["requests"] for point in series["points"]] == [3, 1, 0, 4]
    assert [point["errors"] for point in series["points"]] == [0, 0, 0, 3]
    assert [point["bytes"] for point in series["points"]] == [15, 5, 0, 8]
    last = series["points"][3]
    assert (last["p50"], last["p99"], last["max"]) == (
        pytest.approx(10, rel=0.01),
        pytest.approx(160, rel=0.01),
        pytest.approx(160, rel=0.01),
    )
    assert series["points"][2]["p99"] == 0
    assert "wanted" not in last


moments = st.lists(st.floats(0, 100_000), max_size=80).map(sorted)


@given(moments)
def test_its_sum_is_the_total_however_long_it_takes(ended: list[float]):
    counts = recorded(*ended)
    assert counts.recorder is not None
    series = counts.recorder.show()
    assert sum(point["requests"] for point in series["points"]) == len(ended)
    assert len(series["points"]) <= MOST_POINTS
    assert all(later["at"] > earlier["at"] for earlier, later in zip(series["points"], series["points"][1:], strict=False))


def test_neighbours_are_merged_with_their_latencies():
    recorder = Recorder()
    recorder.begin(0.0)
    for number in range(MOST_POINTS):
        recorder.turn((number + 0.5) * FIRST_SECONDS)
        recorder.add(100, 1, 10, [{1000: 99, 50_000: 1}])
    assert recorder.show()["every"] == "100ms"
    recorder.turn(MOST_POINTS * FIRST_SECONDS)
    recorder.add(1, 0, 0, [{1000: 1}])
    series = recorder.show()
    assert (series["every"], len(series["points"])) == ("200ms", MOST_POINTS // 2 + 1)
    assert series["points"][0]["requests"] == 200
    assert (series["points"][0]["p99"], series["points"][0]["max"]) == (pytest.approx(1, rel=0.01), 50)


def test_three_days_are_six_hundred_points_at_most():
    counts = recorded(*range(1, 3 * 86_400, 3600))
    assert counts.recorder is not None
    series = counts.recorder.show()
    assert 300 <= len(series["points"]) <= MOST_POINTS
    assert sum(point["requests"] for point in series["points"]) == 72


def test_a_rate_is_wanted_while_it_is_followed():
    counts = Counts(recorded=True)
    counts.begin(0.0)
    pursuit = Pursuit(Course([(0.2, 100, 100), (0.1, 0, 200)]), 0.0)
    counts.follow(pursuit)
    for moment in (0.05, 0.15, 0.25, 0.35):
        count_answer(counts, sent=moment, now=moment)
    pursuit.end = 0.3
    counts.fold()
    assert counts.recorder is not None
    assert [point["wanted"] for point in counts.recorder.show()["points"]] == [100, 100, 100, 0]


def test_cleared_it_begins_anew():
    counts = recorded(0.05, 5.0)
    counts.clear()
    count_answer(counts, sent=7.0, now=7.01)
    counts.fold()
    assert counts.recorder is not None
    series = counts.recorder.show()
    assert [(point["at"], point["requests"]) for point in series["points"]] == [(0.0, 1)]
    assert Recorder().show() == {"every": "100ms", "points": []}
