"""Each API error is named once, with its status."""

from __future__ import annotations

import pytest

from goto.errors import ApiError, BadInput, Conflict, NotFound, StoodStill, TooLarge, Unavailable, WrongMethod


@pytest.mark.parametrize(
    ("error", "status"),
    [(BadInput, 400), (NotFound, 404), (StoodStill, 408), (Conflict, 409), (TooLarge, 413), (ApiError, 500), (Unavailable, 503)],
)
def test_an_error_has_its_status_and_its_message(error: type[ApiError], status: int):
    assert error("why").status == status
    assert error("why").message == str(error("why")) == "why"


def test_a_wrong_method_says_the_right_ones():
    error = WrongMethod("DELETE", "/label", ["GET", "HEAD"])
    assert error.status == 405
    assert error.allowed == ["GET", "HEAD"]
    assert error.message == "DELETE is not a method of /label: use GET, HEAD"
