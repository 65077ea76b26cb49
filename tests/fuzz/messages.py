"""HTTP messages as broken peers and attackers write them: right ones, wrong in the ways that have hurt others, and mutations."""

from __future__ import annotations

from random import Random

METHODS = [b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE", b"PROPFIND", b"get", b"G\xc3\xa9T", b""]
TARGETS = [
    *[
        b"/",
        b"/x?a=b",
        b"/up/a",
        b"/up/%0d%0aX:1",
        b"/cap/%0d%0aEvil:1/b",
        b"/cap/..%2f/b",
        b"/two",
        b"/status/204",
        b"/status/999",
    ],
    *[b"/echo", b"*", b"http://a/up/b", b"http://", b"//", b"/up/\xff", b"/up/a#b", b"/ b", b"a:1", b"/goto/help", b"/label"],
    *[b"/request/headers/track/add/" + b"h" * 20, b"/response/status/counts", b"/goto/port/1/label", b"/up/?q=" + b"z" * 200],
]
VERSIONS = [b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.10", b"http/1.1", b"HTTP/1.", b""]
FIELDS = [
    *[b"Host: a", b"host: b", b"Host : a", b"Host:", b"Connection: close", b"Connection: keep-alive", b"Connection: X-A, Host"],
    *[
        b"Content-Length: 5",
        b"Content-Length: 0",
        b"Content-Length: +5",
        b"Content-Length: 5, 5",
        b"Content-Length: 5\r\nContent-Length: 6",
    ],
    *[b"Content-Length: 99999999999999999999", b"Content-Length: -1", b"Content-Length: 0x5", b"Content-Length:\t5 "],
    *[
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding:\x0bchunked",
    ],
    *[
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding: chunked, chunked",
        b"transfer-encoding: CHUNKED",
        b"X-A: 1\r\n folded",
    ],
    *[
        b"Expect: 100-continue",
        b"Expect: x",
        b"Upgrade: websocket",
        b"Connection: Upgrade\r\nUpgrade: h2c",
        b"TE: trailers",
        b"Trailer: X",
    ],
    *[
        b"X-A: \x00",
        b"X-A: a\rb",
        b"X-A: a\nX-B: b",
        b"X-\xe9: 1",
        b"X-A: \xe9\xff",
        b": 1",
        b"X-A",
        b"X A: 1",
        b"Cookie: a=b",
        b"foo: " + b"v" * 50,
    ],
    *[b"X-Cap: %0d%0aEvil: 1", b"X-Cap: a\tb", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13"],
]
BODIES = [
    *[
        b"",
        b"",
        b"hello",
        b"hel",
        b"hello world",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
        b"5;x=y\r\nhello\r\n0\r\n\r\n",
    ],
    *[
        b"05\r\nhello\r\n00\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"-1\r\n\r\n",
        b"ffffffffffffffffff\r\n",
    ],
    *[b"5\r\nhelloXX0\r\n\r\n", b"0\r\n\r\nGET /inner HTTP/1.1\r\nHost: a\r\n\r\n", b"5\r\nhel"],
]
PLAIN = [b"Cookie: a=b", b"foo: " + b"v" * 50, b"X-Cap: %0d%0aEvil: 1", b"X-Cap: a\tb", b"Connection: keep-alive", b"X-A: \xe9"]
FRAMED = [
    *[(b"", b"")] * 4,
    *[(b"Content-Length: 5", b"hello"), (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n")],
    *[(b"Content-Length: 0", b""), (b"Transfer-Encoding: chunked", b"0\r\nX-T: 1\r\n\r\n")],
]
STATUS_LINES = [
    *[b"HTTP/1.1 200 OK"] * 6,
    *[
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 304 Not Modified",
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 103 Hints",
    ],
    *[
        b"HTTP/1.1 101 Switching Protocols",
        b"HTTP/1.1 999 Odd",
        b"HTTP/1.1 099 Odd",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 200",
        b"HTTP/1.1  200 OK",
    ],
    *[b"HTTP/2 200", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 \xe9", b"ICY 200 OK", b""],
]
INSERTED = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b"\x80",
    b" ",
    b"\t",
    b":",
    b"\r\n\r\n",
    b"\x0b",
    b"0",
    b"\xef\xbb\xbf",
    b"GET / HTTP/1.1\r\n",
]


def request(random: Random) -> bytes:
    """Mostly right, so that the wrong parts meet what is right."""

    def often(right: list[bytes], all_there_are: list[bytes]) -> bytes:
        return random.choice(right if random.random() < 0.8 else all_there_are)

    words = (often(METHODS[:3], METHODS), often(TARGETS[:7], TARGETS), often(VERSIONS[:1], VERSIONS))
    fields = [b"Host: a"] if random.random() < 0.9 else []
    fields += [often(PLAIN, FIELDS) for _ in range(random.choice((0, 1, 1, 2, 3)))]
    framed, body = random.choice(FRAMED) if random.random() < 0.8 else (random.choice(FIELDS), random.choice(BODIES))
    return b"\r\n".join([b" ".join(words), *fields, *([framed] if framed else []), b"", body])


def response(random: Random) -> bytes:
    framed, body = random.choice(FRAMED) if random.random() < 0.7 else (random.choice(FIELDS), random.choice(BODIES))
    return b"\r\n".join(
        [random.choice(STATUS_LINES), *random.sample(FIELDS, random.choice((0, 0, 1, 2))), framed or b"X: 1", b"", body]
    )


def mutated(random: Random, data: bytes) -> bytes:
    """With a few bytes put in, taken out, doubled or changed."""
    for _ in range(random.choice((0, 0, 0, 1, 1, 2, 4))):
        at = random.randrange(len(data) + 1)
        match random.randrange(5):
            case 0:
                data = data[:at] + random.choice(INSERTED) + data[at:]
            case 1:
                data = data[:at] + data[at + random.randrange(1, 6) :]
            case 2:
                data = data[:at] + data[max(0, at - random.randrange(1, 40)) : at] + data[at:]
            case 3:
                data = data[:at] + bytes((random.randrange(256),)) + data[at + 1 :]
            case _:
                data = data[:at]
    return data


def segments(random: Random, data: bytes) -> list[bytes]:
    """In the pieces that arrive."""
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice((0, 0, 1, 2))))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if start < end]
