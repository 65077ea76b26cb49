"""Bodies that are kept in memory, as far as a budget goes, and how the answers to several calls are shown with them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import TypedDict

from mypy_extensions import mypyc_attr

from goto.exchange.waiting import Wait, step_in_task
from goto.http.codings import codings_of, undo
from goto.http.fields import Field
from goto.http.shown import body_text, shown
from goto.upstream.sink import Sink, nothing

FAN_OUT_LIMIT = 64 << 20
"""Bytes of bodies that one answer to several calls keeps; what is left out is named in it."""

RESPONSES_LIMIT = 10_000
"""Responses in one such answer."""


class Budget:
    """Bytes that may still be kept; shared by all bodies that are given it."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


@mypyc_attr(allow_interpreted_subclasses=True)
class KeptBody(Sink):
    """Keeps a body as far as its budget goes, and counts all of it. `done` comes when it has ended, and fails if it broke off."""

    def __init__(self, budget: Budget) -> None:
        self.congested = False
        self.on_drained: Callable[[], None] = nothing
        self.size = 0
        """Bytes of the body so far, as they came, whether kept or not."""
        self.truncated = False
        """Not all of it is kept."""
        self.done: Wait[None] = Wait()
        self._budget = budget
        self._pieces: list[bytes] = []

    @property
    def data(self) -> bytes:
        """What is kept so far."""
        return b"".join(self._pieces)

    def undo(self, codings: Sequence[str]) -> list[str]:
        """Undo content codings once the body is here, the last one first, as far as they are sound and the budget goes; those
        that were undone.
        """
        data, left = self.data, list(codings)
        self._budget.left += len(data)
        while data and left:
            made, whole = undo(data, left[-1], max(self._budget.left, 0))
            if not made and not whole:
                break
            data, self.truncated = made, self.truncated or not whole
            left.pop()
        self._budget.left -= len(data)
        self._pieces = [data]
        return list(codings[len(left) :])

    def more(self, data: bytes) -> None:
        self.size += len(data)
        piece = data[: max(self._budget.left, 0)]
        if piece:
            self._pieces.append(piece)
            self._budget.left -= len(piece)
        if len(piece) < len(data):
            self.truncated = True

    def end(self) -> None:
        self.done.come()

    def broken(self, error: Exception) -> None:
        self.done.fail(error)

    async def read(self) -> bytes:
        """For tasks: wait for the end of the body; what is kept of it. Raises what it broke off with."""
        await step_in_task(self._ended())
        return self.data

    async def _ended(self) -> None:
        await self.done


class Took(TypedDict):
    """What a request took, in milliseconds; null for what was not to be done, as on a kept connection, or did not come about."""

    dns: float | None
    """To look the host up."""
    connect: float | None
    tls: float | None
    """To shake hands."""
    firstByte: float | None
    """From sending the request to the first byte of its answer."""
    total: float
    """From when it was due to the last byte of its answer, or to its failure."""


class Reported(TypedDict, total=False):
    """The answer to one call of several; or at the end, how many were left out and why."""

    TargetName: str
    TargetID: str
    """`name[replica][n]`"""
    Status: str
    """Code and reason, or what went wrong."""
    StatusCode: int
    """Of a client's request that failed 0, of a proxied one 502 or 504."""
    Headers: dict[str, list[str]]
    Body: str
    BodyBase64: str
    """In place of Body where that is no UTF-8."""
    BodyDecoded: str
    """The content codings that were undone, as `Content-Encoding` names them."""
    BodySize: int
    """Bytes of the whole body as it came, where it is not all here."""
    BodyTruncated: bool
    Ms: Took
    """Of a target that was invoked without being kept."""
    LeftOut: int
    Reason: str


def reported(
    target: str,
    call_id: str,
    code: int,
    status: str,
    fields: Sequence[Field] = (),
    body: KeptBody | None = None,
    *,
    undone: bool = False,
) -> Reported:
    """One answer as it is listed; the content codings of its body are to be `undone`, or stay."""
    headers: dict[str, list[str]] = {}
    for name, value in fields:
        headers.setdefault(shown(name), []).append(shown(value))
    entry: Reported = {
        "TargetName": target,
        "TargetID": call_id,
        "Status": status,
        "StatusCode": code,
        "Headers": headers,
    }
    if body is None:
        entry["Body"] = ""
        return entry
    codings = body.undo(codings_of(fields)) if undone else []
    text = body_text(body.data, cut=body.truncated)
    if text is None:
        entry["BodyBase64"] = b64encode(body.data).decode()
    else:
        entry["Body"] = text
    if codings:
        entry["BodyDecoded"] = ", ".join(codings)
    if body.truncated:
        entry["BodySize"], entry["BodyTruncated"] = body.size, True
    return entry
