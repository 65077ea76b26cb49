"""Heads that are read exactly: what they ask, and why they are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.http.heads import CHUNKED, plain_request
from goto.http.requests import Malformed, Refused, read_field, read_request, target_fault

HOST = "Host: h"
VISIBLE = [chr(byte) for byte in range(0x21, 0x7F) if chr(byte) != "#"]


def head(line: str, *fields: str) -> bytes:
    return "\r\n".join([line, *fields, "", ""]).encode("latin-1")


def status_of(data: bytes) -> int:
    """What a head is refused with; 0 if it is not."""
    try:
        read_request(data)
    except Refused as refused:
        return refused.status if refused.reason else -1
    return 0


@pytest.mark.parametrize(
    ("data", "length", "keep", "expects"),
    [
        (head("GET /a HTTP/1.1", HOST), 0, True, False),
        (head("GET /a HTTP/1.1", HOST, "Connection: a, Close"), 0, False, False),
        (head("GET /a HTTP/1.7", HOST), 0, True, False),
        (head("GET /a HTTP/1.0"), 0, False, False),
        (head("GET /a HTTP/1.0", "Connection: Keep-Alive"), 0, True, False),
        (head("GET /a HTTP/1.0", "Connection: Keep-Alive", "Connection: close"), 0, False, False),
        (head("GET /a HTTP/1.1", "host:", "Content-Length: 007"), 7, True, False),
        (head("GET /a HTTP/1.1", HOST, "Transfer-Encoding: , Chunked,"), CHUNKED, True, False),
        (head("GET /a HTTP/1.1", HOST, "Content-Length: 1", "Expect: 100-Continue"), 1, True, True),
        (head("GET /a HTTP/1.1", HOST, "Content-Length: 0", "Expect: 100-continue"), 0, True, False),
        (head("GET /a HTTP/1.1", HOST, "Content-Length: 1", "Expect: 200-ok"), 1, True, False),
        (head("GET /a HTTP/1.0", HOST, "Content-Length: 1", "Expect: 100-continue"), 1, False, False),
    ],
)
def test_what_a_head_asks(data: bytes, length: int, keep: bool, expects: bool) -> None:
    request, target, *rest = read_request(data)
    assert (target, rest, request.has_body) == ("/a", [length, keep, expects], length != 0)
    assert request.version == ((1, 0) if b"HTTP/1.0" in data else (1, 1))


REFUSED = {
    "target": [
        (f"GET {target} HTTP/1.1", 400)
        for target in (
            "/a?b#",
            "/#",
            "#",
            "ftp://h/",
            "ws://h/a",
            "http://u@h/",
            "http://",
            "http:///a",
            "http:a",
            "http://h:x/",
            "http://h,b/",
            "HTTPS://[::1/a",
            "http://:80/",
            "h:80",
            "a",
            "*x",
            "*",
            "?a",
            "mailto:a@b",
            "http://a\\b/",
        )
    ],
    "bytes": [(f"GET /{byte} HTTP/1.1", 400) for byte in ("\x00", "\t", "\x7f", "\x80", "\xff", "é")],
    "method": [(f"{method} / HTTP/1.1", 400) for method in ("G(T", "", "GE\xe9T", "G\x00T", "G\tT", "PRI")],
    "shape": [
        (line, 400) for line in ("GET /", "GET", "GET / HTTP/1.1 ", "GET  / HTTP/1.1", "GET /a b HTTP/1.1", "GET / http/1.1")
    ]
    + [(f"GET / {version}", 400) for version in ("HTTP/1", "HTTP/1.10", "HTTP/1,1", "HTTP/+1.1", "HTTPS/1.1", "", "RTSP/1.0")],
    "version": [(f"GET / HTTP/{version}", 505) for version in ("0.9", "2.0", "3.0", "0.0", "9.9")],
    "connect": [("CONNECT h:80 HTTP/1.1", 501), ("CONNECT / HTTP/1.1", 501)],
}


@pytest.mark.parametrize(("line", "status"), [pair for pairs in REFUSED.values() for pair in pairs])
def test_first_lines_that_are_refused(line: str, status: int) -> None:
    assert status_of(head(line, HOST)) == status


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([], 400),
        (["Host: a", "Host: a"], 400),
        (["Host: a b"], 400),
        (["Host: h", "host: "], 400),
        ([HOST, "Content-Length: 1", "Transfer-Encoding: chunked"], 400),
        ([HOST, "Content-Length: 1", "Transfer-Encoding: gzip"], 400),
        ([HOST, "Content-Length: 1", "Content-Length: 1"], 400),
        *(([HOST, f"Content-Length: {length}"], 400) for length in ("", "-1", "+1", "1, 1", "0x1", "1_0", "1" * 19, "\xb2")),
        ([HOST, "Transfer-Encoding:"], 400),
        ([HOST, "Transfer-Encoding: chunked, chunked"], 400),
        ([HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 400),
        ([HOST, "Transfer-Encoding: gzip, chunked"], 501),
        ([HOST, "Transfer-Encoding: identity"], 501),
        ([HOST, "Transfer-Encoding: chunked;a=b"], 501),
        ([HOST, "X : 1"], 400),
        ([HOST, "X\t: 1"], 400),
        ([HOST, " X: 1"], 400),
        ([HOST, "X: 1", "\t2"], 400),
        ([HOST, "X"], 400),
        ([HOST, ": 1"], 400),
        ([HOST, "X(: 1"], 400),
        ([HOST, "X: a\rb"], 400),
        ([HOST, "X: a\nb: c"], 400),
        ([HOST, "X: a\x00b"], 400),
        ([HOST, "X: a\x7f"], 400),
        ([HOST, "Transfer-Encoding: \x0bchunked"], 400),
    ],
)
def test_fields_that_are_refused(fields: list[str], status: int) -> None:
    assert status_of(head("POST / HTTP/1.1", *fields)) == status


@pytest.mark.parametrize(
    "fields", [["Host: a", "Host: b"], ["Host: a b"], ["Transfer-Encoding: chunked"], ["Transfer-Encoding: gzip"]]
)
def test_http_1_0_may_be_refused_too(fields: list[str]) -> None:
    assert status_of(head("POST / HTTP/1.0", *fields)) == 400
    assert status_of(head("POST http://h/ HTTP/1.1", "Host: a b")) == 400


@pytest.mark.parametrize("end", [b"\n\n", b"\r\r", b"\n\r\n", b"\r\n\n", b"\r\r\n", b"\n\rX"])
def test_lines_that_end_another_way(end: bytes) -> None:
    for data in (b"GET / HTTP/1.1\r\nHost: h" + end, b"GET / HTTP/1.1" + end[:1] + b"Host: h\r\n\r\n"):
        assert status_of(data) == 400
    assert status_of(b"GET / HTTP/2.0" + end) == 505


@given(st.text(VISIBLE, max_size=30), st.text("!#$%&'*+.^_`|~-aZ09", min_size=1), st.booleans())
def test_any_token_and_any_visible_target_is_served(target: str, method: str, visible: bool) -> None:
    if method in ("PRI", "CONNECT"):
        return
    request, seen, *_ = read_request(head(f"{method} /{target} HTTP/1.1", HOST))
    assert (request.method, request.target, seen) == (method, "/" + target, "/" + target)
    assert status_of(head(f"{method} /{target}# HTTP/1.1", HOST)) == 400


@given(st.text(VISIBLE, max_size=20), st.characters(max_codepoint=255), st.text(VISIBLE, max_size=20))
def test_one_byte_that_is_not_visible_is_enough(before: str, byte: str, behind: str) -> None:
    if byte in VISIBLE or byte in " \r\n#":
        return
    with pytest.raises(Refused, match=r"percent-encode it$") as caught:
        read_request(head(f"GET /{before}{byte}{behind} HTTP/1.1", HOST))
    assert (caught.value.status, caught.value.target) == (400, "-")


# each of these is wrong in one way more than the one before it
WORSE = [
    (head("GET / HTTP/1.1", HOST, "X : 1"), "blank"),
    (head("GET / HTTP/1.0", HOST, "X : 1", "Transfer-Encoding: chunked"), "HTTP/1.0"),
    (head("GET / HTTP/1.0", HOST, HOST, "X : 1", "Transfer-Encoding: chunked"), "Host"),
    (head("GET / HTTP/2.0", HOST, HOST, "X : 1", "Transfer-Encoding: chunked"), "HTTP/2.0"),
    (head("GET / b HTTP/2.0", HOST, HOST, "X : 1", "Transfer-Encoding: chunked"), "first line"),
    (head("G(T / b HTTP/2.0", HOST, HOST, "X : 1", "Transfer-Encoding: chunked"), "method"),
    (head("G(T /\xff b HTTP/2.0", HOST, HOST, "X : 1", "Transfer-Encoding: chunked"), "percent-encode"),
    (head("G(T *\xff b HTTP/2.0", HOST, HOST, "X : 1", "Transfer-Encoding: chunked"), "begins neither"),
    (head("G(T ftp:\xff b HTTP/2.0", HOST, HOST, "X : 1", "Transfer-Encoding: chunked"), "scheme"),
    (head("G(T ftp:\xff# b HTTP/2.0", HOST, HOST, "X : 1", "Transfer-Encoding: chunked"), "#"),
]


@pytest.mark.parametrize(("data", "reason"), WORSE)
def test_the_first_fault_decides(data: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        read_request(data)


@pytest.mark.parametrize("target", ["/", "/a#b", "*", "*x", "ftp:", "http://h", "h"])
def test_connect_has_a_form_of_its_own(target: str) -> None:
    assert (target_fault("CONNECT", target) == "") == (target in ("/", "*x", "ftp:", "http://h", "h"))


@given(st.binary(max_size=30))
def test_a_field_is_one_or_malformed(line: bytes) -> None:
    try:
        name, value = read_field(line)
    except Malformed:
        return
    assert line.startswith(name + b":")
    assert value == line[len(name) + 1 :].strip(b" \t")


LINES = [
    "Host: h",
    "host: a.b:80",
    "X: ",
    "x-Y:\t\xff ",
    "Content-Length: 5",
    "Connection: close",
    "Connection: keep-alive",
    "X : 1",
    "Host: ,",
]


@given(
    st.lists(st.sampled_from(LINES), max_size=5),
    st.sampled_from(["/", "/a?b", "/a#", "*", "http://h/a", "/\xe9"]),
    st.sampled_from(["1.0", "1.1"]),
)
def test_what_is_read_at_a_glance_is_read_alike(lines: list[str], target: str, version: str) -> None:
    data = head(f"POST {target} HTTP/{version}", *lines)
    asked = plain_request(data)
    if asked is None:
        return
    request, seen, length, keep, expects = read_request(data)
    method, target, index, size = asked
    assert (request.method, seen, length, keep, expects) == (method, target, size, True, False)
    assert request.headers.fields == [field for (field,) in index.values()]
