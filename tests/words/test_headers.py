"""Names and values of headers."""

from __future__ import annotations

import time

import pytest

from goto.words import HeaderName, HeaderNames, HeaderValue, SentHeaderName


def test_header_name():
    assert HeaderName.parse("X-Custom_1!~") == "X-Custom_1!~"
    for text in ("", " x", "x ", "a b", "a:b", "ü", "a(b)", 'a"', "a/b"):
        with pytest.raises(ValueError, match="legal header name"):
            HeaderName.parse(text)


@pytest.mark.parametrize("text", ["Content-Length", "connection", "Transfer-Encoding", "UPGRADE", "te", "Trailer", "Keep-Alive"])
def test_names_of_the_connection_may_be_tracked_but_not_sent(text: str):
    assert HeaderName.parse(text) == text
    with pytest.raises(ValueError, match="belongs to the connection"):
        SentHeaderName.parse(text)


def test_sent_header_name_is_one():
    assert isinstance(SentHeaderName.parse("Via"), SentHeaderName)


def test_header_names_compare_in_any_case_and_the_first_spelling_stays():
    assert HeaderNames.parse("X, y,x,Y ,z") == ("X", "y", "z")
    for text in ("x,,y", "x, a b", ""):
        with pytest.raises(ValueError, match=r"empty|legal"):
            HeaderNames.parse(text)


def test_header_names_of_a_long_list_are_read_in_linear_time():
    many = [f"h{number}" for number in range(12_000)]  # as many as go into the head of a request
    started = time.process_time()
    assert HeaderNames.parse(",".join(many)) == tuple(many)
    assert time.process_time() - started < 3  # it takes 20 ms; a list read anew for each of its names takes 10 s


def test_header_value():
    assert HeaderValue.parse(" grüße\tund, mehr ") == "grüße\tund, mehr"
    assert HeaderValue.parse("") == ""
    for text in ("a\nb", "a\rb", "a\x00", "\x7f"):
        with pytest.raises(ValueError, match="control characters"):
            HeaderValue.parse(text)
