"""Whether an exchange fits what is asked: yes, no, not known yet, or never to be known."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.exchanges import Exchange, a_book, exchange

from goto.journal.asked import LATER, LOST, NO, YES, Asked, Found, difference, text_of, worse
from goto.journal.entry import Entry
from goto.journal.keeping import BodySize
from goto.journal.wanted import Wanted
from goto.words.reading import read_struct


def asked(**when: Any) -> Asked:
    return Asked(read_struct(when, Wanted)[0])


def entry_of(made: Exchange) -> Entry:
    assert made.entry is not None
    return made.entry


def an_entry(**how: Any) -> Entry:
    return entry_of(exchange(a_book(), **how))


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({}, True),
        ({"listener": 8080}, True),
        ({"listener": 8081}, False),
        ({"methods": ["PUT", "POST"]}, True),
        ({"methods": ["post"]}, False),
        ({"uris": ["/orders/{id}"]}, True),
        ({"uris": ["/"]}, True),
        ({"uris": ["/orders"]}, False),
        ({"headers": [["X"], ["x", "x1"], ["x", "{v}"]]}, True),
        ({"headers": [["y"]]}, False),
        ({"headers": [["x", "x2"]]}, False),
        ({"query": [["page", "2"]]}, True),
        ({"query": [["page", "3"]]}, False),
        ({"reused": True}, True),
        ({"reused": False}, False),
        ({"id": "id-1"}, True),
        ({"id": "id-2"}, False),
        ({"status": "2xx"}, True),
        ({"status": 404}, False),
        ({"end": "completed"}, True),
        ({"end": "open"}, False),
        ({"target": "service"}, True),
        ({"target": "other"}, False),
        ({"rule": "flaky"}, True),
        ({"rule": "other"}, False),
        ({"took": {"atLeast": "1s"}}, True),
        ({"took": {"atMost": "1s"}}, False),
        ({"body": {"contains": "tem"}}, True),
        ({"body": {"equals": '{"item": 1}'}}, True),
        ({"body": {"json": {"item": 1}}}, True),
        ({"body": {"json": {"item": True}}}, False),
        ({"body": {"contains": "no"}}, False),
        ({"methods": ["POST"], "uris": ["/orders/{id}"], "status": 200, "body": {"json": {"item": 2}}}, False),
    ],
)
def test_each_criterion(when: dict[str, Any], fits: bool) -> None:
    headers = [("X", "x1"), ("x-request-id", "id-1")]
    made = Exchange(a_book(), "POST", "/orders/1?page=2", headers=headers, body=b'{"item": 1}', nth=2)
    made.send().calls("service").answer(200)
    made.flow.mark("rule:flaky")
    made.end(took=1.5)
    question, entry = asked(**when), entry_of(made)
    assert question.of(entry) is (YES if fits else NO)
    judged = question.judge(entry)
    assert all(one.found is YES for one in judged) is fits
    assert text_of(question.wanted)


@pytest.mark.parametrize(
    ("when", "at_head", "answered", "over"),
    [
        ({"status": "2xx"}, LATER, YES, YES),
        ({"status": "5xx"}, LATER, NO, NO),
        ({"end": "completed"}, LATER, LATER, YES),
        ({"end": "client_gone"}, LATER, LATER, NO),
        ({"end": "open"}, YES, YES, NO),
        ({"took": {"atLeast": "0s"}}, LATER, LATER, YES),
        ({"target": "t"}, LATER, LATER, NO),
        ({"rule": "r"}, LATER, LATER, NO),
        ({"body": {"contains": "x"}}, LATER, YES, YES),
        ({"status": "2xx", "methods": ["PUT"]}, NO, NO, NO),
    ],
)
def test_it_is_known_as_soon_as_all_that_is_asked_about_is(when: Any, at_head: Found, answered: Found, over: Found) -> None:
    made, question = Exchange(a_book(), body=b"x"), asked(**when)
    assert question.of(entry_of(made)) is at_head
    made.send().answer(200)
    assert question.of(entry_of(made)) is answered
    made.end()
    assert question.of(entry_of(made)) is over


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ({"body": {"contains": "ab"}}, YES),
        ({"body": {"contains": "zz"}}, LOST),
        ({"body": {"equals": "abcdef"}}, LOST),
        ({"body": {"json": 1}}, LOST),
        ({"body": {"contains": "zz"}, "methods": ["PUT"]}, NO),
        ({"body": {"contains": "zz"}, "status": 404}, NO),
    ],
)
def test_a_body_that_was_cut_and_does_not_fit_is_unknown(when: Any, found: Found) -> None:
    entry = entry_of(exchange(a_book(bodies=BodySize(4)), body=b"abcdef"))
    assert asked(**when).of(entry) is found


def test_a_body_that_never_came_whole_fits_nothing_but_what_it_contains() -> None:
    made = Exchange(a_book(), body=b"abc")
    assert made.flow.record is not None
    made.flow.record.request.more(b"ab")
    made.flow.record.request.stop()
    made.end(gone=True)
    entry = entry_of(made)
    assert asked(body={"contains": "ab"}).of(entry) is YES
    assert asked(body={"equals": "ab"}).of(entry) is NO


def test_the_value_of_a_masked_header_is_unknown() -> None:
    entry = an_entry(headers=[("Cookie", "a=1")])
    assert asked(headers=[["cookie"]]).of(entry) is YES
    assert asked(headers=[["cookie", "{x}"]]).of(entry) is YES
    for value in ("a=1", "b=2", "***"):
        assert asked(headers=[["cookie", value]]).of(entry) is LOST
        assert asked(headers=[["cookie", value]], methods=["PUT"]).of(entry) is NO
    assert asked(headers=[["cookie", "a=1"], ["x"]]).of(entry) is NO
    assert asked(headers=[["authorization", "x"]]).of(entry) is NO


@given(st.lists(st.sampled_from([NO, YES, LATER, LOST]), min_size=1))
def test_one_that_does_not_fit_is_enough(found: list[Found]) -> None:
    whole = YES
    for one in found:
        whole = worse(whole, one)
    assert whole is (NO if NO in found else LATER if LATER in found else LOST if LOST in found else YES)


@pytest.mark.parametrize(
    ("part", "data", "told"),
    [
        ({"item": 1}, b'{"item": 2}', ("$.item", 1, 2)),
        ({"a": {"b": [1, {"c": True}]}}, b'{"a": {"b": [1, {"c": 1}]}}', ("$.a.b[1].c", True, 1)),
        ({"a": 1}, b"{}", ("$.a", 1, None)),
        ([1, 2], b"[1]", ("$", [1, 2], [1])),
        (1, b"no", ("", 1, "no")),
    ],
)
def test_where_json_differs(part: Any, data: bytes, told: tuple[str, Any, Any]) -> None:
    assert difference(part, data) == told


def test_what_is_asked_in_a_line() -> None:
    wanted = asked(methods=["POST"], uris=["/orders"], status="2xx", body={"json": {"item": 1}}).wanted
    assert text_of(wanted) == 'POST /orders  status 2xx  body ⊇ {"item": 1}'
    assert text_of(asked().wanted) == "any exchange"
    assert text_of(asked(headers=[["x", "1"], ["y"]], query=[["p", "2"]]).wanted) == "header x: 1  header y  query p=2"


def test_what_it_has_looked_at_takes_no_memory() -> None:
    question, entry = asked(uris=["/orders/{id}"], query=[["x", "{v}"]]), an_entry(target="/orders/1?x=1")
    gc.collect()
    before = len(gc.get_objects())
    for number in range(1000):
        entry.target = f"/orders/{number}?x={number}"
        assert question.of(entry) is YES
    assert len(gc.get_objects()) < before + 500
