"""The addresses of a host: looked up, taken in turn, and tried one beside the other."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.waiting import until

from goto.upstream import addresses as module
from goto.upstream.addresses import Addresses, connected_socket, first_to_answer, is_address, look_up

V4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
V6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "")


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(main, 60))


class Names:
    """What the system knows of names: `a.test` has two addresses at first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.known = ["127.0.0.1", "127.0.0.2"]
        self.asked = 0
        self.held: asyncio.Event | None = None
        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", self._ask)

    async def _ask(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        if self.held is not None:
            await self.held.wait()
        if not self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(*V4, (address, port)) for address in self.known]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


@pytest.mark.parametrize(
    ("host", "is_one"), [("127.0.0.1", True), ("::1", True), ("fe80::1%eth0", True), ("localhost", False), ("1.example", False)]
)
def test_what_is_an_address(host: str, is_one: bool) -> None:
    assert is_address(host) is is_one


def test_families_take_turns_and_no_address_comes_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(*_: Any, **__: Any) -> list[Any]:
        sixes = [(*V6, (address, 80, 0, scope)) for address, scope in (("::1", 0), ("fe80::1", 3), ("::1", 0), ("::2", 0))]
        return [*sixes, (*V4, ("127.0.0.1", 80)), (*V4, ("127.0.0.2", 80)), (*V4, ("127.0.0.1", 80))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", ask)
    assert asyncio.run(look_up("a.test", 80)) == ["::1", "127.0.0.1", "fe80::1%3", "127.0.0.2", "::2"]


def test_an_address_is_not_looked_up(names: Names) -> None:
    assert asyncio.run(look_up("::1", 80)) == ["::1"]
    assert not names.asked


class Attempts:
    """Attempts that answer when it is said so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.held: dict[str, asyncio.Future[str]] = {}
        self.dropped: list[str] = []

    async def __call__(self, address: str) -> str:
        self.begun.append(address)
        self.held[address] = asyncio.get_running_loop().create_future()
        try:
            return await self.held[address]
        except asyncio.CancelledError:
            if address == "stubborn":  # it was connected at the very moment
                return address
            raise


def test_a_silent_address_gets_company_and_the_first_to_answer_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMPANY_SECONDS", 0.01)

    async def main() -> None:
        attempts = Attempts()
        won = asyncio.create_task(first_to_answer(["stubborn", "b", "c"], attempts, attempts.dropped.append))
        await until(lambda: len(attempts.begun) == 3)
        attempts.held["b"].set_result("b")
        assert await won == "b"
        assert attempts.held["c"].cancelled()
        await until(lambda: attempts.dropped == ["stubborn"])

    run(main())


def test_an_address_that_fails_is_followed_at_once() -> None:
    async def main() -> None:
        tried = []

        async def attempt(address: str) -> str:
            tried.append(address)
            if address != "c":
                raise ConnectionRefusedError(111, "Connection refused")
            return address

        assert await first_to_answer(["a", "b", "c", "d"], attempt, tried.append) == "c"
        assert tried == ["a", "b", "c"]

    run(main())


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        ([ConnectionRefusedError(111, "Connection refused")] * 2, "[Errno 111] Connection refused"),
        (
            [ConnectionRefusedError(111, "Connection refused"), OSError(101, "Network is unreachable")],
            "Connection refused, Network is unreachable",
        ),
    ],
)
def test_where_all_fail_each_reason_is_given_once(errors: list[OSError], text: str) -> None:
    left = list(errors)

    async def attempt(address: str) -> str:
        raise left.pop(0)

    with pytest.raises(OSError, match=f"^{re.escape(text)}$"):
        asyncio.run(first_to_answer(["a", "b"], attempt, print))


def test_whoever_gives_up_ends_all_attempts() -> None:
    async def main() -> None:
        attempts = Attempts()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await first_to_answer(["a", "b"], attempts, attempts.dropped.append)
        await until(lambda: all(held.cancelled() for held in attempts.held.values()))

    run(main())


@given(count=st.integers(1, 5), connections=st.integers(0, 12))
def test_connections_go_round_all_addresses(count: int, connections: int) -> None:
    async def main() -> None:
        known = [f"127.0.0.{number}" for number in range(1, count + 1)]
        for turns in (True, False):
            addresses = Addresses("a.test", 80, turns=turns)
            addresses._known, addresses._outdated = known, False
            orders = [await addresses.order() for _ in range(connections)]
            assert [order[0] for order in orders] == [known[number % count if turns else 0] for number in range(connections)]
            assert all(sorted(order) == known for order in orders)

    run(main())


def test_one_look_up_serves_all_that_wait(names: Names) -> None:
    async def main() -> None:
        names.held = asyncio.Event()
        addresses = Addresses("a.test", 80)
        addresses.begin()
        waiting = [asyncio.create_task(addresses.order()) for _ in range(5)]
        await until(lambda: names.asked == 1)
        waiting[0].cancel()
        names.held.set()
        orders = await asyncio.gather(*waiting[1:])
        assert [order[0] for order in orders] == ["127.0.0.1", "127.0.0.2"] * 2
        assert names.asked == 1
        addresses.close()

    run(main())


def test_after_a_failure_it_is_looked_up_again_and_what_was_known_stays_where_that_fails(names: Names) -> None:
    async def main() -> None:
        addresses = Addresses("a.test", 80, turns=False)
        addresses.begin()
        assert await addresses.order() == ["127.0.0.1", "127.0.0.2"]
        names.known = ["127.0.0.3"]
        assert (await addresses.order())[0] == "127.0.0.1"
        addresses.failed()
        assert await addresses.order() == ["127.0.0.3"]
        names.known = []
        addresses.failed()
        assert await addresses.order() == ["127.0.0.3"]
        assert names.asked == 3
        addresses.close()

    run(main())


def test_a_name_that_nobody_knows_is_asked_for_again(names: Names) -> None:
    async def main() -> None:
        names.known = []
        addresses = Addresses("a.test", 80)
        addresses.begin()
        with pytest.raises(socket.gaierror):
            await addresses.order()
        names.known = ["127.0.0.1"]
        assert await addresses.order() == ["127.0.0.1"]
        addresses.close()

    run(main())


def test_it_is_looked_up_from_time_to_time_until_it_is_closed(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.01)

    async def main() -> None:
        addresses = Addresses("a.test", 80)
        addresses.begin()
        await addresses.order()
        names.known = ["127.0.0.9"]
        await until(lambda: names.asked > 3)
        assert await addresses.order() == ["127.0.0.9"]
        addresses.close()
        await until(lambda: addresses._task is None)
        assert addresses._timer is None

    run(main())


def test_an_address_is_never_looked_up_again(names: Names) -> None:
    async def main() -> None:
        addresses = Addresses("127.0.0.1", 80)
        addresses.begin()
        addresses.failed()
        assert await addresses.order() == ["127.0.0.1"]
        assert not names.asked
        addresses.close()

    run(main())


# ---------------------------------------------------------------- a socket that is connected
def test_what_was_said_before_a_reset_is_there_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            loop = asyncio.get_running_loop()
            connect = loop.sock_connect

            async def connect_late(sock: socket.socket, where: object) -> None:
                sock.connect_ex(server.getsockname())
                there, _ = server.accept()
                there.sendall(b"hello")
                there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                there.close()
                if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(error, "as a loop finds it")
                await connect(sock, where)  # no reset has come, so this could not fail

            monkeypatch.setattr(loop, "sock_connect", connect_late)
            with await connected_socket("127.0.0.1", server.getsockname()[1]) as sock:
                assert sock.recv(10) == b"hello"

    run(main())


def test_nobody_is_there() -> None:
    async def main() -> None:
        with pytest.raises(ConnectionRefusedError):
            await connected_socket("127.0.0.1", 1)

    run(main())
