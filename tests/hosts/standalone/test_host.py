"""The standalone host: how a head is read is no matter to a client, and starting and stopping."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.client import get
from support.ports import free_port
from support.scripted import Scripted, read_head
from support.waiting import PATIENCE, until

from goto.features.forced_status import ForcedStatus
from goto.features.proxy.feature import Proxy
from goto.features.proxy.target import ProxyTarget
from goto.features.response_headers import ResponseHeaders
from goto.features.status_counts import StatusCounts
from goto.features.tracking import Tracking
from goto.hosts.standalone import reading
from goto.hosts.standalone.host import StandaloneHost
from goto.instance.start import Start, StartOptions
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import Listener, ListenerSpec
from goto.words import HeaderNames, HeaderValue, SentHeaderName
from goto.words.reading import read_struct
from goto.words.values import Statuses

Host = tuple[StandaloneHost, Listener, int]


@asynccontextmanager
async def serving() -> AsyncIterator[Host]:
    host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
    port = free_port()
    listener = await host.instance.listeners.start(ListenerSpec(port, label="same"))
    try:
        yield host, listener, port
    finally:
        await host.stop(1)


def run(check: Callable[[], Awaitable[Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(check(), PATIENCE))


# ---------------------------------------------------------------- at a glance and by the parser
def answers(connection: Any) -> None:
    """An upstream that shows what came to it, in one of the ways a body may come."""
    while head := read_head(connection):
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        while length and len(head.partition(b"\r\n\r\n")[2]) < int(length[1]):
            head += connection.recv(65536)
        body = re.sub(rb"\r\n(Host|Goto-Hops): [^\r]*", rb"\r\n\1: up", head)
        path = head.split(b" ")[1]
        if path.startswith(b"/p/close"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nDate: now\r\n\r\n" + body)
            return
        if path.startswith(b"/p/chunks"):
            framed = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        elif path.startswith(b"/p/204"):
            framed, body = b"\r\n", b""
        else:
            framed = (
                b"Content-Length: %d\r\nX-Up: 1\r\nX-Up: 2\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\n" % len(body)
                + body
            )
        if head.startswith(b"HEAD"):
            framed = framed.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        status = b"204 None" if path.startswith(b"/p/204") else b"299 Odd"
        connection.sendall(b"HTTP/1.1 %b\r\nDate: now\r\n" % status + framed)


TARGETS: list[dict[str, Any]] = [
    {"name": "p", "match": {"uris": ["/p/{x}"]}, "addHeaders": [["Y", "{x}"]]},
    {"name": "twice", "match": {"uris": ["/twice"], "headers": [["twice"]]}, "replicas": 2},
    {"name": "missing", "match": {"uris": ["/missing"]}, "replaceURI": "/{nothing}"},
]

NAMES = (
    "X x Y-Two Accept Cookie Content-Type Connection TE Date Keep-Alive Proxy-Connection Twice User-Agent Expect Trailer Via "
    "Content-Encoding"
)
names = st.sampled_from(NAMES.split(" "))
values = st.sampled_from(["keep-alive", "close", "Keep-Alive, X"]) | st.text('abc, ;=\u00e9"\\', max_size=8).map(
    lambda text: text.strip(" ")
)
PATHS = (
    "/ /a//b /%2F%ff /echo /echo/headers /status/204 /status/304 /status/418 /status/abc /status/599 "
    "/p/length /p/close /p/chunks /p/204 /twice /missing /labels /request/nothing /goto"
)
paths = st.sampled_from(PATHS.split(" "))
bodies = st.none() | st.sampled_from(["", "hello", "x" * 3000])
requests = st.builds(
    lambda method, path, query, fields, version, body: (method, path + query, fields, version, body),
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"]),
    paths,
    st.sampled_from(["", "?", "?a=b&a=%20&c", "?x-request-id=1"]),
    st.lists(st.tuples(names, values), max_size=4),
    st.sampled_from(["1.1", "1.1", "1.1", "1.0"]),
    bodies,
)
settled = st.fixed_dictionaries(
    {"headers": st.booleans(), "tracked": st.booleans(), "forced": st.sampled_from(["", "503:3", "204"])}
)


async def asked(port: int, sent: list[bytes]) -> list[bytes]:
    """What comes for each request, one after the other on a connection as long as it stays."""
    got = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for data in sent:
        if reader.at_eof() or writer.is_closing():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        bare = data.startswith(b"HEAD") or head[9:12] in (b"204", b"304")
        body = b""
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        if bare:
            pass
        elif b"\r\nTransfer-Encoding: chunked" in head:
            while not body.endswith(b"\r\n0\r\n\r\n"):
                body += await reader.readuntil(b"\r\n\r\n")
        elif length:
            body = await reader.readexactly(int(length[1]))
        else:
            body = await reader.read()
        if b"\r\nConnection: close" in head:
            body += await reader.read()
            writer.close()
        got.append(re.sub(rb"\r\nDate: \w{3}, [^\r]*", b"\r\nDate: today", head) + re.sub(rb"\d\d:\d\d:\d\d GMT", b"now", body))
    writer.close()
    return got


Asked = tuple[str, str, list[tuple[str, str]], str, str | None]


def sent_as(method: str, target: str, fields: list[tuple[str, str]], version: str, body: str | None) -> bytes:
    if body is not None:
        fields = [*(field for field in fields if field[0] != "Expect"), ("Content-Length", str(len(body)))]
    lines = [f"{method} {target} HTTP/{version}", "Host: a", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, "", body or ""]).encode()


async def both_ways(port: int, batch: list[Asked], setting: dict[str, Any]) -> list[Any]:
    sent = [sent_as(*asked) for asked in batch]
    outcomes = []
    for reading.GLANCE in (False, True):
        async with serving() as (_, listener, own):
            for target in TARGETS:
                listener.feature(Proxy).add(read_struct({"url": f"http://127.0.0.1:{port}", **target}, ProxyTarget)[0])
            if setting["headers"]:
                listener.feature(ResponseHeaders).add(SentHeaderName("Z"), HeaderValue("é"))
            if setting["tracked"]:
                listener.feature(Tracking).add(HeaderNames.parse("x"))
            if setting["forced"]:
                listener.feature(ForcedStatus).set(Statuses.parse(setting["forced"]))
            got = await asked(own, sent)
            outcomes.append((got, listener.feature(StatusCounts).show(), listener.feature(Tracking).show()))
    return outcomes


@settings(max_examples=60)
@given(st.lists(requests, min_size=1, max_size=6), settled)
def test_what_is_read_at_a_glance_is_answered_and_counted_byte_for_byte_as_what_the_parser_reads(
    batch: list[Asked], setting: dict[str, Any]
) -> None:
    with Scripted(answers) as server:
        parsed, glanced = run(lambda: both_ways(server.port, batch, setting))
    for one, other in zip(parsed[0], glanced[0], strict=True):
        assert one == other
    assert parsed == glanced


# ---------------------------------------------------------------- from start to end
def test_it_is_ready_from_start_to_stop() -> None:
    async def check() -> None:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        assert not host.instance.about.ready
        start = Start(host.instance, StartOptions())
        listener = await host.instance.listeners.start(start.take(free_port()), start.seed)
        await start.serve(listener, host.open_admin)
        assert host.instance.about.ready
        assert listener.open
        await host.stop(1)
        assert not host.instance.about.ready
        assert not listener.open

    run(check)


def test_a_port_that_is_taken() -> None:
    async def check() -> None:
        async with serving() as (_, _, port):
            other = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
            with pytest.raises(OSError, match=r"."):
                await other.instance.listeners.start(ListenerSpec(port))
            assert not other.instance.about.ready

    run(check)


def test_stop_waits_for_an_exchange_and_not_longer_than_its_grace() -> None:
    async def check(grace: float, late: bytes, whole: bool) -> None:
        async with serving() as (host, _, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(get("/x", "Content-Length: 5", method="POST"))
            await until(lambda: any(had.exchanges for had in host.loads().values()))  # its head is there, its body is not
            stopping = asyncio.ensure_future(host.stop(grace))
            await asyncio.sleep(0.02)
            assert not stopping.done()
            writer.write(late)
            await stopping
            got = b""
            try:
                got = await reader.read()
            except ConnectionResetError:
                assert not whole
            assert (b'"RequestBody":"hello"' in got) is whole
            writer.close()

    run(lambda: check(PATIENCE / 2, b"hello", True))
    run(lambda: check(0.1, b"", False))
