"""Heads that are read at a glance are read as a parser reads them, and what is not plain is left to one."""

from __future__ import annotations

import asyncio

import httptools
import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD
from hypothesis import example, given, settings
from hypothesis import strategies as st

from goto.http.heads import CHUNKED, MOST_FIELDS, SAID_LIMIT, Recall, plain_chunks, plain_request, plain_response, request_of

GET = b"GET /a?b=c HTTP/1.1\r\nHost: h:1\r\nX-A:  b c \r\nconnection: Keep-Alive\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\nok"


def test_a_plain_request() -> None:
    asked = plain_request(GET)
    assert asked is not None
    request = request_of(asked)
    assert (request.method, request.target, request.version) == ("GET", "/a?b=c", (1, 1))
    assert request.headers.fields == [(b"Host", b"h:1"), (b"X-A", b"b c"), (b"connection", b"Keep-Alive")]
    assert request.headers.get("x-a") == "b c"
    assert (asked[3], request.has_body) == (0, False)


@pytest.mark.parametrize(("value", "length"), [("0", 0), ("1", 1), ("0012", 12), ("999999999999999999", 999999999999999999)])
def test_a_plain_request_may_have_a_length(value: str, length: int) -> None:
    asked = plain_request(GET.replace(b"X-A:", b"Content-Length: %b\r\nX-A:" % value.encode()))
    assert asked is not None
    assert (asked[3], request_of(asked).has_body) == (length, length > 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        GET[:-1],
        GET[:-2],
        GET + b"x",
        GET + GET,
        b"\r\n" + GET,
        GET.replace(b"GET", b"get"),
        GET.replace(b"GET", b"PROPFIND"),
        GET.replace(b"1.1", b"1.0"),
        GET.replace(b"/a", b"http://h/a"),
        GET.replace(b"/a", b"*"),
        GET.replace(b"/a", b"/\xff"),
        GET.replace(b"/a", b"/\x7f"),
        GET.replace(b"/a", b"/a#c"),
        GET.replace(b"/a", b"/ a"),
        GET.replace(b"X-A:", b"X-A :"),
        GET.replace(b"X-A:", b" X-A:"),
        GET.replace(b"X-A:", b":"),
        GET.replace(b"X-A:", b"X\x00:"),
        GET.replace(b"b c", b"b\nc"),
        GET.replace(b"b c", b"b\rc"),
        GET.replace(b"b c", b"b\x00c"),
        GET.replace(b"b c", b"\xe9"),
        GET.replace(b"X-A:", b"HOST:"),
        GET.replace(b"Host", b"Hast"),
        GET.replace(b"h:1", b"a b"),
        GET.replace(b"h:1", b"a,b"),
        GET.replace(b"h:1", b"h:65536"),
        GET.replace(b"h:1", b"[::1"),
        GET.replace(b"X-A:", b"Content-Length: -1\r\nX-A:"),
        GET.replace(b"X-A:", b"Content-Length: +1\r\nX-A:"),
        GET.replace(b"X-A:", b"Content-Length: 1, 1\r\nX-A:"),
        GET.replace(b"X-A:", b"Content-Length: \r\nX-A:"),
        GET.replace(b"X-A:", b"Content-Length: 1\r\nContent-Length: 1\r\nX-A:"),
        GET.replace(b"X-A:", b"Content-Length: 9999999999999999999\r\nX-A:"),
        GET.replace(b"X-A:", b"Transfer-Encoding: gzip, chunked\r\nX-A:"),
        GET.replace(b"X-A:", b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\nX-A:"),
        GET.replace(b"X-A:", b"Expect: 100-continue\r\nX-A:"),
        GET.replace(b"X-A:", b"Upgrade: h2c\r\nX-A:"),
        GET.replace(b"X-A:", b"Proxy-Connection: close\r\nX-A:"),
        GET.replace(b"Keep-Alive", b"close, keep-alive"),
        GET.replace(b"Keep-Alive", b"keep-alive, X-A"),
        GET.replace(b"\r\n\r\n", b"\r\n" + b"".join(b"x-%d: 1\r\n" % n for n in range(MOST_FIELDS)) + b"\r\n"),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_left_to_the_parser(data: bytes) -> None:
    assert plain_request(data) is None


lines = st.sampled_from(
    [
        b"Host: h",
        b"host: a.b:80",
        b"User-Agent: x",
        b"Accept: */*",
        b"X: 1",
        b"x:2",
        b"X:\t y \t",
        b"Connection: keep-alive",
        b"Connection: close",
        b"Proxy-Connection: close",
        b"Content-Length: 0",
        b"Content-Type: a/b",
        b"Transfer-Encoding: chunked",
        b"Upgrade: websocket",
        b"Trailer: x",
    ]
) | st.binary(max_size=12)
targets = st.text("/ab?=&%#*:@[]~é ", max_size=8).map(lambda text: ("/" + text).encode())
versions = st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.10", b"http/1.1"])
methods = st.sampled_from([b"GET", b"POST", b"HEAD", b"OPTIONS", b"Get", b""])
heads = st.builds(
    lambda method, target, version, fields, end: b"\r\n".join([b" ".join((method, target, version)), *fields]) + end,
    methods,
    targets,
    versions,
    st.lists(lines | st.sampled_from([b"content-length: 007", b"Content-Length: 12"]), max_size=5).map(
        lambda fields: [b"Host: h", *fields]
    ),
    st.sampled_from([b"\r\n\r\n", b"\r\n\r\n", b"\r\n\r\nx", b"\n\n", b"\r\n", b""]),
)


def parsed(data: bytes) -> list[tuple[RawRequestMessage, object]]:
    loop = asyncio.new_event_loop()
    try:
        parser = HttpRequestParser(BaseProtocol(loop), loop, 2**16, max_line_size=2**16, max_field_size=2**16, max_headers=1000)
        messages, _, _ = parser.feed_data(data)
        return list(messages)
    finally:
        loop.close()


@settings(max_examples=400)
@given(heads)
@example(GET)
def test_a_request_is_what_the_parser_says_it_is(data: bytes) -> None:
    asked = plain_request(data)
    if asked is None:
        return
    request = request_of(asked)
    try:
        ((message, body),) = parsed(data)
    except HttpProcessingError as error:
        raise AssertionError(f"the parser refuses it: {error}") from None
    assert (message.method, message.path, message.version) == (request.method, request.target, request.version)
    assert list(message.raw_headers) == request.headers.fields
    length = CHUNKED if message.chunked else int(message.headers.get("content-length", "0"))
    assert (asked[3], request.has_body, body is EMPTY_PAYLOAD) == (length, length != 0, length == 0)
    assert message.should_close is not asked[4]
    assert not message.upgrade


chunks = st.lists(st.binary(min_size=1, max_size=20), max_size=4).map(
    lambda pieces: [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
)
lasts = st.sampled_from(
    [b"0\r\n\r\n", b"00\r\n\r\n", b"0\r\n\r\nGET", b"0\r\nX: 1\r\n\r\n", b"0;x\r\n\r\n", b"0\n\n", b"0\r\n", b"", b"zz\r\n"]
)


@settings(max_examples=300)
@given(chunks, lasts, st.integers(0, 60), st.binary(max_size=2))
def test_chunks_are_what_the_parser_says_they_are(pieces: list[bytes], last: bytes, at: int, odd: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join([*pieces, last])
    body = body[:at] + odd + body[at:]
    found = plain_chunks(head + body, len(head))
    if found is None:
        assert odd or last not in (b"0\r\n\r\n", b"00\r\n\r\n", b"0\r\n\r\nGET")
        return
    data, end = found
    ((message, stream),) = parsed(head + body[: end - len(head)])
    assert message.chunked
    assert stream.is_eof()
    assert stream.read_nowait() == data


def test_a_plain_response() -> None:
    assert plain_response(OK) == (200, b"OK", [(b"Server", b"x"), (b"Content-Length", b"2")], 2, len(OK) - 2)
    assert plain_response(OK[:-2]) == plain_response(OK)
    assert plain_response(OK.replace(b" OK", b"")) == (200, b"", [(b"Server", b"x"), (b"Content-Length", b"2")], 2, len(OK) - 5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        OK[:-5],
        OK.replace(b"1.1", b"1.0"),
        OK.replace(b"200", b"100"),
        OK.replace(b"200", b"101"),
        OK.replace(b"200", b"204"),
        OK.replace(b"200", b"304"),
        OK.replace(b"200", b"20"),
        OK.replace(b"200", b"2e2"),
        OK.replace(b"200", b"\xb2\xb2\xb2"),
        OK.replace(b"Content-Length: 2\r\n", b""),
        OK.replace(b"Length: 2", b"Length: +2"),
        OK.replace(b"Length: 2", b"Length: 2, 2"),
        OK.replace(b"Length: 2", b"Length: 2\r\nContent-Length: 2"),
        OK.replace(b"Length: 2", b"Length: " + b"9" * 30),
        OK.replace(b"Server", b"Transfer-Encoding"),
        OK.replace(b"Server: x", b"Connection: close"),
        OK.replace(b"Server: x", b"Server : x"),
        OK.replace(b"Server: x", b" folded"),
        OK.replace(b"Server: x", b"Set-Cookie: a=1\r\nset-cookie: b=2"),
    ],
)
def test_what_of_responses_is_left_to_the_parser(data: bytes) -> None:
    assert plain_response(data) is None


class Parsed:
    """What httptools reads."""

    def __init__(self, data: bytes) -> None:
        self.reason = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.stays = False
        self._parser = httptools.HttpResponseParser(self)
        self._parser.feed_data(data)
        self.status = self._parser.get_status_code()

    def on_headers_complete(self) -> None:
        self.stays = self._parser.should_keep_alive()

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_body(self, data: bytes) -> None:
        self.body += data


responses = st.builds(
    lambda first, fields, end: b"\r\n".join([first, *fields]) + end,
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 599 ", b"HTTP/1.1 404", b"HTTP/1.1 299 An odd one", b"HTTP/1.0 200 OK"]),
    st.lists(lines, max_size=5).map(lambda fields: [*fields, b"Content-Length: 3"]),
    st.sampled_from([b"\r\n\r\nabc", b"\r\n\r\na", b"\n\nabc", b"\r\n\r\n"]),
)


@settings(max_examples=400)
@given(responses)
@example(OK)
def test_a_response_is_what_the_parser_says_it_is(data: bytes) -> None:
    head = plain_response(data)
    if head is None:
        return
    status, reason, fields, length, body_at = head
    parsed = Parsed(data[: body_at + length])  # what stands behind it is another matter
    assert (parsed.status, parsed.reason.strip(), parsed.stays) == (status, reason.strip(), True)
    # where httptools keeps white space at the end of a value, that is not a part of it (RFC 9110, 5.5)
    assert [(name, value.strip(b" \t")) for name, value in parsed.fields] == fields
    assert parsed.body == data[body_at : body_at + length]


def test_what_came_last_is_not_read_again() -> None:
    read: list[bytes] = []

    def length(data: bytes) -> int | None:
        read.append(data)
        return len(data) or None

    recall = Recall(length)
    long = b"x" * (SAID_LIMIT + 1)
    came = [b"", b"a", b"a", b"bc", b"bc", b"a", long, long, b"a"]
    assert [recall.read(data) for data in came] == [len(data) or None for data in came]
    assert read == [b"a", b"bc", b"a", long, long]
