"""Another goto, which is asked what arrived there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec

from goto.client.arrived import ArrivedRun
from goto.client.message import request_target
from goto.client.reconcile import Reconciled, Side, reconciled
from goto.client.sent import Sent
from goto.errors import Unavailable
from goto.flow import Origin
from goto.upstream.ask import ask, failure
from goto.upstream.errors import UpstreamError
from goto.upstream.pool import Pool
from goto.words.token import Token

ANSWER_SECONDS = 30.0
"""For one call, from connecting to the end of its answer."""

ANSWER_LIMIT = 32 << 20
"""Bytes of one answer; ten million numbers, packed as badly as can be, are half of that."""


class Server(Protocol):
    """Whoever knows what arrived of a run."""

    async def count(self, run: str) -> None:
        """Register a run that begins. Raises `Unavailable` where that is not possible."""

    async def told(self, run: str) -> ArrivedRun | None:
        """What arrived of a run, None where it is not known. Raises `Unavailable` with the reason."""


async def joined(sent: Sequence[Sent], server: Server, *, incomplete: bool = False) -> Reconciled:
    """What was sent to one target, joined with what arrived there. `incomplete`: more was sent. Raises `Unavailable`."""
    before = [one.requests for one in sent]
    told = [await server.told(one.run) for one in sent]
    # what is under way, or was sent meanwhile, cannot be told yet
    moves = any(not one.requests == known == one.answers + one.failures for one, known in zip(sent, before, strict=True))
    incomplete = incomplete or moves
    # at this moment, and in a thread, since ten million numbers take their time
    runs = list(zip(map(Side.of, sent), told, strict=True))
    try:
        return await asyncio.to_thread(reconciled, runs, incomplete=incomplete)
    except ValueError as error:
        raise Unavailable(f"server: tells what no goto does: {error}") from None


class OtherServer:
    """Another goto, by its URL, which may have a path in front of `/goto`."""

    def __init__(self, pool: Pool, url: str, token: Token | None = None, origin: Origin | None = None) -> None:
        """`origin`: where it is, if that is not simply what the URL says."""
        self._pool = pool
        self._origin = origin or Origin.of(url)
        self._base = request_target(url).partition("?")[0].rstrip("/")
        self._token = token

    async def count(self, run: str) -> None:
        status, data = await self._call("POST", "add", msgspec.json.encode({"run": run}))
        if status != 200:
            raise Unavailable(f"server: {self._origin.authority} {failure(status, data)}")

    async def told(self, run: str) -> ArrivedRun | None:
        status, data = await self._call("GET", run)
        if status == 404 and b"is not known" in data:
            return None
        if status != 200:
            raise Unavailable(f"server: {self._origin.authority} {failure(status, data)}")
        try:
            return msgspec.json.decode(data, type=ArrivedRun)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unavailable(f"server: {self._origin.authority} is no goto that counts arrivals") from None

    async def _call(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        where = f"{self._base}/goto/arrivals/{path}"
        try:
            return await ask(
                self._pool, self._origin, method, where, body, timeout=ANSWER_SECONDS, limit=ANSWER_LIMIT, token=self._token
            )
        except UpstreamError as error:
            raise Unavailable(f"server: {error}") from None
