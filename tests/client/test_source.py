"""The headers of a push."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.client.desired import Source
from goto.client.source import fields_of, source_of
from goto.errors import BadInput
from goto.flow import Headers


@given(st.text(min_size=1), st.integers(0, 10**17))
def test_what_is_sent_is_read(label: str, revision: int):
    source = Source(label.encode("utf-8", "replace").decode(), "e1", revision)
    fields = fields_of(source)
    assert source_of(Headers(fields)) == source
    assert all(b"\n" not in value and value.isascii() for _, value in fields)


def test_a_call_without_them_is_from_nobody():
    assert source_of(Headers([(b"Goto-Host", b"x")])) is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([(b"Goto-Registry-Epoch", b"e")], "Goto-Registry-Revision: '' is not a whole number"),
        ([(b"Goto-Registry-Revision", b"1")], "Goto-Registry-Epoch: missing"),
        ([(b"Goto-Registry-Epoch", b"e"), (b"Goto-Registry-Revision", b"-1")], "Goto-Registry-Revision"),
        ([(b"Goto-Registry-Epoch", b"e"), (b"Goto-Registry-Revision", b"9" * 5000)], "Goto-Registry-Revision"),
    ],
)
def test_half_or_wrong_ones_are_refused(fields: list[tuple[bytes, bytes]], reason: str):
    with pytest.raises(BadInput, match=reason):
        source_of(Headers(fields))
