"""One request to several upstreams, their answers in one: `208` with a JSON list (behaviour: proxy)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from goto.exchange.waiting import Wait
from goto.flow import Call, Flow, Response
from goto.http.reasons import status_text
from goto.http.shown import shown
from goto.upstream.answer import Answer, Upstream
from goto.upstream.kept import FAN_OUT_LIMIT, RESPONSES_LIMIT, Budget, KeptBody, Reported, reported
from goto.upstream.pause import DEFAULT_PAUSE
from goto.words.writing import json_bytes

ASIDE_BYTES = 1 << 16
"""Bodies of more bytes than this are listed in a thread: content codings may stand for a thousand times more."""


async def fan_out(upstream: Upstream, flow: Flow, calls: Sequence[Call], body: bytes) -> Response:
    """Send all calls at once and wait for all, for `Wait`s alone. Raises `ClientGone`; the calls are then aborted."""
    every: Wait[None] = Wait()
    left = min(len(calls), RESPONSES_LIMIT)

    def one_over() -> None:
        nonlocal left
        left -= 1
        if not left:
            every.come()

    for call in calls:
        if call.body_timeout is None:
            call.body_timeout = DEFAULT_PAUSE  # a list waits for no stream of events
    budget = Budget(FAN_OUT_LIMIT)
    ones = [_One(upstream, call, body, KeptBody(budget), one_over) for call in calls[:RESPONSES_LIMIT]]
    try:
        await flow.until(every)
    finally:
        for one in ones:
            one.answer.abort()
    listing = partial(_listed, ones, len(calls) - len(ones))
    if FAN_OUT_LIMIT - budget.left <= ASIDE_BYTES:
        return Response.json(208, listing())
    listed: Wait[bytes] = Wait()

    def on_listed(made: asyncio.Future[bytes]) -> None:
        error = made.exception()
        if isinstance(error, Exception):
            listed.fail(error)
        else:
            listed.come(made.result())

    asyncio.get_running_loop().run_in_executor(None, listing).add_done_callback(on_listed)
    return Response.json(208, await flow.until(listed))


def _listed(ones: Sequence[_One], left_out: int) -> bytes:
    """The JSON list. The codings of bodies are undone one after the other, within the budget that they share."""
    entries = [one.reported() for one in ones]
    if left_out:
        entries.append({"LeftOut": left_out, "Reason": f"{RESPONSES_LIMIT} responses are the limit"})
    return json_bytes(entries)


class _One:
    """One of the calls. `on_over` is called once its answer is whole, or will not be."""

    def __init__(self, upstream: Upstream, call: Call, body: bytes, kept: KeptBody, on_over: Callable[[], None]) -> None:
        self._call = call
        self._kept = kept
        self._on_over = on_over
        self.answer = upstream.send(call, body, self._on_head)

    def reported(self) -> Reported:
        call, answer = self._call, self.answer
        error = answer.error
        if error is not None:
            failed = reported(call.target, call.id, error.status, status_text(error.status))
            failed["Body"] = f"target {call.target}: {error}"
            return failed
        status = f"{answer.status} {shown(answer.reason)}".rstrip()
        fields = answer.response().headers.fields
        return reported(call.target, call.id, answer.status, status, fields, self._kept, undone=True)

    def _on_head(self, answer: Answer) -> None:
        if answer.error is None:
            answer.pipe(self._kept)
        if answer.error is not None or self._kept.done.here:
            self._on_over()
        else:
            self._kept.done.on_come = self._on_over
