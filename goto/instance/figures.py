"""The metrics of a process, made of its state: what features count anyway, under names as Prometheus has them.

https://prometheus.io/docs/practices/naming/: base units, and names that were configured as labels. No label ever holds what
a client sent. What belongs to a listener, target or peer that is removed goes with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from prometheus_client import GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from goto import __version__
from goto.client.feature import Client
from goto.counting.bounded import OTHER, OVERFLOW
from goto.counting.tally import BOUNDS, Tally
from goto.features.bypass import Bypass
from goto.features.delay import Delay
from goto.features.proxy.feature import Proxy
from goto.features.status_counts import StatusCounts
from goto.registry.service import Registry
from goto.traffic.limits import LIMITS, GivenLimits
from goto.traffic.listener import Listener
from goto.traffic.listeners import Carried, Carrier, Listeners
from goto.upstream.answer import Upstream


class State(NamedTuple):
    """Where the figures are."""

    carrier: Carrier
    listeners: Listeners
    registry: Registry
    upstream: Upstream
    lag: float
    """How long the event loop took to come to what was due at once, in seconds."""
    tasks: int
    """Those of the event loop."""


class Process:
    """The figures that prometheus_client itself reads of a process."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._collectors = [ProcessCollector(registry=registry), PlatformCollector(registry=registry), GCCollector(registry)]

    def collect(self) -> list[Metric]:
        return [metric for collector in self._collectors for metric in collector.collect()]


def families(state: State) -> list[Metric]:
    """All metrics of goto's own. To be called on the event loop."""
    listeners = list(state.listeners.by_port.values())
    found = state.carrier.carried()
    carried = {listener: found.get(listener, Carried()) for listener in listeners}
    return [
        *_process(state),
        *_listeners(listeners, carried),
        *_exchanges(listeners, carried),
        *_upstreams(listeners, state.upstream),
        *_clients(listeners),
        *_registry(state.registry),
        *_trouble(listeners, state),
    ]


def exposition(metrics: Sequence[Metric], *, openmetrics: bool) -> bytes:
    """Metrics as text, in the text format 0.0.4 or as OpenMetrics 1.0.0."""
    generate = generate_openmetrics if openmetrics else generate_latest
    return generate(_Collected(metrics))


