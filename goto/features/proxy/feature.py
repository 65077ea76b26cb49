"""Proxy targets: requests that meet the criteria of a target are sent on to it (seed: Proxy Features)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Annotated

import msgspec

from goto.counting.bounded import OTHER
from goto.counting.tally import BOUNDS, TALLIES_LIMIT, Tally
from goto.errors import Conflict, NotFound
from goto.feature import Feature, Histogram, measure
from goto.features.proxy.remarks import MOST_COMPARED, about_target
from goto.features.proxy.rewrite import Rewrite
from goto.features.proxy.target import ProxyTarget
from goto.features.proxy.triggers import Triggers
from goto.flow import Call, Flow, Origin, Request
from goto.http.forwards import MOST_HOPS, hops_field, max_forwards
from goto.matching.remarks import in_brackets
from goto.routes import Forward, get, post, put
from goto.settings import setting
from goto.traffic.limits import LIMITS
from goto.words import Name, Names, split_known
from goto.words.numbers import MOST_PROXY_TARGETS

INVOKE_LIMIT = 64 << 20
"""Bytes in the body of a manual invocation, which is sent to the targets as it is."""

_NOWHERE = Origin("http", "", 80)


class Proxy(Feature):
    """Send matching traffic on to one or several targets, rewritten for each."""

    def __init__(self) -> None:
        self._id = secrets.token_hex(4).encode()
        """This listener's, for those further on."""
        self._rewrites: dict[str, Rewrite] = {}
        self._matchable: set[str] = set()
        """The names of targets that traffic can trigger: those that are enabled and have criteria."""
        self._triggers: Triggers | None = None
        self.tallies: dict[str, Tally] = {}
        """Latencies and failures by target; those of targets past a limit are under OTHER."""

    @property
    def active(self) -> bool:
        return bool(self._matchable)

    def request(self, flow: Flow) -> None:
        if flow.status is not None:
            return
        triggers = self._triggers
        if triggers is None:
            # built at the first request after a change, so that adding thousands of targets one by one stays cheap
            triggers = self._triggers = self._build()
        matches = triggers.find(flow)
        if not matches or max_forwards(flow.request) == 0:
            return
        if len(matches) == 1:
            rewrite, captures = matches[0]
            calls = rewrite.calls(flow.request, captures)
        else:
            calls = [call for rewrite, captures in matches for call in rewrite.calls(flow.request, captures)]
        flow.upstreams = self._marked(flow.request, calls)

    @post("/request/proxy/targets/add", raises=[Conflict])
    def add(self, target: ProxyTarget) -> str:
        """Add a proxy target, or replace the one of that name, in its place."""
        known = target.name in self._rewrites
        if not known and len(self._rewrites) >= LIMITS.targets:
            LIMITS.hit["targets"] += 1
            raise Conflict(f"there are {LIMITS.targets:,} proxy targets already: remove some first")
        rewrite = self._rewrites[target.name] = Rewrite(target, self._tally(target.name))
        triggers = self._triggers
        self._refresh(target)
        if not known and triggers is not None:
            # they are extended, so that adding targets under traffic stays cheap too
            if target.name in self._matchable:
                triggers.add(rewrite)
            self._triggers = triggers
        return f"{'Replaced' if known else 'Added'} proxy target {target.name}{in_brackets(self._about(target))}"

    def remarks(self) -> Iterator[tuple[str, str]]:
        for rewrite in self._rewrites.values():
            for said in self._about(rewrite.target):
                yield "request.proxy.targets", f"{rewrite.target.name}: {said}"

    def _about(self, target: ProxyTarget) -> list[str]:
        few = len(self._rewrites) <= MOST_COMPARED
        return about_target(target, (rewrite.target for rewrite in self._rewrites.values()) if few else ())

    @put("/request/proxy/targets/{target}/remove", raises=[NotFound])
    def remove(self, target: Name) -> str:
        """Remove a proxy target."""
        self._target(target)
        del self._rewrites[target]
        if target != OTHER:
            self.tallies.pop(target, None)
        self._matchable.discard(target)
        self._triggers = None
        self.changed()
        return f"Removed proxy target {target}"

    @put("/request/proxy/targets/{target}/enable", raises=[NotFound])
    def enable(self, target: Name) -> str:
        """Let traffic trigger a proxy target."""
        self._switch(target, True)
        return f"Enabled proxy target {target}"

    @put("/request/proxy/targets/{target}/disable", raises=[NotFound])
    def disable(self, target: Name) -> str:
        """Keep traffic from triggering a proxy target, which can still be invoked by hand."""
        self._switch(target, False)
        return f"Disabled proxy target {target}"

    @post(
        "/request/proxy/targets/{targets}/invoke",
        "/request/proxy/targets/invoke/{targets}",
        body_limit=INVOKE_LIMIT,
        raises=[NotFound],
    )
    def invoke(self, targets: Names, request: Request) -> Forward:
        """Send the method, headers, query and body of this call to proxy targets, enabled or not."""
        split_known(targets, self._rewrites, "proxy targets")
        calls = []
        for name in targets:
            rewrite = self._rewrites.get(name)
            # the answer of several calls has no room for a remark, so unknown targets are calls that fail
            calls += [_unknown(name, request)] if rewrite is None else rewrite.manual(request)
        return Forward(self._marked(request, calls))

    def _marked(self, request: Request, calls: list[Call]) -> list[Call]:
        """Say in each call how often the request came through goto; one that fails, where that is too often (see `forwards`)."""
        hops, several = request.hops, len(calls) > 1
        if hops.times >= MOST_HOPS:
            return _looped(request, calls, f"this request came through goto {hops.times} times")
        if several and self._id in hops.ids:
            return _looped(request, calls, "this request was sent to several here before")
        field = hops_field(hops, self._id if several else b"")
        for call in calls:
            call.headers.append(field)
        return calls

    @put("/request/proxy/targets/clear")
    def clear(self) -> str:
        """Remove all proxy targets."""
        self._rewrites.clear()
        self.tallies = {name: tally for name, tally in self.tallies.items() if name == OTHER}
        self._matchable.clear()
        self._triggers = None
        self.changed()
        return "Cleared proxy targets"

    @get("/request/proxy/targets")
    def targets(self) -> dict[str, ProxyTarget]:
        """List the proxy targets, in the order in which they were added."""
        return {name: rewrite.target for name, rewrite in self._rewrites.items()}

    @setting("request.proxy.targets")
    def configured(self) -> Annotated[list[ProxyTarget], msgspec.Meta(max_length=MOST_PROXY_TARGETS)]:
        """The targets that requests are sent on to, each with the criteria that trigger it."""
        # copies, since enabling and disabling changes the target itself
        return [msgspec.structs.replace(rewrite.target) for rewrite in self._rewrites.values()]

    @configured.setter
    def configure(self, targets: list[ProxyTarget]) -> None:
        wanted = {target.name for target in targets}
        for name in [name for name in self._rewrites if name not in wanted]:
            self.remove(Name(name))
        for target in targets:
            known = self._rewrites.get(target.name)
            if known is None or known.target != target:
                self.add(msgspec.structs.replace(target))
        # in this order from now on
        self._rewrites = {target.name: self._rewrites[target.name] for target in targets}
        self._triggers = None

    @measure("goto_upstream_latency_seconds", "histogram", labels=["target"])
    def latencies(self) -> dict[str, Histogram]:
        """From when a request was sent on to a proxy target, connecting included, to the head of its answer."""
        return {name: Histogram(BOUNDS, tally.buckets, tally.seconds) for name, tally in self.tallies.items() if tally.used}

    @measure("goto_upstream_failures", "counter", labels=["target", "kind"])
    def failures(self) -> dict[tuple[str, str], int]:
        """Requests sent on that got no answer or only a part of it, by kind: connect, timeout, broken, loop, other."""
        return {(name, kind): count for name, tally in self.tallies.items() for kind, count in sorted(tally.failures.items())}

    @measure("goto_proxy_grouped_targets", "gauge")
    def grouped(self) -> int:
        """Proxy targets whose metrics are under _other, since there are too many."""
        return len(self._rewrites) - self._separate

    @property
    def _separate(self) -> int:
        return len(self.tallies) - (OTHER in self.tallies)

    def _tally(self, name: str) -> Tally:
        if name not in self.tallies and self._separate >= TALLIES_LIMIT:
            name = OTHER
        return self.tallies.setdefault(name, Tally())

    def _target(self, name: str) -> ProxyTarget:
        if name not in self._rewrites:
            raise NotFound(f"unknown proxy target: {name}")
        return self._rewrites[name].target

    def _switch(self, name: str, enabled: bool) -> None:
        target = self._target(name)
        target.enabled = enabled
        self._refresh(target)

    def _refresh(self, target: ProxyTarget) -> None:
        if target.enabled and (target.match or target.when is not None):
            self._matchable.add(target.name)
        else:
            self._matchable.discard(target.name)
        self._triggers = None
        self.changed()

    def _build(self) -> Triggers:
        return Triggers(rewrite for name, rewrite in self._rewrites.items() if name in self._matchable)


def _looped(request: Request, calls: list[Call], why: str) -> list[Call]:
    """What stands for calls that are not made, since they would go in a circle."""
    for tally in dict.fromkeys([call.tally for call in calls]):
        if tally is not None:
            tally.failed("loop")
    call = Call(",".join(dict.fromkeys([call.target for call in calls])), _NOWHERE, request.method, "/", failure=why)
    call.looped = True
    return [call]


def _unknown(name: str, request: Request) -> Call:
    return Call(name, _NOWHERE, request.method, "/", failure=f"unknown proxy target: {name}", id=f"{name}[1][1]")
