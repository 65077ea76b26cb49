"""Text in encodings that do not have all of its characters."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.words import escapes

ANY_TEXT = st.text(st.characters(exclude_categories=()))


SHOWN = {
    "é": "\\u00e9",
    "€": "\\u20ac",
    "😀": "\\U0001f600",
    "\ud800": "\\ud800",
    "a\udcffb": "a\\xffb",
    "\udcc3\udca9": "\\u00e9",
}


@pytest.mark.parametrize("text", SHOWN)
def test_text(text: str) -> None:
    assert text.encode("ascii", escapes.TEXT).decode() == SHOWN[text]


def test_what_an_encoding_has_stays() -> None:
    assert "é€".encode("latin-1", escapes.TEXT) == b"\xe9\\u20ac"


@given(ANY_TEXT)
def test_json_says_the_same(text: str) -> None:
    written = json.dumps(text, ensure_ascii=False)
    assert json.loads(written.encode("ascii", escapes.JSON)) == json.loads(json.dumps(text))


@given(ANY_TEXT)
def test_nothing_fails(text: str) -> None:
    assert text.encode("ascii", escapes.TEXT).isascii()


@pytest.mark.parametrize(("encoding", "is_utf8"), [("utf-8", True), ("UTF8", True), ("latin-1", False), ("ascii", False)])
def test_which_encodings_are_utf8(encoding: str, is_utf8: bool) -> None:
    assert escapes.is_utf8(encoding) is is_utf8


def test_they_are_for_writing_alone() -> None:
    for errors in (escapes.TEXT, escapes.JSON):
        with pytest.raises(UnicodeDecodeError):
            b"\xff".decode("utf-8", errors)
