"""One exchange through the hooks of features, without a host.

    flow = run(Gate(), Request("GET", "/a"))
    assert flow.response.status == 503

The hooks are run by the pipeline that hosts use, in an event loop made for this one exchange. So they may be plain or
`async def`, and the test may be either too: where it runs in an event loop itself, the hooks get theirs in a thread, and the
loop of the test stands meanwhile.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from goto.exchange.waiting import step_in_task
from goto.feature import Feature
from goto.flow import Flow, Hold, Kept, Request, Response, kept_of
from goto.http.record import Record
from goto.pipeline import Pipeline


def run(
    features: Feature | Iterable[Feature],
    request: Request,
    *,
    body: bytes = b"",
    answer: Response | None = None,
    completed: bool = True,
) -> Flow:
    """Let a request go through the hooks of one feature, or of several from the outside in, and return its flow.

    Hooks run as they do in a host: those of active features alone, `request` until one decides, `response` and `closed` of the
    features reached. A flow that is sent on, or that nobody decides, is answered with `answer`, or without one with an empty
    response of the forced status or 200. `body` is the request's, for a `flow.answer` that is made of it and for a hook that
    wants it. `completed` is what `closed` finds out: whether the client took the whole response.

    A delivery is not carried out. It stays in `flow.delivery`, and `flow.aborted` is true where it sends no response or cuts it.

    A hold is released at once, so that nobody waits for it, and stays in `flow.holds` with the seconds asked for. Raises what a
    hook raises, once all hooks have run.
    """
    several = [features] if isinstance(features, Feature) else list(features)
    flow = Flow(request)
    exchange = step_in_task(_exchange(several, flow, body, answer, completed))
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        _run(exchange)
    else:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(_run, exchange).result()
    return flow


def _run(exchange: Coroutine[Any, Any, None]) -> None:
    # with a factory, the event loop that the thread has set stays so
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(exchange)


async def _exchange(features: list[Feature], flow: Flow, body: bytes, answer: Response | None, completed: bool) -> None:
    errors: list[BaseException | None] = []
    flow.request.has_body = flow.request.has_body or bool(body)
    pipeline = Pipeline(features, on_error=lambda hook: errors.append(sys.exception()))
    waits = pipeline.request(flow)
    if waits is not None:
        await waits
    record = flow.record
    if record is not None and flow.request.has_body:
        record.request.more(body)
        record.request.end()
    while flow.wanted:
        flow.request_body = Kept(body[: flow.wanted], min(len(body), flow.wanted), len(body) <= flow.wanted)
        waits = pipeline.resume(flow)
        if waits is not None:
            await waits
    held = _released(flow)
    if not flow.silent:
        if flow.answer is not None:
            flow.response = flow.answer(flow, body, len(body))
        elif flow.response is None:
            flow.response = Response(flow.status or 200) if answer is None else answer
        waits = pipeline.response(flow)
        if waits is not None:
            await waits
    if record is not None:
        _passed(flow, record)
    flow.holds = [*held, *_released(flow)]
    flow.aborted = flow.delivery is not None and (flow.delivery.silent or flow.delivery.cuts)
    flow.completed = completed and not flow.aborted
    pipeline.closed(flow)
    for error in errors:
        if error is not None:
            raise error


def _passed(flow: Flow, record: Record) -> None:
    """The whole answer has passed, if there is one."""
    response = flow.response
    if response is not None and not flow.silent:
        record.answered(response.status, response.reason, response.headers.fields)
        record.response.more(response.body)
        record.response.end()
    flow.ended = time.monotonic()
    if flow.request_body is None:
        flow.request_body = kept_of(record.request)


def _released(flow: Flow) -> Sequence[Hold]:
    """What held the flow, and holds it no longer."""
    held, flow.holds = flow.holds, ()
    for hold in held:
        hold.release()
        hold.begin()
        hold.over()
    return held
