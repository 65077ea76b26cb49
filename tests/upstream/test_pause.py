"""How long the body of an answer may pause."""

from __future__ import annotations

from math import inf

import pytest

from goto.flow import Call, Origin
from goto.upstream.pause import DEFAULT_PAUSE, longest_pause


@pytest.mark.parametrize(
    ("given", "kind", "pause"),
    [
        (None, b"text/plain", DEFAULT_PAUSE),
        (None, b"text/event-stream", inf),
        (None, b"Text/Event-Stream ; charset=utf-8", inf),
        (None, b"multipart/x-mixed-replace;boundary=a", inf),
        (None, b"text/event-streams", DEFAULT_PAUSE),
        (5.0, b"text/event-stream", 5.0),
        (inf, b"text/plain", inf),
    ],
)
def test_it_goes_by_the_target_and_by_what_the_answer_is(given: float | None, kind: bytes, pause: float) -> None:
    call = Call("t", Origin("http", "a", 80), "GET", "/")
    call.body_timeout = given
    assert longest_pause(call, [(b"X", b"1"), (b"content-TYPE", kind)]) == pause
    assert longest_pause(call, []) == (DEFAULT_PAUSE if given is None else given)
