"""How far a rate was held."""

from __future__ import annotations

import pytest

from goto.client.rate import Pursuit, Rate
from goto.client.stages import Course


def followed(course: Course, *moments: float) -> Pursuit:
    pursuit = Pursuit(course, 0.0)
    for moment in moments:
        pursuit.sent(1, moment)
    return pursuit


def test_what_was_sent_is_from_the_first_request_to_the_last():
    assert followed(Course.constant(1000), *(number * 0.05 for number in range(100))).rate == pytest.approx(20)
    assert followed(Course.constant(5), *(number / 5 for number in range(30))).rate == pytest.approx(5)
    assert followed(Course.constant(5), 0.0).rate == 5
    assert followed(Course.constant(5)).rate == 0


def test_what_is_wanted_by_stages_is_the_mean_so_far():
    pursuit = followed(Course([(10, 0, 100), (10, 100, 100)]), 0.0, 10.0)
    assert pursuit.wanted == pytest.approx(50)
    assert pursuit.wanted_at(5.0) == pytest.approx(50)
    pursuit.sent(1, 20.0)
    assert pursuit.wanted == pytest.approx(75)
    pursuit.over()
    assert pursuit.wanted_at(10**9) == 0


def test_those_of_several_targets_are_added():
    merged = Rate()
    for late in (2, 3):
        one = Rate(late)
        one.pursuit = followed(Course.constant(10), 0.0, 0.1, 0.2)
        merged.merge(one)
    assert merged.show() == {"wanted": 20.0, "sent": 20.0, "late": 5}


def test_cleared_while_it_runs_it_goes_on():
    rate = Rate(7)
    rate.pursuit = followed(Course.constant(10), 0.0, 1.0)
    fresh = rate.anew()
    assert (fresh.late, fresh.pursuit) == (0, rate.pursuit)
    assert fresh.figures == (10, 0)
    rate.pursuit.over()
    assert rate.anew().pursuit is None
