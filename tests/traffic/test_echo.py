"""The answer that shows a request."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.flows import flow

from goto.flow import Flow, Headers, Request
from goto.http.shown import shown as as_shown
from goto.traffic.echo import SHOWN_BYTES, echo


def shown(one: Flow, body: bytes = b"", size: int | None = None) -> dict[str, Any]:
    response = echo(one, body, len(body) if size is None else size)
    assert response.body.endswith(b"\n")
    assert b"\n" not in response.body[:-1]
    document: dict[str, Any] = json.loads(response.body)
    return document


def test_the_request_in_full() -> None:
    one = flow("/a%2Fb/c?x=1&y=%20z&x=2+3&e&=v", ("Host", "h"), ("X-One", "1"), ("y", "ä"), method="POST")
    assert shown(one, "hellö".encode()) == {
        "RequestURI": "/a%2Fb/c?x=1&y=%20z&x=2+3&e&=v",
        "RequestHeaders": {"Host": ["h"], "X-One": ["1"], "y": ["ä"]},
        "RequestQuery": {"x": ["1", "2 3"], "y": [" z"], "e": [""], "": ["v"]},
        "RequestBody": "hellö",
    }


def test_repeated_headers_are_grouped_by_the_name_as_sent() -> None:
    one = flow("/", ("X", "1"), ("x", "2"), ("X", "3"))
    assert shown(one)["RequestHeaders"] == {"X": ["1", "3"], "x": ["2"]}


def test_headers_that_come_back_and_those_that_do_not() -> None:
    fields = [
        ("Host", "h"),
        ("X", "1"),
        ("x", "2"),
        ("Connection", "close, X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "1"),
        ("TE", "trailers"),
        ("Upgrade", "h2c"),
        ("Proxy-Authorization", "a"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "3"),
        ("CONTENT-TYPE", "text/x"),
        ("Content-Encoding", "gzip"),
        ("Set-Cookie", "a=b"),
        ("Cookie", "a=b"),
        ("Authorization", "b"),
    ]
    response = echo(flow("/", *fields), b"", 0)
    assert response.headers.fields == [
        (b"Content-Type", b"application/json"),
        (b"X", b"1"),
        (b"x", b"2"),
        (b"Cookie", b"a=b"),
        (b"Authorization", b"b"),
    ]


def test_bytes_that_are_no_utf8() -> None:
    fields = [(b"X", b"a\xffb"), (b"y", "ü".encode())]
    one = Flow(Request("GET", "/\udcff?a=%ff&b=\udcfe", Headers(fields)))
    document = shown(one, b"\xff\x00\x01")
    assert document["RequestURI"] == r"/\xff?a=%ff&b=\xfe"
    assert document["RequestHeaders"] == {"X": [r"a\xffb"], "y": ["ü"]}
    assert document["RequestQuery"] == {"a": [r"\xff"], "b": [r"\xfe"]}
    assert base64.b64decode(document["RequestBodyBase64"]) == b"\xff\x00\x01"
    assert "RequestBody" not in document
    assert echo(one, b"", 0).headers.fields[1:] == fields


def test_a_body_that_was_cut_says_so() -> None:
    assert shown(flow(), b"abc", 3).keys() == {"RequestURI", "RequestHeaders", "RequestQuery", "RequestBody"}
    document = shown(flow(), b"abc", 4)
    assert (document["RequestBody"], document["RequestBodySize"], document["RequestBodyTruncated"]) == ("abc", 4, True)
    assert SHOWN_BYTES == 1 << 20


def test_what_looks_like_a_byte_that_is_no_utf8_is_told_from_it() -> None:
    document = shown(flow(r"/\xff?a=\xff&b=%5cxfe&c=%ff", ("X", r"\xff")))
    assert document["RequestURI"] == r"/\x5cxff?a=\x5cxff&b=%5cxfe&c=%ff"
    assert document["RequestHeaders"] == {"X": [r"\x5cxff"]}
    assert document["RequestQuery"] == {"a": [r"\x5cxff"], "b": [r"\x5cxfe"], "c": [r"\xff"]}


def test_a_character_that_the_limit_cuts_through_is_left_out() -> None:
    body = "aé".encode()
    assert shown(flow(), body[:2], 3)["RequestBody"] == "a"
    assert "RequestBody" not in shown(flow(), body[:2])


@pytest.mark.parametrize(("forced", "status"), [(None, 200), (503, 503), (204, 204)])
def test_its_status_is_200_or_the_forced_one(forced: int | None, status: int) -> None:
    one = flow()
    one.status = forced
    assert echo(one, b"", 0).status == status


@given(
    st.text('abc/?&=%2fé\udcff+#[]"\\', max_size=20),
    st.lists(st.tuples(st.sampled_from([b"a", b"A", b"x-b"]), st.binary(max_size=5)), max_size=5),
    st.binary(max_size=20),
)
def test_it_is_json_whatever_comes(target: str, fields: list[tuple[bytes, bytes]], body: bytes) -> None:
    one = Flow(Request("GET", "/" + target, Headers(fields)))
    document = shown(one, body)
    assert document["RequestURI"] == as_shown(("/" + target).encode("utf-8", "surrogateescape"))
    expected: dict[str, list[str]] = {}
    for name, value in fields:
        expected.setdefault(name.decode(), []).append(as_shown(value))
    assert document["RequestHeaders"] == expected
    if "RequestBody" in document:
        assert document["RequestBody"].encode() == body
    else:
        assert base64.b64decode(document["RequestBodyBase64"]) == body
