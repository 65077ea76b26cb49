"""What is new, by one cursor."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from support.exchanges import Exchange, exchange
from support.lab import Lab, in_lab

from goto.flow import Request, Response
from goto.instance import watch as watch_of
from goto.testing.running import run


async def asked(lab: Lab, query: str = "") -> dict[str, Any]:
    answer = await lab.call("GET", f"/goto/watch?{query}")
    assert answer.status == 200, answer.body
    made = json.loads(answer.body)
    assert isinstance(made, dict)
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", made["cursor"])
    return made


def test_a_cursor_tells_what_is_new_and_survives() -> None:
    async def test(lab: Lab) -> None:
        first = await asked(lab)
        assert (first["restarted"], first["more"]) == (False, False)
        assert {"/listeners", "/goto/port/8080/response/rules"} <= set(first["changed"])
        assert (await asked(lab, f"since={first['cursor']}"))["changed"] == []
        await lab.api("/response/rules/add", '{"name": "seen", "status": 503}')
        for _ in range(2):  # nothing is taken out of a queue
            news = await asked(lab, f"since={first['cursor']}")
            assert "/goto/port/8080/response/rules" in news["changed"]
        assert (await asked(lab, f"since={news['cursor']}"))["changed"] == []
        assert news["counts"]["8080"]["rules"]["seen"] == {
            "state": "active",
            "matched": 0,
            "struck": 0,
            "unable": 0,
            "holding": 0,
        }
        for cursor in ("nonsense", "a.b.c.d", first["cursor"].replace(first["cursor"][0], "z", 1), first["cursor"] + ".1"):
            again = await asked(lab, f"since={cursor}")
            assert again["restarted"] is True
            assert "/listeners" in again["changed"]
        assert (await lab.call("GET", "/goto/watch?listener=9")).status == 404

    in_lab(test)


def test_it_turns_the_journal_on_heads_alone_and_off_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_of, "WATCHED_SECONDS", 0.1)

    async def test(lab: Lab) -> None:
        book = lab.instance.journal.book
        first = await asked(lab, "journal=y")
        assert first["journal"]["entries"] == []
        assert "journal" not in lab.state()
        made = Exchange(book, "POST", "/a", body=b"not kept")
        news = await asked(lab, f"journal=y&since={first['cursor']}")
        assert [(entry["uri"], entry["end"]) for entry in news["journal"]["entries"]] == [("/a", None)]
        made.send().answer(200, b"neither").end()
        news = await asked(lab, f"journal=y&since={news['cursor']}")
        (entry,) = news["journal"]["entries"]
        assert (entry["end"], entry["body"], entry["responseBody"]) == ("completed", {"size": 8}, {"size": 7})
        assert (await lab.call("POST", "/goto/journal/verify", '{"when": {"uris": ["/a"]}}')).status == 200
        while book.keeping is not None:
            await asyncio.sleep(0.01)
        assert not lab.feature("journal").active
        await asked(lab, "journal=y")
        await lab.api("/goto/journal/set/n")
        assert book.keeping is None
        await asked(lab, "journal=y")
        await lab.api("/goto/journal/set/y")
        await asyncio.sleep(0.2)
        assert book.keeping is not None  # it was set

    in_lab(test)


def test_entries_that_are_new_or_have_ended_since() -> None:
    async def test(lab: Lab) -> None:
        await lab.api("/goto/journal/set/y")
        book = lab.instance.journal.book
        for _ in range(120):
            exchange(book)
        first = await asked(lab, "journal=y")
        assert [entry["seq"] for entry in first["journal"]["entries"]] == list(range(21, 121))
        assert first["journal"]["next"] == 120
        assert "body" in first["journal"]["entries"][0]
        for _ in range(300):
            exchange(book)
        news = await asked(lab, f"journal=y&since={first['cursor']}")
        assert (len(news["journal"]["entries"]), news["more"]) == (250, True)
        rest = await asked(lab, f"journal=y&since={news['cursor']}")
        assert ([entry["seq"] for entry in rest["journal"]["entries"]], rest["more"]) == (list(range(371, 421)), False)
        exchange(book, port=9)
        assert (await asked(lab, f"journal=y&since={rest['cursor']}&listener=8080"))["journal"]["entries"] == []
        without = await asked(lab, f"since={first['cursor']}")
        assert len((await asked(lab, f"journal=y&since={without['cursor']}"))["journal"]["entries"]) == 250

    in_lab(test)


def test_whoever_waits_is_woken() -> None:
    async def test(lab: Lab) -> None:
        await lab.api("/goto/journal/set/y")
        recorder = lab.instance.journal
        cursor = (await asked(lab, "journal=y"))["cursor"]

        async def woken_by(query: str, change: Any) -> dict[str, Any]:
            waiting = asyncio.ensure_future(asked(lab, f"since={cursor}&wait=60s&{query}"))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            assert len(recorder.waiting) == 1
            await change()
            news = await waiting
            assert len(recorder.waiting) == 0
            return news

        async def an_exchange() -> None:
            exchange(recorder.book, port=8080)

        news = await woken_by("journal=y&listener=8080", an_exchange)
        assert len(news["journal"]["entries"]) == 1
        cursor = news["cursor"]
        news = await woken_by("", lambda: lab.api("/response/delay/set/1s"))
        assert "/goto/port/8080/response/delay" in news["changed"]
        cursor = news["cursor"]
        assert (await asked(lab, f"since={cursor}&wait=20ms"))["changed"] == []
        assert lab.instance.changes.on_change == []
        assert recorder.book.recent.on_touch == []

    in_lab(test)


def test_counts_are_those_of_a_listener() -> None:
    async def test(lab: Lab) -> None:
        await asked(lab)
        features = lab.first.features
        for status in (200, 200, 503):
            run(features, Request("GET", "/x"), answer=Response(status))
        lab.first.ends[0, "client_gone"] += 1
        counts = (await asked(lab))["counts"]["8080"]
        assert (counts["byClass"], counts["exchanges"], counts["inFlight"]) == ({"2xx": 2, "5xx": 1, "none": 1}, 4, 0)
        assert counts["perSecond"] == 3
        assert 0 < counts["p50"] <= counts["p99"]

    in_lab(test)


def test_runs_of_the_client() -> None:
    async def test(lab: Lab) -> None:
        target = '{"name": "orders", "method": "GET", "url": "http://127.0.0.1:1/", "requestCount": 3, "replicas": 2}'
        await lab.api("/client/targets/add", target)
        cursor = (await asked(lab, "runs=y"))["cursor"]
        waiting = asyncio.ensure_future(asked(lab, f"runs=y&wait=60s&since={cursor}"))
        await asyncio.sleep(0.01)
        await lab.api("/client/targets/orders/invoke")
        await waiting
        while (run := (await asked(lab, "runs=y"))["runs"]["8080"]["orders"])["running"]:
            await asyncio.sleep(0.01)
        assert (run["sent"], run["of"], run["errors"]) == (6, 6, 6)
        assert isinstance(run["points"], list)

    in_lab(test)


def test_points_that_may_be_new() -> None:
    points = [{"at": number / 10} for number in range(20)]
    assert watch_of._new_points(points, None) == points
    assert watch_of._new_points(points, 0.25) == points[-4:]
    assert watch_of._new_points(points[:2], 0.25) == points[:2]
