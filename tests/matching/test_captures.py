"""How captures are put elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.matching.captures import Capture, CaptureSource, in_header, in_text


@pytest.mark.parametrize(
    ("text", "kind", "as_text", "as_header"),
    [
        ("a%20b", "uri", "a b", "a b"),
        ("a%20b", "header", "a%20b", "a%20b"),
        ("a%20b", "query", "a%20b", "a%20b"),
        ("a%0d%0ab", "uri", "a\r\nb", "a%0d%0ab"),
        ("a\r\nb", "query", "a\r\nb", "a%0d%0ab"),
        ("a\tb", "header", "a\tb", "a\tb"),
        ("a\tb", "query", "a\tb", "a%09b"),
        ("%C3%BC", "uri", "ü", "ü"),
        ("100%", "uri", "100%", "100%"),
        ("+", "uri", "+", "+"),
    ],
)
def test_each_kind_in_each_place(text: str, kind: CaptureSource, as_text: str, as_header: str) -> None:
    capture = Capture(text, kind)
    assert (in_text(capture), in_header(capture)) == (as_text, as_header)


@given(st.text(), st.sampled_from(["uri", "header", "query"]))
def test_no_header_is_ended(text: str, kind: CaptureSource) -> None:
    assert not set(in_header(Capture(text, kind))) & {"\r", "\n", "\0"}
