"""What is answered where traffic cannot be carried out as it came."""

from __future__ import annotations

import pytest

from goto.errors import ApiError, BadInput, StoodStill, TooLarge
from goto.traffic.refused import refused


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (
            BadInput("body: a chunk is longer than its size"),
            400,
            b"goto: body: a chunk is longer than its size\n",
        ),
        (StoodStill("goto: the body stood still for 1m0s"), 408, b"goto: the body stood still for 1m0s\n"),
        (TooLarge("body: more than the limit of 10 bytes"), 413, b"goto: body: more than the limit of 10 bytes\n"),
    ],
)
def test_an_error_is_a_line_of_text_that_says_by_whom(error: ApiError, status: int, text: bytes) -> None:
    response = refused(error)
    assert (response.status, response.body) == (status, text)
    assert [name.lower() for name, _ in response.headers.fields] == [b"content-type"]
