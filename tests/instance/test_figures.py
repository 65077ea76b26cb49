"""Metrics made of a state that holds much: quickly, and bounded whatever there is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import ClassVar

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text
from support.counting import count_answer
from support.flows import flow

from goto.client.feature import Client
from goto.counting.tally import TALLIES_LIMIT
from goto.features.proxy.feature import Proxy
from goto.features.proxy.target import ProxyTarget
from goto.flow import Response
from goto.instance.figures import Process, State, exposition, families
from goto.instance.wiring import Instance
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import Listener, ListenerSpec
from goto.traffic.listeners import Load, loads_of
from goto.traffic.passage import Passage


class Nothing:
    """Carries no traffic; `has` is what listeners have."""

    protocols: ClassVar[tuple[str, ...]] = ("http",)
    name: ClassVar[str] = "nothing"
    abilities: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self.log = AccessLog(enabled=False)
        self.has: dict[Listener, Load] = {}

    def loads(self) -> dict[Listener, Load]:
        return self.has

    async def open(self, listener: Listener) -> None: ...

    async def close(self, listener: Listener) -> None: ...


def with_state(test: Callable[[State, Listener], Awaitable[None]]) -> None:
    async def main() -> None:
        carrier = Nothing()
        instance = Instance(carrier)
        listener = instance.listeners.adopt(ListenerSpec(8080, label="a"))
        await test(State(carrier, instance.listeners, instance.registry, instance.upstream, 0.0, 1), listener)
        await instance.stop()

    asyncio.run(main())


def samples(state: State) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for metric in families(state):
        for one in metric.samples:
            found.setdefault(one.name, []).append((one.labels, one.value))
    return found


def exchanges(state: State) -> dict[tuple[str, str], float]:
    return {(labels["status"], labels["outcome"]): value for labels, value in samples(state)["goto_exchanges_total"]}


def test_a_hundred_thousand_exchanges_and_targets_are_read_quickly() -> None:
    async def test(state: State, listener: Listener) -> None:
        proxy = listener.feature(Proxy)
        proxy.configure([ProxyTarget(f"t{number}", "http://127.0.0.1:9") for number in range(20_000)])
        pipeline = listener.pipeline
        for number in range(100_000):
            one = flow("/")
            pipeline.request(one)
            one.response = Response(200 + number % 5)
            pipeline.response(one)
        for tally in proxy.tallies.values():
            tally.answered(0.1)
        took = []
        for _ in range(20):
            began = time.process_time()
            read = families(state)
            took.append(time.process_time() - began)
        assert min(took) < 0.05
        assert sum(len(metric.samples) for metric in read) < 20 * (TALLIES_LIMIT + 10)
        assert exchanges(state) == {(str(status), "completed"): 20_000 for status in range(200, 205)}

    with_state(test)


def test_both_formats_say_the_same() -> None:
    async def test(state: State, listener: Listener) -> None:
        listener.set_label('quoted " and \\ and ä')
        metrics = [*families(state), *Process().collect()]
        read = [parse(exposition(metrics, openmetrics=om).decode()) for parse, om in ((text, False), (openmetrics, True))]
        both = [
            {(s.name, frozenset(s.labels.items())): s.value for family in one for s in family.samples} for one in map(list, read)
        ]
        assert both[0] == both[1]
        assert any(dict(labels).get("label") == 'quoted " and \\ and ä' for _, labels in both[0])

    with_state(test)


def test_what_is_in_flight_is_not_completed() -> None:
    async def test(state: State, listener: Listener) -> None:
        pipeline = listener.pipeline
        for _ in range(3):
            one = flow("/")
            pipeline.request(one)
            one.response = Response(200)
            pipeline.response(one)
        assert isinstance(state.carrier, Nothing)
        state.carrier.has = loads_of([listener] * 2, [(listener, 200), (listener, 0)])
        assert exchanges(state) == {("200", "completed"): 2}
        assert samples(state)["goto_exchanges_in_flight"] == [({"listener": "8080"}, 2)]
        assert samples(state)["goto_connections"] == [({"listener": "8080"}, 2)]

        state.carrier.has = {}
        Passage(listener, one).over("client_gone", completed=False)
        Passage(listener, flow("/")).over("client_gone", completed=False)
        assert exchanges(state) == {("200", "completed"): 2, ("200", "client_gone"): 1, ("0", "client_gone"): 1}

    with_state(test)


def test_client_targets_past_the_limit_are_counted_together_and_stay_so() -> None:
    async def test(state: State, listener: Listener) -> None:
        results = listener.feature(Client).results

        def count(numbers: Iterator[int] | range) -> None:
            for number in numbers:
                count_answer(results.of(f"t{number}"), size=10, body=5)

        def counted() -> dict[str, float]:
            return {labels["target"]: value for labels, value in samples(state)["goto_client_requests_total"]}

        count(range(TALLIES_LIMIT + 20))
        first = counted()
        assert (len(first), first["_other"], first["t0"]) == (TALLIES_LIMIT + 1, 20, 1)
        assert samples(state)["goto_client_grouped_targets"] == [({"listener": "8080"}, 20)]
        results.clear()
        assert counted() == first
        count(range(TALLIES_LIMIT + 19, 0, -1))  # in another order
        second = counted()
        assert (second["_other"], second["t0"], second["t1"]) == (40, 1, 2)
        assert {name for name in first if second[name] < first[name]} == set()

    with_state(test)
