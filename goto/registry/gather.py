"""The client results of many instances as one: counts are added and histograms merged; no percentile is averaged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from goto.client.results import Results
from goto.registry.address import Address
from goto.upstream.answer import Upstream
from goto.upstream.ask import ask, failure
from goto.upstream.errors import UpstreamError
from goto.words.token import Token

ANSWER_SECONDS = 2.0
"""For one instance, from connecting to the end of its answer."""

ANSWER_LIMIT = 16 << 20
"""Bytes of one answer."""

ASKED_AT_ONCE = 256
"""Instances asked at a time."""


@dataclass(slots=True)
class Gathered:
    """The merged results, and who gave them, in the order asked."""

    results: Results = field(default_factory=Results)
    answered: list[Address] = field(default_factory=list)
    unanswered: dict[Address, str] = field(default_factory=dict)
    """Those that did not answer, and why."""


async def gather(upstream: Upstream, addresses: Iterable[Address], token: Token | None = None) -> Gathered:
    """Ask every address once, all at the same time. The token is shown to each."""
    merged = Results()
    places = asyncio.Semaphore(ASKED_AT_ONCE)
    merging = asyncio.Lock()

    async def one(address: Address) -> str:
        """Ask one address. Returns why it did not answer; empty if it did."""
        try:
            async with places:
                results = await _results(upstream, address, token)
        except (UpstreamError, ValueError) as error:
            return str(error)
        async with merging:
            # many targets with their histograms take a while, which must not hold up traffic
            await asyncio.to_thread(merged.merge, results)
        return ""

    every = list(addresses)
    reasons = dict(zip(every, await asyncio.gather(*map(one, every)), strict=True))
    return Gathered(
        merged,
        [address for address, reason in reasons.items() if not reason],
        {address: reason for address, reason in reasons.items() if reason},
    )


async def _results(upstream: Upstream, address: Address, token: Token | None) -> Results:
    """Ask for results. Raises `UpstreamError`, and ValueError for an answer that is not client results."""
    path = "/client/results?histograms=y"
    status, data = await ask(upstream.pool, address.origin, "GET", path, timeout=ANSWER_SECONDS, limit=ANSWER_LIMIT, token=token)
    if not 200 <= status < 300:
        raise ValueError(failure(status, data))
    return await asyncio.to_thread(_read, data)


def _read(data: bytes) -> Results:
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("not client results: not JSON") from None
    return Results.from_wire(document)
