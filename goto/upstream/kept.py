"""Bodies that are kept in memory, as far as a budget goes, and how the answers to several calls are shown with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypedDict

from mypy_extensions import mypyc_attr

from goto.flow import Wait, step_in_task
from goto.http.fields import Field, decode
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
        """Bytes of the body so far, whether kept or not."""
        self.done: Wait[None] = Wait()
        self._budget = budget
        self._pieces: list[bytes] = []
        self._kept = 0

    @property
    def truncated(self) -> bool:
        """Not all of it is kept."""
        return self.size > self._kept

    @property
    def data(self) -> bytes:
        """What is kept so far."""
        return b"".join(self._pieces)

    @property
    def text(self) -> str:
        """The same, as far as it is UTF-8."""
        return self.data.decode("utf-8", "replace")

    def more(self, data: bytes) -> None:
        self.size += len(data)
        left = self._budget.left
        if left > 0:
            piece = data[:left]
            self._pieces.append(piece)
            self._kept += len(piece)
            self._budget.left = left - len(piece)

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
    BodySize: int
    """Bytes of the whole body, where it is not all here."""
    BodyTruncated: bool
    LeftOut: int
    Reason: str


def reported(
    target: str, call_id: str, code: int, status: str, fields: Iterable[Field] = (), body: KeptBody | None = None
) -> Reported:
    """One answer as it is shown."""
    headers: dict[str, list[str]] = {}
    for name, value in fields:
        headers.setdefault(decode(name), []).append(decode(value))
    shown: Reported = {
        "TargetName": target,
        "TargetID": call_id,
        "Status": status,
        "StatusCode": code,
        "Headers": headers,
        "Body": body.text if body else "",
    }
    if body and body.truncated:
        shown["BodySize"], shown["BodyTruncated"] = body.size, True
    return shown
