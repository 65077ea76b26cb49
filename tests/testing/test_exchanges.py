"""Exchanges as a test looks at them."""

from __future__ import annotations

from typing import Any

import pytest

from goto.testing.exchanges import Exchange, Fields

ENTRY: dict[str, Any] = {
    "seq": 7,
    "method": "POST",
    "uri": "/orders?x=1&x=2",
    "headers": [["Host", "a"], ["X", "1"], ["x", "2"]],
    "body": {"size": 8, "text": '{"a": 1}'},
    "attempt": 2,
    "status": 503,
    "responseHeaders": [["Via-Goto", "8080"]],
    "responseBody": {"size": 2, "base64": "//8="},
    "by": ["rule:flaky"],
    "ms": {"wait": 0.0, "upstream": None, "head": 12.0, "end": 12.5},
    "end": "completed",
}


def test_what_it_has():
    exchange = Exchange(ENTRY)
    assert (exchange.seq, exchange.method, exchange.uri) == (7, "POST", "/orders?x=1&x=2")
    assert (exchange.path, exchange.query) == ("/orders", "x=1&x=2")
    assert (exchange.status, exchange.end, exchange.by, exchange.attempt) == (503, "completed", ["rule:flaky"], 2)
    assert exchange.seconds == 0.0125
    assert (exchange.body, exchange.json(), exchange.response_body) == (b'{"a": 1}', {"a": 1}, b"\xff\xff")
    assert exchange.response_headers["via-goto"] == "8080"
    assert repr(exchange) == "<Exchange #7 POST /orders?x=1&x=2 503 completed>"


def test_one_that_is_open():
    exchange = Exchange({**ENTRY, "status": None, "end": None, "ms": {"end": None}, "body": None})
    assert (exchange.status, exchange.end, exchange.seconds, exchange.body) == (None, None, None, b"")
    assert repr(exchange) == "<Exchange #7 POST /orders?x=1&x=2 None open>"


def test_json_that_was_cut():
    with pytest.raises(ValueError, match=r"3 of 100 bytes were kept: raise journal\.bodies"):
        Exchange({**ENTRY, "body": {"size": 100, "text": '{"a', "truncated": True}}).json()


def test_headers_by_name():
    fields = Fields([["X", "1"], ["x", "2"], ["Host", "a"]])
    assert (fields["x"], fields.all("X"), fields.get("y")) == ("1", ["1", "2"], None)
    assert (list(fields), len(fields), "HOST" in fields) == (["x", "host"], 2, True)
    with pytest.raises(KeyError):
        fields["y"]
    assert "('X', '1')" in repr(fields)
