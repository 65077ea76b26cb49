"""One target in a run: its requests are shared out among its replicas, and it ends when each of them is retired."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from support.nginx import Nginx
from support.ports import free_port
from support.upstream import Reply, Upstream, held
from support.waiting import until

from goto.client.job import Job
from goto.client.part import Part
from goto.client.results import Results
from goto.client.run import Run
from goto.client.target import ClientTarget
from goto.upstream.pool import Pool

Target = Callable[..., ClientTarget]
Send = Callable[..., Results]


def codes(results: Results) -> dict[int, int]:
    return results.to_wire()["countsByStatusCodes"]


@pytest.mark.parametrize(
    ("total", "quotas"), [(1, [1]), (2, [1, 1]), (3, [1, 1, 1]), (4, [2, 1, 1]), (8, [3, 3, 2]), (9, [3, 3, 3])]
)
def test_each_replica_has_its_share_of_the_requests(target: Target, total: int, quotas: list[int]):
    async def shares() -> list[int]:
        results, one = Results(), target(replicas=3)
        job = Job(0, one, results.of(one.name), {}, None, Pool(), asyncio.get_running_loop())
        return [replica.left for replica in Part(job, total, lambda _: None).replicas]

    assert asyncio.run(shares()) == quotas


def test_it_ends_once_all_replicas_are_retired(target: Target):
    async def main() -> None:
        results, one, ended = Results(), target(replicas=3), []
        counts = results.of(one.name)
        part = Part(Job(0, one, counts, {}, None, Pool(), asyncio.get_running_loop()), 3, ended.append)
        assert counts.users == 1
        *most, last = part.replicas
        for replica in most:
            replica.retire()
        assert part.replicas == [last]
        assert (ended, part.done.done(), counts.users) == ([], False, 1)
        last.retire()
        assert (ended, part.done.done(), counts.users) == ([part], True, 0)
        part.stop(grace=0)  # too late

    asyncio.run(main())


@pytest.mark.parametrize(("total", "replicas"), [(10_000, 32), (5, 32), (1, 1), (33, 32)])
def test_a_total_is_shared_out_exactly(send: Send, target: Target, nginx: Callable[..., Nginx], total: int, replicas: int):
    assert codes(send(target(url=nginx().base, replicas=replicas), total=total)) == {200: total}


def test_a_stop_lets_what_is_in_flight_be_answered(send: Send, target: Target, upstream: Upstream):
    with held() as event:
        upstream.on("/", Reply(hold=event))

        async def during(run: Run) -> None:
            await until(lambda: len(upstream.received) == 4)
            run.stop()
            assert len(run.settled()) == 1
            event.set()

        results = send(target(url=upstream.base, replicas=4, requestCount=10), during=during)
    assert codes(results) == {200: 4}
    assert len(upstream.take(4)) == 4


@pytest.mark.parametrize("how", ["grace", "abort"])
def test_what_is_not_answered_in_time_counts_as_stopped(send: Send, target: Target, upstream: Upstream, how: str):
    async def during(run: Run) -> None:
        await until(lambda: len(upstream.received) == 3)
        if how == "grace":
            run.stop(grace=0.05)
            run.stop(grace=100)
        else:
            run.abort()

    with held() as event:
        upstream.on("/", Reply(hold=event))
        wire = send(target(url=upstream.base, replicas=3, requestCount=5), during=during).to_wire()
        assert wire["all"]["errors"] == {"stopped": 3}


def test_a_stop_while_connecting_counts_nothing(send: Send, target: Target):
    async def during(run: Run) -> None:
        run.stop()

    results = send(target(url=f"http://127.0.0.1:{free_port()}/", replicas=5, requestCount=5), during=during)
    assert results.to_wire()["all"]["requests"] == 0
