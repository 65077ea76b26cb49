"""An entry has what passed, masked from the moment that it is made, and keeps only what is shown once it is over."""

from __future__ import annotations

import gc
import json

import pytest
from support.exchanges import Exchange, a_book, exchange

from goto.flow import Delivery
from goto.journal.entry import Entry, stamp
from goto.journal.keeping import BodySize
from goto.journal.shown import entry_line, shown_entry
from goto.words.writing import json_bytes


def entry_of(made: Exchange) -> Entry:
    assert made.entry is not None
    return made.entry


def test_it_fills_as_things_become_known() -> None:
    made = Exchange(a_book(), "POST", "/orders?x=1", headers=[("Host", "a")], body=b'{"a": 1}', nth=3)
    entry = entry_of(made)
    shown = shown_entry(entry)
    assert (shown["status"], shown["end"], shown["ms"]["end"]) == (None, None, None)
    assert (shown["method"], shown["uri"], shown["version"], shown["onConnection"]) == ("POST", "/orders?x=1", "1.1", 3)
    assert shown["body"] == {"size": 0, "text": ""}
    made.send()
    assert shown_entry(entry)["body"] == {"size": 8, "text": '{"a": 1}'}
    made.calls("service", 201).answer(503, b"try again\n", [("Via-Goto", "8080")])
    shown = shown_entry(entry)
    assert (shown["status"], shown["reason"], shown["end"]) == (503, "Service Unavailable", None)
    assert shown["responseHeaders"] == [("Via-Goto", "8080")]
    made.flow.mark("rule:flaky")
    made.end()
    shown = json.loads(json_bytes(shown_entry(entry)))
    assert (shown["end"], shown["by"]) == ("completed", ["rule:flaky"])
    assert shown["responseBody"] == {"size": 10, "text": "try again\n"}
    assert [(call["target"], call["url"], call["status"]) for call in shown["calls"]] == [("service", "http://h/up", 201)]
    assert shown["ms"]["end"] >= 1.0
    assert entry.flow is None


def test_values_of_masked_headers_are_never_kept() -> None:
    made = Exchange(a_book(), headers=[("AUTHORIZATION", "secret"), ("X", "y"), ("cookie", "secret")])
    made.answer(200, headers=[("Set-Cookie", "secret"), ("Y", "z")])
    for _ in range(2):
        assert "secret" not in json.dumps(shown_entry(entry_of(made)))
        assert shown_entry(entry_of(made))["headers"] == [("AUTHORIZATION", "***"), ("X", "y"), ("cookie", "***")]
        assert shown_entry(entry_of(made))["responseHeaders"] == [("Set-Cookie", "***"), ("Y", "z")]
        made.end()
    bare = Exchange(a_book(mask=[]), headers=[("Authorization", "known")])
    assert shown_entry(entry_of(bare))["headers"] == [("Authorization", "known")]


@pytest.mark.parametrize(
    ("how", "end", "status"),
    [
        ({}, "completed", 200),
        ({"unanswered": True}, "upstream_failed", 200),
        ({"gone": True}, "client_gone", 200),
        ({"broken": True}, "broke_off", 200),
        ({"aborted": True}, "aborted", 200),
    ],
)
def test_how_it_ended(how: dict[str, bool], end: str, status: int) -> None:
    made = Exchange(a_book()).answer(status).end(**how)
    assert (entry_of(made).end, entry_of(made).status) == (end, status)


def test_what_has_no_answer_has_status_0() -> None:
    made = Exchange(a_book())
    made.flow.delivery = Delivery(end="reset")
    made.end(aborted=True)
    assert (entry_of(made).status, entry_of(made).cut) == (0, "reset")


def test_a_body_that_comes_after_the_end_is_counted_whole() -> None:
    made = Exchange(a_book(), body=b"x" * 9000)
    made.answer(200).end()
    assert shown_entry(entry_of(made))["body"]["size"] == 0
    made.send()
    assert shown_entry(entry_of(made))["body"] == {"size": 9000, "text": "x" * 4096, "truncated": True}


def test_what_it_says_of_the_request() -> None:
    headers = [("x-request-id", "by-header"), ("X-Envoy-Attempt-Count", "2")]
    assert entry_of(exchange(a_book(), headers=headers)).id == "by-header"
    entry = entry_of(exchange(a_book(), target="/a?x-request-id=a%20b", headers=headers))
    assert (entry.id, entry.attempt) == ("a b", 2)
    assert entry_of(exchange(a_book(), headers=[("x-envoy-attempt-count", "²")])).attempt is None
    assert entry_line(entry).startswith(f"#1 {entry.stamp} 8080 127.0.0.1:5 GET /a?x-request-id=a%20b 200 1.0ms completed")


def test_times_are_rfc_3339_in_microseconds() -> None:
    assert stamp(0) == "1970-01-01T00:00:00.000000Z"
    assert stamp(1_795_689_912_123_456_789) == "2026-11-26T10:45:12.123456Z"


def test_the_rules_that_struck() -> None:
    made = Exchange(a_book())
    for mark in ("rule:a%20b!", "delay:1s", "rule:c"):
        made.flow.mark(mark)
    assert entry_of(made).rules == ["a b", "c"]


@pytest.mark.parametrize("body", [None, b"x"])
def test_one_that_was_given_up_goes_without_the_garbage_collector(body: bytes | None) -> None:
    book = a_book(entries=1, bodies=BodySize(1000))
    gc.collect()
    before = sum(isinstance(one, Entry) for one in gc.get_objects())
    gc.disable()
    try:
        for _ in range(10):
            exchange(book, body=body)
        assert sum(isinstance(one, Entry) for one in gc.get_objects()) <= before + 1
    finally:
        gc.enable()
