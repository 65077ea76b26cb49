"""Flows by hand, through some features."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

from goto.exchange.waiting import step_in_task
from goto.feature import Feature
from goto.flow import Flow, Headers, Kept, MakeResponse, Request, Response
from goto.pipeline import Pipeline
from goto.traffic.passage import Passage


def flow(target: str = "/", *fields: tuple[str, str], method: str = "GET", default: MakeResponse | None = None) -> Flow:
    headers = Headers((name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in fields)
    return Flow(Request(method, target, headers), default)


class Onion:
    """What a passage needs of a listener: features, and where it is counted how exchanges end."""

    def __init__(self, features: Iterable[Feature]) -> None:
        self.pipeline = Pipeline(features)
        self.ends: Counter[tuple[int, str]] = Counter()


async def pass_through(
    features: Iterable[Feature], passing: Flow, *, completed: bool = True, status: int = 200, body: bytes = b""
) -> Flow:
    """A flow through the active ones of some features, answered `status` where nobody decides, to its end."""

    async def read(size: int) -> Kept:
        return Kept(body[:size], min(len(body), size), len(body) <= size)

    passage = Passage(Onion(features), passing, read)
    passing.request.has_body = bool(body)
    try:
        await step_in_task(passage.ask())
        if not passing.silent:
            if passing.response is None:
                make = passing.answer or passing.default or (lambda flow, body, size: Response(status))
                passing.response = make(passing, body, len(body))
            await step_in_task(passage.tell(passing.response))
        passing.aborted = passing.silent
    finally:
        passage.over(None if completed else "client_gone", completed=completed)
    return passing


def passed(features: Iterable[Feature], passing: Flow, **how: Any) -> Flow:
    """As `pass_through`, from outside an event loop."""
    return asyncio.run(pass_through(features, passing, **how))
