"""The typed client: a method for each route, under its fixed words. Written from the table of routes by `make client`.

    calls = Calls("http://localhost:8080")
    calls.response.delay.set("200ms")               # PUT /response/delay/set/200ms
    calls.response.rules.add(name="flaky", status=503, count=2)
    calls.request("PUT", "/response/mine/on")       # a route of a feature of your own

Words in braces are arguments in the order of the path, then come the query's parameters by name. A JSON body is given by the
fields of its struct, or as the struct. A text is answered without its line end. Errors are those of `goto.testing.failures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict, Unpack, overload

from goto.client.arrived import ArrivedRun, ArrivedSummary
from goto.client.feature import OnceTarget, ToReconcile
from goto.client.invocation import InvocationShown
from goto.client.reconcile import Reconciled
from goto.client.results import ClientResults
from goto.client.stages import Stage
from goto.client.target import ClientTarget, CompleteTarget
from goto.features.arrivals.service import NewRun
from goto.features.bypass import BypassState
from goto.features.proxy.target import ProxyTarget
from goto.features.rules.rule import Entry, Pace, Rule, Stall, Truncate, Weighted
from goto.features.rules.shown import Planned, ShownRule
from goto.features.status_counts import CountsByStatus, CountsOfStatus
from goto.features.timeouts import TimeoutReport
from goto.features.tracking import CountsByValue
from goto.instance.about import Listed, Version
from goto.instance.watch import News
from goto.journal.expectation import GivenExpectation, ShownExpectation
from goto.journal.formats import Entries
from goto.journal.shown import ShownEntry
from goto.journal.verdict import Question, Verdict
from goto.journal.wanted import Wanted
from goto.matching.criteria import Criteria
from goto.matching.when import When
from goto.registry.service import GatheredResults, PeerSpec, PeerState, Registered
from goto.testing.asking import Answer
from goto.testing.callers import AsyncRequest, AsyncRoot, AsyncWords, Request, Root, Under, Words
from goto.testing.routes import Route
from goto.tls.settings import ListenerTls, TargetTls
from goto.traffic.listener import ListenerSpec, ListenerState
from goto.upstream.kept import Reported

__all__ = ["AsyncCalls", "Calls"]


class ListenerSpecFields(TypedDict, total=False):
    """The fields of `ListenerSpec`."""

    port: int
    protocol: str
    label: str
    admin: bool
    tls: ListenerTls | Mapping[str, Any] | None
    open: bool


class GivenExpectationFields(TypedDict, total=False):
    """The fields of `GivenExpectation`."""

    name: str
    when: Wanted | Mapping[str, Any] | None
    inOrder: Sequence[Wanted | Mapping[str, Any]]
    count: int | Mapping[str, Any] | None


class QuestionFields(TypedDict, total=False):
    """The fields of `Question`."""

    when: Wanted | Mapping[str, Any] | None
    inOrder: Sequence[Wanted | Mapping[str, Any]] | None
    expectation: str | None
    count: int | Mapping[str, Any] | None
    timeout: str | float
    settle: str | float | None
    since: int


class NewRunFields(TypedDict, total=False):
    """The fields of `NewRun`."""

    run: str


class ProxyTargetFields(TypedDict, total=False):
    """The fields of `ProxyTarget`."""

    name: str
    url: str
    sendId: bool
    replaceURI: str
    addHeaders: Sequence[Sequence[str]]
    removeHeaders: Sequence[str]
    addQuery: Sequence[Sequence[str]]
    removeQuery: Sequence[str]
    match: Criteria | Mapping[str, Any]
    when: When | Mapping[str, Any] | None
    unless: When | Mapping[str, Any] | None
    replicas: int
    enabled: bool
    fallback: bool
    requestTimeout: str | float
    bodyTimeout: str | float | None
    verifyTLS: bool
    tls: TargetTls | Mapping[str, Any] | None


class RuleFields(TypedDict, total=False):
    """The fields of `Rule`."""

    name: str
    when: When | Mapping[str, Any]
    unless: When | Mapping[str, Any] | None
    enabled: bool
    at: str
    probability: float
    seed: int | None
    skip: int
    every: int
    count: int | None
    per: str | None
    after: str | float
    for_: str | float | None
    probes: bool
    receipt: bool
    answers: Sequence[Entry | Mapping[str, Any]] | None
    then: str | None
    oneOf: Sequence[Weighted | Mapping[str, Any]] | None
    trigger: Sequence[str]
    status: int | str | None
    body: str | None
    json: Mapping[str, Any] | Sequence[Any] | str | float | bool | None
    base64: str | None
    size: str | int | None
    file: str | None
    headers: Sequence[Sequence[str]]
    abort: str | None
    garble: str | Mapping[str, Any] | None
    delay: str | Mapping[str, Any] | None
    truncate: Truncate | Mapping[str, Any] | None
    pace: Pace | Mapping[str, Any] | None
    stall: Stall | Mapping[str, Any] | None


class OnceTargetFields(TypedDict, total=False):
    """The fields of `OnceTarget`."""

    method: str
    url: str
    headers: Sequence[Sequence[str]]
    body: str
    bodyReader: None
    replicas: int
    requestCount: int
    delay: str | float
    rate: float | None
    sendId: bool
    requestTimeout: str | float
    connTimeout: str | float
    connIdleTimeout: str | float
    autoInvoke: bool
    verifyTLS: bool
    tls: TargetTls | Mapping[str, Any] | None
    http2: bool
    addresses: str
    duration: str | float
    keepAlive: bool
    requestsPerConnection: int | None
    bodyBase64: str
    urls: Sequence[str]
    pick: str
    variables: bool
    stages: Sequence[Stage | Mapping[str, Any]]
    checks: Sequence[str]
    connectTo: str | None
    proxy: str | None
    maxTime: str | float
    reconcile: bool
    gaps: bool
    name: str


class ClientTargetFields(TypedDict, total=False):
    """The fields of `ClientTarget`."""

    name: str
    method: str
    url: str
    headers: Sequence[Sequence[str]]
    body: str
    bodyReader: None
    replicas: int
    requestCount: int
    delay: str | float
    rate: float | None
    sendId: bool
    requestTimeout: str | float
    connTimeout: str | float
    connIdleTimeout: str | float
    autoInvoke: bool
    verifyTLS: bool
    tls: TargetTls | Mapping[str, Any] | None
    http2: bool
    addresses: str
    duration: str | float
    keepAlive: bool
    requestsPerConnection: int | None
    bodyBase64: str
    urls: Sequence[str]
    pick: str
    variables: bool
    stages: Sequence[Stage | Mapping[str, Any]]
    checks: Sequence[str]
    connectTo: str | None
    proxy: str | None
    maxTime: str | float
    reconcile: bool
    gaps: bool


class ToReconcileFields(TypedDict, total=False):
    """The fields of `ToReconcile`."""

    targets: Sequence[str]
    server: str | None
    token: str | None


class PeerSpecFields(TypedDict, total=False):
    """The fields of `PeerSpec`."""

    name: str
    address: str


LISTENERS_ADD: Final = Route[str]("POST", "/listeners/add", str, body="json")
LISTENERS_OPEN: Final = Route[str]("PUT", "/listeners/{port}/open", str)
LISTENERS_CLOSE: Final = Route[str]("PUT", "/listeners/{port}/close", str)
LISTENERS_REMOVE: Final = Route[str]("PUT", "/listeners/{port}/remove", str)
LISTENERS: Final = Route[dict[str, ListenerState]]("GET", "/listeners", dict[str, ListenerState])
GOTO_RESET_ALL: Final = Route[str]("PUT", "/goto/reset/all", str)
GOTO_RESET: Final = Route[str]("PUT", "/goto/reset", str)
GOTO_JOURNAL_EXPECTATIONS_ADD: Final = Route[str]("POST", "/goto/journal/expectations/add", str, body="json")
GOTO_JOURNAL_EXPECTATIONS_REMOVE: Final = Route[str]("PUT", "/goto/journal/expectations/{name}/remove", str)
GOTO_JOURNAL_EXPECTATIONS_CLEAR: Final = Route[str]("PUT", "/goto/journal/expectations/clear", str)
GOTO_JOURNAL_EXPECTATIONS: Final = Route[dict[str, ShownExpectation]](
    "GET", "/goto/journal/expectations", dict[str, ShownExpectation]
)
GOTO_JOURNAL_EXPECTATIONS_NAME: Final = Route[ShownExpectation](
    "GET", "/goto/journal/expectations/{name}", ShownExpectation, query=("wait",), durations=frozenset(["wait"])
)
GOTO_JOURNAL_SET: Final = Route[str]("PUT", "/goto/journal/set/{flag}", str)
GOTO_JOURNAL_CLEAR: Final = Route[str]("PUT", "/goto/journal/clear", str)
GOTO_JOURNAL_VERIFY: Final = Route[Verdict](
    "POST", "/goto/journal/verify", Verdict, body="json", durations=frozenset(["settle", "timeout"])
)
GOTO_JOURNAL: Final = Route[Entries](
    "GET",
    "/goto/journal",
    Entries,
    query=(
        "listener",
        "method",
        "target",
        "rule",
        "end",
        "id",
        "uri",
        "header",
        "query",
        "status",
        "since",
        "limit",
        "wait",
        "format",
    ),
    durations=frozenset(["wait"]),
)
GOTO_JOURNAL_SEQ: Final = Route[ShownEntry]("GET", "/goto/journal/{seq}", ShownEntry)
GOTO_ARRIVALS_ADD: Final = Route[str]("POST", "/goto/arrivals/add", str, body="json")
GOTO_ARRIVALS_REMOVE: Final = Route[str]("PUT", "/goto/arrivals/{run}/remove", str)
GOTO_ARRIVALS_CLEAR: Final = Route[str]("PUT", "/goto/arrivals/clear", str)
GOTO_ARRIVALS: Final = Route[dict[str, ArrivedSummary]]("GET", "/goto/arrivals", dict[str, ArrivedSummary])
GOTO_ARRIVALS_RUN: Final = Route[ArrivedRun]("GET", "/goto/arrivals/{run}", ArrivedRun)
GOTO_CA_PEM: Final = Route[str]("GET", "/goto/ca.pem", str)
GOTO_CONFIG: Final = Route[dict[str, Any]]("GET", "/goto/config", dict[str, Any])
GOTO_CONFIG_POST: Final = Route[str]("POST", "/goto/config", str, query=("replace", "dry"), body="raw")
GOTO_WATCH: Final = Route[News](
    "GET", "/goto/watch", News, query=("since", "wait", "journal", "runs", "listener"), durations=frozenset(["wait"])
)
GOTO_LIMITS: Final = Route[dict[str, Any]]("GET", "/goto/limits", dict[str, Any])
GOTO_HEALTH: Final = Route[str]("GET", "/goto/health", str)
GOTO_READY: Final = Route[str]("GET", "/goto/ready", str)
GOTO_VERSION: Final = Route[Version]("GET", "/goto/version", Version)
GOTO_HELP: Final = Route[list[Listed]]("GET", "/goto/help", list[Listed])
GOTO_UI: Final = Route[str]("GET", "/goto/ui", str)
GOTO_UI_FILE: Final = Route[str]("GET", "/goto/ui/{file}", str)
GOTO_OPENAPI_JSON: Final = Route[dict[str, Any]]("GET", "/goto/openapi.json", dict[str, Any])
GOTO_DOCS: Final = Route[str]("GET", "/goto/docs", str)
GOTO_DOCS_FILE: Final = Route[str]("GET", "/goto/docs/{file}", str)
GOTO_METRICS: Final = Route[str]("GET", "/goto/metrics", str)
GOTO: Final = Route[str]("GET", "/goto", str)
LABEL_SET: Final = Route[str]("PUT", "/label/set/{label}", str)
LABEL_CLEAR: Final = Route[str]("PUT", "/label/clear", str)
LABEL: Final = Route[str]("GET", "/label", str)
REQUEST_URI_BYPASS_STATUS_SET: Final = Route[str]("PUT", "/request/uri/bypass/status/set/{status}", str)
REQUEST_URI_BYPASS_STATUS: Final = Route[str]("GET", "/request/uri/bypass/status", str)
REQUEST_URI_BYPASS_ADD: Final = Route[str]("PUT", "/request/uri/bypass/add", str, query=("uri!",))
REQUEST_URI_BYPASS_REMOVE: Final = Route[str]("PUT", "/request/uri/bypass/remove", str, query=("uri!",))
REQUEST_URI_BYPASS_CLEAR: Final = Route[str]("PUT", "/request/uri/bypass/clear", str)
REQUEST_URI_BYPASS_COUNTS: Final = Route[int]("GET", "/request/uri/bypass/counts", int, query=("uri!",))
REQUEST_URI_BYPASS: Final = Route[BypassState]("GET", "/request/uri/bypass", BypassState)
REQUEST_TIMEOUT_TRACK_ALL: Final = Route[str]("PUT", "/request/timeout/track/all", str)
REQUEST_TIMEOUT_TRACK_HEADERS: Final = Route[str]("PUT", "/request/timeout/track/headers/{headers}", str)
REQUEST_TIMEOUT_TRACK_CLEAR: Final = Route[str]("POST", "/request/timeout/track/clear", str)
REQUEST_TIMEOUT_STATUS: Final = Route[TimeoutReport]("POST", "/request/timeout/status", TimeoutReport)
REQUEST_HEADERS_TRACK_COUNTS_CLEAR_PUT: Final = Route[str]("PUT", "/request/headers/track/counts/clear", str)
REQUEST_HEADERS_TRACK_COUNTS_CLEAR: Final = Route[str]("PUT", "/request/headers/track/counts/clear/{headers}", str)
REQUEST_HEADERS_TRACK_COUNTS_GET: Final = Route[dict[str, CountsByValue]](
    "GET", "/request/headers/track/counts", dict[str, CountsByValue]
)
REQUEST_HEADERS_TRACK_COUNTS: Final = Route[CountsByValue]("GET", "/request/headers/track/{header}/counts", CountsByValue)
REQUEST_HEADERS_TRACK_ADD: Final = Route[str]("PUT", "/request/headers/track/add/{headers}", str)
REQUEST_HEADERS_TRACK_REMOVE: Final = Route[str]("PUT", "/request/headers/track/{header}/remove", str)
REQUEST_HEADERS_TRACK_CLEAR: Final = Route[str]("POST", "/request/headers/track/clear", str)
REQUEST_HEADERS_TRACK: Final = Route[list[str]]("GET", "/request/headers/track", list[str])
REQUEST_PROXY_TARGETS_ADD: Final = Route[str](
    "POST", "/request/proxy/targets/add", str, body="json", durations=frozenset(["bodyTimeout", "requestTimeout"])
)
REQUEST_PROXY_TARGETS_REMOVE: Final = Route[str]("PUT", "/request/proxy/targets/{target}/remove", str)
REQUEST_PROXY_TARGETS_ENABLE: Final = Route[str]("PUT", "/request/proxy/targets/{target}/enable", str)
REQUEST_PROXY_TARGETS_DISABLE: Final = Route[str]("PUT", "/request/proxy/targets/{target}/disable", str)
REQUEST_PROXY_TARGETS_INVOKE: Final = Route[Answer]("POST", "/request/proxy/targets/{targets}/invoke", Answer, body="forward")
REQUEST_PROXY_TARGETS_CLEAR: Final = Route[str]("PUT", "/request/proxy/targets/clear", str)
REQUEST_PROXY_TARGETS: Final = Route[dict[str, ProxyTarget]]("GET", "/request/proxy/targets", dict[str, ProxyTarget])
RESPONSE_DELAY_SET: Final = Route[str]("PUT", "/response/delay/set/{delay}", str)
RESPONSE_DELAY_CLEAR: Final = Route[str]("PUT", "/response/delay/clear", str)
RESPONSE_DELAY: Final = Route[str]("GET", "/response/delay", str)
RESPONSE_STATUS_COUNTS_CLEAR: Final = Route[str]("PUT", "/response/status/counts/clear", str)
RESPONSE_STATUS_COUNTS: Final = Route[CountsByStatus]("GET", "/response/status/counts", CountsByStatus)
RESPONSE_STATUS_COUNTS_STATUS: Final = Route[CountsOfStatus]("GET", "/response/status/counts/{status}", CountsOfStatus)
RESPONSE_STATUS_SET: Final = Route[str]("PUT", "/response/status/set/{status}", str)
RESPONSE_STATUS_CLEAR: Final = Route[str]("PUT", "/response/status/clear", str)
RESPONSE_STATUS: Final = Route[str]("GET", "/response/status", str)
RESPONSE_HEADERS_ADD: Final = Route[str]("PUT", "/response/headers/add/{header}/{value}", str)
RESPONSE_HEADERS_SET_GET: Final = Route[dict[str, str]]("GET", "/response/headers/set", dict[str, str])
RESPONSE_HEADERS_SET: Final = Route[str]("PUT", "/response/headers/set/{header}/{value}", str)
RESPONSE_HEADERS_REMOVE: Final = Route[str]("PUT", "/response/headers/remove/{header}", str)
RESPONSE_HEADERS_CLEAR: Final = Route[str]("PUT", "/response/headers/clear", str)
RESPONSE_HEADERS: Final = Route[dict[str, list[str]]]("GET", "/response/headers", dict[str, list[str]])
RESPONSE_RULES_ENABLE_ALL: Final = Route[str]("PUT", "/response/rules/enable/all", str)
RESPONSE_RULES_ENABLE: Final = Route[str]("PUT", "/response/rules/{rule}/enable", str)
RESPONSE_RULES_DISABLE_ALL: Final = Route[str]("PUT", "/response/rules/disable/all", str)
RESPONSE_RULES_DISABLE: Final = Route[str]("PUT", "/response/rules/{rule}/disable", str)
RESPONSE_RULES_ADD: Final = Route[str]("POST", "/response/rules/add", str, body="json", durations=frozenset(["after", "for"]))
RESPONSE_RULES_REMOVE: Final = Route[str]("PUT", "/response/rules/{rule}/remove", str)
RESPONSE_RULES_RESET: Final = Route[str]("PUT", "/response/rules/{rule}/reset", str)
RESPONSE_RULES_CLEAR: Final = Route[str]("PUT", "/response/rules/clear", str)
RESPONSE_RULES_PLAN: Final = Route[list[Planned]]("GET", "/response/rules/{rule}/plan", list[Planned], query=("from", "count"))
RESPONSE_RULES: Final = Route[dict[str, ShownRule]]("GET", "/response/rules", dict[str, ShownRule])
RESPONSE_RULES_RULE: Final = Route[ShownRule]("GET", "/response/rules/{rule}", ShownRule)
CLIENT_TARGETS_INVOKE_ALL: Final = Route[str | list[Reported]]("POST", "/client/targets/invoke/all", str | list[Reported])
CLIENT_TARGETS_INVOKE_POST: Final = Route[list[Reported]](
    "POST",
    "/client/targets/invoke",
    list[Reported],
    body="json",
    durations=frozenset(["connIdleTimeout", "connTimeout", "delay", "duration", "maxTime", "requestTimeout"]),
)
CLIENT_TARGETS_INVOKE: Final = Route[str | list[Reported]]("POST", "/client/targets/{targets}/invoke", str | list[Reported])
CLIENT_TARGETS_STOP_ALL: Final = Route[str]("POST", "/client/targets/stop/all", str)
CLIENT_TARGETS_STOP: Final = Route[str]("POST", "/client/targets/{targets}/stop", str)
CLIENT_TARGETS_ADD: Final = Route[str](
    "POST",
    "/client/targets/add",
    str,
    body="json",
    durations=frozenset(["connIdleTimeout", "connTimeout", "delay", "duration", "maxTime", "requestTimeout"]),
)
CLIENT_TARGETS_REMOVE: Final = Route[str]("PUT", "/client/targets/{target}/remove", str)
CLIENT_TARGETS_CLEAR: Final = Route[str]("PUT", "/client/targets/clear", str)
CLIENT_TARGETS: Final = Route[dict[str, CompleteTarget]]("GET", "/client/targets", dict[str, CompleteTarget])
CLIENT_REPORTING_SET: Final = Route[str]("PUT", "/client/reporting/set/{flag}", str)
CLIENT_REPORTING: Final = Route[str]("GET", "/client/reporting", str)
CLIENT_TRACK_HEADERS_ADD: Final = Route[str]("PUT", "/client/track/headers/add/{headers}", str)
CLIENT_TRACK_HEADERS_REMOVE: Final = Route[str]("PUT", "/client/track/headers/remove/{headers}", str)
CLIENT_TRACK_HEADERS_CLEAR: Final = Route[str]("POST", "/client/track/headers/clear", str)
CLIENT_TRACK_HEADERS: Final = Route[str]("GET", "/client/track/headers", str)
CLIENT_RESULTS_INVOCATIONS: Final = Route[list[InvocationShown]]("GET", "/client/results/invocations", list[InvocationShown])
CLIENT_RESULTS_INVOCATIONS_ID: Final = Route[ClientResults](
    "GET", "/client/results/invocations/{id}", ClientResults, query=("histograms", "series")
)
CLIENT_RESULTS_CLEAR_POST: Final = Route[str]("POST", "/client/results/clear", str)
CLIENT_RESULTS_CLEAR: Final = Route[str]("POST", "/client/results/{targets}/clear", str)
CLIENT_RESULTS: Final = Route[ClientResults](
    "GET", "/client/results", ClientResults, query=("histograms", "series", "wait"), durations=frozenset(["wait"])
)
CLIENT_RECONCILE: Final = Route[dict[str, Reconciled]]("POST", "/client/reconcile", dict[str, Reconciled], body="json")
REGISTRY_PEERS_TARGETS_ADD: Final = Route[str](
    "POST",
    "/registry/peers/{peer}/targets/add",
    str,
    body="json",
    durations=frozenset(["connIdleTimeout", "connTimeout", "delay", "duration", "maxTime", "requestTimeout"]),
)
REGISTRY_PEERS_TARGETS_REMOVE: Final = Route[str]("PUT", "/registry/peers/{peer}/targets/{target}/remove", str)
REGISTRY_PEERS_TARGETS_CLEAR: Final = Route[str]("POST", "/registry/peers/{peer}/targets/clear", str)
REGISTRY_PEERS_TARGETS: Final = Route[dict[str, CompleteTarget]](
    "GET", "/registry/peers/{peer}/targets", dict[str, CompleteTarget]
)
REGISTRY_PEERS_ADD: Final = Route[Registered]("POST", "/registry/peers/add", Registered, body="json")
REGISTRY_PEERS_REMOVE: Final = Route[str]("PUT", "/registry/peers/{peer}/remove/{address}", str)
REGISTRY_PEERS_CLEAR: Final = Route[str]("POST", "/registry/peers/clear", str)
REGISTRY_PEERS: Final = Route[list[PeerState]]("GET", "/registry/peers", list[PeerState])
REGISTRY_RESULTS: Final = Route[GatheredResults]("GET", "/registry/results", GatheredResults, query=("histograms",))


class ListenersCalls(Words):
    """`/listeners`"""

    @overload
    def add(self, spec: ListenerSpec, /) -> str: ...
    @overload
    def add(self, **fields: Unpack[ListenerSpecFields]) -> str: ...
    def add(self, *words: Any, **fields: Any) -> Any:
        """Add a listener. It is closed until it is opened, which `"open": true` does at once."""
        return self._call(LISTENERS_ADD, *words, **fields)

    def open(self, port: int) -> str:
        """Open an added listener to traffic."""
        return self._call(LISTENERS_OPEN, port)

    def close(self, port: int) -> str:
        """Close a listener: nothing new is accepted, exchanges in flight finish."""
        return self._call(LISTENERS_CLOSE, port)

    def remove(self, port: int) -> str:
        """Close a listener and forget it."""
        return self._call(LISTENERS_REMOVE, port)

    def __call__(self) -> dict[str, ListenerState]:
        """List the listeners, by port."""
        return self._call(LISTENERS)


class GotoResetCalls(Words):
    """`/goto/reset`"""

    def all(self) -> str:
        """Put all listeners back likewise, with the registry's targets and the journal; listeners, peers and limits stay."""
        return self._call(GOTO_RESET_ALL)

    def __call__(self) -> str:
        """Put a listener back to what options and files say, as they were applied last, and forget what it has counted."""
        return self._call(GOTO_RESET)


