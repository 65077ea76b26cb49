"""Heads of responses that are not plain: taken as they are meant, or no HTTP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.http.answers import CHUNKED, UNTIL_END, UnknownCoding, check_line, may_begin, read_field, read_head
from goto.http.lines import NotHttp

TOKEN = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1).map(str.encode)
BLANKS = st.text(" \t", min_size=1, max_size=3).map(str.encode)
FRAMING = (b"Content-Length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"Trailer")


def fault(*lines: bytes) -> bytes:
    with pytest.raises(NotHttp) as raised:
        read_head(lines)
    return raised.value.line


@given(TOKEN.filter(lambda name: name.title() not in FRAMING), BLANKS, BLANKS)
def test_blanks_before_a_colon_are_taken_out(name: bytes, before: bytes, around: bytes) -> None:
    assert read_field(name + before + b":" + around + b"a b" + around) == (name, b"a b")


@given(st.sampled_from(FRAMING), st.booleans(), BLANKS)
def test_not_before_that_of_a_field_that_frames(name: bytes, lower: bool, before: bytes) -> None:
    line = (name.lower() if lower else name) + before + b": 2"
    assert fault(b"HTTP/1.1 200 OK", line) == line


@pytest.mark.parametrize(
    "line",
    [
        b"RTSP/1.1 200 OK",
        b"ICE/1.1 200 OK",
        b"HTTP/2 200",
        b"http/1.1 200 OK",
        b"HTTP/1.1 099 X",
        b"HTTP/1.1 001 X",
        b"HTTP/1.1 600 X",
        b"HTTP/1.1 999 X",
        b"HTTP/1.1 20 X",
        b"HTTP/1.1 2000 X",
        b"HTTP/1.1  200 OK",
        b" HTTP/1.1 200 OK",
        b"HTTP/1.1 200 O\rK",
        b"",
    ],
)
def test_status_lines_that_are_none(line: bytes) -> None:
    assert fault(line) == line
    with pytest.raises(NotHttp):
        check_line(line, first=True)


@pytest.mark.parametrize("line", [b" fold", b"\tfold: x", b"Served by Big Iron:", b"no colon", b": x", b"X: a\rb", b"X: \x00"])
def test_fields_that_are_none(line: bytes) -> None:
    assert fault(b"HTTP/1.1 200 OK", b"A: b", line) == line
    with pytest.raises(NotHttp):
        check_line(line, first=False)


@pytest.mark.parametrize("second", [b"Content-Length: 3", b"content-length: 2", b"Content-Length: 2, 2", b"Content-Length: -1"])
def test_a_second_length_is_at_fault(second: bytes) -> None:
    assert fault(b"HTTP/1.1 200 OK", b"Content-Length: 2", second) == second


@pytest.mark.parametrize(
    ("version", "status", "fields", "length", "keep"),
    [
        (b"1.1", 200, [b"Content-Length: 5"], 5, True),
        (b"1.0", 200, [b"Content-Length: 5"], 5, False),
        (b"1.0", 200, [b"Content-Length: 5", b"Connection: x, Keep-Alive"], 5, True),
        (b"1.1", 200, [b"Connection: x, Close"], UNTIL_END, False),
        (b"1.1", 200, [], UNTIL_END, True),
        (b"1.1", 200, [b"Transfer-Encoding: Chunked"], CHUNKED, True),
        (b"1.0", 200, [b"Transfer-Encoding: chunked", b"Connection: keep-alive"], CHUNKED, False),
        (b"1.1", 304, [b"Transfer-Encoding: chunked", b"Content-Length: 7"], 7, True),
        (b"1.1", 204, [b"Transfer-Encoding: gzip"], UNTIL_END, True),
        (b"1.1", 103, [b"Transfer-Encoding: chunked", b"Content-Length: 7"], 7, True),
    ],
)
def test_framing(version: bytes, status: int, fields: list[bytes], length: int, keep: bool) -> None:
    answer = read_head([b"HTTP/%b %d X" % (version, status), *fields])
    assert (answer.status, answer.length, answer.keep) == (status, length, keep)


@pytest.mark.parametrize("fields", [[b"Transfer-Encoding: gzip, chunked"], [b"Transfer-Encoding: gzip"] * 2])
def test_other_codings(fields: list[bytes]) -> None:
    with pytest.raises(UnknownCoding, match="gzip"):
        read_head([b"HTTP/1.1 200 OK", *fields])


@given(st.binary(max_size=12))
def test_what_may_begin_a_head(start: bytes) -> None:
    assert may_begin(start) == (start[:7] == b"HTTP/1."[: len(start)])


@pytest.mark.parametrize(("line", "reason"), [(b"HTTP/1.1 200", b""), (b"HTTP/1.1 200 ", b""), (b"HTTP/1.9 200 A  B", b"A  B")])
def test_reasons(line: bytes, reason: bytes) -> None:
    assert read_head([line]).reason == reason
