"""What mitmproxy cannot carry: several calls, one without a check of certificates, or one made by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from goto.exchange.waiting import step_in_task
from goto.flow import Call, Flow, Response
from goto.http.wire import NOT_MODIFIED
from goto.upstream.answer import Upstream
from goto.upstream.errors import UpstreamError
from goto.upstream.fanout import fan_out
from goto.upstream.kept import FAN_OUT_LIMIT, Budget, KeptBody


async def send_whole(upstream: Upstream, flow: Flow, calls: Sequence[Call], body: bytes) -> Response:
    """Send calls and wait for all of what is answered: mitmproxy streams no response of goto's own. Raises `ClientGone`."""
    if len(calls) > 1:
        return await step_in_task(fan_out(upstream, flow, list(calls), body))
    (call,) = calls
    # a future beside the task, since a client's leaving is set as the exception of what is waited for
    waiter: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def hand_over(done: asyncio.Task[Response]) -> None:
        if waiter.done() or done.cancelled():
            return
        if (error := done.exception()) is not None:
            waiter.set_exception(error)
        else:
            waiter.set_result(done.result())

    sending = asyncio.get_running_loop().create_task(_one(upstream, flow, call, body))
    sending.add_done_callback(hand_over)
    try:
        return await flow.wait(waiter)
    finally:
        sending.cancel()


async def _one(upstream: Upstream, flow: Flow, call: Call, body: bytes) -> Response:
    try:
        answer = await upstream.head(call, body)
        try:
            kept = KeptBody(Budget(FAN_OUT_LIMIT))
            answer.pipe(kept)
            response = answer.response()
            response.body, response.stream = await kept.read(), None
            if answer.length is not None and (call.method == "HEAD" or answer.status == NOT_MODIFIED):
                # that of a body which is not sent (RFC 9110, 8.6)
                response.headers.add("Content-Length", str(answer.length))
        finally:
            answer.abort()
    except UpstreamError as error:
        flow.unanswered = True
        return Response.text(error.status, f"target {call.target}: {error}")
    if kept.truncated:
        return Response.text(502, f"target {call.target}: more than {FAN_OUT_LIMIT} bytes, which cannot be streamed here")
    return response
