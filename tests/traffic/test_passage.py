"""One flow's way through the features: in order, held as long as asked for, counted once."""

from __future__ import annotations

import asyncio
import time

import pytest
from support.flows import Onion, flow

from goto.exchange.waiting import Wait, step_in_task
from goto.feature import Feature
from goto.flow import ClientGone, Flow, Hold, Kept, Response
from goto.traffic.passage import Passage


class Holds(Feature):
    """Holds each flow in one hook, and notes what happened."""

    def __init__(self, hook: str, *seconds: float | None) -> None:
        self.hook = hook
        self.seconds = seconds
        self.holds: list[Hold] = []
        self.lasted: list[float] = []
        self.ended: list[bool] = []

    def _hold(self, flow: Flow, hook: str) -> None:
        if hook == self.hook:
            self.holds += [flow.hold(seconds, self.lasted.append) for seconds in self.seconds]

    def request(self, flow: Flow) -> None:
        self._hold(flow, "request")

    def response(self, flow: Flow) -> None:
        self._hold(flow, "response")

    def closed(self, flow: Flow) -> None:
        self.ended.append(flow.completed)


async def through(passage: Passage) -> Response:
    await passage.ask()
    return await passage.tell(Response(200))


@pytest.mark.parametrize("hook", ["request", "response"])
def test_holds_add_up_and_are_never_shorter(hook: str) -> None:
    feature = Holds(hook, 0.004, 0.003)
    began = time.monotonic()
    asyncio.run(step_in_task(through(Passage(Onion([feature]), flow()))))
    assert time.monotonic() - began >= 0.007
    assert [lasted >= asked for lasted, asked in zip(feature.lasted, feature.seconds, strict=True)] == [True, True]


def test_a_hold_without_a_time_lasts_until_it_is_released() -> None:
    feature = Holds("request", None)

    async def run() -> None:
        passage = Passage(Onion([feature]), flow())
        passing = asyncio.create_task(step_in_task(through(passage)))
        while not feature.holds:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not passing.done()
        feature.holds[0].release()
        feature.holds[0].release()
        assert (await passing).status == 200

    asyncio.run(run())
    assert len(feature.lasted) == 1


def test_a_hold_that_is_released_before_it_began_is_none() -> None:
    feature = Holds("request", 3600, 3600)
    passage = Passage(Onion([feature]), flow())
    steps = passage.ask()

    async def run() -> None:
        wait = steps.send(None)  # it has begun the first
        for hold in feature.holds:
            hold.release()
        assert wait is feature.holds[0].wait
        with pytest.raises(StopIteration):
            steps.send(None)

    asyncio.run(run())
    assert len(feature.lasted) == 2


@pytest.mark.parametrize("hook", ["request", "response"])
def test_a_client_that_leaves_ends_holds(hook: str) -> None:
    feature = Holds(hook, 3600, None)
    passage = Passage(Onion([feature]), flow())

    async def run() -> None:
        asyncio.get_running_loop().call_soon(passage.flow.leave)
        with pytest.raises(ClientGone):
            await step_in_task(through(passage))

    asyncio.run(asyncio.wait_for(run(), 60))
    assert len(feature.lasted) == 1  # the second has never begun
    passage.over("client_gone", completed=False)
    assert feature.ended == [False]


def test_an_exchange_ends_once() -> None:
    feature = Holds("none")
    onion = Onion([feature])
    passage = Passage(onion, flow())
    asyncio.run(step_in_task(through(passage)))
    passage.flow.counted = 200
    passage.over("broke_off", completed=False)
    passage.over(None, completed=True)
    assert feature.ended == [False]
    assert onion.ends == {(200, "broke_off"): 1}


def test_what_was_ended_on_purpose_is_counted_as_that_however_it_ended() -> None:
    feature = Holds("none")
    onion = Onion([feature])
    passage = Passage(onion, flow())
    asyncio.run(step_in_task(through(passage)))
    passage.flow.aborted = True
    passage.over(None, completed=True)
    assert feature.ended == [False]
    assert onion.ends == {(0, "aborted"): 1}


def test_one_that_simply_completed_is_under_no_outcome() -> None:
    onion = Onion([])
    Passage(onion, flow()).over(None, completed=True)
    assert not onion.ends


def test_without_holds_and_async_hooks_nothing_is_waited_for() -> None:
    passage = Passage(Onion([Holds("none")]), flow())
    with pytest.raises(StopIteration) as end:
        through(passage).send(None)
    assert end.value.value.status == 200


def test_what_is_waited_for_comes_once() -> None:
    wait: Wait[int] = Wait()
    steps = wait.__await__()
    assert next(steps) is wait
    came: list[str] = []
    wait.on_come = lambda: came.append("here")
    wait.come(1)
    wait.come(2)
    wait.fail(ClientGone())
    assert came == ["here"]
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == 1


def test_what_fails_is_raised() -> None:
    wait: Wait[int] = Wait()
    wait.fail(ClientGone())
    with pytest.raises(ClientGone):
        next(wait.__await__())


def test_cancelling_is_passed_on() -> None:
    seen: list[str] = []

    async def waits() -> None:
        try:
            await Wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def run() -> None:
        task = asyncio.create_task(step_in_task(waits()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert seen == ["cancelled"]


class Looks(Feature):
    """Looks at the first bytes of the body."""

    def __init__(self) -> None:
        self.seen: list[Kept | None] = []

    def request(self, flow: Flow) -> None:
        self.seen.append(flow.request_body)
        if flow.request_body is None:
            flow.wants(4)


def test_a_body_that_is_wanted_is_read_before_hooks_go_on() -> None:
    async def read(size: int) -> Kept:
        return Kept(b"body"[:size], 4, False)

    feature, passing = Looks(), flow()
    passing.request.has_body = True
    asyncio.run(step_in_task(through(Passage(Onion([feature]), passing, read))))
    assert feature.seen == [None, Kept(b"body", 4, False)]


def test_where_there_is_no_body_an_empty_one_is_there_at_once() -> None:
    feature = Looks()
    asyncio.run(step_in_task(through(Passage(Onion([feature]), flow()))))
    assert feature.seen == [None, Kept(b"", 0, True)]
