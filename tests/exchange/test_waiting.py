"""What an exchange waits for, stepped without a task and within one."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from goto.exchange.waiting import Hold, Wait, step_in_task


async def waiting(wait: Wait[int]) -> int:
    return await wait


def test_what_has_come_is_not_waited_for() -> None:
    wait: Wait[int] = Wait()
    wait.come(3)
    wait.come(4)
    with pytest.raises(StopIteration) as stop:
        waiting(wait).send(None)
    assert stop.value.value == 3


def test_what_has_not_is_yielded_to_the_stepper_who_goes_on_once() -> None:
    wait: Wait[int] = Wait()
    steps: list[str] = []
    coroutine = waiting(wait)
    assert coroutine.send(None) is wait
    wait.on_come = lambda: steps.append("on")
    wait.come(3)
    wait.come(3)
    wait.fail(ValueError("late"))
    assert steps == ["on"]
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    assert stop.value.value == 3


def test_what_fails_is_raised_where_it_is_waited_for() -> None:
    wait: Wait[int] = Wait()
    wait.fail(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        waiting(wait).send(None)


def test_a_task_steps_it_and_hands_its_cancelling_on() -> None:
    async def run() -> list[Any]:
        wait: Wait[int] = Wait()
        stepping = asyncio.create_task(step_in_task(waiting(wait)))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(wait.come, 3)
        ended: list[Any] = [await stepping]
        stepping = asyncio.create_task(step_in_task(waiting(Wait())))
        await asyncio.sleep(0)
        stepping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stepping
        return ended

    assert asyncio.run(run()) == [3]


def test_a_hold_lasts_as_long_as_was_asked_for_and_tells_how_long_it_was() -> None:
    told: list[float] = []

    async def run() -> None:
        hold = Hold(0.02, told.append)
        hold.begin()
        await step_in_task(_none(hold.wait))
        hold.over()

    began = time.monotonic()
    asyncio.run(run())
    assert 0.02 <= told[0] <= time.monotonic() - began


def test_a_hold_is_released_before_it_has_begun_and_after() -> None:
    async def run() -> None:
        early, late = Hold(3600, None), Hold(None, None)
        early.release()
        early.begin()
        late.begin()
        assert not late.wait.here
        late.release()
        for hold in (early, late):
            await step_in_task(_none(hold.wait))
            hold.over()

    asyncio.run(run())


async def _none(wait: Wait[None]) -> None:
    await wait
