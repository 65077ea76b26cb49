"""The calls of the journal, without a socket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from support.exchanges import Exchange, exchange
from support.lab import FIRST, Lab, in_lab

from goto.journal.book import Book
from goto.traffic.listener import ListenerSpec
from goto.words import Port


async def asked(lab: Lab, path: str) -> Any:
    answer = await lab.call("GET", path)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def book_of(lab: Lab) -> Book:
    return lab.instance.journal.book


def test_on_and_off() -> None:
    async def test(lab: Lab) -> None:
        off = await lab.call("GET", "/goto/journal")
        assert (off.status, off.body) == (409, b"journal: it is off: PUT /goto/journal/set/y, or add an expectation first\n")
        assert (await lab.call("GET", "/goto/journal/1")).status == 409
        assert (await lab.call("POST", "/goto/journal/verify", '{"when": {}}')).status == 409
        assert "journal" not in lab.state()
        assert await lab.api("/goto/journal/set/y", method="PUT") == "Journal: on\n"
        assert lab.state()["journal"] == {}
        exchange(book_of(lab))
        assert len((await asked(lab, "/goto/journal"))["entries"]) == 1
        await lab.api("/goto/journal/set/y")  # what is so already stays as it is
        assert len((await asked(lab, "/goto/journal"))["entries"]) == 1
        assert await lab.api("/goto/journal/set/n") == "Journal: off\n"
        assert "journal" not in lab.state()
        assert not lab.feature("journal").active

    in_lab(test)


def test_it_is_set_by_a_document() -> None:
    async def test(lab: Lab) -> None:
        text = "journal: {entries: 3, memory: 64KiB, bodies: 0B, mask: [X-Secret]}"
        answer = await lab.post(text)
        assert answer.body == b"Configuration applied: journal\n"
        assert lab.state()["journal"] == {"entries": 3, "memory": "65536", "bodies": "0", "mask": ["X-Secret"]}
        assert lab.feature("journal").active
        await lab.api("/goto/journal/set/y")
        assert lab.state()["journal"]["entries"] == 3
        for wrong in ("{entries: 0}", "{entries: 100001}", "{memory: 2GiB}", "{bodies: 2MiB}", "{mask: [a b]}", "{entrys: 1}"):
            refused = await lab.post(f"journal: {wrong}")
            assert refused.status == 400
            assert b"journal" in refused.body
        assert lab.state()["journal"]["entries"] == 3
        assert (await lab.post("label: x", replace=True)).status == 200
        assert book_of(lab).keeping is None

    in_lab(test)


def test_entries_and_where_they_stand() -> None:
    async def test(lab: Lab) -> None:
        await lab.post("journal: {entries: 2}")
        book = book_of(lab)
        for port in (8080, 8080, 8080, 8081):
            exchange(book, port=port)
        Exchange(book, port=8081)
        page = await asked(lab, "/goto/journal")
        assert ([entry["seq"] for entry in page["entries"]], page["next"], page["oldest"], page["evicted"], page["open"]) == (
            [2, 3, 4, 5],
            5,
            2,
            1,
            1,
        )
        page = await asked(lab, "/goto/journal?listener=8081")
        assert ([entry["seq"] for entry in page["entries"]], page["oldest"], page["evicted"], page["open"]) == ([4, 5], 4, 0, 1)
        assert (await asked(lab, "/goto/journal?listener=9"))["oldest"] is None
        assert [entry["seq"] for entry in (await asked(lab, "/goto/journal?limit=1"))["entries"]] == [5]
        assert [entry["seq"] for entry in (await asked(lab, "/goto/journal?since=3&end=open"))["entries"]] == [5]
        assert [entry["seq"] for entry in (await asked(lab, "/goto/journal?since=1h"))["entries"]] == [2, 3, 4, 5]
        assert (await asked(lab, "/goto/journal?since=2999-01-01T00:00:00Z"))["entries"] == []

    in_lab(test)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/goto/journal/1", b"seq: 1 was cleared\n"),
        ("/goto/journal/2", b"seq: 2 was evicted\n"),
        ("/goto/journal/99", b"seq: 99 is not there yet\n"),
    ],
)
def test_one_that_is_not_there(path: str, message: bytes) -> None:
    async def test(lab: Lab) -> None:
        await lab.post("journal: {entries: 1}")
        exchange(book_of(lab))
        await lab.api("/goto/journal/clear")
        for _ in range(2):
            exchange(book_of(lab))
        answer = await lab.call("GET", path)
        assert (answer.status, answer.body) == (404, message)
        assert (await asked(lab, "/goto/journal/3"))["seq"] == 3

    in_lab(test)


def test_formats() -> None:
    async def test(lab: Lab) -> None:
        await lab.api("/goto/journal/set/y")
        for target in ("/a", "/b"):
            exchange(book_of(lab), target=target, headers=[("x", "é")])
        lines = (await lab.call("GET", "/goto/journal?format=ndjson")).body.splitlines()
        assert [json.loads(line)["uri"] for line in lines] == ["/a", "/b"]
        text = (await lab.call("GET", "/goto/journal?format=text")).body.decode()
        assert [line.split(" ")[4:7] for line in text.splitlines()] == [["GET", "/a", "200"], ["GET", "/b", "200"]]
        har = await lab.call("GET", "/goto/journal?format=har&uri=/b")
        assert [entry["request"]["url"] for entry in json.loads(har.body)["log"]["entries"]] == ["http://localhost:8080/b"]
        assert har.headers.get("Content-Type") == "application/json"

    in_lab(test)


def test_many_entries_are_looked_at_while_others_have_their_turn() -> None:
    async def test(lab: Lab) -> None:
        await lab.post("journal: {entries: 5000}")
        for number in range(3000):
            exchange(book_of(lab), target=f"/{number % 3}")
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.ensure_future(others())
        page = await asked(lab, "/goto/journal?uri=/0&limit=10000")
        task.cancel()
        assert len(page["entries"]) == 1000
        assert turns >= 5

    in_lab(test)


def test_waiting_for_an_entry() -> None:
    async def test(lab: Lab) -> None:
        await lab.api("/goto/journal/set/y")
        exchange(book_of(lab), target="/a")
        assert (await asked(lab, "/goto/journal?uri=/a&wait=20ms"))["entries"] == []  # without since: past now
        assert len((await asked(lab, "/goto/journal?uri=/a&wait=60s&since=0"))["entries"]) == 1
        waiting = asyncio.ensure_future(asked(lab, "/goto/journal?uri=/b&status=5xx&wait=60s&since=1"))
        await asyncio.sleep(0.01)
        exchange(book_of(lab), target="/b", status=200)
        made = Exchange(book_of(lab), target="/b")
        assert not waiting.done()
        made.answer(503)
        assert [entry["seq"] for entry in (await waiting)["entries"]] == [3]
        assert len(lab.instance.journal.waiting) == 0

    in_lab(test)


def test_a_reset_of_all_puts_it_back_and_forgets_the_rest() -> None:
    async def test(lab: Lab) -> None:
        await lab.api("/goto/journal/set/y")
        exchange(book_of(lab), port=FIRST)
        await lab.api("/goto/journal/expectations/add", '{"name": "e", "when": {}}')
        await lab.api("/goto/reset")
        assert list(book_of(lab).rings.newest(None)) == []
        assert book_of(lab).keeping is not None
        await lab.api("/goto/reset/all")
        assert book_of(lab).keeping is None
        assert await asked(lab, "/goto/journal/expectations") == {}

    in_lab(test)


def test_listeners_that_come_write_into_it_too() -> None:
    async def test(lab: Lab) -> None:
        await lab.api("/goto/journal/set/y")
        lab.instance.listeners.adopt(ListenerSpec(Port(8081)))
        assert lab.feature("journal", 8081).active
        await lab.api("/goto/journal/set/n")
        await lab.api("/goto/journal/expectations/add", '{"name": "e", "when": {}}')
        assert lab.feature("journal", 8081).active
        await lab.api("/goto/journal/expectations/e/remove")
        assert not lab.feature("journal", 8081).active

    in_lab(test)
