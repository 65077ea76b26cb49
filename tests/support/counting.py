"""Answers and failures, counted as the client does, with the times that a test cares for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from goto.client.counts import Counts
from goto.flow import Field
from goto.upstream.errors import UpstreamError


def count_answer(
    counts: Counts,
    status: int = 200,
    reason: bytes = b"OK",
    fields: Sequence[Field] = (),
    tracked: Mapping[bytes, str] | None = None,
    *,
    sent: float = 1.0,
    now: float = 1.001,
    due: float | None = None,
    first: float | None = None,
    size: int = 10,
    body: int = 3,
    failed: list[str] | None = None,
) -> None:
    """An answer; unless it is said, to a request that was sent when it was due, and all of it at once."""
    due, first = sent if due is None else due, now if first is None else first
    counts.answer(status, reason, list(fields), tracked or {}, due, sent, first, now, size, body, failed)


def count_failure(
    counts: Counts,
    error: UpstreamError,
    *,
    sent: float = 1.0,
    now: float = 2.0,
    due: float | None = None,
    size: int = 0,
    body: int = 0,
) -> None:
    """A failure; unless it is said, of a request that was sent when it was due."""
    counts.failure(error, due=sent if due is None else due, sent=sent, now=now, size=size, body=body)
