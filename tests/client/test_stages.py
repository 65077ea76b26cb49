"""Stages, and the figure over time that they make."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.client.stages import Course, stage_of


def dues(course: Course) -> list[float]:
    found = []
    while (due := course.due(len(found))) < inf:
        found.append(due)
    return found


def test_at_a_constant_rate_requests_are_as_far_apart_and_none_is_due_at_the_end():
    for rate, seconds in ((100, 10), (0.7, 10), (3, 1 / 3), (7, 1), (1000, 0.1)):
        found = dues(Course.constant(rate, seconds))
        assert len(found) == round(rate * seconds) == Course.constant(rate, seconds).count
        assert found == pytest.approx([number / rate for number in range(len(found))])


def test_without_an_end_there_is_always_a_next():
    course = Course.constant(10)
    assert (course.count, course.end, course.due(10**9)) == (inf, inf, 10**8)


def test_a_rate_that_grows_from_nothing_and_falls_to_nothing():
    course = Course([(2, 0, 10), (1, 10, 10), (2, 10, 0)])
    found = dues(course)
    assert course.total == pytest.approx(30)
    assert len(found) == course.count == 30
    assert found[0] == 0
    assert found[10] == pytest.approx(2)
    assert found[20] == pytest.approx(3)
    assert found[-1] < 5
    # symmetric: the sum from the begin to a due time is its number
    assert found[5] == pytest.approx((2 * 5 / 5) ** 0.5)


def test_a_pause_has_no_requests_and_does_not_end_the_course():
    found = dues(Course([(1, 0, 0), (1, 5, 5), (1, 0, 0), (1, 5, 5)]))
    assert found == pytest.approx([1, 1.2, 1.4, 1.6, 1.8, 2.0, 3.2, 3.4, 3.6, 3.8])
    assert dues(Course([(1, 0, 0)])) == []


rates = st.one_of(st.just(0.0), st.floats(0.1, 200))
courses = st.lists(st.tuples(st.floats(0.01, 3), rates, rates), min_size=1, max_size=5)


@given(courses)
def test_request_m_is_due_when_the_sum_of_the_rate_reaches_m(parts: list[tuple[float, float, float]]):
    course = Course(parts)
    found = dues(course)
    assert abs(len(found) - course.total) <= 1 + 1e-6 * course.total
    assert all(earlier <= later + 1e-9 for earlier, later in pairwise(found))
    assert all(due < course.end for due in found)
    for number, due in list(enumerate(found))[1:]:
        assert course.mean(due) * due == pytest.approx(number, rel=1e-6, abs=1e-6)


def test_how_many_replicas_grows_and_falls_evenly():
    course = Course([(10, 1, 5), (10, 2, 0)])
    assert [course.number(seconds)[0] for seconds in (0, 1.24, 1.26, 5, 9.9, 10, 12.4, 12.6, 17.6, 19.9)] == [
        1,
        1,
        2,
        3,
        5,
        2,
        2,
        1,
        0,
        0,
    ]
    assert course.number(0)[1] == pytest.approx(1.25)
    assert course.number(1.3)[1] == pytest.approx(3.75)
    assert course.number(9.9)[1] == 10
    assert course.number(20) == (0, inf)
    assert (course.peak, course.at(5), course.at(20), course.at(-1)) == (5, 3, 0, 0)
    assert Course([(5, 3, 3)]).number(2) == (3, 5)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("30s:rate=100-500", {"for": "30s", "rate": [100, 500]}),
        ("1m:replicas=1-50", {"for": "1m", "replicas": [1, 50]}),
        ("1m30s:rate=0.5", {"for": "1m30s", "rate": 0.5}),
    ],
)
def test_a_stage_as_an_option(text: str, fields: dict[str, object]):
    assert stage_of(text) == fields


@pytest.mark.parametrize(
    "text", ["", "30s", "30s:100", "30s:rate", "30s:rate=", "30s:rate=a", "30s:rate=1-", "30s:speed=1", "rate=5", "30s:rate=-1"]
)
def test_what_is_no_stage_is_refused(text: str):
    with pytest.raises(ValueError, match="is no stage: write it like 30s:rate=100-500 or 1m:replicas=1-50"):
        stage_of(text)
