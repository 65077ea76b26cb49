"""Plain calls do not wait where that would block an event loop."""

from __future__ import annotations

import asyncio

import pytest

from goto.testing.blocking import AsyncBlocking, Blocking


def test_where_no_loop_runs_a_call_may_wait():
    Blocking()._waits("wait_for")


def test_in_a_loop_it_may_not_and_says_what_may():
    async def test() -> None:
        AsyncBlocking()._waits("wait_for")
        with pytest.raises(RuntimeError, match=r"goto\.wait_for would block the event loop .* await agoto\.wait_for"):
            Blocking()._waits("wait_for")

    asyncio.run(test())
