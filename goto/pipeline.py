"""The pipeline that runs the hooks of the active features.

Features form an onion. `request` hooks run from the outside in until one decides the flow; `response` hooks run from
there back out, and `closed` for the same features. So what lies behind the deciding feature never sees the exchange.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from goto.feature import Feature
from goto.flow import ClientGone, Flow, Response

log = logging.getLogger("goto")

Hook = Callable[[Flow], Any]
Hooks = tuple[Hook, ...]


class Pipeline:
    """The hooks of the active features. An exchange keeps the pipeline it began with.

    A *depth* says how far into the onion a flow came: the index of the feature that decided it, -1 for none.
    """

    __slots__ = ("_closed", "_deepest", "_on_error", "_request", "_response", "plain", "swift")

    def __init__(self, features: Iterable[Feature], on_error: Callable[[str], None] = lambda hook: None) -> None:
        hooked = [feature for feature in features if feature.active and any(_hooks(feature))]
        self._deepest = len(hooked) - 1
        self._on_error = on_error
        self._request = tuple((depth, hook) for depth, feature in enumerate(hooked) if (hook := _hook(feature, "request")))
        self._response = tuple(_outwards(hooked[:reached], "response") for reached in range(len(hooked) + 1))
        self._closed = tuple(_outwards(hooked[:reached], "closed") for reached in range(len(hooked) + 1))
        every = [hook for _, hook in self._request] + list(self._response[-1])
        self.plain = not any(inspect.iscoroutinefunction(hook) for hook in every)
        """No hook is async, so that `request` and `response` may be run outside a task."""
        self.swift = self.plain and not self._closed[-1]
        """Plain, and nobody wants to know how exchanges end: then one is over once its answer is written."""

    def request(self, flow: Flow) -> int:
        """Run the request hooks; the depth reached. For plain pipelines."""
        for depth, hook in self._request:
            try:
                hook(flow)
            except Exception:
                self._broke(flow, hook)
                return depth - 1
            if flow.response is not None or flow.answer is not None or flow.upstreams:
                return depth
        return self._deepest

    async def request_async(self, flow: Flow) -> int:
        """As `request`, for every pipeline. Ends early when the client leaves, which `flow.gone` tells."""
        for depth, hook in self._request:
            try:
                waits = hook(flow)
                if waits is not None:
                    await waits
            except ClientGone:
                # the hooks up to this one have run or begun, so they are told of the end
                return depth
            except Exception:
                self._broke(flow, hook)
                return depth - 1
            if flow.decided:
                return depth
        return self._deepest

    def response(self, flow: Flow, depth: int) -> None:
        """Run the response hooks of the features reached. For plain pipelines."""
        for hook in self._response[depth + 1]:
            try:
                hook(flow)
            except Exception:
                self._broke(flow, hook)

    async def response_async(self, flow: Flow, depth: int) -> None:
        """As `response`, for every pipeline. Raises `ClientGone`."""
        for hook in self._response[depth + 1]:
            try:
                waits: Awaitable[None] | None = hook(flow)
                if waits is not None:
                    flow.waits_in = hook
                    await waits
                    flow.waits_in = None
            except ClientGone:
                flow.waits_in = hook
                raise
            except Exception:
                flow.waits_in = None
                self._broke(flow, hook)

    def has_run(self, hook: Hook, flow: Flow, depth: int) -> bool:
        """Whether a response hook has run for a flow whose response hooks were begun."""
        hooks = self._response[depth + 1]
        if hook not in hooks:
            return False
        return flow.waits_in is None or hooks.index(hook) < hooks.index(flow.waits_in)

    def watches_end(self, depth: int) -> bool:
        """Whether somebody wants to know how the exchange ended."""
        return bool(self._closed[depth + 1])

    def closed(self, flow: Flow, depth: int) -> None:
        """Tell the features reached that the exchange is over. To be called exactly once a flow."""
        for hook in self._closed[depth + 1]:
            try:
                hook(flow)
            except Exception:
                self._broke(flow, hook)

    def _broke(self, flow: Flow, hook: Hook) -> None:
        """A hook raised: never pass the flow on as if nothing were; the hooks further out still run."""
        name = getattr(hook, "__qualname__", repr(hook))
        log.exception("%s failed on %s %s", name, flow.request.method, flow.request.path)
        self._on_error(name)
        if flow.response is not None and flow.response.stream is not None:
            flow.response.stream.abort()
        flow.response = Response.text(500, f"goto: {name} failed")
        flow.answer, flow.upstreams = None, ()


def _hook(feature: Feature, name: str) -> Hook | None:
    return getattr(feature, name, None)


def _hooks(feature: Feature) -> list[Hook | None]:
    return [_hook(feature, name) for name in ("request", "response", "closed")]


def _outwards(features: list[Feature], name: str) -> Hooks:
    return tuple(hook for feature in reversed(features) if (hook := _hook(feature, name)))