class GotoJournalExpectationsCalls(Words):
    """`/goto/journal/expectations`"""

    @overload
    def add(self, expectation: GivenExpectation, /) -> str: ...
    @overload
    def add(self, **fields: Unpack[GivenExpectationFields]) -> str: ...
    def add(self, *words: Any, **fields: Any) -> Any:
        """Count exchanges that fit from now on, whether the journal is on or not; a known name begins anew."""
        return self._call(GOTO_JOURNAL_EXPECTATIONS_ADD, *words, **fields)

    def remove(self, name: str) -> str:
        """Remove an expectation."""
        return self._call(GOTO_JOURNAL_EXPECTATIONS_REMOVE, name)

    def clear(self) -> str:
        """Remove all expectations."""
        return self._call(GOTO_JOURNAL_EXPECTATIONS_CLEAR)

    @overload
    def __call__(self) -> dict[str, ShownExpectation]: ...
    @overload
    def __call__(self, name: str, /, *, wait: str | float | None = None) -> ShownExpectation: ...
    def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show all expectations, and what has come of them.

        Show what has come of one expectation, waiting until it holds if need be.
        """
        return self._one_of((GOTO_JOURNAL_EXPECTATIONS, GOTO_JOURNAL_EXPECTATIONS_NAME), words, fields)


class GotoJournalCalls(Words):
    """`/goto/journal`"""

    expectations = Under(GotoJournalExpectationsCalls)

    def set(self, flag: bool) -> str:
        """Turn the journal on, with the usual bounds if nothing else was set, or off, which forgets its entries and settings."""
        return self._call(GOTO_JOURNAL_SET, flag)

    def clear(self) -> str:
        """Forget all entries. Expectations stay."""
        return self._call(GOTO_JOURNAL_CLEAR)

    @overload
    def verify(self, question: Question, /) -> Verdict: ...
    @overload
    def verify(self, **fields: Unpack[QuestionFields]) -> Verdict: ...
    def verify(self, *words: Any, **fields: Any) -> Any:
        """Tell whether so many exchanges fit, waiting for them if need be; where it does not hold, what came nearest."""
        return self._call(GOTO_JOURNAL_VERIFY, *words, **fields)

    @overload
    def __call__(
        self,
        *,
        listener: int | None = None,
        method: str | None = None,
        target: str | None = None,
        rule: str | None = None,
        end: str | None = None,
        id_: str | None = None,
        uri: str | None = None,
        header: str | None = None,
        query: str | None = None,
        status: str | int | None = None,
        since: str | None = None,
        limit: int | None = None,
        wait: str | float | None = None,
        format_: str | None = None,
    ) -> Entries: ...
    @overload
    def __call__(self, seq: int, /) -> ShownEntry: ...
    def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show what went through, oldest first; what the query gives has to fit together.

        Show one exchange.
        """
        return self._one_of((GOTO_JOURNAL, GOTO_JOURNAL_SEQ), words, fields)


