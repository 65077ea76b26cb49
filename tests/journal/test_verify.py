"""A question is answered as soon as it can be, and never with a yes that may be wrong."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.exchanges import Exchange
from support.recorders import Journal, came, run

from goto.journal.keeping import EntriesNumber
from goto.journal.wanted import Count
from goto.routes import Later

A = {"uris": ["/a"]}

STEPS = st.lists(
    st.tuples(st.sampled_from(["begin", "answer", "end"]), st.sampled_from("ab"), st.sampled_from([200, 503])), max_size=25
)
COUNTS = st.one_of(
    st.integers(0, 4),
    st.builds(lambda n: {"atLeast": n}, st.integers(0, 4)),
    st.builds(lambda n: {"atMost": n}, st.integers(0, 4)),
    st.builds(lambda n, more: {"atLeast": n, "atMost": n + more}, st.integers(0, 3), st.integers(0, 2)),
)
WHENS = st.sampled_from([A, {"status": "2xx"}, {"uris": ["/a"], "status": "2xx"}, {"end": "completed"}, {"methods": ["PUT"]}, {}])


class Plain:
    """Exchanges in a plain list that forgets nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.all: list[tuple[int, Exchange, dict[str, Any]]] = []
        self._open: list[tuple[Exchange, dict[str, Any]]] = []

    def step(self, what: str, name: str, status: int) -> None:
        if what == "begin":
            made = self._journal.begin(target=f"/{name}")
            known: dict[str, Any] = {"uri": f"/{name}", "status": None, "end": None}
            self.all.append((self._journal.book.seq, made, known))
            self._open.append((made, known))
        elif self._open:
            made, known = self._open[0]
            if what == "answer":
                made.answer(status)
                known["status"] = status if known["status"] is None else known["status"]
            else:
                made.end()
                known["end"], known["status"] = "completed", known["status"] or 0
                self._open.pop(0)

    def fits(self, when: dict[str, Any], since: int) -> list[int]:
        return [seq for seq, _, known in self.all if seq > since and self._fits(when, known)]

    @staticmethod
    def _fits(when: dict[str, Any], known: dict[str, Any]) -> bool:
        return (
            ("uris" not in when or known["uri"] in when["uris"])
            and ("status" not in when or (known["status"] or 0) // 100 == 2)
            and ("end" not in when or known["end"] == when["end"])
            and "methods" not in when
        )


def holds(count: Any, seen: int) -> bool:
    if isinstance(count, int):
        return seen == count
    return count.get("atLeast", 0) <= seen <= count.get("atMost", seen)


@given(STEPS, WHENS, COUNTS, st.integers(1, 6), st.integers(0, 6), st.booleans())
def test_never_a_wrong_yes(steps: list[Any], when: Any, count: Any, entries: int, since: int, live: bool) -> None:
    async def test() -> None:
        journal = Journal(entries=EntriesNumber(entries))
        plain = Plain(journal)
        later: Any = None
        for number, step in enumerate(steps):
            plain.step(*step)
            if live and number == len(steps) // 2:
                later = await journal.ask(when=when, count=count, since=since, timeout="50ms")
        # it was asked in the middle, and is answered at the end
        if isinstance(later, Later) and json.loads((await came(later)).body)["holds"]:
            least, most = Count.read(count).least, Count.read(count).most
            number = len(plain.fits(when, since))
            assert number >= least
            assert least or most is None or number <= most
        seen = plain.fits(when, since)
        verdict = await journal.verify(when=when, count=count, since=since)
        evicted = any(seq > since and journal.book.rings.find(seq) is None for seq, _, _ in plain.all)
        if verdict["holds"]:
            assert holds(count, len(seen))
        if not evicted:
            assert verdict["holds"] is holds(count, len(seen))
            assert (verdict["seen"], verdict["entries"], verdict["incomplete"]) == (len(seen), seen, False)
        elif verdict["incomplete"]:
            assert "were evicted" in verdict["text"] or "was evicted" in verdict["text"]
        else:
            assert verdict["holds"] is holds(count, len(seen))

    run(test)


@given(STEPS, st.lists(WHENS, min_size=1, max_size=4), st.integers(1, 30), st.integers(0, 4))
def test_in_order_against_a_plain_list(steps: list[Any], whens: list[Any], entries: int, since: int) -> None:
    async def test() -> None:
        journal = Journal(entries=EntriesNumber(entries))
        plain = Plain(journal)
        for step in steps:
            plain.step(*step)
        at = 0
        for seq, _, known in plain.all:
            if seq > since and at < len(whens) and plain._fits(whens[at], known):
                at += 1
        verdict = await journal.verify(inOrder=whens, since=since)
        if verdict["holds"]:
            assert at == len(whens)
        elif not verdict["incomplete"]:
            assert (verdict["reached"], verdict["of"]) == (at, len(whens))

    run(test)


def test_enough_is_told_as_soon_as_it_is_there() -> None:
    async def test() -> None:
        journal = Journal()
        later = await journal.ask(when={**A, "status": "2xx"}, count={"atLeast": 2}, timeout="60s")
        asking = asyncio.ensure_future(came(later))
        journal.add(target="/a")
        made = journal.begin(target="/a")
        await asyncio.sleep(0.01)
        assert not asking.done()
        made.answer(200)
        assert b'"holds":true,"seen":2' in (await asking).body
        assert not journal.book.live.count
        assert len(journal.recorder.waiting) == 0

    run(test)


def test_one_too_many_is_told_at_once_also_while_it_settles() -> None:
    async def test() -> None:
        journal = Journal()
        journal.add(target="/a")
        for how in ({"count": {"exactly": 1}, "settle": "60s"}, {"count": {"atMost": 1}, "timeout": "60s"}):
            later = await journal.ask(when=A, since=journal.book.seq - 1, **how)
            asking = asyncio.ensure_future(came(later))
            await asyncio.sleep(0.01)
            assert not asking.done()
            journal.add(target="/a")
            assert b'"holds":false,"seen":2' in (await asking).body

    run(test)


@pytest.mark.parametrize(
    ("question", "least", "held"),
    [
        ({"count": 1, "timeout": "60s", "settle": "50ms"}, 0.05, True),
        ({"count": 0, "timeout": "50ms", "since": 1}, 0.05, True),
        ({"count": 0, "timeout": "60s"}, 0.0, False),
        ({"count": {"atMost": 3}, "timeout": "50ms"}, 0.05, True),
        ({"count": {"atMost": 3}, "timeout": "60s", "settle": "50ms"}, 0.05, True),
        ({"count": {"atMost": 3}}, 0.0, True),
        ({"count": 2, "timeout": "50ms"}, 0.05, False),
        ({"count": {"atLeast": 0}, "timeout": "60s", "settle": "60s"}, 0.0, True),
        ({"count": {"atLeast": 1, "atMost": 2}, "timeout": "60s"}, 0.0, True),
    ],
)
def test_it_takes_as_long_as_is_said(question: Any, least: float, held: bool) -> None:
    async def test() -> None:
        journal = Journal()
        journal.add(target="/a")
        began = time.monotonic()
        verdict = await journal.verify(when=A, **question)
        assert least <= time.monotonic() - began < 30
        assert verdict["holds"] is held
        if not held and least:
            assert verdict["waited"] == "50ms"

    run(test)


def test_incomplete() -> None:
    async def test() -> None:
        journal = Journal(entries=EntriesNumber(2))
        for _ in range(3):
            journal.add(target="/a")
        assert (await journal.verify(when=A, count={"atLeast": 2}))["holds"]
        for count in (2, 3, {"atMost": 3}, {"atLeast": 3}, 0):
            verdict = await journal.verify(when={**A, "listener": 8080}, count=count)
            exceeded = count == 0
            assert (verdict["holds"], verdict["incomplete"]) == (False, not exceeded)
        assert "1 exchange was evicted since: raise journal.entries, or add an expectation first" in verdict["text"] or count == 0
        assert (await journal.verify(when={"listener": 9}, count=0))["holds"]  # another listener has lost nothing
        assert (await journal.verify(when=A, count=2, since=1))["holds"]
        journal.recorder.clear()
        assert (await journal.verify(when=A, count=0))["holds"]

    run(test)


def test_a_body_that_was_cut_is_incomplete() -> None:
    async def test() -> None:
        journal = Journal(entries=EntriesNumber(10))
        journal.add("POST", "/a", body=b"x" * 5000)
        verdict = await journal.verify(when={"body": {"contains": "y"}}, count=0)
        assert (verdict["holds"], verdict["incomplete"]) == (False, True)
        assert "raise journal.bodies" in verdict["text"]
        assert (await journal.verify(when={"body": {"contains": "y"}, "methods": ["PUT"]}, count=0))["holds"]

    run(test)