class _Collected(CollectorRegistry):
    """What was collected already, for prometheus_client to write."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        super().__init__()
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)


def _process(state: State) -> Iterator[Metric]:
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    info = {"version": __version__, "host": state.carrier.name, "event_loop": loop}
    yield InfoMetricFamily("goto", "The version of goto, what carries its traffic, and the event loop.", info)
    yield GaugeMetricFamily(
        "goto_event_loop_lag_seconds", "How long the event loop took, at this scrape, to come to what was due at once.", state.lag
    )
    yield GaugeMetricFamily("goto_event_loop_tasks", "Tasks of the event loop.", state.tasks)


def _listeners(listeners: list[Listener], carried: Mapping[Listener, Carried]) -> Iterator[Metric]:
    info = InfoMetricFamily("goto_listener", "A listener: its port, its label, and what it speaks.", labels=["listener"])
    is_open = GaugeMetricFamily("goto_listener_open", "Whether a listener accepts traffic.", labels=["listener"])
    connections = GaugeMetricFamily("goto_connections", "Connections of clients.", labels=["listener"])
    in_flight = GaugeMetricFamily("goto_exchanges_in_flight", "Exchanges of traffic in flight.", labels=["listener"])
    for listener in listeners:
        port, has = [str(listener.port)], carried[listener]
        info.add_metric(port, {"label": listener.name, "protocol": listener.protocol})
        is_open.add_metric(port, int(listener.open))
        connections.add_metric(port, has.connections)
        in_flight.add_metric(port, has.exchanges)
    yield from (info, is_open, connections, in_flight)


def _exchanges(listeners: list[Listener], carried: Mapping[Listener, Carried]) -> Iterator[Metric]:
    exchanges = CounterMetricFamily(
        "goto_exchanges",
        "Exchanges of traffic that are over, by status (0: none) and outcome.",
        labels=["listener", "status", "outcome"],
    )
    bypassed = CounterMetricFamily(
        "goto_bypassed_exchanges", "Exchanges answered by a bypass URI, which are in no other figure.", labels=["listener"]
    )
    refused = CounterMetricFamily(
        "goto_refused_requests",
        "Requests and connections refused before they were an exchange, by the status answered.",
        labels=["listener", "status"],
    )
    delay = SummaryMetricFamily("goto_response_delay_seconds", "Delays of responses that were waited for.", labels=["listener"])
    for listener in listeners:
        port = str(listener.port)
        for (status, outcome), count in sorted(_outcomes(listener, carried[listener].counted).items()):
            exchanges.add_metric([port, str(status), outcome], count)
        for status, count in sorted(listener.refused.items()):
            refused.add_metric([port, str(status)], count)
        if listener.has(Bypass):
            bypassed.add_metric([port], listener.feature(Bypass).answered)
        if listener.has(Delay):
            delays = listener.feature(Delay)
            delay.add_metric([port], count_value=delays.delayed, sum_value=delays.seconds)
    yield from (exchanges, bypassed, refused, delay)


def _outcomes(listener: Listener, in_flight: Mapping[int, int]) -> dict[tuple[int, str], int]:
    """Exchanges by status and outcome: those counted by status that are over and did not end otherwise are completed."""
    counts: dict[tuple[int, str], int] = {(status, outcome): count for (status, outcome), count in listener.ends.items()}
    if listener.has(StatusCounts):
        for status, count in listener.feature(StatusCounts).ever_reported().items():
            otherwise = sum(ended for (ended_with, _), ended in listener.ends.items() if ended_with == status)
            counts[status, "completed"] = max(count - otherwise - in_flight.get(status, 0), 0)
    return counts


def _upstreams(listeners: list[Listener], upstream: Upstream) -> Iterator[Metric]:
    latency = HistogramMetricFamily(
        "goto_upstream_latency_seconds",
        "From when a request was sent on to a proxy target, connecting included, to the head of its answer.",
        labels=["listener", "target"],
    )
    failures = CounterMetricFamily(
        "goto_upstream_failures",
        "Requests sent on that got no answer, or not the whole of it, by kind: connect, timeout, broken, other.",
        labels=["listener", "target", "kind"],
    )
    for listener in listeners:
        if not listener.has(Proxy):
            continue
        for target, tally in listener.feature(Proxy).tallies.items():
            if not tally.used:
                continue
            names = [str(listener.port), target]
            latency.add_metric(names, buckets=_cumulative(tally), sum_value=tally.seconds)
            for kind, count in sorted(tally.failures.items()):
                failures.add_metric([*names, kind], count)
    connections = GaugeMetricFamily(
        "goto_upstream_connections",
        "Connections to upstreams, by state: idle ones are kept for the next request.",
        labels=["state"],
    )
    every, idle = upstream.pool.connections
    connections.add_metric(["active"], every - idle)
    connections.add_metric(["idle"], idle)
    yield from (latency, failures, connections)


def _cumulative(tally: Tally) -> list[tuple[str, float]]:
    """Each bucket holds those before it."""
    found, total = [], 0
    for bound, count in zip(_BOUNDS, tally.buckets, strict=True):
        total += count
        found.append((bound, float(total)))
    return found


_BOUNDS = [*map(str, BOUNDS), "+Inf"]


def _clients(listeners: list[Listener]) -> Iterator[Metric]:
    labels = ["listener", "target"]
    requests = CounterMetricFamily(
        "goto_client_requests",
        "Requests of the client that were answered, by status, or have failed (0).",
        labels=[*labels, "status"],
    )
    errors = CounterMetricFamily(
        "goto_client_errors",
        "Requests of the client that have failed, by kind: connect, connectTimeout, timeout, broken, stopped, other.",
        labels=[*labels, "kind"],
    )
    sent = CounterMetricFamily("goto_client_sent_bytes", "Bytes of the client's requests, with their heads.", labels=labels)
    received = CounterMetricFamily("goto_client_received_bytes", "Bytes of the bodies of answers to the client.", labels=labels)
    running = GaugeMetricFamily("goto_client_running_targets", "Targets that the client sends to now.", labels=["listener"])
    for listener in listeners:
        if not listener.has(Client):
            continue
        client, port = listener.feature(Client), str(listener.port)
        for target, totals in client.results.ever().items():
            for status, count in sorted(totals.codes.items()):
                requests.add_metric([port, target, str(status)], count)
            for kind, count in sorted(totals.errors.items()):
                errors.add_metric([port, target, kind], count)
            sent.add_metric([port, target], totals.bytes_sent)
            received.add_metric([port, target], totals.bytes_received)
        running.add_metric([port], len(client.running))
    yield from (requests, errors, sent, received, running)


def _registry(registry: Registry) -> Iterator[Metric]:
    yield GaugeMetricFamily("goto_registry_peers", "Peers that have registered here.", len(registry.peers))
    pushes = CounterMetricFamily(
        "goto_registry_pushes",
        "Tries to push a change to a peer, by outcome: taken, refused for good, failed and to be tried again.",
        labels=["peer", "address", "outcome"],
    )
    totals: dict[tuple[str, str, str], int] = {}
    for address, counts in registry.pusher.counts.items():
        for (label, outcome), count in counts.items():
            key = (OTHER if address == OTHER else label, str(address), outcome)
            totals[key] = totals.get(key, 0) + count
    for names, count in totals.items():
        pushes.add_metric(names, count)
    yield pushes
    yield GaugeMetricFamily("goto_registry_pushes_waiting", "Pushes still to be made, to all peers.", registry.pusher.waiting)


def _trouble(listeners: list[Listener], state: State) -> Iterator[Metric]:
    hooks = CounterMetricFamily("goto_hook_errors", "Hooks of features that raised an exception.", labels=["listener", "hook"])
    for listener in listeners:
        for hook, count in sorted(listener.hook_errors.items()):
            hooks.add_metric([str(listener.port), hook], count)
    yield hooks
    hits = CounterMetricFamily("goto_limit_hits", "How often a limit of this process was hit.", labels=["limit"])
    for limit in msgspec.structs.fields(GivenLimits):
        hits.add_metric([limit.encode_name], LIMITS.hit[limit.name])
    yield hits
    yield CounterMetricFamily("goto_overflowed_values", f"Values counted as {OTHER}, since there were too many.", OVERFLOW.values)
    yield CounterMetricFamily("goto_access_log_lost_lines", "Lines of the access log that nobody read.", state.carrier.log.lost)
    grouped = GaugeMetricFamily(
        "goto_grouped_names", f"Targets and peers whose figures are under {OTHER}, since there are too many.", labels=["what"]
    )
    grouped.add_metric(["proxy target"], sum(one.feature(Proxy).uncounted for one in listeners if one.has(Proxy)))
    grouped.add_metric(["client target"], sum(one.feature(Client).results.uncounted for one in listeners if one.has(Client)))
    grouped.add_metric(["peer"], state.registry.pusher.uncounted)
    yield grouped
