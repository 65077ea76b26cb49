"""What goto uses of mitmproxy's private parts is there, and does what goto takes it to do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from support.ports import free_port
from support.waiting import PATIENCE, until

pytest.importorskip("mitmproxy", reason="mitmproxy is not installed in this Python")

import h2.config
import h2.connection
import h2.events
from mitmproxy import ctx, http, options
from mitmproxy.connection import Client, ConnectionState
from mitmproxy.exceptions import AddonHalt, OptionsError
from mitmproxy.net.http import http1
from mitmproxy.net.http.http1 import read as heads
from mitmproxy.proxy import commands, events, mode_specs
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import HttpLayer, HttpStream, _events, _hooks, _http1, _http2
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.tls import ClientTLSLayer
from mitmproxy.proxy.server import ConnectionHandler
from mitmproxy.test import tflow, tutils
from mitmproxy.tools.dump import DumpMaster
from OpenSSL import SSL

from goto.hosts.mitm import private as private


@pytest.fixture(autouse=True)
def patched() -> Iterator[None]:
    """What `install` replaces on classes, and nothing of it afterwards."""
    before = [
        (owner, name, getattr(owner, name))
        for owner, names in (
            (_http1, ("make_body_reader",)),
            (_http1.Http1Server, ("send", "read_headers")),
            (_http1.Http1Client, ("send", "read_headers", "read_body")),
            (_http2.Http2Server, ("_handle_event",)),
            (HttpLayer, ("_handle_event",)),
            (HttpStream, ("state_consume_request_body", "state_stream_request_body")),
            (heads, ("_read_headers", "_read_request_line")),
            (http1, ("read_request_head", "read_response_head")),
            (ConnectionHandler, ("close_connection",)),
            (ClientTLSLayer, ("send_close", "send_data")),
        )
        for name in names
    ]
    for patch in private._PATCHES:
        patch()
    yield
    for owner, name, original in before:
        setattr(owner, name, original)
    private.own_page.set(None)
    private.limits.clear()
    private.head_waits.clear()
    private.body_moves.clear()


def context() -> Context:
    client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=0.0, state=ConnectionState.OPEN)
    opts = options.Options()
    for name, default in (("validate_inbound_headers", True), ("normalize_outbound_headers", True), ("proxy_debug", False)):
        opts.add_option(name, bool, default, "")
    for name in ("stream_large_bodies", "body_size_limit"):
        opts.add_option(name, str, "", "")
    return Context(client, opts)


def page(status: int = 504, body: bytes = b"mine") -> http.Response:
    return http.Response(b"HTTP/1.1", status, b"", http.Headers([(b"Content-Length", b"4"), (b"X", b"1")]), body, None, 0, 0)


def broken(message: str) -> _events.ResponseProtocolError:
    """That an upstream failed; the code is a number before mitmproxy 12."""
    codes = getattr(_events, "ErrorCode", None)
    return _events.ResponseProtocolError(1, message, codes.GENERIC_SERVER_ERROR if codes is not None else 502)


# ---------------------------------------------------------------- own pages
def failed1() -> tuple[bytes, list[object]]:
    """What an HTTP/1 client gets when its flow fails, and the commands that follow."""
    server = _http1.Http1Server(context())
    done = list(server.send(broken("no reason")))
    sent = b"".join(command.data for command in done if isinstance(command, commands.SendData))
    return sent, [type(command) for command in done if not isinstance(command, commands.SendData)]


def test_a_failure_is_answered_with_the_page_set_and_only_once() -> None:
    private.own_page.set(page())
    sent, then = failed1()
    assert sent.startswith(b"HTTP/1.1 504 ")
    assert sent.endswith(b"\r\n\r\nmine")
    assert then == [commands.CloseConnection]
    sent, then = failed1()
    assert sent.startswith(b"HTTP/1.1 502 Bad Gateway")
    assert b"no reason" in sent


def test_no_page_is_an_end_without_a_word() -> None:
    private.own_page.set(private.NO_PAGE)
    assert failed1() == (b"", [commands.CloseConnection])


def test_no_page_follows_a_head_that_is_out() -> None:
    private.own_page.set(page())
    server = _http1.Http1Server(context())
    server.response = tutils.tresp()
    assert [type(command) for command in server.send(broken("broke"))] == [commands.CloseConnection]


def test_an_http_2_client_gets_the_page_on_its_stream() -> None:
    server = _http2.Http2Server(context())
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    client.send_headers(1, [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a")], end_stream=True)
    got = list(server.handle_event(events.Start()))
    got += list(server.handle_event(events.DataReceived(server.conn, client.data_to_send())))
    assert any(isinstance(command, ReceiveHttp) and isinstance(command.event, _events.RequestHeaders) for command in got)
    private.own_page.set(page())
    got += list(server.handle_event(broken("no reason")))
    seen = [
        event
        for command in got
        if isinstance(command, commands.SendData)
        for event in client.receive_data(command.data)
        if isinstance(event, (h2.events.ResponseReceived, h2.events.DataReceived, h2.events.StreamEnded))
    ]
    assert (b":status", b"504") in [tuple(field) for field in seen[0].headers]
    assert seen[1].data == b"mine"
    assert isinstance(seen[-1], h2.events.StreamEnded)
    assert not any(isinstance(command, commands.CloseConnection) for command in got)


# ---------------------------------------------------------------- bodies
def stream() -> HttpStream:
    """One that has the head of a request and waits for its body."""
    made = HttpStream(context(), 1)
    made.flow = tflow.tflow()
    made.flow.live = True
    made.client_state = made.state_consume_request_body
    made.server_state = made.state_wait_for_response_headers
    return made


def test_a_body_is_kept_up_to_its_limit() -> None:
    made = stream()
    limit = private.limits[made.flow.id] = private.Limit(5)
    for piece in (b"abc", b"defg", b"hij"):
        assert list(made.handle_event(_events.RequestData(1, piece))) == []
    assert bytes(made.request_body_buf) == b"abcde"
    assert (limit.kept, limit.size) == (5, 10)


def test_a_body_without_a_limit_is_kept_whole() -> None:
    made = stream()
    list(made.handle_event(_events.RequestData(1, b"abc")))
    assert bytes(made.request_body_buf) == b"abc"


def test_a_flow_that_is_killed_for_its_body_fails_at_once_and_takes_no_more_of_it() -> None:
    made = stream()
    private.limits[made.flow.id] = private.Limit(3, made.flow.kill)
    assert list(made.handle_event(_events.RequestData(1, b"abc"))) == []
    (hook,) = made.handle_event(_events.RequestData(1, b"d"))
    assert isinstance(hook, _hooks.HttpErrorHook)
    (sent,) = made.handle_event(events.HookCompleted(hook))
    assert isinstance(sent.event, _events.ResponseProtocolError)
    assert list(made.handle_event(_events.RequestData(1, b"more"))) == []
    assert bytes(made.request_body_buf) == b"abc"


# ---------------------------------------------------------------- heads
def test_a_head_that_is_begun_and_not_whole_is_told() -> None:
    told: list[bool] = []
    private.head_waits.append(lambda client, waits: told.append(waits))
    server = _http1.Http1Server(context())
    list(server.handle_event(events.Start()))
    for data in (b"GET http://a/ HTTP/1.1\r\n", b"Host: a\r\n", b"\r\n"):
        list(server.handle_event(events.DataReceived(server.conn, data)))
    assert told == [True, True, False]


# ---------------------------------------------------------------- a mitmproxy that serves
@contextlib.asynccontextmanager
async def serving(*addons: Any) -> AsyncIterator[int]:
    """A mitmproxy in this process; its port."""
    port = free_port()
    master = DumpMaster(options.Options(mode=[f"regular@127.0.0.1:{port}"]), with_termlog=False, with_dumper=False)
    master.addons.add(*addons)
    running = asyncio.create_task(master.run())
    async with asyncio.timeout(20):
        while not list(private.listening()):
            assert not running.done(), running.exception()
            await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        master.shutdown()
        await running


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Any]:
    """A client of it, and what mitmproxy has of that client."""
    before = {client.id for client in private.clients()}
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(10):
        while not (new := [client for client in private.clients() if client.id not in before]):
            await asyncio.sleep(0.01)
        while private._transport(new[0], new[0]).handler is None:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # it is about to read
    return reader, writer, new[0]


def run(test: Callable[[int], Awaitable[None]], *addons: Any) -> None:
    async def main() -> None:
        async with serving(*addons) as port:
            await test(port)

    asyncio.run(main())


def test_a_connection_can_be_ended() -> None:
    async def test(port: int) -> None:
        reader, writer, client = await connected(port)
        assert not private.is_gone(client)
        assert private.end(client, client)
        assert await reader.read() == b""
        await until(lambda: private.is_gone(client))
        assert not private.end(client, client)
        writer.close()

    run(test)


def test_a_connection_can_be_ended_before_it_is_read() -> None:
    async def test(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            while not (clients := private.clients()) or not private.end(clients[0], clients[0]):
                await asyncio.sleep(0)
            assert await reader.read() == b""
        writer.close()

    run(test)


def test_ending_can_be_waited_for() -> None:
    async def test(port: int) -> None:
        _, writer, client = await connected(port)
        await private.ended(client, client)
        assert private._transport(client, client) is None
        await private.ended(client, client)
        writer.close()

    run(test)


def test_a_client_that_leaves_is_seen() -> None:
    async def test(port: int) -> None:
        _, writer, client = await connected(port)
        writer.close()
        await until(lambda: private.is_gone(client))
        assert await private.took_everything(client)

    run(test)


def test_what_a_client_has_not_taken_is_counted_and_waited_for() -> None:
    async def test(port: int) -> None:
        reader, writer, client = await connected(port)
        assert private.unsent(client, client) == 0
        assert await private.took_everything(client)
        private._transport(client, client).writer.write(bytes(32 << 20))
        assert private.unsent(client, client) > 0
        taking = asyncio.create_task(private.took_everything(client))
        await asyncio.sleep(0.05)
        assert not taking.done()
        await reader.readexactly(32 << 20)
        assert await taking
        private._transport(client, client).writer.write(bytes(32 << 20))
        taking = asyncio.create_task(private.took_everything(client))
        await asyncio.sleep(0)
        writer.transport.abort()
        assert not await taking

    run(test)


def test_a_closed_connection_is_read_on_so_that_it_is_not_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "LINGER_SECONDS", 5)

    async def test(port: int) -> None:
        reader, writer, client = await connected(port)
        private._transport(client, client).writer.write(b"answer")
        ctx.master.addons.get("proxyserver").connections[client.id].close_connection(client)
        (task,) = private._tasks
        assert await reader.read() == b"answer"
        for _ in range(20):
            writer.write(bytes(1 << 16))
            await writer.drain()
        writer.close()
        await task

    run(test)


def test_behind_a_close_notify_nothing_is_sent() -> None:
    """It would be an error, "protocol is shutdown", which mitmproxy shows as a crash of its own."""
    layer = ClientTLSLayer.__new__(ClientTLSLayer)
    layer.tls = SSL.Connection(SSL.Context(SSL.TLS_METHOD))
    layer.tls.set_accept_state()
    layer.tls.set_shutdown(SSL.SENT_SHUTDOWN)
    assert list(layer.send_data(b"a frame that says goodbye")) == []


def test_a_reset_is_one() -> None:
    async def test(port: int) -> None:
        reader, _, client = await connected(port)
        private._transport(client, client).writer.write(b"part")
        private.reset(client)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert not private._tasks

    run(test)


# ---------------------------------------------------------------- modes
def test_modes_come_and_go_at_run_time(caplog: pytest.LogCaptureFixture) -> None:
    async def test(port: int) -> None:
        first, other = f"regular@127.0.0.1:{port}", free_port()
        await private.set_modes([first, f"reverse:http://a@127.0.0.1:{other}"])
        assert {at: mode.type_name for at, mode in private.listening()} == {port: "regular", other: "reverse"}
        assert private.bind_error(first) is None
        with pytest.raises(OptionsError):
            await private.set_modes([first, "nonsense"])
        await private.set_modes([first])
        assert [at for at, _ in private.listening()] == [port]

    run(test)


def test_a_mode_that_cannot_listen_says_why_and_is_forgotten_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    async def test(port: int) -> None:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        taken = server.sockets[0].getsockname()[1]
        first, mode = f"regular@127.0.0.1:{port}", f"regular@127.0.0.1:{taken}"
        await private.set_modes([first, mode])
        error = private.bind_error(mode)
        assert error is not None
        assert "address already in use" in str(error).lower()
        caplog.clear()
        private.forget_mode(mode)
        await private.set_modes([first])
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
        assert [at for at, _ in private.listening()] == [port]
        server.close()

    run(test)


def test_a_mode_knows_what_it_was_made_of() -> None:
    mode = mode_specs.ProxyMode.parse("reverse:http://h:1@[::1]:8080")
    assert (mode.type_name, mode.data, mode.custom_listen_host, mode.listen_port(1)) == ("reverse", "http://h:1", "[::1]", 8080)


# ---------------------------------------------------------------- calling addons
class Counting:
    """Has one hook, and counts who asks for another."""

    def __init__(self) -> None:
        self.asked = 0
        self.got: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name == "request":
            self.asked += 1
        raise AttributeError(name)

    def response(self, flow: http.HTTPFlow) -> None:
        self.got.append(flow.id)


class Halting:
    async def response(self, flow: http.HTTPFlow) -> None:
        if flow.comment == "halt":
            raise AddonHalt

    def update(self, flows: list[http.HTTPFlow]) -> None:
        for flow in flows:
            flow.marked = "updated"


class Broken:
    def response(self, flow: http.HTTPFlow) -> None:
        raise RuntimeError("broken addon")


def test_only_addons_with_a_hook_are_called_as_mitmproxy_would(caplog: pytest.LogCaptureFixture) -> None:
    halting, broken, counting = Halting(), Broken(), Counting()

    async def test(port: int) -> None:
        manager = ctx.master.addons
        private._install_dispatch(None)
        private._install_dispatch(None)  # of no effect
        flow = tflow.tflow(resp=True)
        counting.asked = 0
        for _ in range(5):
            await manager.handle_lifecycle(_hooks.HttpRequestHook(flow))
        assert counting.asked == 1
        await manager.handle_lifecycle(_hooks.HttpResponseHook(flow))
        assert (counting.got, flow.marked) == ([flow.id], "updated")
        assert "broken addon" in caplog.text
        flow.comment = "halt"
        await manager.handle_lifecycle(_hooks.HttpResponseHook(flow))
        assert len(counting.got) == 1  # nobody after the one that halts
        late = Counting()
        late.name = "late"
        flow.comment = ""
        manager.add(late)
        await manager.handle_lifecycle(_hooks.HttpResponseHook(flow))
        assert late.got == [flow.id]
        manager.remove(late)
        await manager.handle_lifecycle(_hooks.HttpResponseHook(flow))
        assert late.got == [flow.id]

    run(test, halting, broken, counting)


# ---------------------------------------------------------------- connections
def test_a_connection_that_is_closed_ends_even_if_mitmproxy_forgets_it() -> None:
    """Its handler never comes to `writer.close()` where layers close the connection twice."""

    async def main() -> None:
        came: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda *io: came.set_result(io), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            there = await came
            there[1].write(b"the last answer")
            private._linger(SimpleNamespace(reader=there[0], writer=there[1]))
            assert await reader.read() == b"the last answer"
            writer.write(b"more of a body")
            await writer.drain()
            writer.close()
            assert there[1].is_closing()

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
