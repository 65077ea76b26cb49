"""The connections of one listener: idle ones end with it, and others when their exchange is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from support.client import get
from support.ports import free_port
from support.waiting import PATIENCE, until

from goto.hosts.standalone.host import StandaloneHost
from goto.hosts.standalone.server import Server
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import ListenerSpec


def served(test: Callable[[Server, int], Awaitable[None]]) -> None:
    async def run() -> None:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        port = free_port()
        await host.instance.listeners.start(ListenerSpec(port))
        await test(host._servers[port][1], port)
        await host.stop(1)

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_an_idle_connection_ends_at_once() -> None:
    async def test(server: Server, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get("/status/202"))
        await reader.readuntil(b"202 Accepted\n")
        assert (len(server.connections), list(server.in_flight)) == (1, [])
        server.finish()
        await server.emptied()
        assert (server.connections, await reader.read()) == ([], b"")
        writer.close()

    served(test)


def test_it_is_empty_when_the_last_exchange_is_over() -> None:
    async def test(server: Server, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get("/x", "Content-Length: 5", method="POST"))
        await until(lambda: list(server.in_flight))
        server.finish(0.1)
        emptied = asyncio.ensure_future(server.emptied())
        await asyncio.sleep(0.02)
        assert (emptied.done(), len(server.connections)) == (False, 1)
        writer.write(b"hello")
        assert b'"RequestBody":"hello"' in await reader.read()
        await emptied
        assert (server.connections, list(server.in_flight)) == ([], [])
        writer.close()

    served(test)


def test_a_management_call_is_not_in_flight() -> None:
    async def test(server: Server, port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get("/label/set/a", "Content-Length: 5", method="PUT"))
        await until(lambda: any(client.exchange for client in server.clients))
        assert list(server.in_flight) == []
        writer.close()

    served(test)
