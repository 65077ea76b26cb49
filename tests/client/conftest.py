"""Runs of the engine itself, in an event loop of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from support.waiting import until

from goto.client.report import Report
from goto.client.results import Results
from goto.client.run import Run
from goto.client.target import ClientTarget
from goto.upstream.pool import Pool
from goto.words.reading import read_struct


def target(**fields: Any) -> ClientTarget:
    read, unknown = read_struct({"name": "t", "method": "GET", "url": "http://127.0.0.1:9/"} | fields, ClientTarget)
    assert not unknown
    return read


@pytest.fixture(name="target", scope="session")
def make_target() -> Callable[..., ClientTarget]:
    """`target(url=…, …)`: a target named `t`, GET, unless it is said otherwise."""
    return target


@pytest.fixture(params=["asyncio", "uvloop"])
def send(request: pytest.FixtureRequest) -> Callable[..., Results]:
    """`send(targets…)`: run them to their end; the results. `during(run)` is awaited meanwhile. On both event loops."""

    def start(
        *targets: ClientTarget,
        results: Results | None = None,
        report: Report | None = None,
        total: int | None = None,
        during: Callable[[Run], Any] | None = None,
    ) -> Results:
        results = results or Results()

        async def main() -> None:
            pool = Pool()
            run = Run(targets, results, pool, report, total)
            run.start()
            if during is not None:
                await during(run)
            async with asyncio.timeout(60):
                await run.done
            assert all(counts.users == 0 for counts in results.targets.values())
            await until(lambda: not pool._all)  # no replica leaves its connection open

        if request.param == "uvloop":
            uvloop.run(main())
        else:
            asyncio.run(main())
        return results

    return start
