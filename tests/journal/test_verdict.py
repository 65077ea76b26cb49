"""What may be asked, and how the answer is written."""

from __future__ import annotations

from typing import Any

import pytest
from support.recorders import Journal, refused, run

from goto.errors import BadInput
from goto.journal.verdict import Question, lost_text, unknown_expectation
from goto.words.reading import read_struct

A = {"uris": ["/a"]}


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"count": 1}, "when: give it, or inOrder, or expectation"),
        ({"when": A, "inOrder": [A]}, "when: cannot be given together with inOrder"),
        ({"inOrder": [A], "expectation": "e"}, "inOrder: cannot be given together with expectation"),
        ({"inOrder": []}, "inOrder: give 1 to 100"),
        ({"inOrder": [A], "count": 1}, "count: cannot be given together with inOrder"),
        ({"expectation": "e", "count": 1}, "count: cannot be given together with expectation"),
        ({"expectation": "e", "since": 1}, "since: cannot be given together with expectation, which counts since it was added"),
        ({"when": A, "since": -1}, "since: -1 is not a whole number from 0"),
        ({"when": A, "timeout": "90s"}, "timeout: 90s is longer than 60s"),
        ({"when": A, "settle": "90s"}, "settle: 90s is longer than 60s"),
        ({"when": A, "timeout": "soon"}, "timeout: 'soon' is not a duration: write it like 300ms, 1.5s or 1m30s"),
        ({"when": {"headers": [["a b"]]}}, "when.headers[0]: 'a b' is not a legal header name"),
    ],
)
def test_what_is_refused(question: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_struct(question, Question)
    assert caught.value.message.startswith(message)


def test_too_many_in_order() -> None:
    with pytest.raises(BadInput, match="inOrder: expected"):
        read_struct({"inOrder": [A] * 101}, Question)


def test_the_text() -> None:
    async def test() -> None:
        journal = Journal()
        journal.add("POST", "/order", 404, body=b"{}")
        journal.add("POST", "/orders", 201, body=b'{"item": 2}')
        journal.add("POST", "/orders", 201, body=b'{"item": 1}')
        when = {"methods": ["POST"], "uris": ["/orders"], "status": "2xx", "body": {"json": {"item": 1}}}
        lines = (await journal.text(when=when, count=2)).splitlines()
        assert lines[0] == 'wanted exactly 2, saw 1 within 0s:  POST /orders  status 2xx  body ⊇ {"item": 1}'
        assert lines[1].startswith("  fits     #3  POST /orders  201   ")
        assert lines[2] == "nearest    #2  POST /orders  201   body.json $.item: wanted 1, was 2"
        missing = "uris: wanted /orders, was /order; status: wanted 2xx, was 404; body.json $.item: wanted 1, was nothing"
        assert lines[3] == f"           #1  POST /order   404   {missing}"
        assert len(lines) == 4

    run(test)


def test_the_text_of_many_and_of_a_list() -> None:
    async def test() -> None:
        journal = Journal()
        for _ in range(12):
            journal.add(target="/a")
        lines = (await journal.text(when=A)).splitlines()
        assert (len(lines), lines[-1]) == (12, "           and 2 more")
        lines = (await journal.text(inOrder=[A, {"uris": ["/b"]}, {"uris": ["/c"]}])).splitlines()
        assert lines[:4] == [
            "wanted 3 in order, came to 1 within 0s:",
            "  seen     /a",
            "  next     /b",
            "  then     /c",
        ]
        assert "uris: wanted /b, was /a" in lines[-1]

    run(test)


def test_json_is_uncut() -> None:
    async def test() -> None:
        journal = Journal()
        journal.add("POST", "/a", body=b'{"item": "%b"}' % (b"x" * 500))
        verdict = await journal.verify(when={"body": {"json": {"item": "y" * 500}}})
        (near,) = verdict["nearest"]
        assert near["differs"] == [{"criterion": "body.json", "at": "$.item", "wanted": "y" * 500, "was": "x" * 500}]
        assert (verdict["wanted"], verdict["waited"], verdict["entries"]) == ({"atLeast": 1}, "0s", [])
        assert "…" in verdict["text"]
        assert "nearest" not in await journal.verify(when={})

    run(test)


def test_what_was_lost() -> None:
    assert lost_text(12, 0) == "12 exchanges were evicted since: raise journal.entries, or add an expectation first"
    assert lost_text(0, 1).startswith("of 1 exchange what is asked for was not kept: raise journal.bodies")
    assert lost_text(0, 0) == ""


def test_who_is_not_known() -> None:
    assert unknown_expectation("orders", []) == "unknown expectation: orders"
    assert unknown_expectation("order", ["orders"]) == "unknown expectation: order; did you mean orders?"

    async def test() -> None:
        assert await refused(Journal().ask(expectation="nobody")) == (404, "unknown expectation: nobody")

    run(test)
