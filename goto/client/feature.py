"""The load client of a listener: its targets, their runs, and the results (seed: Client Features)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

import msgspec

from goto.client.desired import Action, Desired, Source
from goto.client.invocation import Invocation, InvocationNumber, Invocations, InvocationShown
from goto.client.reconcile import Reconciled
from goto.client.report import Report
from goto.client.results import ClientResults, Results
from goto.client.run import Run
from goto.client.sent import Sent
from goto.client.server import OtherServer, Server, joined
from goto.client.source import REGISTRY, source_of
from goto.client.target import ClientTarget, CompleteTarget
from goto.counting.bounded import TRACKED_LIMIT, check_tracked
from goto.counting.numbers import Shelf
from goto.errors import BadInput, Conflict, NotFound, Unavailable
from goto.feature import Feature, Sender, measure
from goto.flow import Request
from goto.routes import Accepted, get, post, put
from goto.settings import setting
from goto.upstream.kept import Reported
from goto.upstream.pool import Pool
from goto.words import Duration, Flag, HeaderName, HeaderNames, Name, Names, TargetUrl, split_known
from goto.words.token import Token

MOST_CLIENT_TARGETS = 10_000
"""Targets of one listener."""

STOP_WAIT = 1.0
"""Seconds that the answer to a stop waits for requests in flight, so that the results read next are the final ones."""


MOST_ONCE = 1000
"""Requests of a target that is invoked without being kept."""


class OnceTarget(ClientTarget, kw_only=True):
    """A target that is invoked and not kept; it needs no name."""

    name: Name = Name("once")


class ToReconcile(msgspec.Struct):
    """What `POST /client/reconcile` takes."""

    targets: list[Name] = []
    """Those whose requests are joined with what arrived; all that were invoked with `reconcile`, if not given."""
    server: TargetUrl | None = None
    """The URL of the goto at which they arrived; this process, if not given."""
    token: Token | None = None
    """The admin token of that one."""

    example: ClassVar[dict[str, Any]] = {"targets": ["t1"], "server": "http://localhost:9090"}


class Client(Feature):
    """Send requests to targets when asked to, and count what comes back."""

    def __init__(self) -> None:
        self.targets: dict[str, ClientTarget] = {}
        """By name, in the order added."""
        self.results = Results()
        self.reporting = False
        """Whether an invocation answers with the responses."""
        self.desired = Desired()
        """Which targets came from a registry."""
        self.invocations = Invocations()
        self._once: set[Run] = set()
        """Runs of targets that are not kept."""
        self._here: Server | None = None
        self._shelf: Shelf[Sent] = Shelf()
        self._due: list[ClientTarget] = []
        """Targets of a configuration that are to be invoked once it is in force."""

    def send_with(self, sender: Sender) -> None:
        """For the listener: what requests are sent with."""
        self._pool: Pool = sender.pool

    def reconcile_with(self, server: Server, shelf: Shelf[Sent]) -> None:
        """For the instance: who knows what arrived at this process, and where all its listeners keep the numbers of what they
        sent.
        """
        self._here = server
        self._shelf = shelf

    # ------------------------------------------------------------ for the registry too
    def store(self, target: ClientTarget) -> None:
        """Add a target, or replace the one of its name in its place; a run of that one goes on.

        Raises `Conflict` if there are too many, `BadInput` if its certificate files cannot be used.
        """
        self._check(target)
        self.targets[target.name] = target

    def _check(self, target: ClientTarget) -> None:
        if target.name not in self.targets and len(self.targets) >= MOST_CLIENT_TARGETS:
            raise Conflict(f"there are {MOST_CLIENT_TARGETS:,} client targets already: remove some first")
        _ = target.origin  # reads the files of its `tls`, as they are now

    def discard(self, name: str) -> None:
        """Remove the target of this name, if there is one, and stop its runs."""
        self._discard([name])

    def invoke_targets(self, targets: Iterable[ClientTarget]) -> asyncio.Future[None]:
        """Invoke these targets together; what is set once all their requests are over. Those that run already run twice then."""
        return self._run(list(targets)).run.done

    def _run(self, targets: list[ClientTarget], report: Report | None = None) -> Invocation:
        results = Results()
        results.tracked = self.results.tracked
        run = Run(targets, results, self._pool, report, whole=self.results, shelf=self._shelf)
        invocation = self.invocations.begin([str(target.name) for target in targets], run)
        run.start()
        return invocation

    def _counted(self) -> Results:
        """The results, with all that runs have counted so far."""
        for run in self.invocations.runs:
            run.results.fold()
        return self.results

    def stop(self) -> None:
        """Stop all runs."""
        self._stop(None)
        for run in self._once:
            run.stop()

    async def forget(self) -> None:
        """Stop all runs, and forget the results."""
        self._due = []
        runs = [*self._stop(None), *self._once]
        for run in self._once:
            run.stop()
        await self._settled(runs, None)
        for run in runs:
            run.abort()
        self.clear_all_results()

    @property
    def running(self) -> set[str]:
        """The names of targets that send now."""
        return {name for run in self.invocations.runs for name in run.names}

    def _discard(self, names: list[str]) -> None:
        known = [name for name in names if self.targets.pop(name, None) is not None]
        if known:
            self._stop(known)

    def _stop(self, names: list[str] | None) -> list[Run]:
        runs = self.invocations.runs
        for run in runs:
            run.stop(names)
        return runs

    # ------------------------------------------------------------ targets
    @post("/client/targets/add", who=REGISTRY, raises=[Conflict])
    def add(self, target: ClientTarget, request: Request) -> str | Accepted:
        """Add a client target; one that bears a known name replaces that one. `autoInvoke` invokes it, unless it is unchanged."""
        source = source_of(request.headers)
        if source is not None:
            return self._take(target, source)
        known = self.targets.get(target.name)
        self.store(target)
        self.desired.disown(target.name)
        return self._added(target, "Added" if known is None else "Replaced", target.auto_invoke and target != known)

    def _take(self, target: ClientTarget, source: Source) -> str | Accepted:
        """A registry sends a target."""
        self._check(target)
        match self.desired.receive(target, source, self.targets):
            case Action.NOTHING:
                return Accepted(f"Client target {target.name} is unchanged, or was changed after this was sent")
            case Action.REFUSE:
                raise Conflict(f"name: the client target {target.name} was added on this instance, and is not replaced")
            case action:
                self.store(target)
                return self._added(target, "Received", action is Action.INVOKE)

    def _added(self, target: ClientTarget, what: str, invoke: bool) -> str:
        invoked = f", and invoked it (invocation {self._run([target]).number})" if invoke else ""
        return f"{what} client target {target.name}{invoked}"

    @put("/client/targets/{target}/remove", who=REGISTRY, raises=[NotFound])
    def remove(self, target: Name, request: Request) -> str | Accepted:
        """Remove a client target, and stop it if it runs."""
        source = source_of(request.headers)
        removed = source is None or self.desired.remove(target, source)
        if target not in self.targets:
            raise NotFound(f"unknown client target: {target}")
        if not removed:
            return Accepted(f"Client target {target} stays: it was added on this instance, or was changed after this was sent")
        self.discard(target)
        return f"Removed client target {target}"

    @put("/client/targets/clear", who=REGISTRY, raises=[BadInput])
    def clear(self, request: Request) -> str:
        """Remove all client targets, and stop those that run; a registry removes those it has sent."""
        source = source_of(request.headers)
        self._discard(list(self.targets) if source is None else self.desired.clear(source))
        return "Client targets cleared"

    @get("/client/targets", "/client/targets/list")
    def show_targets(self) -> dict[str, CompleteTarget]:
        """List the client targets, in the order added."""
        return {name: target.complete() for name, target in self.targets.items()}

    # ------------------------------------------------------------ configuration
    @setting("client.targets")
    def configured_targets(self) -> Annotated[list[ClientTarget], msgspec.Meta(max_length=MOST_CLIENT_TARGETS)]:
        """What can be invoked to send requests; those with `autoInvoke` are invoked at once. A registry's do not count here."""
        return [target for name, target in self.targets.items() if name not in self.desired]

    @configured_targets.setter
    def configure_targets(self, targets: list[ClientTarget]) -> None:
        wanted = {target.name for target in targets}
        self._discard([name for name in self.targets if name not in wanted and name not in self.desired])
        for target in targets:
            known = self.targets.get(target.name)
            self.store(target)
            self.desired.disown(target.name)
            if target.auto_invoke and target != known:
                self._due.append(target)
        # in this order from now on, a registry's after them
        self.targets = {**{target.name: target for target in targets}, **self.targets}

    def settled(self) -> None:
        """Invoke what is to be invoked when it is received."""
        due = [target for target in self._due if self.targets.get(target.name) is target]
        self._due = []
        if due:
            self._run(due)

    @setting("client.track.headers")
    def configured_headers(self) -> Annotated[list[HeaderName], msgspec.Meta(max_length=TRACKED_LIMIT)]:
        """Headers by whose values responses are counted, in lower case."""
        return [HeaderName(name) for name in self.results.tracked.values()]

    @configured_headers.setter
    def configure_headers(self, headers: list[HeaderName]) -> None:
        # what runs counts by this very map
        self.results.tracked.clear()
        if headers:
            self.track(HeaderNames(headers))

    @setting("client.reporting")
    def configured_reporting(self) -> bool | None:
        """Whether an invocation answers with the responses; not, if not given."""
        return self.reporting or None

    @configured_reporting.setter
    def configure_reporting(self, flag: bool | None) -> None:
        self.reporting = bool(flag)

    # ------------------------------------------------------------ invoking
    @post("/client/targets/{targets}/invoke", raises=[NotFound])
    async def invoke(self, targets: Names) -> str | list[Reported]:
        """Invoke some client targets together; answers at once, or with the responses when reporting is on."""
        known, remark = split_known(targets, self.targets, "client targets")
        return await self._invoke(known, [name for name in targets if name not in self.targets], remark)

    @post("/client/targets/invoke/all")
    async def invoke_all(self) -> str | list[Reported]:
        """Invoke all client targets together; answers at once, or with the responses when reporting is on."""
        return await self._invoke(list(self.targets), [], "")

    async def _invoke(self, names: list[str], unknown: list[str], remark: str) -> str | list[Reported]:
        targets = [self.targets[name] for name in names]
        if not self.reporting:
            number = self._run(targets).number
            return f"Invoked client targets: {', '.join(names) or 'there are none'} (invocation {number}){remark}"
        report = Report()
        for name in unknown:
            report.unknown(name)
        await self._run(targets, report).run.done
        return report.show()

    @post("/client/targets/invoke")
    async def invoke_once(self, target: OnceTarget) -> list[Reported]:
        """Invoke a target that is not kept, for 1,000 requests at most; answers with its responses, which count in no results."""
        asked = target.replicas * target.request_count
        if asked > MOST_ONCE:
            raise BadInput(
                f"requestCount: {asked:,} requests in all are more than {MOST_ONCE:,}, which are answered with at most"
            )
        _ = target.origin  # reads the files of its `tls`
        report = Report(timed=True)
        run = Run([target], Results(), self._pool, report, asked or MOST_ONCE)
        self._once.add(run)
        try:
            run.start()
            await run.done
        finally:
            self._once.discard(run)
            run.abort()  # whoever asked may have left
        return report.show()

    @post("/client/targets/{targets}/stop", raises=[NotFound])
    async def stop_some(self, targets: Names) -> str:
        """Stop some client targets: requests in flight are still answered, no others are sent."""
        running = self.running
        known, remark = split_known(targets, {*self.targets, *running}, "client targets")
        return await self._stopped(known, [name for name in known if name in running], remark)

    @post("/client/targets/stop/all")
    async def stop_all(self) -> str:
        """Stop all client targets that run."""
        return await self._stopped(None, sorted(self.running), "")

    async def _stopped(self, names: list[str] | None, running: list[str], remark: str) -> str:
        runs = self._stop(names)
        if running:
            await self._settled(runs, names)
        return f"Stopped client targets: {', '.join(running) or 'none was running'}{remark}"

    async def _settled(self, runs: list[Run], names: list[str] | None) -> None:
        waits = [wait for run in runs for wait in run.settled(names)]
        if waits:
            await asyncio.wait(waits, timeout=STOP_WAIT)

    # ------------------------------------------------------------ reporting
    @put("/client/reporting/set/{flag}", "/client/blocking/set/{flag}")
    def set_reporting(self, flag: Flag) -> str:
        """Set whether an invocation answers with the responses."""
        self.reporting = bool(flag)
        return f"Reporting set to {_yes_or_no(self.reporting)}"

    @get("/client/reporting", "/client/blocking")
    def show_reporting(self) -> str:
        """Show whether an invocation answers with the responses."""
        return f"Reporting: {_yes_or_no(self.reporting)}"

    # ------------------------------------------------------------ tracked headers
    @put("/client/track/headers/add/{headers}", raises=[Conflict])
    def track(self, headers: HeaderNames) -> str:
        """Count responses by some headers; what was counted before stays."""
        names = [header.lower() for header in headers]
        check_tracked({*self.results.tracked.values(), *names})
        for name in names:
            self.results.tracked[name.encode()] = name
        return f"Tracking response headers {','.join(names)}"

    @put("/client/track/headers/remove/{headers}", raises=[NotFound])
    def untrack(self, headers: HeaderNames) -> str:
        """Count responses by some headers no more."""
        tracked = self.results.tracked
        known, remark = split_known([header.lower() for header in headers], set(tracked.values()), "headers")
        for name in known:
            del tracked[name.encode()]
        return f"Removed tracked response headers {','.join(known)}{remark}"

    @post("/client/track/headers/clear")
    def untrack_all(self) -> str:
        """Count responses by no header."""
        self.results.tracked.clear()
        return "Tracked response headers cleared"

    @get("/client/track/headers", "/client/track/headers/list")
    def show_tracked(self) -> str:
        """List the response headers counted, in lower case."""
        return ",".join(self.results.tracked.values())

    # ------------------------------------------------------------ results
    @get("/client/results", who=REGISTRY)
    async def show_results(
        self, histograms: Flag = Flag.NO, series: Flag = Flag.NO, wait: Duration = Duration.ZERO
    ) -> ClientResults:
        """Show the results of all invocations since they were cleared.

        `?histograms=y` adds the histograms, `?series=y` the series of what came of requests over time. `?wait=60s` answers when
        nothing runs any more, at most after so long.
        """
        await self._rest(wait.seconds)
        return self._counted().to_wire(histograms=bool(histograms), series=bool(series))

    async def _rest(self, seconds: float) -> None:
        """Wait until nothing runs, at most so long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (runs := self.invocations.runs) and (left := until - loop.time()) > 0:
            await asyncio.wait([run.done for run in runs], timeout=left)

    @get("/client/results/invocations")
    def show_invocations(self) -> list[InvocationShown]:
        """List the invocations that run, and the last 100 that have ended, the newest first."""
        return [invocation.show() for invocation in reversed(list(self.invocations))]

    @get("/client/results/invocations/{id}", raises=[NotFound])
    def show_invocation(self, id: InvocationNumber, histograms: Flag = Flag.NO, series: Flag = Flag.NO) -> ClientResults:
        """Show the results of one invocation; clearing results does not clear them."""
        invocation = self.invocations.get(id)
        if invocation is None:
            raise NotFound(f"id: there is no invocation {id}: GET /client/results/invocations lists those that are known")
        invocation.run.results.fold()
        return invocation.run.results.to_wire(histograms=bool(histograms), series=bool(series))

    @post("/client/results/{targets}/clear", raises=[NotFound])
    def clear_results(self, targets: Names) -> str:
        """Clear the results of some targets."""
        known, remark = split_known(targets, {*self.results.targets, *self.targets}, "client targets")
        self._clear(known)
        self.invocations.forget_targets(known)
        return f"Results cleared for client targets {', '.join(known)}{remark}"

    @post("/client/results/clear")
    def clear_all_results(self) -> str:
        """Clear the results of all targets, and forget invocations that have ended."""
        self._clear(None)
        self.invocations.forget()
        return "Results cleared for all client targets"

    def _clear(self, names: list[str] | None) -> None:
        for run in self.invocations.runs:
            run.results.flush()
        self.results.clear(names)

    # ------------------------------------------------------------ reconcile
    @post("/client/reconcile", raises=[NotFound, Conflict, Unavailable])
    async def reconcile(self, what: ToReconcile) -> dict[str, Reconciled]:
        """Join what was sent to targets with `reconcile` with what arrived at another goto, or at this process."""
        server: Server | None = self._here
        if what.server is not None:
            server = OtherServer(self._pool, what.server, what.token)
        if server is None:
            raise BadInput("server: missing, since nothing is known here of what arrived")
        sent: dict[str, list[Sent]] = {}
        for invocation in self.invocations:
            for name, one in invocation.run.sent.items():
                sent.setdefault(name, []).append(one)
        names = [str(name) for name in what.targets] or list(sent)
        for name in names:
            if name not in sent:
                if name not in self.targets:
                    raise NotFound(f"unknown client target: {name}")
                raise Conflict(f"targets: {name} was not invoked with reconcile since its results were cleared")
        return {name: await joined(sent[name], server, incomplete=name in self.invocations.dropped) for name in names}

    # ------------------------------------------------------------ metrics
    @measure("goto_client_requests", "counter", labels=["target", "status"])
    def requests_sent(self) -> dict[tuple[str, int], int]:
        """Requests of the client that were answered, by status, or have failed (0)."""
        return {
            (name, code): count for name, all_ in self._counted().ever().items() for code, count in sorted(all_.codes.items())
        }

    @measure("goto_client_errors", "counter", labels=["target", "kind"])
    def errors(self) -> dict[tuple[str, str], int]:
        """Requests of the client that have failed, by kind as in the results; answers that did not pass a check under check."""
        return {
            (name, kind): count for name, all_ in self._counted().ever().items() for kind, count in sorted(all_.errors.items())
        }

    @measure("goto_client_sent_bytes", "counter", labels=["target"])
    def bytes_sent(self) -> dict[str, int]:
        """Bytes of the client's requests, with their heads."""
        return {name: totals.bytes_sent for name, totals in self._counted().ever().items()}

    @measure("goto_client_received_bytes", "counter", labels=["target"])
    def bytes_received(self) -> dict[str, int]:
        """Bytes of the bodies of answers to the client."""
        return {name: totals.bytes_received for name, totals in self._counted().ever().items()}

    @measure("goto_client_running_targets", "gauge")
    def running_targets(self) -> int:
        """Targets that the client sends to now."""
        return len(self.running)

    @measure("goto_client_grouped_targets", "gauge")
    def grouped_targets(self) -> int:
        """Client targets whose figures are under _other, since there are too many."""
        return self.results.uncounted


def _yes_or_no(flag: bool) -> str:
    return "yes" if flag else "no"
