"""One request to several upstreams, their answers in one: `208` with a JSON list (behaviour: proxy)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from goto.flow import Call, Flow, Response
from goto.http.reasons import status_text
from goto.upstream.answer import Answer, Upstream
from goto.upstream.connection import UpstreamError
from goto.upstream.kept import FAN_OUT_LIMIT, RESPONSES_LIMIT, Budget, KeptBody, Reported, reported
from goto.words.writing import json_bytes


async def fan_out(upstream: Upstream, flow: Flow, calls: Sequence[Call], body: bytes) -> Response:
    """Send all calls at once and wait for all. Raises `ClientGone`; the calls are then aborted."""
    budget = Budget(FAN_OUT_LIMIT)
    tasks = [asyncio.ensure_future(_one(upstream, call, body, budget)) for call in calls[:RESPONSES_LIMIT]]
    every: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    left = len(tasks)

    def one_done(task: asyncio.Task[Reported]) -> None:
        nonlocal left
        left -= 1
        if not left and not every.done():
            every.set_result(None)

    for task in tasks:
        task.add_done_callback(one_done)
    try:
        await flow.wait(every)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
    answers: list[Reported] = [task.result() for task in tasks]
    if len(calls) > RESPONSES_LIMIT:
        answers.append({"LeftOut": len(calls) - RESPONSES_LIMIT, "Reason": f"{RESPONSES_LIMIT} responses are the limit"})
    return Response.json(208, json_bytes(answers))


async def _one(upstream: Upstream, call: Call, body: bytes, budget: Budget) -> Reported:
    answer: Answer | None = None
    kept = KeptBody(budget)
    try:
        answer = await upstream.head(call, body)
        answer.pipe(kept)
        await kept.read()
    except UpstreamError as error:
        if answer is not None:
            answer.abort()
        failed = reported(call.target, call.id, error.status, status_text(error.status))
        failed["Body"] = f"target {call.target}: {error}"
        return failed
    except BaseException:
        if answer is not None:
            answer.abort()
        raise
    status = f"{answer.status} {answer.reason.decode('latin-1')}".rstrip()
    return reported(call.target, call.id, answer.status, status, answer.response().headers.fields, kept)
