"""Connections kept for the next request."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority
from support.ports import free_port
from support.scripted import Scripted, read_head

from goto.flow import Origin
from goto.tls.client import client_tls
from goto.upstream import pool as pool_module
from goto.upstream.connection import Connection
from goto.upstream.errors import TooSlow, Unreachable
from goto.upstream.pool import Pool
from goto.upstream.receiver import Receiver

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def keeps(connection: socket.socket) -> None:
    """Answers whatever comes, for as long as it comes."""
    while read_head(connection):
        connection.sendall(ANSWER)


class Done(Receiver):
    """A receiver that waits for the end."""

    def __init__(self) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_head(self, *_: Any) -> None: ...

    def on_data(self, data: bytes) -> None: ...

    def on_flush(self) -> None: ...

    def on_end(self) -> None:
        self.over.set_result(None)

    def on_error(self, error: Exception) -> None:
        self.over.set_exception(error)


async def use(connection: Connection) -> None:
    done = Done()
    connection.start(done, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 20)
    await done.over


def run(check: Callable[[Pool, Origin, Scripted], Awaitable[None]], behave: Callable[[socket.socket], None] = keeps) -> None:
    async def main(server: Scripted) -> None:
        pool = Pool()
        try:
            await check(pool, Origin("http", "127.0.0.1", server.port), server)
        finally:
            await pool.close()

    with Scripted(behave) as server:
        asyncio.run(asyncio.wait_for(main(server), 60))


def test_the_one_used_last_is_taken_first() -> None:
    async def check(pool: Pool, origin: Origin, server: Scripted) -> None:
        assert pool.take(origin, repeatable=True) is None
        first, second = await pool.connect(origin), await pool.connect(origin)
        assert pool.take(origin, repeatable=True) is None  # neither has been used
        await use(first)
        await use(second)
        assert pool.take(origin, repeatable=True) is second
        assert pool.take(origin, repeatable=True) is first
        assert pool.take(origin, repeatable=True) is None
        assert server.connections == 2

    run(check)


def test_origins_are_apart() -> None:
    async def check(pool: Pool, origin: Origin, server: Scripted) -> None:
        await use(await pool.connect(origin))
        for other in (origin._replace(tls=client_tls(verify=False)), origin._replace(host="localhost"), origin._replace(port=1)):
            assert pool.take(other, repeatable=True) is None
        assert pool.take(Origin(*origin), repeatable=True) is not None

    run(check)


def test_a_request_that_must_not_be_repeated_takes_only_a_fresh_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(pool: Pool, origin: Origin, server: Scripted) -> None:
        connection = await pool.connect(origin)
        await use(connection)
        assert pool.take(origin, repeatable=False) is connection
        await use(connection)
        connection.idle_since -= 1.01
        assert pool.take(origin, repeatable=False) is None
        assert pool.take(origin, repeatable=True) is connection

    assert pool_module.FRESH_SECONDS == 1.0
    run(check)


def test_one_that_the_other_side_ended_is_not_handed_out() -> None:
    def once(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(ANSWER)

    async def check(pool: Pool, origin: Origin, server: Scripted) -> None:
        connection = await pool.connect(origin)
        await use(connection)
        while connection.usable:
            await asyncio.sleep(0.005)
        assert pool.take(origin, repeatable=True) is None

    run(check, once)


def test_no_more_than_the_limit_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "IDLE_LIMIT", 2)

    async def check(pool: Pool, origin: Origin, server: Scripted) -> None:
        connections = [await pool.connect(origin) for _ in range(4)]
        for connection in connections:
            await use(connection)
        assert [connection.usable for connection in connections] == [True, True, False, False]

    run(check)


def test_idle_ones_are_ended_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "IDLE_SECONDS", 0.1)

    async def check(pool: Pool, origin: Origin, server: Scripted) -> None:
        connection = await pool.connect(origin)
        await use(connection)
        while connection.usable:
            await asyncio.sleep(0.01)
        assert pool.take(origin, repeatable=True) is None

    run(check)


def test_close_ends_those_in_use_too() -> None:
    async def check(pool: Pool, origin: Origin, server: Scripted) -> None:
        connection = await pool.connect(origin)
        await pool.close()
        while connection.usable:
            await asyncio.sleep(0.005)

    run(check)


@pytest.mark.parametrize(
    ("origin", "why"),
    [
        (Origin("http", "127.0.0.1", free_port()), r"cannot connect to http://127\.0\.0\.1:\d+: Connection refused"),
        (Origin("http", "a..b", 80), r"cannot connect to http://a\.\.b: a part of the name is empty"),
        (Origin("http", "x" * 64, 80), r"cannot connect to http://x+: "),
        (Origin("http", "::1", 1), r"cannot connect to http://\[::1\]:1: "),
        (Origin("http", "fe80::1%nope", 1), r"cannot connect to http://\[fe80::1\]:1: no interface nope$"),
    ],
)
def test_who_cannot_be_reached(origin: Origin, why: str) -> None:
    async def main() -> None:
        with pytest.raises(Unreachable, match=why):
            await Pool().connect(origin)

    asyncio.run(main())


@pytest.mark.parametrize("host", ["localhost.", "localhost"])
def test_a_dot_at_the_end_is_no_part_of_the_name_that_tls_asks_for_and_checks(host: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = authority.server(authority.issue("localhost"))
    asked: list[str | None] = []
    context.sni_callback = lambda tls, name, _: asked.append(name)

    async def main() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", free_port(), ssl=context)
        port = server.sockets[0].getsockname()[1]
        origin = Origin.of(f"https://{host}:{port}", client_tls(ca=str(authority.file)))
        pool = Pool()
        async with asyncio.timeout(20):
            await pool.connect(origin)
        await pool.close()
        server.close()

    asyncio.run(main())
    assert asked == ["localhost"]


def test_who_does_not_accept_in_time() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # the kernel's queue of a listener that accepts nothing is soon full
        waiting = [socket.socket() for _ in range(8)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))

        async def main() -> None:
            with pytest.raises(TooSlow, match=r"cannot connect to http://127\.0\.0\.1:\d+ within 200ms"):
                await Pool().connect(Origin("http", "127.0.0.1", port), 0.2)

        try:
            asyncio.run(main())
        finally:
            for client in waiting:
                client.close()
