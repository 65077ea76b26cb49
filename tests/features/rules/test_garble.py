"""What is no HTTP, in each of its ways."""

from __future__ import annotations

import h11
import pytest

from goto.features.rules.fields import GARBLES
from goto.features.rules.garble import garbled

FIELDS = b"Via-Goto: me\r\n"


def test_each_kind_says_what_is_promised() -> None:
    assert garbled("status-line", FIELDS).startswith(b"HTTP/1.1 2OO OK\r\nVia-Goto: me\r\n")
    assert garbled("head", FIELDS).endswith(b"\r\nContent-Ty")
    assert garbled("chunk", FIELDS).endswith(b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz")
    assert garbled("length", FIELDS).endswith(b"Content-Length: -5\r\n\r\nhello")
    assert garbled("double-length", FIELDS).endswith(b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")
    assert garbled("double-encoding", FIELDS).count(b"Transfer-Encoding: chunked\r\n") == 2
    assert garbled("double-encoding", FIELDS).endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    assert 1 << 20 < len(garbled("huge-head", FIELDS)) < (1 << 20) + 500


@pytest.mark.parametrize("kind", GARBLES)
def test_a_strict_reader_takes_none_of_it(kind: str) -> None:
    data = garbled(kind, FIELDS)
    assert FIELDS in data
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 16)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    pieces = [data[at : at + (1 << 15)] for at in range(0, len(data), 1 << 15)]
    with pytest.raises(h11.RemoteProtocolError):  # noqa: PT012  # which of the calls raises depends on the kind
        for piece in [*pieces, b""]:  # the last is the end of the connection
            client.receive_data(piece)
            for _ in range(5):
                client.next_event()
