"""One client's connection on the mitmproxy host."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from support.client import Client, get
from support.mitm_process import Mitmdump

from goto.flow import Origin
from goto.hosts.mitm import client as mitm_client
from goto.hosts.mitm.client import MitmClient
from goto.traffic.limits import LIMITS


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections that were ended."""
    gone: list[Any] = []

    async def end(client: Any, server: Any) -> None:
        gone.append(server)

    monkeypatch.setattr(mitm_client.private, "ended", end)
    monkeypatch.setattr(mitm_client.private, "end", lambda client, connection: gone.append(connection))
    return gone


class Server(SimpleNamespace):
    __hash__ = object.__hash__


def test_a_head_that_is_late_ends_the_connection(monkeypatch: pytest.MonkeyPatch, ended: list[Any]) -> None:
    monkeypatch.setattr(LIMITS, "head_time", 0.05)

    async def test() -> None:
        client = MitmClient("connection", None, 1)
        client.head_waits(True)
        client.head_waits(False)
        await asyncio.sleep(0.1)
        assert ended == []
        client.head_waits(True)
        await asyncio.sleep(0.03)
        client.head_waits(True)  # more of it, which gives no more time
        await asyncio.sleep(0.04)
        assert ended == ["connection"]

    asyncio.run(test())


def test_connections_that_were_idle_for_long_are_dropped(monkeypatch: pytest.MonkeyPatch, ended: list[Any]) -> None:
    now = 0.0
    # a real clock does not stand still while a busy machine works
    monkeypatch.setattr(mitm_client, "time", SimpleNamespace(monotonic=lambda: now))

    async def test() -> None:
        nonlocal now
        client = MitmClient("connection", None, 1)
        fresh, idle, other, multiplexed, closed = (
            Server(address=address, connected=connected, alpn=alpn)
            for address, connected, alpn in (
                (("a", 1), True, None),
                (("a", 1), True, None),
                (("b", 1), True, None),
                (("a", 1), True, b"h2"),
                (("a", 1), False, None),
            )
        )
        for server in (idle, other, multiplexed, closed):
            client.used(server)
        now = mitm_client.IDLE_SECONDS + 0.1
        client.used(fresh)
        await client.drop_idle(Origin("http", "a", 1))
        assert ended == [idle]

    asyncio.run(test())


def test_each_request_has_its_own_peer() -> None:
    client = MitmClient(SimpleNamespace(peername=("::1", 7, 0, 0)), None, 3)
    peers = [client.peer(), client.peer()]
    assert [(peer.address, peer.number, peer.requests) for peer in peers] == [("[::1]:7", 3, 1), ("[::1]:7", 3, 2)]


def test_a_tunnel_is_not_taken_for_a_slow_head() -> None:
    """The head of a CONNECT is whole, whatever is spoken afterwards."""
    with Mitmdump("regular") as mitmdump, Client(mitmdump.port) as client:
        client.send(get(f"127.0.0.1:{mitmdump.port}", method="CONNECT"))
        assert client.head()[0] == 200
