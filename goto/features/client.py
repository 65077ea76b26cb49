"""The client: targets, runs of them, and what came of it (seed: Client Features). The engine is `goto.client`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from goto.client.report import Report
from goto.client.results import Results
from goto.client.run import Run
from goto.client.target import ClientTarget
from goto.errors import Conflict, NotFound
from goto.feature import Feature
from goto.routes import get, post
from goto.words import Flag, HeaderNames, Name, Names, split_known

MOST_TARGETS = 10_000
"""Targets of one listener."""

STOP_WAIT = 1.0
"""Seconds that the answer to a stop waits for requests in flight, so that the results read next are the final ones."""


class Client(Feature):
    """Send requests to targets when asked to, and count what comes back."""

    def __init__(self) -> None:
        self.targets: dict[str, ClientTarget] = {}
        """By name, in the order added."""
        self.results = Results()
        self.reporting = False
        """Whether an invocation answers with the responses."""
        self._runs: set[Run] = set()

    # ------------------------------------------------------------ for the registry too
    def put(self, target: ClientTarget) -> None:
        """Add a target, or replace the one of its name in its place; what runs of it goes on. `Conflict` when there are too many."""
        if target.name not in self.targets and len(self.targets) >= MOST_TARGETS:
            raise Conflict(f"there are {MOST_TARGETS:,} client targets already: remove some first")
        self.targets[target.name] = target

    def discard(self, name: str) -> None:
        """Remove a target if there is one of this name, and stop what runs of it."""
        if self.targets.pop(name, None) is not None:
            self._stop([name])

    def invoke_targets(self, targets: Iterable[ClientTarget], report: Report | None = None) -> Run:
        """Start a run of these targets together; those that run already run twice."""
        run = Run(targets, self.results, self.upstream.pool, report)
        self._runs.add(run)
        run.done.add_done_callback(lambda _: self._runs.discard(run))
        run.start()
        return run

    def stop(self) -> None:
        """Stop all runs."""
        self._stop(None)

    @property
    def running(self) -> set[str]:
        """The names of targets that send now."""
        return {name for run in self._runs for name in run.names}

    def _stop(self, names: list[str] | None) -> list[Run]:
        runs = list(self._runs)
        for run in runs:
            run.stop(names)
        return runs

    # ------------------------------------------------------------ targets
    @post("/client/targets/add")
    def add(self, target: ClientTarget) -> str:
        """Add a client target; one that bears a known name replaces that one. `autoInvoke` invokes it, unless it is unchanged."""
        known = self.targets.get(target.name)
        self.put(target)
        done = f"{'Added' if known is None else 'Replaced'} client target {target.name}"
        if target.auto_invoke and target != known:
            self.invoke_targets([target])
            done += ", and invoked it"
        return done

    @put("/client/targets/{target}/remove")
    def remove(self, target: Name) -> str:
        """Remove a client target, and stop it if it runs."""
        if target not in self.targets:
            raise NotFound(f"unknown client target: {target}")
        self.discard(target)
        return f"Removed client target {target}"

    @put("/client/targets/clear")
    def clear(self) -> str:
        """Remove all client targets, and stop those that run."""
        self.targets.clear()
        self._stop(None)
        return "Client targets cleared"

    @get("/client/targets", "/client/targets/list")
    def show_targets(self) -> dict[str, Any]:
        """List the client targets, in the order added."""
        return {name: target.complete() for name, target in self.targets.items()}

    # ------------------------------------------------------------ invoking
    @post("/client/targets/{targets}/invoke")
    async def invoke(self, targets: Names) -> str | list[dict[str, Any]]:
        """Invoke some client targets together; answers at once, or with the responses when reporting is on."""
        known, remark = split_known(targets, self.targets, "client targets")
        return await self._invoke(known, [name for name in targets if name not in self.targets], remark)

    @post("/client/targets/invoke/all")
    async def invoke_all(self) -> str | list[dict[str, Any]]:
        """Invoke all client targets together; answers at once, or with the responses when reporting is on."""
        return await self._invoke(list(self.targets), [], "")

    async def _invoke(self, names: list[str], unknown: list[str], remark: str) -> str | list[dict[str, Any]]:
        targets = [self.targets[name] for name in names]
        if not self.reporting:
            self.invoke_targets(targets)
            return f"Invoked client targets: {', '.join(names) or 'there are none'}{remark}"
        report = Report()
        for name in unknown:
            report.unknown(name)
        await self.invoke_targets(targets, report).done
        return report.show()

    @post("/client/targets/{targets}/stop")
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
    @put("/client/track/headers/add/{headers}")
    def track(self, headers: HeaderNames) -> str:
        """Count responses by some headers; what was counted before stays."""
        names = [header.lower() for header in headers]
        for name in names:
            self.results.tracked[name.encode()] = name
        return f"Tracking response headers {','.join(names)}"

    @put("/client/track/headers/remove/{headers}")
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
    @get("/client/results")
    def show_results(self, histograms: Flag = Flag(0)) -> dict[str, Any]:  # noqa: B008  # immutable
        """Show the results of all invocations since they were cleared; `?histograms=y` adds the histograms."""
        return self.results.to_wire(histograms=bool(histograms))

    @post("/client/results/{targets}/clear")
    def clear_results(self, targets: Names) -> str:
        """Clear the results of some targets."""
        known, remark = split_known(targets, {*self.results.targets, *self.targets}, "client targets")
        self.results.clear(known)
        return f"Results cleared for client targets {', '.join(known)}{remark}"

    @post("/client/results/clear")
    def clear_all_results(self) -> str:
        """Clear the results of all targets."""
        self.results.clear()
        return "Results cleared for all client targets"


def _yes_or_no(flag: bool) -> str:
    return "yes" if flag else "no"
