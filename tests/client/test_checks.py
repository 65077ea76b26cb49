"""Checks of answers: what they take, and when they hold."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.client.checks import Answer, Check

FIELDS = [(b"Content-Type", b"application/json"), (b"x", b" x1 "), (b"X", b"x2"), (b"y", b"a=b")]
BODY = b'{"a": {"b": [1, 2.5, true, null, "t", {"c d": "\xc3\xa9"}]}, "n": "1", "one": 1, "obj": {"k": [1]}}'


def holds(text: str, body: bytes | None = BODY, *, status: int = 200, size: int | None = None) -> bool:
    return Check.parse(text).holds(Answer(status, FIELDS, body, len(body or b"") if size is None else size))


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("status=2xx", 204, True),
        ("status=2xx", 301, False),
        ("status=200,201", 201, True),
        ("status=200,4xx", 404, True),
        ("status=200,201", 202, False),
        ("status!=5xx", 200, True),
        ("status!=5xx", 503, False),
        ("status!=200,503", 503, False),
    ],
)
def test_a_status_is_one_of_these_or_none(text: str, status: int, expected: bool):
    assert holds(text, status=status) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("body~obj", True),
        ("body~OBJ", False),
        ("body!~OBJ", True),
        ("body!~obj", False),
        ("body=x", False),
        ("body~é", True),
        ("json:$", True),
        ("json:$.a", True),
        ("json:$.z", False),
        ("json:$.a.b[3]", True),
        ("json:$.a.b[6]", False),
        ("json:$.a.b[0]=1", True),
        ("json:$.a.b[0]=1.0", True),
        ("json:$.a.b[0]=true", False),
        ("json:$.a.b[1]=2.5", True),
        ("json:$.a.b[2]=true", True),
        ("json:$.a.b[2]=1", False),
        ("json:$.a.b[3]=null", True),
        ("json:$.a.b[4]=t", True),
        ('json:$.a.b[4]="t"', True),
        ('json:$.a.b[5]["c d"]=é', True),
        ('json:$["a"].b[00]=1', True),
        ("json:$.n=1", False),
        ('json:$.n="1"', True),
        ('json:$.obj={"k":[1]}', True),
        ('json:$.obj={"k":[true]}', False),
        ("json:$.obj[0]", False),
        ("json:$.a.b.c", False),
        ("header:x", True),
        ("header:z", False),
        ("header:X=x1", True),
        ("header:x=x2", True),
        ("header:x=x", False),
        ("header:y=a=b", True),
        ("header:content-type=application/json", True),
    ],
)
def test_what_holds_of_an_answer(text: str, expected: bool):
    assert holds(text) == expected


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("size=10", 10, True),
        ("size=10", 11, False),
        ("size!=10", 11, True),
        ("size<1KiB", 1023, True),
        ("size<1KiB", 1024, False),
        ("size<=1KiB", 1024, True),
        ("size>0", 0, False),
        ("size>=1MiB", 1 << 20, True),
        ("size>1MiB", 1 << 21, True),
    ],
)
def test_a_size_is_that_of_the_whole_body(text: str, size: int, expected: bool):
    assert holds(text, None, size=size) == expected


def test_of_a_body_that_is_not_kept_all_that_looks_into_it_fails():
    for text in ("body~x", "body!~x", "body=", "json:$", "json:$.a=null"):
        assert not holds(text, None)
        assert Check.parse(text).reads_body
    assert holds("status=200", None)
    assert not Check.parse("size>1").reads_body


def test_a_body_may_be_empty_or_no_json():
    assert holds("body=", b"")
    assert not holds("body=", b"x")
    assert not holds("json:$", b"")
    assert not holds("json:$", b"\xff")
    assert not holds("json:$", b"[" * 100_000)


@pytest.mark.parametrize(
    "text",
    [
        *("foo", "", "status", "status=", "status=2x", "status=abc", "status=200,", " status=2xx", "body", "body~", "body!~"),
        *("json:a", "json:$a", "json:$.", "json:$[x]", 'json:$["a]', "header:", "header:a b", "header:=x"),
        *("size", "size=", "size=x", "size=1kb", "size~1"),
    ],
)
def test_what_is_no_check_is_refused_with_how_to_write_one(text: str):
    with pytest.raises(ValueError, match="is no check: write it like status=2xx, body~text, json:") as error:
        Check.parse(text)
    assert str(error.value) == f"{text!r} is no check: write it like status=2xx, body~text, json:$.a=1, header:x=x1, size<1MiB"


heads = st.sampled_from(["status=", "body~", "body=", "json:$", "json:$.", "header:", "size<", ""])


@given(heads, st.text(max_size=10), st.binary(max_size=20))
def test_every_check_that_is_taken_can_be_asked_of_any_answer(head: str, rest: str, body: bytes):
    with contextlib.suppress(ValueError):
        assert holds(head + rest, body) in (True, False)
