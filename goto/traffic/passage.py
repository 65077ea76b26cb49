"""One flow's way through the features, the same in every host: in, out, and its end.

A host makes a `Passage` for each exchange that is traffic, and calls

    await passage.ask()             request hooks, then what they hold
    await passage.tell(response)    response hooks, then what they hold
    passage.over(outcome, …)        exactly once, however it went

with the making of the answer between the first two, and its delivery behind the second. Where `flow.silent` says so, behind the
first or the second, no answer is made or sent, and the delivery alone is carried out. The first two are coroutines that wait
on `Wait`s alone: a host steps them, or awaits them by `flow.step_in_task`. Both raise `ClientGone` where the client has left.
A host that would rather not make a coroutine for what seldom waits calls `request` and `response` instead.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from goto.flow import NOTHING_KEPT, ClientGone, Flow, Kept, Response, kept_of
from goto.traffic.listener import Listener, Outcome

HINT = "Goto-Hint"
"""The header of what an answer says besides, of a path that is nearly a route above all."""


ReadBody = Callable[[int], Awaitable[Kept]]
"""Reads the first so many bytes of the request's body, or all of it. What was read goes on to wherever the body goes."""


class Passage:
    """One flow's way through the features of a listener."""

    __slots__ = ("_over", "_pipeline", "_read", "flow", "listener")

    def __init__(self, listener: Listener, flow: Flow, read: ReadBody | None = None) -> None:
        """Without `read`, the request hooks stop where one wants the body, as `flow.wanted` tells, and `go_on` follows."""
        self.listener = listener
        self.flow = flow
        self._read = read
        self._pipeline = listener.pipeline
        self._over = False

    def request(self) -> Awaitable[None] | None:
        """Run the request hooks. None when nothing has to wait, else what to await, which raises `ClientGone`."""
        flow = self.flow
        waits = self._pipeline.request(flow)
        return None if waits is None and not flow.holds and not flow.wanted else self._wait(waits)

    async def go_on(self, body: Kept) -> None:
        """Go on with what was wanted of the request's body. Raises `ClientGone`."""
        self.flow.request_body = body
        await self._wait(self._pipeline.resume(self.flow))

    def response(self, response: Response) -> Awaitable[None] | None:
        """Run the response hooks, likewise. `flow.response` is then the one to send."""
        flow = self.flow
        flow.response = response
        if flow.hint:
            response.headers.add(HINT, flow.hint)
        waits = self._pipeline.response(flow)
        return None if waits is None and not self.flow.holds else self._wait(waits)

    async def ask(self) -> None:
        """Run the request hooks, and wait as long as they hold the flow. Raises `ClientGone`."""
        waits = self.request()
        if waits is not None:
            await waits

    async def tell(self, response: Response) -> Response:
        """Run the response hooks, and wait as long as they hold the flow; the response to send. Raises `ClientGone`."""
        waits = self.response(response)
        if waits is not None:
            await waits
        assert self.flow.response is not None
        return self.flow.response

    @property
    def wants_taken(self) -> bool:
        """Whether `over` has to be told if the client's system has taken the last byte, or only if it was written."""
        return self._pipeline.wants_taken(self.flow)

    def over(self, outcome: Outcome | None, *, completed: bool) -> None:
        """The exchange has ended: count it, and tell the features reached. Calls after the first change nothing.

        `outcome` is None where it simply completed; `completed`: the client has taken the whole response. What goto ended on
        purpose, see `Flow.aborted`, is counted as that.
        """
        if self._over:
            return
        self._over = True
        flow = self.flow
        if flow.aborted:
            outcome, completed = "aborted", False
        flow.completed = completed
        record = flow.record
        if record is not None:
            flow.ended = time.monotonic()
            if flow.request_body is None:
                body = record.request
                flow.request_body = kept_of(body) if body.size or not body.ended else NOTHING_KEPT
        flow.broken = outcome == "broke_off"
        if outcome is not None:
            self.listener.ends[flow.counted, outcome] += 1
        self._pipeline.closed(flow)

    async def _wait(self, waits: Awaitable[None] | None) -> None:
        """Wait for a hook and those behind it, then for all that holds the flow, one after the other.

        Where a hook wants the body, it is read first. Raises what reading it does.
        """
        flow = self.flow
        if waits is not None:
            await waits
        while flow.wanted and not flow.gone:
            if not flow.request.has_body:
                flow.request_body = NOTHING_KEPT
            elif self._read is not None:
                flow.request_body = await self._read(flow.wanted)
            else:
                return
            waits = self._pipeline.resume(flow)
            if waits is not None:
                await waits
        while flow.holds:
            hold, *flow.holds = flow.holds
            began = time.monotonic()
            hold.begin()
            try:
                await flow.until(hold.wait)
            finally:
                hold.over()
                if flow.record is not None:
                    flow.record.held += time.monotonic() - began
        if flow.gone:
            raise ClientGone
