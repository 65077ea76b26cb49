"""Which trailers pass, and how they are announced."""

from __future__ import annotations

import pytest

from goto.http.fields import Field
from goto.http.trailers import announced, passing

FIELDS: list[Field] = [(b"Host", b"h"), (b"Connection", b"X-Named, keep-alive")]


@pytest.mark.parametrize(
    "name",
    [
        b"Connection",
        b"keep-alive",
        b"TE",
        b"Trailer",
        b"Transfer-Encoding",
        b"Upgrade",
        b"Proxy-Authorization",
        b"x-named",
        b"Content-Length",
        b"content-type",
        b"HOST",
        b"Authorization",
        b"Cookie",
        b"Set-Cookie",
        b"goto-hops",
        b"Goto-Hint",
    ],
)
def test_what_frames_routes_or_authorizes_is_dropped(name: bytes) -> None:
    assert passing([(name, b"1"), (b"X-Sum", b"2")], FIELDS) == [(b"X-Sum", b"2")]
    assert announced([*FIELDS, (b"Trailer", name + b" ,X-Sum")]) == [(b"Trailer", b"X-Sum")]
    assert announced([*FIELDS, (b"Trailer", name)]) == []


def test_all_others_pass_as_they_came() -> None:
    trailers: list[Field] = [(b"X-Sum", b"a"), (b"x-sum", b"\xff"), (b"Server-Timing", b"")]
    assert passing(trailers, FIELDS) == trailers
    assert announced([(b"trailer", b"A, ,B"), (b"X", b"Y"), (b"Trailer", b"c")]) == [(b"Trailer", b"A, B, c")]
    assert announced(FIELDS) == []
