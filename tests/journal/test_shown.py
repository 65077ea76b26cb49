"""An entry as JSON and as a line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.exchanges import Exchange, a_book, exchange

from goto.journal.entry import Entry
from goto.journal.keeping import BodySize
from goto.journal.shown import entry_line, shown_entry


def entry_of(made: Exchange) -> Entry:
    assert made.entry is not None
    return made.entry


@given(st.binary(max_size=40), st.integers(0, 40))
def test_a_body_is_text_as_far_as_it_is_kept_or_else_base64(body: bytes, most: int) -> None:
    made = Exchange(a_book(bodies=BodySize(most)), body=body).send().answer(200, body).end()
    shown = shown_entry(entry_of(made))
    for part in (shown["body"], shown["responseBody"]):
        assert part["size"] == len(body)
        assert part.get("truncated", False) is (len(body) > most)
        assert ("text" in part) is not ("base64" in part)
        if "text" in part:
            assert body[:most].startswith(part["text"].encode())
    assert shown_entry(entry_of(made), bodies=False)["body"] == {"size": len(body)}


def test_a_line_has_what_matters() -> None:
    open_ = Exchange(a_book(), target="/a")
    assert entry_line(entry_of(open_)).endswith("8080 127.0.0.1:5 GET /a - - open")
    open_.flow.mark("rule:r")
    open_.answer(503).end(took=0.25)
    assert entry_line(entry_of(open_)).endswith("GET /a 503 250.0ms completed rule:r")


def test_bytes_that_are_no_text_are_shown() -> None:
    made = exchange(a_book(), target="/\udcff", headers=[("x", "é")])
    shown = shown_entry(entry_of(made))
    assert (shown["uri"], shown["headers"]) == ("/\\xff", [("x", "é")])


def test_a_call_that_is_under_way_has_no_status_and_one_that_failed_says_why() -> None:
    made = Exchange(a_book())
    assert made.flow.record is not None
    call = made.flow.record.calling("t", "http://h/")
    assert shown_entry(entry_of(made))["calls"] == [{"target": "t", "url": "http://h/", "status": None, "ms": None}]
    call.failed("refused")
    made.end(unanswered=True)
    (shown,) = shown_entry(entry_of(made))["calls"]
    assert (shown["status"], shown["error"]) == (0, "refused")
