"""`AsyncGoto`, which `Goto` is written from: its tests are in `test_plain`, these are of what is awaited."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable

import pytest
from support.calls import call

from goto.testing import AsyncGoto, Goto, NotHeld
from goto.testing.awaited import AsyncRule


def run(test: Callable[[AsyncGoto], Awaitable[None]]) -> None:
    async def main() -> None:
        async with AsyncGoto.start() as goto:
            await test(goto)

    asyncio.run(main())


async def ask(goto: AsyncGoto, path: str) -> int:
    answer = await asyncio.to_thread(call, goto.port, "GET", path)
    return answer.status


def test_rules_and_exchanges():
    async def test(goto: AsyncGoto) -> None:
        async with await goto.fail(503, times=2, to="/orders") as rule:
            assert [await ask(goto, "/orders") for _ in range(3)] == [503, 503, 200]
            assert await rule.struck == 2
            assert await rule.matched == 2
            assert len(await rule.plan(3)) == 3
        assert [seen.status for seen in await goto.seen("/orders")] == [503, 503, 200]

    run(test)


def test_the_loop_goes_on_while_it_waits():
    async def test(goto: AsyncGoto) -> None:
        seen, status = await asyncio.gather(goto.wait_for("/a", times=1), ask(goto, "/a"))
        assert (seen[0].status, status) == (200, 200)

    run(test)


def test_a_wait_that_is_cancelled_leaves_nothing():
    async def test(goto: AsyncGoto) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await goto.wait_for("/a", timeout="30s")
        assert await goto.seen() == []

    run(test)


def test_expectations():
    async def test(goto: AsyncGoto) -> None:
        await goto.expect("/a", times=1)
        await ask(goto, "/a")
        await goto.check()
        with pytest.raises(NotHeld, match="wanted exactly 2, saw 1"):
            async with goto.expecting("/a", times=2):
                await ask(goto, "/a")

    run(test)


def test_what_was_expected_is_checked_at_the_end():
    async def test(goto: AsyncGoto) -> None:
        await goto.expect("/a")

    with pytest.raises(NotHeld, match="wanted at least 1, saw 0"):
        run(test)


def test_both_have_the_same():
    names = {name for name in vars(AsyncGoto) if not name.startswith("_")}
    assert names == {name for name in vars(Goto) if not name.startswith("_")}
    for name in names:
        awaited, plain = getattr(AsyncGoto, name), getattr(Goto, name)
        if inspect.isfunction(plain):
            theirs = re.sub(r"Async(\w+)", r"\1", str(inspect.signature(awaited)))
            assert theirs == str(inspect.signature(plain)), name
    assert {name for name in vars(AsyncRule) if name[0] != "_"} == {"show", "struck", "matched", "plan", "remove"}
