"""The words of paths, queries and JSON."""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.errors import NotFound
from goto.words import (
    CountedDuration,
    CountedStatus,
    Duration,
    Flag,
    HeaderName,
    HeaderNames,
    HeaderValue,
    Label,
    Name,
    Names,
    Port,
    SentHeaderName,
    Status,
    http_url,
    one_line,
    split_known,
)
from goto.words import names as words

WORDS = [kind for kind in vars(words).values() if isinstance(kind, type) and hasattr(kind, "parse") and hasattr(kind, "schema")]


@pytest.mark.parametrize("kind", WORDS)
@given(text=st.text() | st.text(alphabet="0123456789:smhyn,.- \r\n\x00", max_size=12))
def test_a_word_is_parsed_or_a_value_error(kind: Any, text: str):
    with contextlib.suppress(ValueError):
        parsed = kind.parse(text)
        items = parsed if isinstance(parsed, tuple) else [str(parsed)]
        assert not any("\r" in item or "\n" in item or "\x00" in item for item in items)


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b"])
def test_no_word_holds_a_line_break(kind: Any, text: str):
    with pytest.raises(ValueError, match=r"\w"):
        kind.parse(text)


@pytest.mark.parametrize("kind", WORDS)
def test_every_word_has_a_schema(kind: Any):
    assert kind.schema["type"] in ("string", "integer")


@pytest.mark.parametrize("number", [200, 204, 418, 599])
def test_status(number: int):
    assert Status.parse(str(number)) == number


@pytest.mark.parametrize(
    "text",
    ["", " 200", "200 ", "9" * 5000, "0", "199", "600", "-200", "+200", "200.0", "2e2", "ok", "２００", "2_00"],
)
def test_no_status(text: str):
    with pytest.raises(ValueError, match=r"status|number"):
        Status.parse(text)


def test_port():
    assert [Port.parse(text) for text in ("1", "8080", "65535")] == [1, 8080, 65535]
    for text in ("0", "65536", "-1", "http", "", "80 "):
        with pytest.raises(ValueError, match=r"port|number"):
            Port.parse(text)


def test_counted_status():
    assert CountedStatus.parse("503") == CountedStatus(Status(503))
    assert CountedStatus.parse("503:2") == CountedStatus(Status(503), 2)
    assert CountedStatus.parse("0") == CountedStatus(None)


@pytest.mark.parametrize("text", ["", ":", "503:", "503:0", "503:-1", "503:x", "503:1:2", ":2", "199:1", "503: 1", "503:1.5"])
def test_no_counted_status(text: str):
    with pytest.raises(ValueError, match=r"\w"):
        CountedStatus.parse(text)


def test_counted_duration():
    assert CountedDuration.parse("200ms") == CountedDuration(Duration(200_000_000))
    assert CountedDuration.parse("1m30s:3") == CountedDuration(Duration(90_000_000_000), 3)
    for text in ("1s:0", "1s:", "1s:x", "-1s", "1:1", ":3", ""):
        with pytest.raises(ValueError, match=r"\w"):
            CountedDuration.parse(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(CountedStatus, text) for text in ("503", "503:2", "0")] + [(CountedDuration, text) for text in ("1m30s", "0s", "2.5ms:7")],
)
def test_counted_words_print_as_they_are_written(kind: Any, text: str):
    assert str(kind.parse(text)) == text


def test_name():
    assert Name.parse("t 1/ü") == "t 1/ü"
    assert Name.parse(" t1 ") == Names.parse(" t1 ")[0]  # or it could be added and never invoked
    for text in ("", "  ", "a,b"):
        with pytest.raises(ValueError, match=r"empty|comma"):
            Name.parse(text)


def test_label_is_trimmed():
    assert Label.parse(" Edge, 1 ") == "Edge, 1"
    with pytest.raises(ValueError, match="empty"):
        Label.parse(" ")


def test_names_are_trimmed_and_each_there_once():
    assert Names.parse(" a, b ,a,c") == ("a", "b", "c")
    for text in ("", ",", "a,", ",a", "a,,b", "a, ,b"):
        with pytest.raises(ValueError, match="empty"):
            Names.parse(text)


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


@pytest.mark.parametrize("text", ["y", "YES", "True", "1"])
def test_yes(text: str):
    assert Flag.parse(text)


@pytest.mark.parametrize("text", ["n", "No", "FALSE", "0"])
def test_no(text: str):
    assert not Flag.parse(text)


@pytest.mark.parametrize("text", ["", "maybe", "2", "on", "off", " y"])
def test_no_flag(text: str):
    with pytest.raises(ValueError, match="neither yes nor no"):
        Flag.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://x",
        "https://x",
        "http://h:8080/base/?a=1",
        "http://[::1]:9000/",
        "http://10.0.0.1",
        "http://h/%2F//..",
        "http://h:65535",
    ],
)
def test_url(text: str):
    assert http_url(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x",
            "/path",
            "ftp://x",
            "//h/p",
            "http://",
            "http://:80",
            "http:///p",
            "http://h:0",
            "http://h:65536",
            "http://h:x",
        ),
        *("http://h/a b", "http://h/\r\nX: y", "http://h\t", "http://h/\u2028", "http://u:p@h/", "http://[::1"),
    ],
)
def test_no_url(text: str):
    with pytest.raises(ValueError, match=r"\w"):
        http_url(text)


def test_one_line():
    assert one_line("grüße, 1") == "grüße, 1"
    assert one_line("") == ""
    for text in ("\r", "\n", "\t", "\x00", "\x1f", "\x7f"):
        with pytest.raises(ValueError, match="control characters"):
            one_line(f"a{text}b")


def test_known_names_are_acted_on_and_unknown_ones_named():
    assert split_known(["a", "b"], {"a", "b"}, "targets") == (["a", "b"], "")
    assert split_known(["x", "a", "y"], {"a"}, "targets") == (["a"], " (unknown targets: x, y)")
    with pytest.raises(NotFound, match=re.escape("unknown targets: x, y")):
        split_known(["x", "y"], {"a"}, "targets")
