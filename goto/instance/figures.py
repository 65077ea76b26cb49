"""The metrics of a process, made of its state: what features declare (`counting.measures`), and what the process itself counts.

https://prometheus.io/docs/practices/naming/: base units, and names that were configured as labels. No label ever holds what
a client sent. What belongs to a listener, target or peer that is removed goes with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
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
from goto.counting.bounded import OTHER, OVERFLOW
from goto.counting.measures import LISTENER, Histogram, Measure, Summary, Value, measures_of
from goto.feature import Feature
from goto.features.status_counts import StatusCounts
from goto.registry.service import Registry
from goto.traffic.limits import LIMITS, ConfiguredLimits
from goto.traffic.listener import Listener
from goto.traffic.listeners import Carrier, Listeners, Load
from goto.upstream.answer import Upstream

log = logging.getLogger("goto")


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
    is_open: bool = False
    """Whether others than those on this machine may manage the process without a token."""


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
    found = state.carrier.loads()
    loads = {listener: found.get(listener, Load()) for listener in listeners}
    return [
        *_process(state),
        *_listeners(listeners, loads),
        *_exchanges(listeners, loads),
        *_measured(listeners),
        *_upstreams(state.upstream),
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
    yield GaugeMetricFamily(
        "goto_open_to_others", "Whether others than those on this machine may manage it without a token.", int(state.is_open)
    )


def _listeners(listeners: list[Listener], loads: Mapping[Listener, Load]) -> Iterator[Metric]:
    info = InfoMetricFamily("goto_listener", "A listener: its port, its label, and what it speaks.", labels=["listener"])
    is_open = GaugeMetricFamily("goto_listener_open", "Whether a listener accepts traffic.", labels=["listener"])
    connections = GaugeMetricFamily("goto_connections", "Connections of clients.", labels=["listener"])
    in_flight = GaugeMetricFamily("goto_exchanges_in_flight", "Exchanges of traffic in flight.", labels=["listener"])
    for listener in listeners:
        port, has = [str(listener.port)], loads[listener]
        info.add_metric(port, {"label": listener.name, "protocol": listener.protocol})
        is_open.add_metric(port, int(listener.open))
        connections.add_metric(port, has.connections)
        in_flight.add_metric(port, has.exchanges)
    yield from (info, is_open, connections, in_flight)


def _exchanges(listeners: list[Listener], loads: Mapping[Listener, Load]) -> Iterator[Metric]:
    exchanges = CounterMetricFamily(
        "goto_exchanges",
        "Exchanges of traffic that are over, by status (0: none) and outcome.",
        labels=["listener", "status", "outcome"],
    )
    refused = CounterMetricFamily(
        "goto_refused_requests",
        "Requests and connections refused before they were an exchange, by the status answered.",
        labels=["listener", "status"],
    )
    for listener in listeners:
        port = str(listener.port)
        for (status, outcome), count in sorted(_outcomes(listener, loads[listener].counted).items()):
            exchanges.add_metric([port, str(status), outcome], count)
        for status, count in sorted(listener.refused.items()):
            refused.add_metric([port, str(status)], count)
    yield from (exchanges, refused)


def _outcomes(listener: Listener, in_flight: Mapping[int, int]) -> dict[tuple[int, str], int]:
    """Exchanges by status and outcome: those counted by status that are over and did not end otherwise are completed."""
    counts: dict[tuple[int, str], int] = {(status, outcome): count for (status, outcome), count in listener.ends.items()}
    if listener.has(StatusCounts):
        for status, count in listener.feature(StatusCounts).ever_reported().items():
            otherwise = sum(ended for (ended_with, _), ended in listener.ends.items() if ended_with == status)
            counts[status, "completed"] = max(count - otherwise - in_flight.get(status, 0), 0)
    return counts


def _measured(listeners: list[Listener]) -> Iterator[Metric]:
    """What features declare, in the order of traffic: each family once, with the samples of all listeners."""
    declared: dict[type[Feature], list[Measure]] = {}
    found: dict[str, Metric] = {}
    for listener in listeners:
        for feature in listener.features:
            kind = type(feature)
            if kind not in declared:
                declared[kind] = measures_of(kind)
            for measure in declared[kind]:
                family = found.get(measure.name) or found.setdefault(measure.name, _family(measure))
                for labels, value in _read(measure, feature, listener):
                    _add(family, [str(listener.port), *labels], value)
    yield from found.values()


_FAMILIES = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "summary": SummaryMetricFamily,
    "histogram": HistogramMetricFamily,
}


def _family(measure: Measure) -> Metric:
    family: Metric = _FAMILIES[measure.kind](measure.name, measure.description, labels=[LISTENER, *measure.labels])
    return family


def _read(measure: Measure, feature: Feature, listener: Listener) -> list[tuple[tuple[str, ...], Value]]:
    """What a feature says now. One that breaks is counted as a hook is, and has no part in this scrape."""
    try:
        return measure.read(feature)
    except Exception:
        name = f"{type(feature).__name__}.{measure.method}"
        log.exception("%s failed", name)
        listener.hook_errors[name] += 1
        return []


def _add(family: Metric, labels: list[str], value: Value) -> None:
    match family, value:
        case SummaryMetricFamily(), Summary(count, total):
            family.add_metric(labels, count_value=count, sum_value=total)
        case HistogramMetricFamily(), Histogram(bounds, counts, total):
            # each bucket holds those before it
            buckets = zip([*map(str, bounds), "+Inf"], map(float, accumulate(counts)), strict=True)
            family.add_metric(labels, buckets=[*buckets], sum_value=total)
        case ((CounterMetricFamily() | GaugeMetricFamily()), int() | float()):
            family.add_metric(labels, value)


def _upstreams(upstream: Upstream) -> Iterator[Metric]:
    connections = GaugeMetricFamily(
        "goto_upstream_connections",
        "Connections to upstreams, by state: idle ones are kept for the next request.",
        labels=["state"],
    )
    every, idle = upstream.pool.connections
    connections.add_metric(["active"], every - idle)
    connections.add_metric(["idle"], idle)
    yield connections


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
    yield GaugeMetricFamily(
        "goto_registry_grouped_peers",
        f"Peers whose figures are under {OTHER}, since there are too many.",
        registry.pusher.uncounted,
    )


def _trouble(listeners: list[Listener], state: State) -> Iterator[Metric]:
    hooks = CounterMetricFamily("goto_hook_errors", "Hooks of features that raised an exception.", labels=["listener", "hook"])
    for listener in listeners:
        for hook, count in sorted(listener.hook_errors.items()):
            hooks.add_metric([str(listener.port), hook], count)
    yield hooks
    hits = CounterMetricFamily("goto_limit_hits", "How often a limit of this process was hit.", labels=["limit"])
    for limit in msgspec.structs.fields(ConfiguredLimits):
        hits.add_metric([limit.encode_name], LIMITS.hit[limit.name])
    yield hits
    yield CounterMetricFamily("goto_overflowed_values", f"Values counted as {OTHER}, since there were too many.", OVERFLOW.values)
    yield CounterMetricFamily("goto_access_log_lost_lines", "Lines that are not in the access log.", state.carrier.log.lost)
