"""What may go wrong with an upstream: what a client is answered, and what is told of it."""

from __future__ import annotations

import pytest

from goto.upstream.errors import Broken, NoHttp, TooSlow, Unreachable, UpstreamError


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [(UpstreamError, 502, "other"), (Unreachable, 502, "connect"), (Broken, 502, "broken"), (TooSlow, 504, "timeout")],
)
def test_each_has_a_status_and_what_it_is_counted_as(error: type[UpstreamError], status: int, kind: str) -> None:
    assert (error.status, error.kind, error.same) == (status, kind, "")
    assert str(error("why")) == "why"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"220 mail", "220 mail"),
        (b"\x15\x03\x01", "\\u0015\\u0003\\u0001"),
        (b"a" * 80, "a" * 80),
        (b"a" * 81, "a" * 80 + "…"),
        (b"\xff" * 200, "\\xff" * 20 + "…"),
        ("ä".encode() * 80, "ä" * 80),
    ],
)
def test_the_line_at_fault_is_shown_escaped_and_cut(line: bytes, told: str) -> None:
    error = NoHttp(line)
    assert str(error) == f'answered with what is no HTTP: "{told}"'
    assert (error.status, error.kind, error.same) == (502, "broken", "answered with what is no HTTP")