class GotoArrivalsCalls(Words):
    """`/goto/arrivals`"""

    @overload
    def add(self, new: NewRun, /) -> str: ...
    @overload
    def add(self, **fields: Unpack[NewRunFields]) -> str: ...
    def add(self, *words: Any, **fields: Any) -> Any:
        """Count which requests of a run arrive, from now on; the oldest run is given up where there are too many."""
        return self._call(GOTO_ARRIVALS_ADD, *words, **fields)

    def remove(self, run: str) -> str:
        """Forget a run."""
        return self._call(GOTO_ARRIVALS_REMOVE, run)

    def clear(self) -> str:
        """Forget all runs."""
        return self._call(GOTO_ARRIVALS_CLEAR)

    @overload
    def __call__(self) -> dict[str, ArrivedSummary]: ...
    @overload
    def __call__(self, run: str, /) -> ArrivedRun: ...
    def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show what arrived of each run that is known, without its numbers, the oldest first.

        Show what arrived of a run, with its numbers; exchanges that are under way are waited for, at most a second.
        """
        return self._one_of((GOTO_ARRIVALS, GOTO_ARRIVALS_RUN), words, fields)


class GotoCalls(Words):
    """`/goto`"""

    reset = Under(GotoResetCalls)
    journal = Under(GotoJournalCalls)
    arrivals = Under(GotoArrivalsCalls)

    def ca_pem(self) -> str:
        """Show the certificate of the CA of https listeners that were given none, for clients to trust."""
        return self._call(GOTO_CA_PEM)

    @overload
    def config(self) -> dict[str, Any]: ...
    @overload
    def config(self, *, body: bytes | str | Mapping[str, Any], replace: bool | None = None, dry: bool | None = None) -> str: ...
    def config(self, *words: Any, **fields: Any) -> Any:
        """Show the present configuration as a document, in YAML, or in JSON with `Accept: application/json`.

        Merge a document in YAML or JSON into the present configuration, or with `?replace=y` replace it.
        """
        return self._one_of((GOTO_CONFIG, GOTO_CONFIG_POST), words, fields)

    def watch(
        self,
        *,
        since: str | None = None,
        wait: str | float | None = None,
        journal: bool | None = None,
        runs: bool | None = None,
        listener: int | None = None,
    ) -> News:
        """Tell what is new since a cursor, waiting for it if need be: changes, entries of the journal, counts, client runs."""
        return self._call(GOTO_WATCH, since=since, wait=wait, journal=journal, runs=runs, listener=listener)

    def limits(self) -> dict[str, Any]:
        """Show the limits of this process, and how often each was hit."""
        return self._call(GOTO_LIMITS)

    def health(self) -> str:
        """Say that this process lives."""
        return self._call(GOTO_HEALTH)

    def ready(self) -> str:
        """Say whether traffic may be sent here: 200 or 503."""
        return self._call(GOTO_READY)

    def version(self) -> Version:
        """Show the version."""
        return self._call(GOTO_VERSION)

    def help(self) -> list[Listed]:
        """List the routes with what they do."""
        return self._call(GOTO_HELP)

    @overload
    def ui(self) -> str: ...
    @overload
    def ui(self, file: str, /) -> str: ...
    def ui(self, *words: Any, **fields: Any) -> Any:
        """Show this goto on a page, and control it.

        Show a file of that page.
        """
        return self._one_of((GOTO_UI, GOTO_UI_FILE), words, fields)

    def openapi_json(self) -> dict[str, Any]:
        """Show the OpenAPI document of all routes."""
        return self._call(GOTO_OPENAPI_JSON)

    @overload
    def docs(self) -> str: ...
    @overload
    def docs(self, file: str, /) -> str: ...
    def docs(self, *words: Any, **fields: Any) -> Any:
        """Show all routes on a page that can call them.

        Show a file of that page.
        """
        return self._one_of((GOTO_DOCS, GOTO_DOCS_FILE), words, fields)

    def metrics(self) -> str:
        """Show the metrics of this process, as Prometheus reads them or as OpenMetrics."""
        return self._call(GOTO_METRICS)

    def __call__(self) -> str:
        """Lead to the page."""
        return self._call(GOTO)


class LabelCalls(Words):
    """`/label`"""

    def set(self, label: str) -> str:
        """Set the label of this port, which `Via-Goto` then carries."""
        return self._call(LABEL_SET, label)

    def clear(self) -> str:
        """Remove the label; `Via-Goto` carries the port again."""
        return self._call(LABEL_CLEAR)

    def __call__(self) -> str:
        """Show the label of this port."""
        return self._call(LABEL)


class RequestUriBypassStatusCalls(Words):
    """`/request/uri/bypass/status`"""

    def set(self, status: int) -> str:
        """Set the status that bypass URIs are answered with."""
        return self._call(REQUEST_URI_BYPASS_STATUS_SET, status)

    def __call__(self) -> str:
        """Show the status that bypass URIs are answered with."""
        return self._call(REQUEST_URI_BYPASS_STATUS)


class RequestUriBypassCalls(Words):
    """`/request/uri/bypass`"""

    status = Under(RequestUriBypassStatusCalls)

    def add(self, uri: str) -> str:
        """Add a bypass URI."""
        return self._call(REQUEST_URI_BYPASS_ADD, uri=uri)

    def remove(self, uri: str) -> str:
        """Remove a bypass URI."""
        return self._call(REQUEST_URI_BYPASS_REMOVE, uri=uri)

    def clear(self) -> str:
        """Remove all bypass URIs."""
        return self._call(REQUEST_URI_BYPASS_CLEAR)

    def counts(self, uri: str) -> int:
        """Show how many requests a bypass URI got."""
        return self._call(REQUEST_URI_BYPASS_COUNTS, uri=uri)

    def __call__(self) -> BypassState:
        """List the bypass URIs with their counts, and their status."""
        return self._call(REQUEST_URI_BYPASS)


class RequestUriCalls(Words):
    """`/request/uri`"""

    bypass = Under(RequestUriBypassCalls)


class RequestTimeoutTrackCalls(Words):
    """`/request/timeout/track`"""

    def all(self) -> str:
        """Track how all requests end."""
        return self._call(REQUEST_TIMEOUT_TRACK_ALL)

    def headers(self, headers: str | Sequence[str]) -> str:
        """Track how requests end by the values of some headers."""
        return self._call(REQUEST_TIMEOUT_TRACK_HEADERS, headers)

    def clear(self) -> str:
        """Stop tracking timeouts and forget what was counted."""
        return self._call(REQUEST_TIMEOUT_TRACK_CLEAR)


class RequestTimeoutCalls(Words):
    """`/request/timeout`"""

    track = Under(RequestTimeoutTrackCalls)

    def status(self) -> TimeoutReport:
        """Report how tracked requests have ended so far."""
        return self._call(REQUEST_TIMEOUT_STATUS)


class RequestHeadersTrackCountsCalls(Words):
    """`/request/headers/track/counts`"""

    @overload
    def clear(self) -> str: ...
    @overload
    def clear(self, headers: str | Sequence[str], /) -> str: ...
    def clear(self, *words: Any, **fields: Any) -> Any:
        """Clear the counts of all tracked headers.

        Clear the counts of some tracked headers.
        """
        return self._one_of((REQUEST_HEADERS_TRACK_COUNTS_CLEAR_PUT, REQUEST_HEADERS_TRACK_COUNTS_CLEAR), words, fields)

    @overload
    def __call__(self) -> dict[str, CountsByValue]: ...
    @overload
    def __call__(self, header: str, /) -> CountsByValue: ...
    def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show the counts of all tracked headers.

        Show the counts of a tracked header.
        """
        return self._one_of((REQUEST_HEADERS_TRACK_COUNTS_GET, REQUEST_HEADERS_TRACK_COUNTS), words, fields)


