"""One small request to another instance, on a connection of its own, and the whole answer.

Instances are many, and each is asked seldom. Connections kept to thousands of them would use up file descriptors, and one that
was kept may turn out to be closed when it is used.
"""

from __future__ import annotations

import asyncio
import json

from goto.flow import Field, Origin, decode, encode
from goto.http.wire import request_head
from goto.upstream.errors import Broken, TooSlow, UpstreamError
from goto.upstream.kept import Budget, KeptBody
from goto.upstream.pool import Pool
from goto.upstream.receiver import Receiver
from goto.words.duration import duration_text
from goto.words.token import Token

SHOWN_CHARACTERS = 200
"""The most of an answer that is repeated where its failure is reported."""


async def ask(
    pool: Pool,
    origin: Origin,
    method: str,
    path: str,
    body: bytes = b"",
    headers: tuple[Field, ...] = (),
    *,
    timeout: float,
    limit: int = 1 << 16,
    token: Token | None = None,
) -> tuple[int, bytes]:
    """Send a request, and wait for its status and body.

    `timeout` in seconds is for all of it. A body of more than `limit` bytes is an error. A `token` is shown to the instance, and
    hidden in what it says of a failure. Raises `UpstreamError` with the reason.
    """
    if token is None:
        return await _ask(pool, origin, method, path, body, headers, timeout, limit)
    try:
        status, data = await _ask(pool, origin, method, path, body, (*headers, token.field()), timeout, limit)
    except UpstreamError as error:
        # a line that is quoted may have been cut within the token, so that it is left out
        error.args = (error.same or token.hide(str(error)),)
        raise
    return status, data if 200 <= status < 300 else encode(token.hide(decode(data)))


async def _ask(
    pool: Pool,
    origin: Origin,
    method: str,
    path: str,
    body: bytes,
    headers: tuple[Field, ...],
    timeout: float,
    limit: int,
) -> tuple[int, bytes]:
    fields = [(b"Host", encode(origin.authority)), *headers]
    if body:
        fields.append((b"Content-Type", b"application/json"))
    fields.append((b"Connection", b"close"))
    head = request_head(method, path, fields, len(body))
    try:
        async with asyncio.timeout(timeout):
            connection = await pool.own(origin, timeout)
            answer = _Answer(limit)
            try:
                connection.start(answer, head + body, timeout)
                return await answer.read()
            finally:
                connection.abort()
    except TimeoutError:
        raise TooSlow(f"no answer within {duration_text(timeout)}") from None


class _Answer(Receiver):
    """Receives a status, and a body of no more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._status = 0
        self._body = KeptBody(Budget(limit))

    async def read(self) -> tuple[int, bytes]:
        """Wait for the end; status and body. Raises `UpstreamError`."""
        body = await self._body.read()
        return self._status, body

    def on_head(self, status: int, reason: bytes, fields: list[Field], length: int | None) -> None:
        self._status = status
        if status == 101:
            self.on_error(Broken("switched protocols without being asked to"))
        elif length is not None and length > self._limit:
            self._too_long()

    def on_data(self, data: bytes) -> None:
        self._body.more(data)
        if self._body.truncated:
            self._too_long()

    def on_end(self) -> None:
        self._body.end()

    def on_error(self, error: UpstreamError) -> None:
        self._body.broken(error)

    def _too_long(self) -> None:
        self.on_error(Broken(f"answered with more than {self._limit} bytes"))


def failure(status: int, data: bytes) -> str:
    """The answer to a request that failed, in a few words: `answered 503: down`."""
    text = decode(data)
    try:
        document = json.loads(text)
        text = document["error"] if isinstance(document, dict) else text
    except (ValueError, KeyError, RecursionError):
        pass
    text = " ".join(str(text).split())
    return f"answered {status}" + (f": {text[:SHOWN_CHARACTERS]}" if text else "")
