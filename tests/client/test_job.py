"""What the requests to a target need, as the target says it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any

import pytest

from goto.client.counts import Counts
from goto.client.job import Job
from goto.client.target import ClientTarget
from goto.upstream.pool import CONNECT_SECONDS, FRESH_SECONDS, Pool


@pytest.fixture
def job(target: Callable[..., ClientTarget]) -> Callable[..., Job]:
    """`job(method=…, …)`: of a target that says so."""

    async def make(one: ClientTarget) -> Job:
        return Job(0, one, Counts(), {}, None, Pool(), asyncio.get_running_loop())

    return lambda **fields: asyncio.run(make(target(**fields)))


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"method": "GET"}, inf),
        ({"method": "GET", "connIdleTimeout": "30ms"}, 0.03),
        ({"method": "POST"}, FRESH_SECONDS),
        ({"method": "POST", "connIdleTimeout": "30ms"}, 0.03),
        ({"method": "POST", "connIdleTimeout": "1h"}, FRESH_SECONDS),
        ({"method": "GET", "body": "x"}, FRESH_SECONDS),
    ],
)
def test_what_must_not_be_repeated_takes_no_old_connection(job: Callable[..., Job], fields: dict[str, Any], seconds: float):
    assert job(**fields).idle_limit == seconds


def test_times_are_in_seconds_and_have_defaults(job: Callable[..., Job]):
    plain = job()
    assert (plain.timeout, plain.connect_timeout, plain.delay) == (30, CONNECT_SECONDS, 0)
    given = job(requestTimeout="2s", connTimeout="300ms", delay="1m")
    assert (given.timeout, given.connect_timeout, given.delay) == (2, 0.3, 60)


def test_nothing_is_begun(job: Callable[..., Job]):
    fresh = job(url="http://127.0.0.1:81/a")
    assert (fresh.requests, fresh.stopped, fresh.counts.requests) == (0, False, 0)
    assert (fresh.origin.port, fresh.request.next().split()[1]) == (81, b"/a")
