"""What arrived of one run."""

from __future__ import annotations

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from goto.counting.numbers import Shelf
from goto.features.arrivals import arrived as module
from goto.features.arrivals.arrived import Arrived
from goto.http.numbered_id import MOST_NUMBERS, fresh_run

PLAIN = "5f3a-8c21-90be-77d0c4a1e520"


def made(run: str = PLAIN) -> tuple[Arrived, Shelf[Arrived]]:
    shelf: Shelf[Arrived] = Shelf()
    arrived = Arrived(run, incomplete=False)
    shelf.add(run, arrived)
    return arrived, shelf


@given(plan=st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=60))
def test_each_exchange_counts_once(plan: list[tuple[int, bool]]) -> None:
    arrived, shelf = made()
    for number, completed in plan:
        arrived.arrive(number, 8080, shelf)
        arrived.leave(number, completed=completed)
    counts = Counter(number for number, _ in plan)
    first = list(counts)
    assert arrived.arrivals == len(plan)
    assert arrived.arrived == len(counts)
    assert arrived.completed == len({number for number, completed in plan if completed})
    assert arrived.by_tries() == Counter(counts.values())
    assert arrived.reordered == sum(any(before > number for before in first[:place]) for place, number in enumerate(first))
    assert not arrived.incomplete


def test_the_time_between_tries_where_it_is_wanted(monkeypatch) -> None:
    arrived, shelf = made(fresh_run(gaps=True))
    now = 3 * 2**32 / module.TICKS - 0.05  # the clock goes round meanwhile
    monkeypatch.setattr(module, "monotonic", lambda: now)
    arrived.arrive(1, 8080, shelf)
    now += 0.1
    arrived.arrive(2, 8080, shelf)
    arrived.arrive(1, 8081, shelf)
    now += 0.4
    arrived.arrive(1, 8080, shelf)
    assert [round(value) for value in arrived.gaps.percentiles([50, 100])] == [100, 400]
    assert list(arrived.ports) == [8080, 8081]
    other, shelf = made()
    assert other.times is None


def test_what_is_past_the_most_numbers_is_said() -> None:
    arrived, shelf = made()
    arrived.arrive(MOST_NUMBERS, 8080, shelf)
    arrived.leave(MOST_NUMBERS, completed=True)
    assert (arrived.arrivals, arrived.arrived, arrived.completed, arrived.incomplete) == (1, 0, 0, True)
    assert arrived.size == 0


def test_it_is_idle_when_the_last_exchange_is_over() -> None:
    async def main() -> None:
        arrived, shelf = made()
        await arrived.idle(60)
        arrived.arrive(0, 8080, shelf)
        arrived.arrive(1, 8080, shelf)
        waiting = asyncio.ensure_future(arrived.idle(60))
        await asyncio.sleep(0)
        arrived.leave(0, completed=True)
        await asyncio.sleep(0)
        assert not waiting.done()
        arrived.leave(1, completed=True)
        await asyncio.wait_for(waiting, 20)
        arrived.arrive(0, 8080, shelf)
        await arrived.idle(0.001)  # not for ever

    asyncio.run(main())
