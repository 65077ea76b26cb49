"""The invocations of a client: those that go on, and the last ones that have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support.waiting import until

from goto.client import invocation as module
from goto.client.invocation import Invocations
from goto.client.results import Results
from goto.client.run import Run
from goto.client.target import ClientTarget
from goto.upstream.pool import Pool

Target = Callable[..., ClientTarget]


def run(check: Callable[..., Any], target: Target) -> None:
    """`check(invocations, invoke)`; `invoke(names…)` begins an invocation of targets that nobody answers."""

    async def main() -> None:
        pool, invocations = Pool(), Invocations()

        def invoke(*names: str, **fields: Any) -> Any:
            made = Run([target(name=name, **fields) for name in names], Results(), pool)
            begun = invocations.begin(list(names), made)
            made.start()
            return begun

        try:
            await check(invocations, invoke)
        finally:
            for going in invocations.runs:
                going.abort()
            await pool.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_it_is_shown_from_its_begin_to_its_end(target: Target) -> None:
    async def check(invocations: Invocations, invoke: Any) -> None:
        one = invoke("a", "b", requestCount=2)
        shown = one.show()
        assert (shown["id"], shown["targets"], shown["state"], shown["end"]) == (1, ["a", "b"], "running", None)
        assert invocations.runs == [one.run]
        await one.run.done
        await until(lambda: one.show()["end"])
        shown = one.show()
        assert (shown["state"], shown["requests"], shown["errors"]) == ("done", 4, 4)
        assert invocations.runs == []
        long = invoke("a", requestCount=10**9)
        assert long.number == 2
        long.run.stop()
        await long.run.done
        assert long.show()["state"] == "stopped"
        assert invocations.get(1) is one
        assert invocations.get(3) is None

    run(check, target)


def test_the_last_ones_are_kept_and_those_that_run(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ENDED", 3)

    async def check(invocations: Invocations, invoke: Any) -> None:
        long = invoke("long", requestCount=10**9)
        ended = [invoke(name, reconcile=True) for name in "abcde"]
        for one in ended:
            await one.run.done
        await until(lambda: len(list(invocations)) == 4)
        assert [one.number for one in invocations] == [1, 4, 5, 6]
        assert invocations.dropped == {"a", "b"}
        invocations.forget_targets(["b", "c"])
        assert invocations.dropped == {"a"}
        assert [list(one.run.sent) for one in invocations] == [[], [], ["d"], ["e"]]
        invocations.forget()
        assert list(invocations) == [long]
        assert not invocations.dropped

    run(check, target)


def test_what_they_have_counted_is_bounded(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TARGETS", 5)
    monkeypatch.setattr(module, "MOST_SERIES", 3)

    async def check(invocations: Invocations, invoke: Any) -> None:
        for _ in range(3):
            await invoke("a", "b").run.done
        await until(lambda: [one.number for one in invocations] == [2, 3])
        kept = [counts.recorder is not None for one in invocations for counts in one.run.results.targets.values()]
        assert kept == [True, False, True, True]
        await invoke(*"abcdefg").run.done
        await until(lambda: [one.number for one in invocations] == [4])

    run(check, target)
