"""The time a target has; how a client is told that it was too slow is in test_mitm_exchange."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("mitmproxy", reason="mitmproxy is not installed in this Python")

from mitmproxy.test import tutils

from goto.flow import Call, Origin
from goto.hosts.mitm import watch as mitm_watch
from goto.hosts.mitm.watch import Watch

ORIGIN = Origin("http", "a", 1)


class Clock:
    """The time of the running event loop, moved by hand: a real one does not stand still while a busy machine works."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.now = loop.time()
        loop.time = lambda: self.now

    async def passes(self, seconds: float) -> None:
        self.now += seconds
        for _ in range(2):  # what is due is found in one turn of the loop, and called in the next
            await asyncio.sleep(0)


class Private:
    """In place of the private parts: what was ended, and what waits to be taken."""

    def __init__(self) -> None:
        self.ended: list[Any] = []
        self.waiting: dict[Any, int] = {}

    def end(self, client: Any, connection: Any) -> bool:
        self.ended.append(connection)
        return True

    def unsent(self, client: Any, connection: Any) -> int:
        return self.waiting.get(connection, 0)


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> Private:
    stand_in = Private()
    monkeypatch.setattr(mitm_watch, "private", stand_in)
    return stand_in


def watch() -> Watch:
    flow: Any = SimpleNamespace(client_conn="client", server_conn="kept")
    return Watch(flow, Call("t", ORIGIN, "GET", "/", timeout=0.02))


class Server(SimpleNamespace):
    __hash__ = object.__hash__


def server() -> Any:
    return Server(address=("a", 1))


def test_a_connection_that_is_not_made_in_time(private: Private) -> None:
    async def test() -> None:
        clock = Clock()
        slow, other, new = watch(), Server(address=("b", 1)), server()
        assert not slow.connecting(other)
        slow.sent()
        assert slow.connecting(new)
        assert not slow.connecting(server())
        await clock.passes(0.05)
        assert private.ended == [new]
        assert slow.verdict("connection cancelled") == (504, "cannot connect to http://a:1 within 20ms")

    asyncio.run(test())


def test_an_answer_that_does_not_come_in_time(private: Private) -> None:
    async def test() -> None:
        clock = Clock()
        slow, new = watch(), server()
        slow.sent()
        slow.connecting(new)
        await clock.passes(0.01)
        slow.connected(new)
        await clock.passes(0.015)
        assert private.ended == []  # connecting has a time of its own
        await clock.passes(0.01)
        assert private.ended == [new]
        assert slow.verdict("") == (504, "no answer within 20ms")

    asyncio.run(test())


def test_nothing_runs_while_a_client_still_sends(private: Private) -> None:
    async def test() -> None:
        clock = Clock()
        quick, new = watch(), server()
        quick.connecting(new)
        quick.connected(new)
        await clock.passes(0.05)
        assert quick.sending(b"piece") == b"piece"
        await clock.passes(0.05)
        assert private.ended == []
        private.waiting[new] = 1  # it was taken from the client, and the target does not take it
        quick.sending(b"piece")
        await clock.passes(0.05)
        assert private.ended == [new]
        assert quick.verdict("")[1] == "reads no more of the request within 20ms"

    asyncio.run(test())


def test_a_response_may_pause_for_as_long_as_its_head_may_take(private: Private) -> None:
    async def test() -> None:
        clock = Clock()
        slow = watch()
        assert slow.call is not None
        slow.call.body_timeout = 0.02
        slow.passing(tutils.tresp())
        private.waiting["client"] = 1
        assert slow.receiving(b"piece") == b"piece"
        await clock.passes(0.05)
        assert private.ended == []  # it is the client that takes no more
        private.waiting.clear()
        await clock.passes(0.05)
        assert private.ended == ["kept"]
        assert slow.verdict("")[1] == "no more of its answer within 20ms"

    asyncio.run(test())


def test_the_end_of_a_response_stops_the_clock(private: Private) -> None:
    async def test() -> None:
        clock = Clock()
        quick = watch()
        assert quick.call is not None
        quick.call.body_timeout = 0.02
        quick.passing(tutils.tresp())
        quick.receiving(b"piece")
        quick.receiving(b"")
        await clock.passes(0.05)
        assert private.ended == []
        assert quick.verdict("server closed connection") == (502, "closed the connection without an answer")

    asyncio.run(test())
