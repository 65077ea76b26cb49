"""What belongs to one connection never crosses goto."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from goto.http.hops import FRAMING, HOP_BY_HOP, connection_words, end_to_end


def test_the_page_names_each_that_does_not_pass() -> None:
    page = (ROOT / "docs" / "behaviour.md").read_text()
    bullet = page[page.index("- These headers belong to one connection") :].split("\n- ")[0]
    named = {name.lower().encode() for name in re.findall(r"`([A-Za-z-]+)`", bullet.partition("`Host`")[0])}
    assert named == HOP_BY_HOP | FRAMING | {b"expect", b"goto-hops"}


names = st.sampled_from(
    [b"Connection", b"X-Hop", b"x-end", b"Keep-Alive", b"TE", b"Upgrade", b"Content-Length", b"Expect", b"Host"]
)
values = st.sampled_from([b"", b"close", b"keep-alive", b"X-Hop", b"x-end , close", b"Upgrade, x-hop", b"1", b",,"])


@pytest.mark.parametrize(
    "name",
    [
        *["Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer"],
        *["Transfer-Encoding", "Upgrade", "Content-Length", "Expect", "tRaNsFeR-eNcOdInG"],
    ],
)
def test_hop_by_hop_fields_stay_here(name: str):
    fields = [(b"A", b"1"), (name.encode(), b"x"), (b"B", b"2")]
    assert end_to_end(fields) == [(b"A", b"1"), (b"B", b"2")]


def test_what_passes_keeps_order_spelling_and_repetition():
    fields = [
        (b"X-B", b"2"),
        (b"x-a", b"1"),
        (b"X-b", b"2"),
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"Authorization", b"s"),
    ]
    assert end_to_end(fields) == fields


def test_fields_that_connection_names_stay_here_wherever_they_stand():
    fields = [
        (b"x-ONE", b"1"),
        (b"Connection", b"X-One , close"),
        (b"connection", b"x-two"),
        (b"X-Two", b"2"),
        (b"X-Three", b"3"),
    ]
    assert end_to_end(fields) == [(b"X-Three", b"3")]


@pytest.mark.parametrize("value", [b"close", b"keep-alive", b"", b" , ", b"Keep-Alive, Upgrade"])
def test_connection_words_that_name_no_field_remove_none(value: bytes):
    assert end_to_end([(b"Connection", value), (b"Host", b"h"), (b"A", b"1")]) == [(b"Host", b"h"), (b"A", b"1")]


@given(st.lists(st.tuples(names, values), max_size=8))
def test_what_passes_is_end_to_end(fields: list[tuple[bytes, bytes]]):
    passed = end_to_end(fields)
    unpassed = HOP_BY_HOP | FRAMING | {b"expect"} | connection_words(fields)
    assert passed == [field for field in fields if field[0].lower() not in unpassed]
    assert end_to_end(passed) == passed


def test_connection_words():
    fields = [(b"Connection", b"Close, X-A"), (b"CONNECTION", b"upgrade"), (b"X-Connection", b"no")]
    assert connection_words(fields) == {b"close", b"x-a", b"upgrade"}
    assert connection_words([]) == set()
