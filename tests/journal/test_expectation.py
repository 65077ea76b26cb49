"""Expectations count in constant memory, whether the journal is on or not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from support.recorders import Journal, came, refused, run

from goto.errors import BadInput, Conflict, NotFound
from goto.journal.expectation import GivenExpectation
from goto.journal.keeping import EntriesNumber
from goto.words import Name
from goto.words.reading import read_struct
from goto.words.writing import json_bytes

A = {"uris": ["/a"]}


def given(**fields: Any) -> GivenExpectation:
    return read_struct({"name": "e", **fields}, GivenExpectation)[0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "when: give it, or inOrder"),
        ({"when": {}, "inOrder": [{}]}, "when: cannot be given together with inOrder"),
        ({"inOrder": [{}], "count": 1}, "count: cannot be given together with inOrder"),
        ({"name": "", "when": {}}, "name: must not be empty"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        given(**fields)
    assert caught.value.message == message


def test_it_counts_from_when_it_was_added_whatever_is_evicted_and_also_when_all_is_off() -> None:
    async def test() -> None:
        journal = Journal(entries=EntriesNumber(1))
        recorder = journal.recorder
        journal.add(target="/a")
        assert recorder.add(given(when=A, count={"exactly": 3})) == "Added expectation e"
        for target in ("/a", "/b", "/a"):
            journal.add(target=target)
        recorder.turn_off()
        journal.add(target="/a")
        shown = json.loads(json_bytes(recorder.list_expectations()["e"]))
        assert shown.pop("since").endswith("Z")
        assert shown == {"name": "e", "when": {"uris": ["/a"]}, "count": {"exactly": 3}, "seen": 3, "holds": True}
        assert (await journal.verify(expectation="e"))["holds"]
        journal.add(target="/a")
        verdict = await journal.verify(expectation="e")
        assert (verdict["holds"], verdict["seen"], verdict["incomplete"]) == (False, 4, False)
        assert recorder.add(given(when=A)) == "Replaced expectation e"
        assert recorder.list_expectations()["e"]["seen"] == 0

    run(test)


def test_in_order() -> None:
    async def test() -> None:
        journal = Journal()
        journal.recorder.add(given(inOrder=[{**A, "status": "2xx"}, {"uris": ["/b"]}]))
        first = journal.begin(target="/a")
        journal.add(target="/b")
        shown = journal.recorder.list_expectations()["e"]
        assert (shown["reached"], shown["of"], shown["holds"], shown["inOrder"]) == (
            0,
            2,
            False,
            [{"uris": ["/a"], "status": "2xx"}, {"uris": ["/b"]}],
        )
        first.answer(200)  # it came before the other, whenever it is answered
        assert journal.recorder.list_expectations()["e"]["holds"]

    run(test)


def test_who_waits_until_it_holds() -> None:
    async def test() -> None:
        journal = Journal()
        recorder = journal.recorder
        recorder.add(given(when=A))
        later = recorder.expectation(Name("e"), wait=given_wait("60s"))
        asking = asyncio.ensure_future(came(later))
        await asyncio.sleep(0)
        assert len(recorder.waiting) == 1
        journal.add(target="/a")
        assert (await asking)["holds"]
        assert len(recorder.waiting) == 0
        assert recorder.expectation(Name("e"), wait=given_wait("60s"))["holds"]
        recorder.add(given(when={"uris": ["/never"]}))
        shown = await came(recorder.expectation(Name("e"), wait=given_wait("20ms")))
        assert (shown["seen"], shown["holds"]) == (0, False)

    run(test)


def given_wait(text: str) -> Any:
    from goto.journal.wanted import UpToAMinute

    return UpToAMinute.parse(text)


def test_one_that_goes_tells_those_who_wait() -> None:
    async def test() -> None:
        journal = Journal()
        for end in (
            lambda: journal.recorder.remove(Name("e")),
            journal.recorder.clear_expectations,
            journal.recorder.forget,
            lambda: journal.recorder.add(given(when=A)),
        ):
            journal.recorder.add(given(when=A))
            asking = asyncio.ensure_future(refused(journal.ask(expectation="e", timeout="60s")))
            await asyncio.sleep(0)
            end()
            status, message = await asking
            assert (status, message.partition(" was ")[0]) == (404, "expectation: e")
            assert len(journal.recorder.waiting) == 0
        with pytest.raises(NotFound, match="unknown expectation: f"):
            journal.recorder.remove(Name("f"))

    run(test)


def test_there_are_not_too_many() -> None:
    async def test() -> None:
        recorder = Journal().recorder
        for number in range(1000):
            recorder.add(read_struct({"name": f"e{number}", "when": A}, GivenExpectation)[0])
        with pytest.raises(Conflict, match="expectations: 1000 are the limit"):
            recorder.add(given(when=A))
        recorder.add(read_struct({"name": "e7", "when": {}}, GivenExpectation)[0])

    run(test)
