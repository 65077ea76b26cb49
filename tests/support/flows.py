"""Flows by hand, through some features."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from goto.feature import Feature
from goto.flow import Answer as Make
from goto.flow import Flow, Headers, Request, Response
from goto.pipeline import Pipeline


def flow(target: str = "/", *fields: tuple[str, str], method: str = "GET", default: Make | None = None) -> Flow:
    headers = Headers((name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in fields)
    return Flow(Request(method, target, headers), default)


async def pass_through(features: Iterable[Feature], passing: Flow, *, completed: bool = True, status: int = 200) -> Flow:
    """A flow through the active ones of some features, answered `status` where nobody decides, to its end."""
    pipeline = Pipeline(features)
    depth = await pipeline.request_async(passing)
    if passing.response is None:
        make = passing.answer or passing.default or (lambda flow, body, size: Response(status))
        passing.response = make(passing, b"", 0)
    await pipeline.response_async(passing, depth)
    passing.completed = completed
    pipeline.closed(passing, depth)
    return passing


def passed(features: Iterable[Feature], passing: Flow, **how: Any) -> Flow:
    """As `pass_through`, from outside an event loop."""
    return asyncio.run(pass_through(features, passing, **how))
