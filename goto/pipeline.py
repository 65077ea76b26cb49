"""The pipeline that runs the hooks of the active features.

Features form an onion. `request` hooks run from the outside in until one decides the flow; `response` hooks run from
there back out, and `closed` for the same features. So what lies behind the deciding feature never sees the exchange.

A flow whose delivery sends no response is decided too: set in a `request` hook, no `response` hook runs, set in a `response`
hook, those further out do not. A `request` hook that wants the body stops the flow until it is here, and is called again then.

`request` and `response` are called as hooks are: they return None when all is done, or something to await where a hook is
`async def`. Such a hook runs in a task of its own, since it may do anything that needs one, and the flow goes on when it is
done. Who steps that is the host's matter (see `exchange.waiting.Wait`).
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from goto.exchange.waiting import Wait
from goto.feature import Feature
from goto.flow import Call, ClientGone, Flow, Headers, Hold, Origin, Peer, Request, Response

__all__ = ["Pipeline"]

log = logging.getLogger("goto")

T = TypeVar("T")


class Cancelled(Exception):
    """What was waited for ended by `asyncio.CancelledError`, which no `except Exception` would catch."""


BREAKS = (Exception, asyncio.CancelledError)
"""What a hook may raise: the second where it asks for the result of what was cancelled."""

Hook = Callable[[Flow], Any]
Hooks = tuple[Hook, ...]


class Pipeline:
    """The hooks of the active features. An exchange keeps the pipeline it began with.

    A *depth* says how far into the onion a flow came: the index of the feature that decided it, -1 for none.
    """

    __slots__ = ("_closed", "_deepest", "_on_error", "_request", "_response", "_taken")

    def __init__(self, features: Iterable[Feature], on_error: Callable[[str], None] = lambda hook: None) -> None:
        hooked = [feature for feature in features if feature.active and any(_hooks(feature))]
        self._deepest = len(hooked) - 1
        self._on_error = on_error
        self._request = tuple((depth, hook) for depth, feature in enumerate(hooked) if (hook := _hook(feature, "request")))
        self._response = tuple(_outwards(hooked[:reached], "response") for reached in range(len(hooked) + 1))
        self._closed = tuple(_outwards(hooked[:reached], "closed") for reached in range(len(hooked) + 1))
        taken = [feature for feature in hooked if feature.ends == "taken"]
        self._taken = tuple(
            bool(_outwards([feature for feature in hooked[:reached] if feature in taken], "closed"))
            for reached in range(len(hooked) + 1)
        )

    def request(self, flow: Flow, start: int = 0) -> Awaitable[None] | None:
        """Run the request hooks from a depth on; `flow.depth` is the depth reached. Ends early when the client leaves, which
        `flow.gone` tells.
        """
        for depth, hook in self._request[start:] if start else self._request:
            try:
                waits = hook(flow)
            except BREAKS:
                self._broke(flow, hook)
                flow.depth = depth - 1
                return None
            if waits is not None:
                return self._request_later(flow, depth, hook, waits)
            if flow.response is not None or flow.answer is not None or flow.upstreams:
                flow.depth = depth
                return None
            if flow.wanted or (flow.delivery is not None and flow.silent):
                flow.depth = depth
                return None
        flow.depth = self._deepest
        return None

    def resume(self, flow: Flow) -> Awaitable[None] | None:
        """Go on with the hook that wanted the body, which is here."""
        flow.wanted = 0
        for index, (depth, _) in enumerate(self._request):
            if depth == flow.depth:
                return self.request(flow, index)
        return None

    async def _request_later(self, flow: Flow, depth: int, hook: Hook, waits: Awaitable[None]) -> None:
        """Go on behind a hook that waits."""
        flow.depth = depth
        try:
            await _hook_over(flow, waits)
        except ClientGone:
            return  # the hooks up to this one have run or begun, so they are told of the end
        except Exception:
            self._broke(flow, hook)
            flow.depth = depth - 1
            return
        if not flow.decided and not flow.wanted:
            more = self.request(flow, self._request.index((depth, hook)) + 1)
            if more is not None:
                await more

    def response(self, flow: Flow, start: int = 0) -> Awaitable[None] | None:
        """Run the response hooks of the features reached, from the one of a number on. Awaiting may raise `ClientGone`."""
        hooks = self._response[flow.depth + 1]
        for hook in hooks[start:] if start else hooks:
            try:
                waits = hook(flow)
            except BREAKS:
                self._broke(flow, hook)
                continue
            if waits is not None:
                return self._response_later(flow, hook, waits)
            if flow.delivery is not None and flow.silent:
                return None
        return None

    async def _response_later(self, flow: Flow, hook: Hook, waits: Awaitable[None]) -> None:
        """Go on behind a hook that waits."""
        try:
            await _hook_over(flow, waits)
        except ClientGone:
            raise
        except Exception:
            self._broke(flow, hook)
        if flow.silent:
            return
        more = self.response(flow, self._response[flow.depth + 1].index(hook) + 1)
        if more is not None:
            await more

    def wants_taken(self, flow: Flow) -> bool:
        """Whether a feature that was reached wants to know if the client's system has taken the last byte."""
        return self._taken[flow.depth + 1]

    def closed(self, flow: Flow) -> None:
        """Tell the features reached that the exchange is over. To be called exactly once a flow."""
        for hook in self._closed[flow.depth + 1]:
            try:
                hook(flow)
            except BREAKS:
                self._broke(flow, hook)

    def _broke(self, flow: Flow, hook: Hook) -> None:
        """A hook raised: never pass the flow on as if nothing were; the hooks further out still run."""
        name = getattr(hook, "__qualname__", repr(hook))
        _tell_what_there_is(sys.exception())
        log.exception("%s failed on %s %s", name, flow.request.method, flow.request.path)
        self._on_error(name)
        if flow.response is not None and flow.response.stream is not None:
            flow.response.stream.abort()
        flow.response = Response.text(500, f"goto: {name} failed")
        flow.answer, flow.upstreams, flow.delivery, flow.wanted = None, (), None, 0


