"""Where a body goes that is kept: in memory, up to a limit."""

from __future__ import annotations

import asyncio
from typing import TypedDict

from goto.upstream.connection import UpstreamError


class Whole:
    """An outlet that keeps the first `limit` bytes of a body and counts the rest."""

    __slots__ = ("_done", "_kept", "_limit", "_parts", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._kept = 0
        self.size = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def truncated(self) -> bool:
        return self.size > self._kept

    def write(self, data: bytes) -> None:
        self.size += len(data)
        if self._kept < self._limit:
            kept = data[: self._limit - self._kept]
            self._parts.append(kept)
            self._kept += len(kept)

    def flush(self) -> None:
        pass

    def end(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def broken(self, error: UpstreamError) -> None:
        if not self._done.done():
            self._done.set_exception(error)

    async def read(self) -> bytes:
        """Wait for the end; what was kept. Raises `UpstreamError`."""
        await self._done
        return b"".join(self._parts)


FAN_OUT_LIMIT = 64 << 20
"""Bytes of bodies that one answer keeps; what is left out is named in it."""


RESPONSES_LIMIT = 10_000


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


class Budget:
    """Bytes that may still be kept, shared by all bodies of one answer."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


class _Kept(Whole):
    """A body kept as far as the budget goes."""

    __slots__ = ("_budget",)

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget.left)
        self._budget = budget

    def write(self, data: bytes) -> None:
        before = self._kept
        self._limit = before + self._budget.left
        super().write(data)
        self._budget.left -= self._kept - before


class Kept:
    """A body, kept as far as the budget goes."""

    __slots__ = ("_budget", "_kept", "_parts", "size")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._parts: list[bytes] = []
        self._kept = 0
        self.size = 0
        """Bytes of the whole body."""

    def add(self, data: bytes) -> None:
        self.size += len(data)
        if self._budget.left > 0:
            part = data[: self._budget.left]
            self._parts.append(part)
            self._kept += len(part)
            self._budget.left -= len(part)

    @property
    def truncated(self) -> bool:
        return self.size > self._kept

    @property
    def text(self) -> str:
        return b"".join(self._parts).decode("utf-8", "replace")
