"""Bytes as people read them."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.http.fields import decode
from goto.http.shown import body_text, shown, shown_text

NEAR = st.lists(st.sampled_from([b"\\", b"x", b"5c", b"f", b"F", b"\xff", b"\xc3", b"\xa9", b"a", b" "]), max_size=8).map(
    b"".join
)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"a b", "a b"),
        ("é€😀".encode(), "é€😀"),
        (b"caf\xe9", r"caf\xe9"),
        (b"\xff\xfe", r"\xff\xfe"),
        (rb"caf\xe9", r"caf\x5cxe9"),
        (rb"\xFf", r"\x5cxFf"),
        (rb"\x5c", r"\x5cx5c"),
        (rb"\\xff", r"\\x5cxff"),
        (rb"C:\temp\x", r"C:\temp\x"),
        (b"\\x\xff", r"\x\xff"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
    ],
)
def test_one_form(data: bytes, text: str) -> None:
    assert shown(data) == text
    assert shown_text(decode(data)) == text


@given(st.binary(max_size=20) | NEAR)
def test_it_says_which_bytes_they_were(data: bytes) -> None:
    text = shown(data)
    assert json.loads(json.dumps(text)) == text
    assert (
        b"".join(
            bytes.fromhex(piece[2:]) if re.fullmatch(r"\\x[0-9a-f]{2}", piece) else piece.encode()
            for piece in re.split(r"(\\x[0-9a-f]{2})", text)
        )
        == data
    )
    assert shown_text(decode(data)) == text


@given(st.binary(max_size=6) | st.text(max_size=6).map(str.encode))
def test_a_body_is_text_where_it_is_utf8(data: bytes) -> None:
    try:
        expected: str | None = data.decode()
    except UnicodeDecodeError:
        expected = None
    assert body_text(data) == expected


@given(st.text(max_size=8), st.integers(0, 40))
def test_a_cut_leaves_out_the_character_that_it_goes_through(text: str, at: int) -> None:
    kept = text.encode()[:at]
    shown_part = body_text(kept, cut=True)
    assert shown_part is not None
    assert text.startswith(shown_part)
    assert len(kept) - len(shown_part.encode()) < 4
    if len(kept) > len(shown_part.encode()):
        assert body_text(kept) is None
