"""Pushing to all: a dead or slow one holds up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, until

from goto.registry import push as module
from goto.registry.address import Address
from goto.registry.push import Pusher
from goto.registry.queue import Push
from goto.upstream.answer import Upstream as Sender

DEAD = Address.parse("127.0.0.1:1")


def run(test: Callable[[Pusher], Awaitable[None]]) -> None:
    async def main() -> None:
        sender = Sender()
        pusher = Pusher(sender, "e1", lambda address: None)
        try:
            await test(pusher)
        finally:
            pusher.end_all()
            await sender.close()

    asyncio.run(asyncio.wait_for(main(), 3 * PATIENCE))


def to_all(pusher: Pusher, addresses: list[Address], revision: int) -> list[tuple[Address, Push]]:
    push = Push("add", "w", revision, f"t{revision}", b"{}")
    for address in addresses:
        pusher.put(address, push)
    return [(address, push) for address in addresses]


def test_who_took_it_is_not_named_and_nobody_waits_for_the_others(upstream: Upstream, monkeypatch: pytest.MonkeyPatch):
    with Upstream() as slow, held() as event:
        slow.on("/client/targets/add", Reply(hold=event))
        good, hung = (Address.parse(f"127.0.0.1:{server.port}") for server in (upstream, slow))

        async def test(pusher: Pusher) -> None:
            monkeypatch.setattr(module, "PATIENCE", 3600.0)
            assert await pusher.wait(to_all(pusher, [good], 1)) == []
            assert await pusher.wait(to_all(pusher, [good, DEAD], 2)) == [DEAD], "waits for one that has just failed"

            monkeypatch.setattr(module, "PATIENCE", 0.9)
            assert await pusher.wait(to_all(pusher, [hung, good, DEAD], 3)) == [hung, DEAD]

            # whoever waits for the hung one all the same never gets there
            monkeypatch.setattr(module, "PATIENCE", 3600.0)
            for revision in range(4, 8):
                assert await pusher.wait(to_all(pusher, [hung, good], revision)) == [hung]
            assert [miss.push.name for miss in pusher.not_taken(hung, "w")] == ["t3", "t4", "t5", "t6", "t7"]
            assert (pusher.pending(hung), pusher.pending(good), pusher.not_taken(good, "w")) == (5, 0, [])

            event.set()
            await until(lambda: not pusher.pending(hung))
            assert await pusher.wait(to_all(pusher, [hung, good], 8)) == []

        run(test)
        assert len(slow.take(6)) == 6
        assert len(upstream.take(8)) == 8


def test_an_address_that_is_no_peer_any_more_gets_nothing():
    async def test(pusher: Pusher) -> None:
        pushes = to_all(pusher, [DEAD], 1)
        await pusher.wait(pushes)
        assert len(pusher.not_taken(DEAD, "w")) == 1
        pusher.drop(DEAD, "v")
        assert len(pusher.not_taken(DEAD, "w")) == 1
        pusher.drop(DEAD, "w")
        assert pusher.not_taken(DEAD, "w") == []
        pushes = to_all(pusher, [DEAD], 2)
        pusher.end(DEAD)
        assert pusher.not_taken(DEAD, "w") == []
        assert await pusher.wait(pushes) == []
        for call in (pusher.wake, pusher.end):
            call(DEAD)

    run(test)


def test_hundreds_of_peers():
    async def test(pusher: Pusher) -> None:
        taken = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal taken
            await reader.readuntil(b"\r\n\r\n{}")
            taken += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

        servers = [await asyncio.start_server(serve, "127.0.0.1", 0) for _ in range(200)]
        here = [Address.parse(f"127.0.0.1:{server.sockets[0].getsockname()[1]}") for server in servers]
        nobody = [Address.parse(f"127.0.0.1:{port}") for port in range(1, 8)]
        assert await pusher.wait(to_all(pusher, here + nobody, 1)) == nobody
        assert taken == 200
        for server in servers:
            server.close()

    run(test)
