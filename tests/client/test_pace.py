"""When requests go out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, until

from goto.client.counts import Counts
from goto.client.pace import Steady
from goto.client.results import Results
from goto.client.run import Run
from goto.client.stages import Course
from goto.client.target import ClientTarget
from goto.instance.build import COMPILED

Target = Callable[..., ClientTarget]
Send = Callable[..., Results]


class Clock:
    """Answers, and notes when each request came."""

    def __init__(self, wait: float = 0.0) -> None:
        self.moments: list[float] = []
        self._wait = wait

    def __call__(self, _: object) -> Reply:
        self.moments.append(time.monotonic())
        time.sleep(self._wait)
        return Reply()


def test_with_a_delay_rounds_are_apart_and_never_by_less(send: Send, target: Target, upstream: Upstream):
    clock = Clock()
    upstream.on("/", clock)
    send(target(url=upstream.base, replicas=3, requestCount=3, delay="100ms"))
    rounds = [clock.moments[at : at + 3] for at in range(0, 9, 3)]
    assert len(clock.moments) == 9
    assert all(min(later) - max(earlier) >= 0.099 for earlier, later in pairwise(rounds))


def test_the_largest_delay_of_those_that_go_on_holds(send: Send, target: Target, upstream: Upstream):
    few, many = Clock(), Clock()
    upstream.on("/few", few)
    upstream.on("/many", many)
    send(
        target(name="few", url=f"{upstream.base}/few", requestCount=2, delay="1s"),
        target(name="many", url=f"{upstream.base}/many", requestCount=8, delay="10ms"),
        target(name="eager", url=f"{upstream.base}/eager", requestCount=20),
    )
    assert [len(clock.moments) for clock in (few, many)] == [2, 8]
    gaps = [later - earlier for earlier, later in pairwise(many.moments)]
    assert gaps[0] >= 0.999
    assert max(gaps[1:]) < 0.999, "the delay of a target that is done still held"
    assert all(gap >= 0.0099 for gap in gaps)


def test_a_slow_replica_holds_its_round(send: Send, target: Target, upstream: Upstream):
    quick, slow = Clock(), Clock(0.15)
    upstream.on("/quick", quick)
    upstream.on("/slow", slow)
    send(
        target(name="quick", url=f"{upstream.base}/quick", requestCount=3, delay="1ms"),
        target(name="slow", url=f"{upstream.base}/slow", requestCount=2),
    )
    assert quick.moments[1] - slow.moments[0] >= 0.15


def test_without_a_delay_replicas_are_free_of_each_other(send: Send, target: Target, upstream: Upstream):
    with held() as event:
        upstream.on("/slow", Reply(hold=event))

        async def during(_: Run) -> None:
            await until(lambda: len(upstream.received) == 51)
            event.set()

        send(
            target(name="slow", url=f"{upstream.base}/slow", requestCount=2),
            target(name="quick", url=f"{upstream.base}/quick", requestCount=50),
            during=during,
        )
    upstream.take(52)


def test_a_rate_is_kept(send: Send, target: Target, upstream: Upstream):
    began = time.monotonic()
    results = send(target(url=upstream.base, rate=100, replicas=4, requestCount=25))
    assert results.to_wire()["all"]["requests"] == 100
    # never faster; how much slower is up to the machine
    assert time.monotonic() - began >= 0.99


def test_a_rate_does_not_wait_for_answers(send: Send, target: Target, upstream: Upstream):
    all_came = threading.Barrier(20)
    upstream.on("/", lambda _: (all_came.wait(PATIENCE), Reply())[1])
    assert send(target(url=upstream.base, rate=50, replicas=20, requestCount=1)).to_wire()["countsByStatusCodes"] == {200: 20}


def test_a_stalled_server_shows_in_corrected_latencies(send: Send, target: Target, upstream: Upstream):
    stalled = threading.Event()

    def reply(_: object) -> Reply:
        if not stalled.is_set():
            stalled.set()
            time.sleep(1.0)
        return Reply()

    upstream.on("/", reply)
    latency = send(target(url=upstream.base, rate=200, requestCount=200)).to_wire()["all"]["latency"]
    assert latency["raw"]["count"] == latency["corrected"]["count"] == 200
    # one request of 200 was slow, and yet every one that was due meanwhile had to wait
    assert latency["raw"]["p90"] < 300 < latency["corrected"]["p90"]
    assert latency["corrected"]["p50"] >= latency["raw"]["p50"]
    assert latency["corrected"]["max"] >= latency["raw"]["max"] >= 1000


def test_without_a_rate_nothing_is_to_be_corrected(send: Send, target: Target, upstream: Upstream):
    latency = send(target(url=upstream.base, requestCount=20)).to_wire()["all"]["latency"]
    # but for the first one, which waited for its connection
    assert latency["corrected"]["max"] >= latency["raw"]["max"]
    assert latency["raw"]["count"] == latency["corrected"]["count"] == 20


class Standing:
    """A replica, its job and its loop in one, on a clock that stands still: a real one cannot be made late by an exact time."""

    stopped = False
    left = 2

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.job = self
        self.now = 0.0
        self.dues: list[float] = []
        self.over: Callable[[Standing], None]
        self.fire: Callable[[], None] = lambda: None
        monkeypatch.setattr("goto.client.pace.perf_counter", lambda: self.now)

    def retire(self) -> None:
        pass

    def send(self, due: float) -> None:
        self.dues.append(due)

    def call_later(self, _: float, fire: Callable[[], None]) -> Standing:
        self.fire = fire
        return self

    def cancel(self) -> None:
        pass


@pytest.mark.skipif(COMPILED, reason="compiled code takes no stand-in for a replica; uncompiled this is tested too")
def test_a_request_never_goes_out_early_and_counts_from_when_it_was_due(monkeypatch: pytest.MonkeyPatch):
    replica = Standing(monkeypatch)
    counts = Counts()
    Steady([replica], Course.constant(10), replica, counts).start()
    replica.over(replica)
    replica.now = 0.0999  # a timer may fire early
    replica.fire()
    assert replica.dues == [0.0]
    replica.now = 0.17
    replica.fire()
    assert replica.dues == [0.0, pytest.approx(0.1)]
    assert counts.rate is not None
    assert counts.rate.show() == {"wanted": 10.0, "sent": pytest.approx(1 / 0.17, abs=0.001), "late": 0}


def test_a_rate_is_stopped_between_requests(send: Send, target: Target, upstream: Upstream):
    async def during(run: Run) -> None:
        await until(lambda: results.to_wire()["all"]["requests"] == 1)
        run.stop()

    results = Results()
    send(target(url=upstream.base, rate=0.001, requestCount=10), results=results, during=during)
    assert results.to_wire()["all"]["requests"] == 1


def test_a_rate_goes_its_own_way_beside_rounds(send: Send, target: Target, upstream: Upstream):
    results = send(
        target(name="steady", url=f"{upstream.base}/a", rate=100, requestCount=30),
        target(name="rounds", url=f"{upstream.base}/b", delay="20ms", requestCount=5, replicas=2),
    )
    assert results.to_wire()["targetInvocationCounts"] == {"steady": 30, "rounds": 10}
