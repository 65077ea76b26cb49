"""Lines up to an empty one, however they are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.http.lines import Lines, NotHttp, TooLong


def fed(data: bytes, cuts: list[int], limit: int = 1000) -> tuple[list[bytes], bool, bytes]:
    """The lines, whether they are whole, and what stands behind them."""
    lines, rest = Lines(limit), b""
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    for start, end in itertools.pairwise(edges):
        piece = data[start:end]
        rest += piece[lines.feed(piece, 0) :]
    return lines.lines, lines.whole, rest


@given(st.lists(st.binary(min_size=1).filter(lambda line: b"\n" not in line)), st.binary(), st.lists(st.integers(1, 80)))
def test_lines_end_where_they_end_however_they_are_cut(lines: list[bytes], rest: bytes, cuts: list[int]) -> None:
    data = b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    assert fed(data + rest, cuts) == (lines, True, rest)
    assert fed(data[:-1], cuts)[1] is False


@given(st.lists(st.integers(1, 20)))
def test_a_bare_line_feed_is_at_fault(cuts: list[int]) -> None:
    with pytest.raises(NotHttp) as raised:
        fed(b"one\r\ntwo\nthree\r\n", cuts)
    assert raised.value.line == b"two"


@given(st.lists(st.integers(1, 20)))
def test_more_than_the_limit_is_refused(cuts: list[int]) -> None:
    assert fed(b"12345678\r\n\r\n", cuts, 12)[1]
    with pytest.raises(TooLong):
        fed(b"123456789\r\n\r\n", cuts, 12)


def test_the_beginning_of_a_line_can_be_looked_at() -> None:
    lines = Lines(100)
    lines.feed(b"HT", 0)
    lines.feed(b"TP", 0)
    assert lines.start == b"HTTP"
