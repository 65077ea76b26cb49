"""The errors of management calls."""

from __future__ import annotations

import pytest

from goto import testing
from goto.testing.failures import ApiFailure, failure_of


@pytest.mark.parametrize(
    ("status", "name"),
    [(400, "BadInput"), (401, "Unauthorized"), (404, "NotFound"), (409, "Conflict"), (417, "NotHeld"), (503, "ApiFailure")],
)
def test_each_status_has_its_error(status: int, name: str):
    failure = failure_of(status, "because", {"a": 1})
    assert type(failure) is getattr(testing, name)
    assert isinstance(failure, ApiFailure)
    assert (failure.status, failure.text, str(failure), failure.answer) == (status, "because", "because", {"a": 1})


def test_what_does_not_hold_fails_a_test_as_an_assertion_does():
    assert issubclass(testing.NotHeld, AssertionError)


def test_names_are_handed_on_when_they_are_asked_for():
    assert testing.Calls.__module__ == "goto.testing.calls"
    with pytest.raises(AttributeError, match="has no attribute 'Cals'"):
        testing.Cals  # noqa: B018  # reading it is the test