async def _hook_over(flow: Flow, hook: Awaitable[None]) -> None:
    """Wait for a hook. One that is cancelled when its client has left, as all are where the process ends, has not failed."""
    try:
        await in_own_task(hook)
    except Cancelled:
        if flow.gone:
            raise ClientGone from None
        raise


async def in_own_task(hook: Awaitable[T]) -> T:
    """Wait for what is `async def`, in a task of that alone: it may do anything that needs one. Raises what it raises, and
    `Cancelled` where that is an `asyncio.CancelledError`: whoever waits is not cancelled by it.
    """
    over: Wait[None] = Wait()

    async def run() -> T:
        return await hook

    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        task = asyncio.Task(run(), loop=loop, eager_start=True)  # what need not wait is done at once
    else:
        task = loop.create_task(run())
    if not task.done():
        task.add_done_callback(lambda _: over.come())
        await over
    if task.cancelled():
        raise Cancelled("it was cancelled")
    return task.result()


_OWNER = re.compile(r"'(?:[\w.]+\.)?(\w+)' objects? ")
"""The class in Python's message on an attribute or an operation that there is not."""

_SEEN: dict[str, type] = {kind.__name__: kind for kind in (Flow, Request, Response, Headers, Peer, Hold, Call, Origin)}
"""What hooks work on."""


def _tell_what_there_is(error: BaseException | None) -> None:
    """A hook guessed a name wrong: add those that there are to the error. This costs nothing as long as no hook does."""
    found = _OWNER.search(str(error)) if isinstance(error, (AttributeError, TypeError)) else None
    kind = _SEEN.get(found[1]) if found else None
    if error is not None and kind is not None:
        error.add_note(f"{kind.__name__} has {', '.join(name for name in dir(kind) if name[0] != '_')}.")
        if kind is Flow:
            error.add_note("What a feature keeps for an exchange goes into flow.notes[self].")


def _hook(feature: Feature, name: str) -> Hook | None:
    return getattr(feature, name, None)


def _hooks(feature: Feature) -> list[Hook | None]:
    return [_hook(feature, name) for name in ("request", "response", "closed")]


def _outwards(features: list[Feature], name: str) -> Hooks:
    return tuple(hook for feature in reversed(features) if (hook := _hook(feature, name)))