class RequestHeadersTrackCalls(Words):
    """`/request/headers/track`"""

    counts = Under(RequestHeadersTrackCountsCalls)

    def add(self, headers: str | Sequence[str]) -> str:
        """Track some headers; one that is tracked already keeps its counts."""
        return self._call(REQUEST_HEADERS_TRACK_ADD, headers)

    def remove(self, header: str) -> str:
        """Stop tracking a header."""
        return self._call(REQUEST_HEADERS_TRACK_REMOVE, header)

    def clear(self) -> str:
        """Stop tracking all headers."""
        return self._call(REQUEST_HEADERS_TRACK_CLEAR)

    def __call__(self) -> list[str]:
        """List the tracked headers."""
        return self._call(REQUEST_HEADERS_TRACK)


class RequestHeadersCalls(Words):
    """`/request/headers`"""

    track = Under(RequestHeadersTrackCalls)


class RequestProxyTargetsCalls(Words):
    """`/request/proxy/targets`"""

    @overload
    def add(self, target: ProxyTarget, /) -> str: ...
    @overload
    def add(self, **fields: Unpack[ProxyTargetFields]) -> str: ...
    def add(self, *words: Any, **fields: Any) -> Any:
        """Add a proxy target, or replace the one of that name, in its place."""
        return self._call(REQUEST_PROXY_TARGETS_ADD, *words, **fields)

    def remove(self, target: str) -> str:
        """Remove a proxy target."""
        return self._call(REQUEST_PROXY_TARGETS_REMOVE, target)

    def enable(self, target: str) -> str:
        """Let traffic trigger a proxy target."""
        return self._call(REQUEST_PROXY_TARGETS_ENABLE, target)

    def disable(self, target: str) -> str:
        """Keep traffic from triggering a proxy target, which can still be invoked by hand."""
        return self._call(REQUEST_PROXY_TARGETS_DISABLE, target)

    def invoke(
        self, targets: str | Sequence[str], *, body: bytes | str = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send the method, headers, query and body of this call to proxy targets, enabled or not."""
        return self._call(REQUEST_PROXY_TARGETS_INVOKE, targets, body=body, headers=headers)

    def clear(self) -> str:
        """Remove all proxy targets."""
        return self._call(REQUEST_PROXY_TARGETS_CLEAR)

    def __call__(self) -> dict[str, ProxyTarget]:
        """List the proxy targets, in the order in which they were added."""
        return self._call(REQUEST_PROXY_TARGETS)


class RequestProxyCalls(Words):
    """`/request/proxy`"""

    targets = Under(RequestProxyTargetsCalls)


class RequestCalls(Request):
    """`/request`"""

    uri = Under(RequestUriCalls)
    timeout = Under(RequestTimeoutCalls)
    headers = Under(RequestHeadersCalls)
    proxy = Under(RequestProxyCalls)


class ResponseDelayCalls(Words):
    """`/response/delay`"""

    def set(self, delay: str) -> str:
        """Set the delay of all responses, or as `{delay}[-{delay}][:{count}][@{percent}%]` of some, each within that range."""
        return self._call(RESPONSE_DELAY_SET, delay)

    def clear(self) -> str:
        """Remove the delay."""
        return self._call(RESPONSE_DELAY_CLEAR)

    def __call__(self) -> str:
        """Show the delay."""
        return self._call(RESPONSE_DELAY)


class ResponseStatusCountsCalls(Words):
    """`/response/status/counts`"""

    def clear(self) -> str:
        """Clear the counts of all statuses."""
        return self._call(RESPONSE_STATUS_COUNTS_CLEAR)

    @overload
    def __call__(self) -> CountsByStatus: ...
    @overload
    def __call__(self, status: int, /) -> CountsOfStatus: ...
    def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show how often each status was requested and answered.

        Show how often one status was requested and answered.
        """
        return self._one_of((RESPONSE_STATUS_COUNTS, RESPONSE_STATUS_COUNTS_STATUS), words, fields)


class ResponseStatusCalls(Words):
    """`/response/status`"""

    counts = Under(ResponseStatusCountsCalls)

    def set(self, status: str | int) -> str:
        """Force a status on all traffic, or as `{status}[,{status}…][:{count}][@{percent}%]` on some; 0 forces none."""
        return self._call(RESPONSE_STATUS_SET, status)

    def clear(self) -> str:
        """Force no status any more."""
        return self._call(RESPONSE_STATUS_CLEAR)

    def __call__(self) -> str:
        """Show the forced status."""
        return self._call(RESPONSE_STATUS)


class ResponseHeadersCalls(Words):
    """`/response/headers`"""

    def add(self, header: str, value: str) -> str:
        """Add a header to all responses to traffic; one added twice is sent twice."""
        return self._call(RESPONSE_HEADERS_ADD, header, value)

    @overload
    def set(self) -> dict[str, str]: ...
    @overload
    def set(self, header: str, value: str, /) -> str: ...
    def set(self, *words: Any, **fields: Any) -> Any:
        """List the response headers that replace others of their name.

        Set a header of all responses to traffic, which replaces all others of this name.
        """
        return self._one_of((RESPONSE_HEADERS_SET_GET, RESPONSE_HEADERS_SET), words, fields)

    def remove(self, header: str) -> str:
        """Remove a header, set or added, with all its values."""
        return self._call(RESPONSE_HEADERS_REMOVE, header)

    def clear(self) -> str:
        """Remove all response headers, set or added."""
        return self._call(RESPONSE_HEADERS_CLEAR)

    def __call__(self) -> dict[str, list[str]]:
        """List the response headers, set or added."""
        return self._call(RESPONSE_HEADERS)


class ResponseRulesEnableCalls(Words):
    """`/response/rules/enable`"""

    def all(self) -> str:
        """Enable each rule there is."""
        return self._call(RESPONSE_RULES_ENABLE_ALL)

    def __call__(self, rule: str) -> str:
        """Let a rule look at traffic; its counts are what they were."""
        return self._call(RESPONSE_RULES_ENABLE, rule)


class ResponseRulesDisableCalls(Words):
    """`/response/rules/disable`"""

    def all(self) -> str:
        """Disable each rule there is. What they hold goes on at once."""
        return self._call(RESPONSE_RULES_DISABLE_ALL)

    def __call__(self, rule: str) -> str:
        """Keep a rule from looking at traffic. What it holds goes on at once; its counts stay, and its clock goes on."""
        return self._call(RESPONSE_RULES_DISABLE, rule)


class ResponseRulesCalls(Words):
    """`/response/rules`"""

    enable = Under(ResponseRulesEnableCalls)
    disable = Under(ResponseRulesDisableCalls)

    @overload
    def add(self, rule: Rule, /) -> str: ...
    @overload
    def add(self, **fields: Unpack[RuleFields]) -> str: ...
    def add(self, *words: Any, **fields: Any) -> Any:
        """Add a rule; one that bears a known name replaces that one in its place, and begins anew."""
        return self._call(RESPONSE_RULES_ADD, *words, **fields)

    def remove(self, rule: str) -> str:
        """Remove a rule. What it holds goes on at once."""
        return self._call(RESPONSE_RULES_REMOVE, rule)

    def reset(self, rule: str) -> str:
        """Set counts, dice and clock of a rule to their start. What it holds stays held."""
        return self._call(RESPONSE_RULES_RESET, rule)

    def clear(self) -> str:
        """Remove all rules. What they hold goes on at once."""
        return self._call(RESPONSE_RULES_CLEAR)

    def plan(self, rule: str, *, from_: int | None = None, count: int | None = None) -> list[Planned]:
        """Tell what the dice say of matched exchanges, from the next one on or from one of a number."""
        return self._call(RESPONSE_RULES_PLAN, rule, from_=from_, count=count)

    @overload
    def __call__(self) -> dict[str, ShownRule]: ...
    @overload
    def __call__(self, rule: str, /) -> ShownRule: ...
    def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show the rules in the order added, each as it was given, with what has come of it.

        Show a rule as it was given, with what has come of it.
        """
        return self._one_of((RESPONSE_RULES, RESPONSE_RULES_RULE), words, fields)


class ResponseCalls(Words):
    """`/response`"""

    delay = Under(ResponseDelayCalls)
    status = Under(ResponseStatusCalls)
    headers = Under(ResponseHeadersCalls)
    rules = Under(ResponseRulesCalls)


class ClientTargetsInvokeCalls(Words):
    """`/client/targets/invoke`"""

    def all(self) -> str | list[Reported]:
        """Invoke all client targets together; answers at once, or with the responses when reporting is on."""
        return self._call(CLIENT_TARGETS_INVOKE_ALL)

    @overload
    def __call__(self, target: OnceTarget, /) -> list[Reported]: ...
    @overload
    def __call__(self, **fields: Unpack[OnceTargetFields]) -> list[Reported]: ...
    @overload
    def __call__(self, targets: str | Sequence[str], /) -> str | list[Reported]: ...
    def __call__(self, *words: Any, **fields: Any) -> Any:
        """Invoke a target that is not kept, for 1,000 requests at most; answers with its responses, which count in no results.

        Invoke some client targets together; answers at once, or with the responses when reporting is on.
        """
        return self._one_of((CLIENT_TARGETS_INVOKE_POST, CLIENT_TARGETS_INVOKE), words, fields)


class ClientTargetsStopCalls(Words):
    """`/client/targets/stop`"""

    def all(self) -> str:
        """Stop all client targets that run."""
        return self._call(CLIENT_TARGETS_STOP_ALL)

    def __call__(self, targets: str | Sequence[str]) -> str:
        """Stop some client targets: requests in flight are still answered, no others are sent."""
        return self._call(CLIENT_TARGETS_STOP, targets)


class ClientTargetsCalls(Words):
    """`/client/targets`"""

    invoke = Under(ClientTargetsInvokeCalls)
    stop = Under(ClientTargetsStopCalls)

    @overload
    def add(self, target: ClientTarget, /) -> str: ...
    @overload
    def add(self, **fields: Unpack[ClientTargetFields]) -> str: ...
    def add(self, *words: Any, **fields: Any) -> Any:
        """Add a client target; one that bears a known name replaces that one. `autoInvoke` invokes it, unless it is unchanged."""
        return self._call(CLIENT_TARGETS_ADD, *words, **fields)

    def remove(self, target: str) -> str:
        """Remove a client target, and stop it if it runs."""
        return self._call(CLIENT_TARGETS_REMOVE, target)

    def clear(self) -> str:
        """Remove all client targets, and stop those that run; a registry removes those it has sent."""
        return self._call(CLIENT_TARGETS_CLEAR)

    def __call__(self) -> dict[str, CompleteTarget]:
        """List the client targets, in the order added."""
        return self._call(CLIENT_TARGETS)


class ClientReportingCalls(Words):
    """`/client/reporting`"""

    def set(self, flag: bool) -> str:
        """Set whether an invocation answers with the responses."""
        return self._call(CLIENT_REPORTING_SET, flag)

    def __call__(self) -> str:
        """Show whether an invocation answers with the responses."""
        return self._call(CLIENT_REPORTING)


class ClientTrackHeadersCalls(Words):
    """`/client/track/headers`"""

    def add(self, headers: str | Sequence[str]) -> str:
        """Count responses by some headers; what was counted before stays."""
        return self._call(CLIENT_TRACK_HEADERS_ADD, headers)

    def remove(self, headers: str | Sequence[str]) -> str:
        """Count responses by some headers no more."""
        return self._call(CLIENT_TRACK_HEADERS_REMOVE, headers)

    def clear(self) -> str:
        """Count responses by no header."""
        return self._call(CLIENT_TRACK_HEADERS_CLEAR)

    def __call__(self) -> str:
        """List the response headers counted, in lower case."""
        return self._call(CLIENT_TRACK_HEADERS)


class ClientTrackCalls(Words):
    """`/client/track`"""

    headers = Under(ClientTrackHeadersCalls)


class ClientResultsCalls(Words):
    """`/client/results`"""

    @overload
    def invocations(self) -> list[InvocationShown]: ...
    @overload
    def invocations(self, id: int, /, *, histograms: bool | None = None, series: bool | None = None) -> ClientResults: ...
    def invocations(self, *words: Any, **fields: Any) -> Any:
        """List the invocations that run, and the last 100 that have ended, the newest first.

        Show the results of one invocation; clearing results does not clear them.
        """
        return self._one_of((CLIENT_RESULTS_INVOCATIONS, CLIENT_RESULTS_INVOCATIONS_ID), words, fields)

    @overload
    def clear(self) -> str: ...
    @overload
    def clear(self, targets: str | Sequence[str], /) -> str: ...
    def clear(self, *words: Any, **fields: Any) -> Any:
        """Clear the results of all targets, and forget invocations that have ended.

        Clear the results of some targets.
        """
        return self._one_of((CLIENT_RESULTS_CLEAR_POST, CLIENT_RESULTS_CLEAR), words, fields)

    def __call__(
        self, *, histograms: bool | None = None, series: bool | None = None, wait: str | float | None = None
    ) -> ClientResults:
        """Show the results of all invocations since they were cleared."""
        return self._call(CLIENT_RESULTS, histograms=histograms, series=series, wait=wait)


class ClientCalls(Words):
    """`/client`"""

    targets = Under(ClientTargetsCalls)
    reporting = Under(ClientReportingCalls)
    track = Under(ClientTrackCalls)
    results = Under(ClientResultsCalls)

    @overload
    def reconcile(self, what: ToReconcile, /) -> dict[str, Reconciled]: ...
    @overload
    def reconcile(self, **fields: Unpack[ToReconcileFields]) -> dict[str, Reconciled]: ...
    def reconcile(self, *words: Any, **fields: Any) -> Any:
        """Join what was sent to targets with `reconcile` with what arrived at another goto, or at this process."""
        return self._call(CLIENT_RECONCILE, *words, **fields)


class RegistryPeersTargetsCalls(Words):
    """`/registry/peers/targets`"""

    @overload
    def add(self, peer: str, target: ClientTarget, /) -> str: ...
    @overload
    def add(self, peer: str, /, **fields: Unpack[ClientTargetFields]) -> str: ...
    def add(self, *words: Any, **fields: Any) -> Any:
        """Add a target to a label, and push it to all who bear it."""
        return self._call(REGISTRY_PEERS_TARGETS_ADD, *words, **fields)

    def remove(self, peer: str, target: str) -> str:
        """Remove a target from a label, and from all who bear it."""
        return self._call(REGISTRY_PEERS_TARGETS_REMOVE, peer, target)

    def clear(self, peer: str) -> str:
        """Remove all targets of a label, and those it has from all who bear it."""
        return self._call(REGISTRY_PEERS_TARGETS_CLEAR, peer)

    def __call__(self, peer: str) -> dict[str, CompleteTarget]:
        """List the targets of a label, in the order added."""
        return self._call(REGISTRY_PEERS_TARGETS, peer)


class RegistryPeersCalls(Words):
    """`/registry/peers`"""

    targets = Under(RegistryPeersTargetsCalls)

    @overload
    def add(self, peer: PeerSpec, /) -> Registered: ...
    @overload
    def add(self, **fields: Unpack[PeerSpecFields]) -> Registered: ...
    def add(self, *words: Any, **fields: Any) -> Any:
        """Register an instance under a label; the answer holds the targets of that label."""
        return self._call(REGISTRY_PEERS_ADD, *words, **fields)

    def remove(self, peer: str, address: str) -> str:
        """Deregister an instance; the targets of its label stay here, and with the instance."""
        return self._call(REGISTRY_PEERS_REMOVE, peer, address)

    def clear(self) -> str:
        """Remove all peers, and forget the targets of every label."""
        return self._call(REGISTRY_PEERS_CLEAR)

    def __call__(self) -> list[PeerState]:
        """List the peers, when each was last heard of, and which pushes it missed."""
        return self._call(REGISTRY_PEERS)


class RegistryCalls(Words):
    """`/registry`"""

    peers = Under(RegistryPeersCalls)

    def results(self, *, histograms: bool | None = None) -> GatheredResults:
        """Show the client results of all peers as one, and which of them did not answer; `?histograms=y` adds the histograms."""
        return self._call(REGISTRY_RESULTS, histograms=histograms)


class Calls(Root):
    """Every route of an instance."""

    listeners = Under(ListenersCalls)
    goto = Under(GotoCalls)
    label = Under(LabelCalls)
    request = Under(RequestCalls)
    response = Under(ResponseCalls)
    client = Under(ClientCalls)
    registry = Under(RegistryCalls)


class AsyncListenersCalls(AsyncWords):
    """`/listeners`"""

    @overload
    async def add(self, spec: ListenerSpec, /) -> str: ...
    @overload
    async def add(self, **fields: Unpack[ListenerSpecFields]) -> str: ...
    async def add(self, *words: Any, **fields: Any) -> Any:
        """Add a listener. It is closed until it is opened, which `"open": true` does at once."""
        return await self._call(LISTENERS_ADD, *words, **fields)

    async def open(self, port: int) -> str:
        """Open an added listener to traffic."""
        return await self._call(LISTENERS_OPEN, port)

    async def close(self, port: int) -> str:
        """Close a listener: nothing new is accepted, exchanges in flight finish."""
        return await self._call(LISTENERS_CLOSE, port)

    async def remove(self, port: int) -> str:
        """Close a listener and forget it."""
        return await self._call(LISTENERS_REMOVE, port)

    async def __call__(self) -> dict[str, ListenerState]:
        """List the listeners, by port."""
        return await self._call(LISTENERS)


class AsyncGotoResetCalls(AsyncWords):
    """`/goto/reset`"""

    async def all(self) -> str:
        """Put all listeners back likewise, with the registry's targets and the journal; listeners, peers and limits stay."""
        return await self._call(GOTO_RESET_ALL)

    async def __call__(self) -> str:
        """Put a listener back to what options and files say, as they were applied last, and forget what it has counted."""
        return await self._call(GOTO_RESET)


class AsyncGotoJournalExpectationsCalls(AsyncWords):
    """`/goto/journal/expectations`"""

    @overload
    async def add(self, expectation: GivenExpectation, /) -> str: ...
    @overload
    async def add(self, **fields: Unpack[GivenExpectationFields]) -> str: ...
    async def add(self, *words: Any, **fields: Any) -> Any:
        """Count exchanges that fit from now on, whether the journal is on or not; a known name begins anew."""
        return await self._call(GOTO_JOURNAL_EXPECTATIONS_ADD, *words, **fields)

    async def remove(self, name: str) -> str:
        """Remove an expectation."""
        return await self._call(GOTO_JOURNAL_EXPECTATIONS_REMOVE, name)

    async def clear(self) -> str:
        """Remove all expectations."""
        return await self._call(GOTO_JOURNAL_EXPECTATIONS_CLEAR)

    @overload
    async def __call__(self) -> dict[str, ShownExpectation]: ...
    @overload
    async def __call__(self, name: str, /, *, wait: str | float | None = None) -> ShownExpectation: ...
    async def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show all expectations, and what has come of them.

        Show what has come of one expectation, waiting until it holds if need be.
        """
        return await self._one_of((GOTO_JOURNAL_EXPECTATIONS, GOTO_JOURNAL_EXPECTATIONS_NAME), words, fields)


class AsyncGotoJournalCalls(AsyncWords):
    """`/goto/journal`"""

    expectations = Under(AsyncGotoJournalExpectationsCalls)

    async def set(self, flag: bool) -> str:
        """Turn the journal on, with the usual bounds if nothing else was set, or off, which forgets its entries and settings."""
        return await self._call(GOTO_JOURNAL_SET, flag)

    async def clear(self) -> str:
        """Forget all entries. Expectations stay."""
        return await self._call(GOTO_JOURNAL_CLEAR)

    @overload
    async def verify(self, question: Question, /) -> Verdict: ...
    @overload
    async def verify(self, **fields: Unpack[QuestionFields]) -> Verdict: ...
    async def verify(self, *words: Any, **fields: Any) -> Any:
        """Tell whether so many exchanges fit, waiting for them if need be; where it does not hold, what came nearest."""
        return await self._call(GOTO_JOURNAL_VERIFY, *words, **fields)

    @overload
    async def __call__(
        self,
        *,
        listener: int | None = None,
        method: str | None = None,
        target: str | None = None,
        rule: str | None = None,
        end: str | None = None,
        id_: str | None = None,
        uri: str | None = None,
        header: str | None = None,
        query: str | None = None,
        status: str | int | None = None,
        since: str | None = None,
        limit: int | None = None,
        wait: str | float | None = None,
        format_: str | None = None,
    ) -> Entries: ...
    @overload
    async def __call__(self, seq: int, /) -> ShownEntry: ...
    async def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show what went through, oldest first; what the query gives has to fit together.

        Show one exchange.
        """
        return await self._one_of((GOTO_JOURNAL, GOTO_JOURNAL_SEQ), words, fields)


class AsyncGotoArrivalsCalls(AsyncWords):
    """`/goto/arrivals`"""

    @overload
    async def add(self, new: NewRun, /) -> str: ...
    @overload
    async def add(self, **fields: Unpack[NewRunFields]) -> str: ...
    async def add(self, *words: Any, **fields: Any) -> Any:
        """Count which requests of a run arrive, from now on; the oldest run is given up where there are too many."""
        return await self._call(GOTO_ARRIVALS_ADD, *words, **fields)

    async def remove(self, run: str) -> str:
        """Forget a run."""
        return await self._call(GOTO_ARRIVALS_REMOVE, run)

    async def clear(self) -> str:
        """Forget all runs."""
        return await self._call(GOTO_ARRIVALS_CLEAR)

    @overload
    async def __call__(self) -> dict[str, ArrivedSummary]: ...
    @overload
    async def __call__(self, run: str, /) -> ArrivedRun: ...
    async def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show what arrived of each run that is known, without its numbers, the oldest first.

        Show what arrived of a run, with its numbers; exchanges that are under way are waited for, at most a second.
        """
        return await self._one_of((GOTO_ARRIVALS, GOTO_ARRIVALS_RUN), words, fields)


class AsyncGotoCalls(AsyncWords):
    """`/goto`"""

    reset = Under(AsyncGotoResetCalls)
    journal = Under(AsyncGotoJournalCalls)
    arrivals = Under(AsyncGotoArrivalsCalls)

    async def ca_pem(self) -> str:
        """Show the certificate of the CA of https listeners that were given none, for clients to trust."""
        return await self._call(GOTO_CA_PEM)

    @overload
    async def config(self) -> dict[str, Any]: ...
    @overload
    async def config(
        self, *, body: bytes | str | Mapping[str, Any], replace: bool | None = None, dry: bool | None = None
    ) -> str: ...
    async def config(self, *words: Any, **fields: Any) -> Any:
        """Show the present configuration as a document, in YAML, or in JSON with `Accept: application/json`.

        Merge a document in YAML or JSON into the present configuration, or with `?replace=y` replace it.
        """
        return await self._one_of((GOTO_CONFIG, GOTO_CONFIG_POST), words, fields)

    async def watch(
        self,
        *,
        since: str | None = None,
        wait: str | float | None = None,
        journal: bool | None = None,
        runs: bool | None = None,
        listener: int | None = None,
    ) -> News:
        """Tell what is new since a cursor, waiting for it if need be: changes, entries of the journal, counts, client runs."""
        return await self._call(GOTO_WATCH, since=since, wait=wait, journal=journal, runs=runs, listener=listener)

    async def limits(self) -> dict[str, Any]:
        """Show the limits of this process, and how often each was hit."""
        return await self._call(GOTO_LIMITS)

    async def health(self) -> str:
        """Say that this process lives."""
        return await self._call(GOTO_HEALTH)

    async def ready(self) -> str:
        """Say whether traffic may be sent here: 200 or 503."""
        return await self._call(GOTO_READY)

    async def version(self) -> Version:
        """Show the version."""
        return await self._call(GOTO_VERSION)

    async def help(self) -> list[Listed]:
        """List the routes with what they do."""
        return await self._call(GOTO_HELP)

    @overload
    async def ui(self) -> str: ...
    @overload
    async def ui(self, file: str, /) -> str: ...
    async def ui(self, *words: Any, **fields: Any) -> Any:
        """Show this goto on a page, and control it.

        Show a file of that page.
        """
        return await self._one_of((GOTO_UI, GOTO_UI_FILE), words, fields)

    async def openapi_json(self) -> dict[str, Any]:
        """Show the OpenAPI document of all routes."""
        return await self._call(GOTO_OPENAPI_JSON)

    @overload
    async def docs(self) -> str: ...
    @overload
    async def docs(self, file: str, /) -> str: ...
    async def docs(self, *words: Any, **fields: Any) -> Any:
        """Show all routes on a page that can call them.

        Show a file of that page.
        """
        return await self._one_of((GOTO_DOCS, GOTO_DOCS_FILE), words, fields)

    async def metrics(self) -> str:
        """Show the metrics of this process, as Prometheus reads them or as OpenMetrics."""
        return await self._call(GOTO_METRICS)

    async def __call__(self) -> str:
        """Lead to the page."""
        return await self._call(GOTO)


class AsyncLabelCalls(AsyncWords):
    """`/label`"""

    async def set(self, label: str) -> str:
        """Set the label of this port, which `Via-Goto` then carries."""
        return await self._call(LABEL_SET, label)

    async def clear(self) -> str:
        """Remove the label; `Via-Goto` carries the port again."""
        return await self._call(LABEL_CLEAR)

    async def __call__(self) -> str:
        """Show the label of this port."""
        return await self._call(LABEL)


class AsyncRequestUriBypassStatusCalls(AsyncWords):
    """`/request/uri/bypass/status`"""

    async def set(self, status: int) -> str:
        """Set the status that bypass URIs are answered with."""
        return await self._call(REQUEST_URI_BYPASS_STATUS_SET, status)

    async def __call__(self) -> str:
        """Show the status that bypass URIs are answered with."""
        return await self._call(REQUEST_URI_BYPASS_STATUS)


class AsyncRequestUriBypassCalls(AsyncWords):
    """`/request/uri/bypass`"""

    status = Under(AsyncRequestUriBypassStatusCalls)

    async def add(self, uri: str) -> str:
        """Add a bypass URI."""
        return await self._call(REQUEST_URI_BYPASS_ADD, uri=uri)

    async def remove(self, uri: str) -> str:
        """Remove a bypass URI."""
        return await self._call(REQUEST_URI_BYPASS_REMOVE, uri=uri)

    async def clear(self) -> str:
        """Remove all bypass URIs."""
        return await self._call(REQUEST_URI_BYPASS_CLEAR)

    async def counts(self, uri: str) -> int:
        """Show how many requests a bypass URI got."""
        return await self._call(REQUEST_URI_BYPASS_COUNTS, uri=uri)

    async def __call__(self) -> BypassState:
        """List the bypass URIs with their counts, and their status."""
        return await self._call(REQUEST_URI_BYPASS)


class AsyncRequestUriCalls(AsyncWords):
    """`/request/uri`"""

    bypass = Under(AsyncRequestUriBypassCalls)


class AsyncRequestTimeoutTrackCalls(AsyncWords):
    """`/request/timeout/track`"""

    async def all(self) -> str:
        """Track how all requests end."""
        return await self._call(REQUEST_TIMEOUT_TRACK_ALL)

    async def headers(self, headers: str | Sequence[str]) -> str:
        """Track how requests end by the values of some headers."""
        return await self._call(REQUEST_TIMEOUT_TRACK_HEADERS, headers)

    async def clear(self) -> str:
        """Stop tracking timeouts and forget what was counted."""
        return await self._call(REQUEST_TIMEOUT_TRACK_CLEAR)


class AsyncRequestTimeoutCalls(AsyncWords):
    """`/request/timeout`"""

    track = Under(AsyncRequestTimeoutTrackCalls)

    async def status(self) -> TimeoutReport:
        """Report how tracked requests have ended so far."""
        return await self._call(REQUEST_TIMEOUT_STATUS)


class AsyncRequestHeadersTrackCountsCalls(AsyncWords):
    """`/request/headers/track/counts`"""

    @overload
    async def clear(self) -> str: ...
    @overload
    async def clear(self, headers: str | Sequence[str], /) -> str: ...
    async def clear(self, *words: Any, **fields: Any) -> Any:
        """Clear the counts of all tracked headers.

        Clear the counts of some tracked headers.
        """
        return await self._one_of((REQUEST_HEADERS_TRACK_COUNTS_CLEAR_PUT, REQUEST_HEADERS_TRACK_COUNTS_CLEAR), words, fields)

    @overload
    async def __call__(self) -> dict[str, CountsByValue]: ...
    @overload
    async def __call__(self, header: str, /) -> CountsByValue: ...
    async def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show the counts of all tracked headers.

        Show the counts of a tracked header.
        """
        return await self._one_of((REQUEST_HEADERS_TRACK_COUNTS_GET, REQUEST_HEADERS_TRACK_COUNTS), words, fields)


class AsyncRequestHeadersTrackCalls(AsyncWords):
    """`/request/headers/track`"""

    counts = Under(AsyncRequestHeadersTrackCountsCalls)

    async def add(self, headers: str | Sequence[str]) -> str:
        """Track some headers; one that is tracked already keeps its counts."""
        return await self._call(REQUEST_HEADERS_TRACK_ADD, headers)

    async def remove(self, header: str) -> str:
        """Stop tracking a header."""
        return await self._call(REQUEST_HEADERS_TRACK_REMOVE, header)

    async def clear(self) -> str:
        """Stop tracking all headers."""
        return await self._call(REQUEST_HEADERS_TRACK_CLEAR)

    async def __call__(self) -> list[str]:
        """List the tracked headers."""
        return await self._call(REQUEST_HEADERS_TRACK)


class AsyncRequestHeadersCalls(AsyncWords):
    """`/request/headers`"""

    track = Under(AsyncRequestHeadersTrackCalls)


class AsyncRequestProxyTargetsCalls(AsyncWords):
    """`/request/proxy/targets`"""

    @overload
    async def add(self, target: ProxyTarget, /) -> str: ...
    @overload
    async def add(self, **fields: Unpack[ProxyTargetFields]) -> str: ...
    async def add(self, *words: Any, **fields: Any) -> Any:
        """Add a proxy target, or replace the one of that name, in its place."""
        return await self._call(REQUEST_PROXY_TARGETS_ADD, *words, **fields)

    async def remove(self, target: str) -> str:
        """Remove a proxy target."""
        return await self._call(REQUEST_PROXY_TARGETS_REMOVE, target)

    async def enable(self, target: str) -> str:
        """Let traffic trigger a proxy target."""
        return await self._call(REQUEST_PROXY_TARGETS_ENABLE, target)

    async def disable(self, target: str) -> str:
        """Keep traffic from triggering a proxy target, which can still be invoked by hand."""
        return await self._call(REQUEST_PROXY_TARGETS_DISABLE, target)

    async def invoke(
        self, targets: str | Sequence[str], *, body: bytes | str = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send the method, headers, query and body of this call to proxy targets, enabled or not."""
        return await self._call(REQUEST_PROXY_TARGETS_INVOKE, targets, body=body, headers=headers)

    async def clear(self) -> str:
        """Remove all proxy targets."""
        return await self._call(REQUEST_PROXY_TARGETS_CLEAR)

    async def __call__(self) -> dict[str, ProxyTarget]:
        """List the proxy targets, in the order in which they were added."""
        return await self._call(REQUEST_PROXY_TARGETS)


class AsyncRequestProxyCalls(AsyncWords):
    """`/request/proxy`"""

    targets = Under(AsyncRequestProxyTargetsCalls)


class AsyncRequestCalls(AsyncRequest):
    """`/request`"""

    uri = Under(AsyncRequestUriCalls)
    timeout = Under(AsyncRequestTimeoutCalls)
    headers = Under(AsyncRequestHeadersCalls)
    proxy = Under(AsyncRequestProxyCalls)


class AsyncResponseDelayCalls(AsyncWords):
    """`/response/delay`"""

    async def set(self, delay: str) -> str:
        """Set the delay of all responses, or as `{delay}[-{delay}][:{count}][@{percent}%]` of some, each within that range."""
        return await self._call(RESPONSE_DELAY_SET, delay)

    async def clear(self) -> str:
        """Remove the delay."""
        return await self._call(RESPONSE_DELAY_CLEAR)

    async def __call__(self) -> str:
        """Show the delay."""
        return await self._call(RESPONSE_DELAY)


class AsyncResponseStatusCountsCalls(AsyncWords):
    """`/response/status/counts`"""

    async def clear(self) -> str:
        """Clear the counts of all statuses."""
        return await self._call(RESPONSE_STATUS_COUNTS_CLEAR)

    @overload
    async def __call__(self) -> CountsByStatus: ...
    @overload
    async def __call__(self, status: int, /) -> CountsOfStatus: ...
    async def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show how often each status was requested and answered.

        Show how often one status was requested and answered.
        """
        return await self._one_of((RESPONSE_STATUS_COUNTS, RESPONSE_STATUS_COUNTS_STATUS), words, fields)


class AsyncResponseStatusCalls(AsyncWords):
    """`/response/status`"""

    counts = Under(AsyncResponseStatusCountsCalls)

    async def set(self, status: str | int) -> str:
        """Force a status on all traffic, or as `{status}[,{status}…][:{count}][@{percent}%]` on some; 0 forces none."""
        return await self._call(RESPONSE_STATUS_SET, status)

    async def clear(self) -> str:
        """Force no status any more."""
        return await self._call(RESPONSE_STATUS_CLEAR)

    async def __call__(self) -> str:
        """Show the forced status."""
        return await self._call(RESPONSE_STATUS)


class AsyncResponseHeadersCalls(AsyncWords):
    """`/response/headers`"""

    async def add(self, header: str, value: str) -> str:
        """Add a header to all responses to traffic; one added twice is sent twice."""
        return await self._call(RESPONSE_HEADERS_ADD, header, value)

    @overload
    async def set(self) -> dict[str, str]: ...
    @overload
    async def set(self, header: str, value: str, /) -> str: ...
    async def set(self, *words: Any, **fields: Any) -> Any:
        """List the response headers that replace others of their name.

        Set a header of all responses to traffic, which replaces all others of this name.
        """
        return await self._one_of((RESPONSE_HEADERS_SET_GET, RESPONSE_HEADERS_SET), words, fields)

    async def remove(self, header: str) -> str:
        """Remove a header, set or added, with all its values."""
        return await self._call(RESPONSE_HEADERS_REMOVE, header)

    async def clear(self) -> str:
        """Remove all response headers, set or added."""
        return await self._call(RESPONSE_HEADERS_CLEAR)

    async def __call__(self) -> dict[str, list[str]]:
        """List the response headers, set or added."""
        return await self._call(RESPONSE_HEADERS)


class AsyncResponseRulesEnableCalls(AsyncWords):
    """`/response/rules/enable`"""

    async def all(self) -> str:
        """Enable each rule there is."""
        return await self._call(RESPONSE_RULES_ENABLE_ALL)

    async def __call__(self, rule: str) -> str:
        """Let a rule look at traffic; its counts are what they were."""
        return await self._call(RESPONSE_RULES_ENABLE, rule)


class AsyncResponseRulesDisableCalls(AsyncWords):
    """`/response/rules/disable`"""

    async def all(self) -> str:
        """Disable each rule there is. What they hold goes on at once."""
        return await self._call(RESPONSE_RULES_DISABLE_ALL)

    async def __call__(self, rule: str) -> str:
        """Keep a rule from looking at traffic. What it holds goes on at once; its counts stay, and its clock goes on."""
        return await self._call(RESPONSE_RULES_DISABLE, rule)


class AsyncResponseRulesCalls(AsyncWords):
    """`/response/rules`"""

    enable = Under(AsyncResponseRulesEnableCalls)
    disable = Under(AsyncResponseRulesDisableCalls)

    @overload
    async def add(self, rule: Rule, /) -> str: ...
    @overload
    async def add(self, **fields: Unpack[RuleFields]) -> str: ...
    async def add(self, *words: Any, **fields: Any) -> Any:
        """Add a rule; one that bears a known name replaces that one in its place, and begins anew."""
        return await self._call(RESPONSE_RULES_ADD, *words, **fields)

    async def remove(self, rule: str) -> str:
        """Remove a rule. What it holds goes on at once."""
        return await self._call(RESPONSE_RULES_REMOVE, rule)

    async def reset(self, rule: str) -> str:
        """Set counts, dice and clock of a rule to their start. What it holds stays held."""
        return await self._call(RESPONSE_RULES_RESET, rule)

    async def clear(self) -> str:
        """Remove all rules. What they hold goes on at once."""
        return await self._call(RESPONSE_RULES_CLEAR)

    async def plan(self, rule: str, *, from_: int | None = None, count: int | None = None) -> list[Planned]:
        """Tell what the dice say of matched exchanges, from the next one on or from one of a number."""
        return await self._call(RESPONSE_RULES_PLAN, rule, from_=from_, count=count)

    @overload
    async def __call__(self) -> dict[str, ShownRule]: ...
    @overload
    async def __call__(self, rule: str, /) -> ShownRule: ...
    async def __call__(self, *words: Any, **fields: Any) -> Any:
        """Show the rules in the order added, each as it was given, with what has come of it.

        Show a rule as it was given, with what has come of it.
        """
        return await self._one_of((RESPONSE_RULES, RESPONSE_RULES_RULE), words, fields)


class AsyncResponseCalls(AsyncWords):
    """`/response`"""

    delay = Under(AsyncResponseDelayCalls)
    status = Under(AsyncResponseStatusCalls)
    headers = Under(AsyncResponseHeadersCalls)
    rules = Under(AsyncResponseRulesCalls)


class AsyncClientTargetsInvokeCalls(AsyncWords):
    """`/client/targets/invoke`"""

    async def all(self) -> str | list[Reported]:
        """Invoke all client targets together; answers at once, or with the responses when reporting is on."""
        return await self._call(CLIENT_TARGETS_INVOKE_ALL)

    @overload
    async def __call__(self, target: OnceTarget, /) -> list[Reported]: ...
    @overload
    async def __call__(self, **fields: Unpack[OnceTargetFields]) -> list[Reported]: ...
    @overload
    async def __call__(self, targets: str | Sequence[str], /) -> str | list[Reported]: ...
    async def __call__(self, *words: Any, **fields: Any) -> Any:
        """Invoke a target that is not kept, for 1,000 requests at most; answers with its responses, which count in no results.

        Invoke some client targets together; answers at once, or with the responses when reporting is on.
        """
        return await self._one_of((CLIENT_TARGETS_INVOKE_POST, CLIENT_TARGETS_INVOKE), words, fields)


class AsyncClientTargetsStopCalls(AsyncWords):
    """`/client/targets/stop`"""

    async def all(self) -> str:
        """Stop all client targets that run."""
        return await self._call(CLIENT_TARGETS_STOP_ALL)

    async def __call__(self, targets: str | Sequence[str]) -> str:
        """Stop some client targets: requests in flight are still answered, no others are sent."""
        return await self._call(CLIENT_TARGETS_STOP, targets)


class AsyncClientTargetsCalls(AsyncWords):
    """`/client/targets`"""

    invoke = Under(AsyncClientTargetsInvokeCalls)
    stop = Under(AsyncClientTargetsStopCalls)

    @overload
    async def add(self, target: ClientTarget, /) -> str: ...
    @overload
    async def add(self, **fields: Unpack[ClientTargetFields]) -> str: ...
    async def add(self, *words: Any, **fields: Any) -> Any:
        """Add a client target; one that bears a known name replaces that one. `autoInvoke` invokes it, unless it is unchanged."""
        return await self._call(CLIENT_TARGETS_ADD, *words, **fields)

    async def remove(self, target: str) -> str:
        """Remove a client target, and stop it if it runs."""
        return await self._call(CLIENT_TARGETS_REMOVE, target)

    async def clear(self) -> str:
        """Remove all client targets, and stop those that run; a registry removes those it has sent."""
        return await self._call(CLIENT_TARGETS_CLEAR)

    async def __call__(self) -> dict[str, CompleteTarget]:
        """List the client targets, in the order added."""
        return await self._call(CLIENT_TARGETS)


class AsyncClientReportingCalls(AsyncWords):
    """`/client/reporting`"""

    async def set(self, flag: bool) -> str:
        """Set whether an invocation answers with the responses."""
        return await self._call(CLIENT_REPORTING_SET, flag)

    async def __call__(self) -> str:
        """Show whether an invocation answers with the responses."""
        return await self._call(CLIENT_REPORTING)


class AsyncClientTrackHeadersCalls(AsyncWords):
    """`/client/track/headers`"""

    async def add(self, headers: str | Sequence[str]) -> str:
        """Count responses by some headers; what was counted before stays."""
        return await self._call(CLIENT_TRACK_HEADERS_ADD, headers)

    async def remove(self, headers: str | Sequence[str]) -> str:
        """Count responses by some headers no more."""
        return await self._call(CLIENT_TRACK_HEADERS_REMOVE, headers)

    async def clear(self) -> str:
        """Count responses by no header."""
        return await self._call(CLIENT_TRACK_HEADERS_CLEAR)

    async def __call__(self) -> str:
        """List the response headers counted, in lower case."""
        return await self._call(CLIENT_TRACK_HEADERS)


class AsyncClientTrackCalls(AsyncWords):
    """`/client/track`"""

    headers = Under(AsyncClientTrackHeadersCalls)


class AsyncClientResultsCalls(AsyncWords):
    """`/client/results`"""

    @overload
    async def invocations(self) -> list[InvocationShown]: ...
    @overload
    async def invocations(self, id: int, /, *, histograms: bool | None = None, series: bool | None = None) -> ClientResults: ...
    async def invocations(self, *words: Any, **fields: Any) -> Any:
        """List the invocations that run, and the last 100 that have ended, the newest first.

        Show the results of one invocation; clearing results does not clear them.
        """
        return await self._one_of((CLIENT_RESULTS_INVOCATIONS, CLIENT_RESULTS_INVOCATIONS_ID), words, fields)

    @overload
    async def clear(self) -> str: ...
    @overload
    async def clear(self, targets: str | Sequence[str], /) -> str: ...
    async def clear(self, *words: Any, **fields: Any) -> Any:
        """Clear the results of all targets, and forget invocations that have ended.

        Clear the results of some targets.
        """
        return await self._one_of((CLIENT_RESULTS_CLEAR_POST, CLIENT_RESULTS_CLEAR), words, fields)

    async def __call__(
        self, *, histograms: bool | None = None, series: bool | None = None, wait: str | float | None = None
    ) -> ClientResults:
        """Show the results of all invocations since they were cleared."""
        return await self._call(CLIENT_RESULTS, histograms=histograms, series=series, wait=wait)


class AsyncClientCalls(AsyncWords):
    """`/client`"""

    targets = Under(AsyncClientTargetsCalls)
    reporting = Under(AsyncClientReportingCalls)
    track = Under(AsyncClientTrackCalls)
    results = Under(AsyncClientResultsCalls)

    @overload
    async def reconcile(self, what: ToReconcile, /) -> dict[str, Reconciled]: ...
    @overload
    async def reconcile(self, **fields: Unpack[ToReconcileFields]) -> dict[str, Reconciled]: ...
    async def reconcile(self, *words: Any, **fields: Any) -> Any:
        """Join what was sent to targets with `reconcile` with what arrived at another goto, or at this process."""
        return await self._call(CLIENT_RECONCILE, *words, **fields)


class AsyncRegistryPeersTargetsCalls(AsyncWords):
    """`/registry/peers/targets`"""

    @overload
    async def add(self, peer: str, target: ClientTarget, /) -> str: ...
    @overload
    async def add(self, peer: str, /, **fields: Unpack[ClientTargetFields]) -> str: ...
    async def add(self, *words: Any, **fields: Any) -> Any:
        """Add a target to a label, and push it to all who bear it."""
        return await self._call(REGISTRY_PEERS_TARGETS_ADD, *words, **fields)

    async def remove(self, peer: str, target: str) -> str:
        """Remove a target from a label, and from all who bear it."""
        return await self._call(REGISTRY_PEERS_TARGETS_REMOVE, peer, target)

    async def clear(self, peer: str) -> str:
        """Remove all targets of a label, and those it has from all who bear it."""
        return await self._call(REGISTRY_PEERS_TARGETS_CLEAR, peer)

    async def __call__(self, peer: str) -> dict[str, CompleteTarget]:
        """List the targets of a label, in the order added."""
        return await self._call(REGISTRY_PEERS_TARGETS, peer)


class AsyncRegistryPeersCalls(AsyncWords):
    """`/registry/peers`"""

    targets = Under(AsyncRegistryPeersTargetsCalls)

    @overload
    async def add(self, peer: PeerSpec, /) -> Registered: ...
    @overload
    async def add(self, **fields: Unpack[PeerSpecFields]) -> Registered: ...
    async def add(self, *words: Any, **fields: Any) -> Any:
        """Register an instance under a label; the answer holds the targets of that label."""
        return await self._call(REGISTRY_PEERS_ADD, *words, **fields)

    async def remove(self, peer: str, address: str) -> str:
        """Deregister an instance; the targets of its label stay here, and with the instance."""
        return await self._call(REGISTRY_PEERS_REMOVE, peer, address)

    async def clear(self) -> str:
        """Remove all peers, and forget the targets of every label."""
        return await self._call(REGISTRY_PEERS_CLEAR)

    async def __call__(self) -> list[PeerState]:
        """List the peers, when each was last heard of, and which pushes it missed."""
        return await self._call(REGISTRY_PEERS)


class AsyncRegistryCalls(AsyncWords):
    """`/registry`"""

    peers = Under(AsyncRegistryPeersCalls)

    async def results(self, *, histograms: bool | None = None) -> GatheredResults:
        """Show the client results of all peers as one, and which of them did not answer; `?histograms=y` adds the histograms."""
        return await self._call(REGISTRY_RESULTS, histograms=histograms)


class AsyncCalls(AsyncRoot):
    """Every route of an instance, awaited."""

    listeners = Under(AsyncListenersCalls)
    goto = Under(AsyncGotoCalls)
    label = Under(AsyncLabelCalls)
    request = Under(AsyncRequestCalls)
    response = Under(AsyncResponseCalls)
    client = Under(AsyncClientCalls)
    registry = Under(AsyncRegistryCalls)
