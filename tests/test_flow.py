"""An exchange on its way."""

from __future__ import annotations

import asyncio
import time

import pytest

from goto.flow import ClientGone, Flow, Headers, Request, Response


def request() -> Request:
    return Request("GET", "/", Headers())


def test_a_flow_is_decided_by_any_of_three():
    assert not Flow(request()).decided
    answered, answering, forwarded, forced = (Flow(request()) for _ in range(4))
    answered.response = Response(200)
    answering.answer = lambda flow, body, size: Response(200)
    forwarded.upstreams = [object()]
    forced.status = 503
    assert answered.decided
    assert answering.decided
    assert forwarded.decided
    assert not forced.decided


class TestWaiting:
    def test_a_sleep_is_never_short(self):
        async def sleep(seconds: float) -> float:
            started = time.monotonic()
            await Flow(request()).sleep(seconds)
            return time.monotonic() - started - seconds

        async def many() -> list[float]:
            return await asyncio.gather(*(sleep(n / 2000) for n in range(60)))

        assert min(asyncio.run(many())) >= 0

    def test_a_timer_that_fires_early_does_not_shorten_a_sleep(self, monkeypatch: pytest.MonkeyPatch):
        async def sleep() -> float:
            loop = asyncio.get_running_loop()
            call_later = loop.call_later
            monkeypatch.setattr(loop, "call_later", lambda delay, *args: call_later(delay / 2, *args))
            started = time.monotonic()
            await Flow(request()).sleep(0.05)
            return time.monotonic() - started

        assert asyncio.run(sleep()) >= 0.05

    def test_a_client_that_leaves_ends_a_sleep_at_once(self):
        async def leave() -> Flow:
            flow = Flow(request())
            sleeper = asyncio.create_task(flow.sleep(3600))
            await asyncio.sleep(0)  # it sleeps now
            assert not sleeper.done()
            flow.leave()
            with pytest.raises(ClientGone):
                await asyncio.wait_for(sleeper, 20)
            return flow

        assert asyncio.run(leave()).gone

    def test_who_has_left_waits_for_nothing(self):
        async def wait() -> None:
            flow = Flow(request())
            flow.leave()
            with pytest.raises(ClientGone):
                await flow.sleep(3600)
            with pytest.raises(ClientGone):
                await flow.wait(asyncio.get_running_loop().create_future())

        asyncio.run(wait())

    def test_a_wait_gives_the_result_or_the_error(self):
        async def wait() -> None:
            loop, flow = asyncio.get_running_loop(), Flow(request())
            result: asyncio.Future[int] = loop.create_future()
            loop.call_soon(result.set_result, 3)
            assert await flow.wait(result) == 3
            broken: asyncio.Future[int] = loop.create_future()
            loop.call_soon(broken.set_exception, ValueError("no"))
            with pytest.raises(ValueError, match="no"):
                await flow.wait(broken)

        asyncio.run(wait())

    def test_leaving_after_the_result_came_changes_nothing(self):
        async def wait() -> None:
            flow = Flow(request())
            result: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            waiter = asyncio.create_task(flow.wait(result))
            await asyncio.sleep(0)
            result.set_result(3)
            flow.leave()
            assert await waiter == 3
            flow.leave()  # nobody waits

        asyncio.run(wait())
