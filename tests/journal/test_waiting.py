"""The calls that wait: as many as there are, and none that stays behind."""

from __future__ import annotations

import asyncio

import pytest
from support.recorders import Journal, came, refused, run

from goto.errors import Unavailable
from goto.journal.live import Live
from goto.journal.waiting import MOST_WAITING, Waiting

A = {"uris": ["/a"]}


def test_turned_off_whoever_waits_is_told_at_once() -> None:
    async def test() -> None:
        journal = Journal()
        asking = asyncio.ensure_future(refused(came(await journal.ask(when=A, timeout="60s"))))
        await asyncio.sleep(0)
        journal.recorder.turn_off()
        status, message = await asking
        assert (status, message) == (409, "journal: it is off: PUT /goto/journal/set/y, or add an expectation first")
        assert len(journal.recorder.waiting) == 0
        assert not journal.book.live.count

    run(test)


def test_whoever_leaves_waits_no_more() -> None:
    async def test() -> None:
        journal = Journal()
        laters = [await journal.ask(when=A, timeout="60s") for _ in range(1000)]
        assert len(journal.recorder.waiting) == 1000
        assert await refused(journal.ask(when=A, timeout="60s")) == (503, "waiters: 1000 calls wait already")
        for later in laters:
            later.over()
        assert len(journal.recorder.waiting) == 0
        assert not journal.book.live.count
        assert all(task is asyncio.current_task() for task in asyncio.all_tasks())

    run(test)


def test_a_thousand_are_woken_by_the_exchange_that_decides() -> None:
    async def test() -> None:
        journal = Journal()
        laters = [await journal.ask(when={"uris": [f"/{number}"]}, timeout="60s") for number in range(1000)]
        asking = [asyncio.ensure_future(came(later)) for later in laters]
        await asyncio.sleep(0)
        for number in (7, 999, 0):
            journal.add(target=f"/{number}")
            assert b'"holds":true' in (await asking[number]).body
        assert len(journal.recorder.waiting) == 997
        for later in laters:
            if not later.wait.here:
                later.over()
        for task in asking:
            task.cancel()

    run(test)


def test_watchers_count_as_any_call_that_waits() -> None:
    waiting = Waiting(Live())
    over = [waiting.watch() for _ in range(MOST_WAITING)]
    assert len(waiting) == MOST_WAITING
    with pytest.raises(Unavailable, match="1000 calls wait already"):
        waiting.watch()
    over.pop()()
    over.append(waiting.watch())
    for left in over:
        left()
    assert len(waiting) == 0
