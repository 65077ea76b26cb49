"""Bodies in chunks: what they hold, however they are cut, and what is none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.http.chunked import LINE_LIMIT, Chunks
from goto.http.requests import Malformed

EXTENSIONS = ["", ";a", " ;a", "; a=b", ' ; a = "b;\\" c" ;d', ";a=1;b=2", '\t;\ta\t=\t""']


def decoded(data: bytes, cuts: list[int], limit: int = 100, most: int = 3) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    """The body, its trailers, and what stands behind it."""
    chunks = Chunks(limit, most)
    edges = sorted({0, len(data), *(cut for cut in cuts if 0 < cut < len(data))})
    body, rest = b"", b""
    for at, to in pairwise(edges):
        piece = data[at:to]
        rest += piece[chunks.feed(piece, 0) :]
        body += b"".join(chunks.pieces)
        chunks.pieces = []
    assert chunks.whole
    return body, chunks.trailers, rest


@given(
    st.lists(
        st.tuples(st.binary(min_size=1, max_size=40), st.sampled_from(EXTENSIONS), st.sampled_from(["%x", "%X", "000%x"])),
        max_size=4,
    ),
    st.sampled_from(EXTENSIONS),
    st.sampled_from([[], [(b"X-Sum", b"1")], [(b"A", b""), (b"a", b"\xff b")]]),
    st.binary(max_size=10),
    st.lists(st.integers(0, 300)),
)
def test_a_body_is_the_same_however_it_is_cut(
    parts: list[tuple[bytes, str, str]], last: str, trailers: list[tuple[bytes, bytes]], behind: bytes, cuts: list[int]
) -> None:
    data = b"".join((form % len(part) + extension).encode() + b"\r\n" + part + b"\r\n" for part, extension, form in parts)
    data += b"0" + last.encode() + b"\r\n" + b"".join(name + b": " + value + b" \r\n" for name, value in trailers) + b"\r\n"
    wanted = (b"".join(part for part, _, _ in parts), trailers, behind)
    assert decoded(data + behind, cuts) == wanted
    assert decoded(data + behind, list(range(len(data)))) == wanted


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\r\n", "the size of a chunk"),
        (b"zz\r\n", "the size of a chunk"),
        (b"-1\r\n", "the size of a chunk"),
        (b"0x1\r\n", "the size of a chunk"),
        (b" 1\r\n", "the size of a chunk"),
        (b"1 \r\n", "the size of a chunk"),
        (b"1;\r\n", "the size of a chunk"),
        (b"1;a=\r\n", "the size of a chunk"),
        (b'1;a="\r\n', "the size of a chunk"),
        (b"1;a\x00\r\n", "the size of a chunk"),
        (b"1\rX\r\n", "the size of a chunk"),
        (b"1" + b"0" * 15 + b"\r\n", "the size of a chunk"),
        (b"1\nx\r\n", "a line between chunks ends in a bare LF"),
        (b"1\r\nxx\r\n", "a chunk is longer than its size"),
        (b"1\r\nx\n", "a chunk is longer than its size"),
        (b"1;" + b"a" * LINE_LIMIT, "the line with the size of a chunk is over"),
        (b"0\r\nX : 1\r\n", "a field has a blank before its colon"),
        (b"0\r\n X: 1\r\n", "a field goes on in the next line"),
        (b"0\r\nX\r\n", "a line of the head has no colon"),
        (b"0\r\nX: 1\n", "a line between chunks ends in a bare LF"),
        (b"0\r\nX: a\rb\r\n", "a line of the head ends in a bare CR or LF"),
        (b"0\r\nX: " + b"y" * 100, "the trailers are over the limit of heads"),
        (b"0\r\n" + b"X: y" * 5 + b"\r\n" + b"X: y" * 20 + b"\r\n", "the trailers are over the limit of heads"),
        (b"0\r\n" + b"X: y\r\n" * 4, "the trailers are over the limit of heads"),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_what_is_no_body(data: bytes, reason: str, step: int) -> None:
    chunks = Chunks(100, 3)

    def feed() -> None:
        for at in range(0, len(data), step):
            chunks.feed(data[at : at + step], 0)

    with pytest.raises(Malformed, match=reason):
        feed()
