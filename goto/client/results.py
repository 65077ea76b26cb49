"""The results of a listener's client: counts by target, until they are cleared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict, cast

import msgspec

from goto.client.counts import PHASES, Counts, Totals
from goto.client.histogram import Latencies, Summary
from goto.client.rate import Rate, RateShown
from goto.client.series import Series
from goto.counting.bounded import OTHER, slot
from goto.counting.tally import TALLIES_LIMIT
from goto.words import whole_number

NAMES_LIMIT = 10_000
"""Targets counted apart; those past it are counted together."""


SERIES_LIMIT = 256
"""Targets whose requests are counted over time too."""


class Latency(TypedDict):
    """Of answers, and of requests that were given up, in milliseconds."""

    raw: Summary
    """From when a request was sent."""
    corrected: Summary
    """From when it was due: at a time by a rate, else as soon as its replica was free to send it."""


class Phases(TypedDict):
    """What it took to get answers, in milliseconds."""

    dns: Summary
    """To look the host up, of each connection that had to."""
    connect: Summary
    """To connect, of each connection."""
    tls: Summary
    """To shake hands, of each connection by TLS."""
    firstByte: Summary
    """From sending a request to the first byte of its answer."""


class Measures(TypedDict):
    """Measures of requests to one target, or to all."""

    requests: int
    """Answered or failed."""
    start: str | None
    """When the first one was sent (RFC 3339)."""
    end: str | None
    """When the last one was answered, or had failed."""
    requestsPerSecond: float
    """Between these two."""
    bytesSent: int
    """Of requests, heads included."""
    bytesReceived: int
    """Of the bodies of answers."""
    errors: dict[str, int]
    """By kind: connect, connectTimeout, timeout, broken, stopped, other; check for answers that did not pass one."""
    checks: dict[str, int]
    """Answers that did not pass a check, by the check."""
    resent: int
    """Requests that were sent again on a new connection, since the kept one was closed before any byte of an answer."""
    connections: int
    """Connections made."""
    latency: Latency
    phases: Phases
    rate: NotRequired[RateShown]
    """With a rate: how far it was held."""


class Encoded(TypedDict):
    """Histograms as HdrHistogram encodes them, in microseconds."""

    raw: str
    corrected: str
    phases: dict[str, str]
    """By phase."""


class ClientResults(TypedDict):
    """Answers and failures, counted. A failed request counts under the status code `0`, and under its error as the status."""

    targetInvocationCounts: dict[str, int]
    """Requests by target, answered or failed."""
    countsByStatus: dict[str, int]
    """By code and reason: `418 I'm a teapot`."""
    countsByStatusCodes: dict[int, int]
    countsByHeaders: dict[str, int]
    """By tracked header, in lower case."""
    countsByHeaderValues: dict[str, dict[str, int]]
    """By tracked header, by value."""
    countsByTargetStatus: dict[str, dict[str, int]]
    countsByTargetStatusCode: dict[str, dict[int, int]]
    countsByTargetHeaders: dict[str, dict[str, int]]
    countsByTargetHeaderValues: dict[str, dict[str, dict[str, int]]]
    targets: dict[str, Measures]
    """By target."""
    all: Measures
    """Of all targets together."""
    histograms: NotRequired[dict[str, Encoded]]
    """By target, where they were asked for."""
    series: NotRequired[dict[str, Series]]
    """By target, where they were asked for: what came of requests over time."""


class Results:
    """Counts by target name. Those of all targets are their sum, made when they are asked for."""

    def __init__(self) -> None:
        self.targets: dict[str, Counts] = {}
        self._cleared: dict[str, Totals] = {}
        """Counts that were cleared, by target; those past a limit under OTHER."""
        self.tracked: dict[bytes, str] = {}
        """The headers that are counted, in lower case: as bytes, which are compared, and as text, which is shown."""

    def of(self, name: str) -> Counts:
        """The counts of a target. They stay the same object through `clear` while a run uses them."""
        name = slot(self.targets, name, NAMES_LIMIT)
        counts = self.targets.get(name)
        if counts is None:
            counts = self.targets[name] = Counts(recorded=len(self.targets) < SERIES_LIMIT)
        return counts

    def clear(self, names: Iterable[str] | None = None) -> None:
        """Clear the results of some targets, or of all."""
        for name in list(self.targets) if names is None else names:
            counts = self.targets.get(name)
            if counts is None:
                continue
            counts.fold()
            self._totals_of(name, self._cleared).add(counts)
            if counts.users:
                counts.clear()
            else:
                del self.targets[name]

    def fold(self) -> None:
        """Count what was noted, here and where it counts too."""
        for counts in self.targets.values():
            counts.fold()

    def flush(self) -> None:
        """What follows is not to be noted along with what was before: where it counts too is about to be cleared."""
        for counts in self.targets.values():
            counts.flush()

    def ever(self) -> dict[str, Totals]:
        """All that was ever counted, by target, cleared or not. Targets past TALLIES_LIMIT come under OTHER."""
        ever: dict[str, Totals] = {}
        for name, totals in self._cleared.items():
            ever.setdefault(name, Totals()).add(totals)
        for name, counts in self.targets.items():
            counts.fold()
            if counts.codes:
                self._totals_of(name, ever).add(counts)
        return ever

    @property
    def uncounted(self) -> int:
        """Targets whose totals are under OTHER."""
        return sum(name not in self._cleared for name in self.targets) if OTHER in self._cleared else 0

    def _totals_of(self, name: str, all_totals: dict[str, Totals]) -> Totals:
        """The totals of a target in `all_totals`, under its name or OTHER; a target that had a place of its own keeps it."""
        if name not in self._cleared:
            if len(self._cleared) >= TALLIES_LIMIT:
                name = OTHER
            self._cleared.setdefault(name, Totals())
        return all_totals.setdefault(name, Totals())

    def merge(self, other: Results) -> None:
        """Add the results of another client."""
        for name, counts in other.targets.items():
            self.of(name).merge(counts)

    def total(self) -> Counts:
        """The counts of all targets together."""
        total = Counts()
        for counts in self.targets.values():
            total.merge(counts)
        return total

    def to_wire(self, *, histograms: bool = False, series: bool = False) -> ClientResults:
        """As `GET /client/results` shows them.

        The keys of the seed, and `targetInvocationCounts`: requests by target, answered or failed. `targets` has by target
        name, and `all` for all together: `requests`, `start` and `end` (RFC 3339 in UTC, null before the first request),
        `requestsPerSecond` between those two, `bytesSent` (requests with their heads), `bytesReceived` (bodies of answers),
        `errors` by kind, `checks` by check, `resent`, `connections` made, and in milliseconds `latency`, `raw` from when a
        request was sent and `corrected` from when it was due, and `phases`;
        each of these `count`, `mean`, `p50`, `p90`, `p99`, `p99.9`,
        `max`. With a rate `rate`: `wanted` and `sent` a second, and how many were `late`. With `histograms`, a key of that name
        has by target `raw`, `corrected` and `phases` as HdrHistogram encodes them, in microseconds, which is all that is needed
        to merge. With `series`, a key of that name has by target what came of its requests over time.
        """
        total = self.total()
        used = {name: counts for name, counts in self.targets.items() if counts.codes}
        shown: ClientResults = {
            "targetInvocationCounts": {name: counts.requests for name, counts in used.items()},
            "countsByStatus": total.texts,
            "countsByStatusCodes": total.codes,
            "countsByHeaders": total.headers,
            "countsByHeaderValues": total.values,
            "countsByTargetStatus": {name: counts.texts for name, counts in used.items()},
            "countsByTargetStatusCode": {name: counts.codes for name, counts in used.items()},
            "countsByTargetHeaders": {name: counts.headers for name, counts in used.items() if counts.headers},
            "countsByTargetHeaderValues": {name: counts.values for name, counts in used.items() if counts.values},
            "targets": {name: _measures(counts) for name, counts in used.items()},
            "all": _measures(total),
        }
        if histograms:
            shown["histograms"] = {
                name: {
                    "raw": counts.raw.encoded(),
                    "corrected": counts.corrected.encoded(),
                    "phases": {phase: latencies.encoded() for phase, latencies in counts.phases.items() if latencies.counts},
                }
                for name, counts in used.items()
            }
        if series:
            shown["series"] = {name: counts.recorder.show() for name, counts in used.items() if counts.recorder is not None}
        return shown

    @classmethod
    def from_wire(cls, document: Any) -> Results:
        """Read what `to_wire(histograms=True)` gave. Without histograms, which the original never gives, there are no latencies.

        Raises ValueError for anything else.
        """
        try:
            wire = msgspec.convert(_without_nulls(document), _Wire)
        except msgspec.ValidationError as error:
            raise ValueError(f"not client results: {error}") from None
        results = cls()
        for name, codes in wire.codes.items():
            counts = results.of(name)
            counts.codes = {whole_number(code, 0, 999, "status code"): count for code, count in codes.items()}
            counts.texts = wire.texts.get(name, {})
            counts.headers = wire.headers.get(name, {})
            counts.values = wire.values.get(name, {})
            measures = wire.targets.get(name)
            if measures is not None:
                counts.start, counts.end = _seconds(measures.start), _seconds(measures.end)
                counts.bytes_sent, counts.bytes_received = measures.bytes_sent, measures.bytes_received
                counts.errors = measures.errors
                counts.checks = measures.checks
                counts.connections = measures.connections
                counts.resent = measures.resent
                if (rate := measures.rate) is not None:
                    counts.rate = Rate(rate.late, (rate.wanted, rate.sent))
            encoded = wire.histograms.get(name)
            if encoded is not None:
                counts.raw = Latencies.decoded(encoded.raw)
                counts.corrected = Latencies.decoded(encoded.corrected)
                for phase in PHASES:
                    if phase in encoded.phases:
                        counts.phases[phase] = Latencies.decoded(encoded.phases[phase])
        return results


class _WireRate(msgspec.Struct):
    wanted: float = 0.0
    sent: float = 0.0
    late: int = 0


class _WireMeasures(msgspec.Struct, rename="camel"):
    start: datetime | None = None
    end: datetime | None = None
    bytes_sent: int = 0
    bytes_received: int = 0
    errors: dict[str, int] = {}
    checks: dict[str, int] = {}
    connections: int = 0
    resent: int = 0
    rate: _WireRate | None = None


class _WireHistograms(msgspec.Struct):
    raw: str
    corrected: str
    phases: dict[str, str] = {}


class _Wire(msgspec.Struct):
    """The part of the results that the rest follows from."""

    codes: dict[str, dict[str, int]] = msgspec.field(name="countsByTargetStatusCode", default_factory=dict)
    texts: dict[str, dict[str, int]] = msgspec.field(name="countsByTargetStatus", default_factory=dict)
    headers: dict[str, dict[str, int]] = msgspec.field(name="countsByTargetHeaders", default_factory=dict)
    values: dict[str, dict[str, dict[str, int]]] = msgspec.field(name="countsByTargetHeaderValues", default_factory=dict)
    targets: dict[str, _WireMeasures] = {}
    histograms: dict[str, _WireHistograms] = {}


def _without_nulls(value: Any) -> Any:
    """The original writes null for an empty map."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _seconds(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _measures(counts: Counts) -> Measures:
    measures: Measures = {
        "requests": counts.requests,
        "start": _moment(counts.start),
        "end": _moment(counts.end),
        "requestsPerSecond": round(counts.per_second, 3),
        "bytesSent": counts.bytes_sent,
        "bytesReceived": counts.bytes_received,
        "errors": counts.errors,
        "checks": counts.checks,
        "resent": counts.resent,
        "connections": counts.connections,
        "latency": {"raw": counts.raw.summary(), "corrected": counts.corrected.summary()},
        "phases": cast("Phases", {phase: counts.phases[phase].summary() for phase in PHASES}),
    }
    if counts.rate is not None:
        measures["rate"] = counts.rate.show()
    return measures


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
