"""Another goto, which is asked what arrived there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from support.goto_process import Goto
from support.ports import free_port
from support.upstream import Reply, Upstream

from goto.client.server import OtherServer
from goto.errors import Unavailable
from goto.http.numbered_id import fresh_run, numbered_id
from goto.upstream.pool import Pool
from goto.words.token import Token


def run(url: str, check: Callable[[OtherServer], Awaitable[None]], token: Token | None = None) -> None:
    async def main() -> None:
        pool = Pool()
        try:
            await check(OtherServer(pool, url, token))
        finally:
            await pool.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_it_counts_and_tells(goto: Callable[..., Goto]) -> None:
    there = goto("there")
    name = fresh_run()

    async def check(server: OtherServer) -> None:
        assert await server.told(name) is None
        await server.count(name)
        await asyncio.to_thread(there.call, "GET", f"/a?x-request-id={numbered_id(name, 0)}")
        told = await server.told(name)
        assert told is not None
        assert (told.arrived, told.completed) == (1, 1)

    for url in (there.base, f"{there.base}/goto/port/{there.port}"):
        run(url, check)
        there.api("POST", "/goto/arrivals/clear")


def test_the_token_is_shown(goto: Callable[..., Goto]) -> None:
    there = goto("guarded", "--admin-token", "s3cret")

    async def known(server: OtherServer) -> None:
        await server.count(fresh_run())

    run(there.base, known, Token.parse("s3cret"))
    with pytest.raises(Unavailable, match=r"server: 127.0.0.1:[0-9]+ answered 401: this call needs a token"):
        run(there.base, known)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(404, b"not here"), "answered 404: not here"),
        (Reply(200, b"{}"), "is no goto that counts arrivals"),
        (Reply(200, b"\xff"), "is no goto that counts arrivals"),
    ],
)
def test_whoever_is_no_server_of_goto_is_told(upstream: Upstream, reply: Reply, reason: str) -> None:
    name = fresh_run()
    upstream.on(f"/goto/arrivals/{name}", reply)

    async def check(server: OtherServer) -> None:
        with pytest.raises(Unavailable, match=reason):
            await server.told(name)

    run(upstream.base, check)


def test_who_cannot_be_reached_is_told() -> None:
    async def check(server: OtherServer) -> None:
        with pytest.raises(Unavailable, match=r"server: cannot connect to http://127.0.0.1:[0-9]+: Connection refused"):
            await server.count(fresh_run())

    run(f"http://127.0.0.1:{free_port()}", check)
