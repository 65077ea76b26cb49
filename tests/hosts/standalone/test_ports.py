"""Sockets of a port: several addresses, those that are not there or in use, ports that the system chooses."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop
from support.ports import free_port, listens
from support.waiting import PATIENCE

from goto.hosts.standalone import ports as ports_module
from goto.hosts.standalone.ports import Ports

HERE, THERE = "127.0.0.1", "192.0.2.77"
"""An address of this machine, and one that is for examples only (RFC 5737)."""

LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])


def run(check: Callable[[], Awaitable[Any]], loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> Any:
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(asyncio.wait_for(check(), PATIENCE))


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let a name stand for some addresses."""

    def found(*_: object, **__: object) -> list[Any]:
        kinds = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        tails = [(0, 0) if ":" in address else () for address in addresses]
        return [(kind, socket.SOCK_STREAM, 6, "", (a, 0, *tail)) for kind, a, tail in zip(kinds, addresses, tails, strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", found)


async def close(servers: list[asyncio.AbstractServer]) -> None:
    for server in servers:
        server.close()
    await asyncio.sleep(0)


@LOOPS
@pytest.mark.parametrize("interface", [None, "localhost", "localhost.", "127.0.0.1"])
def test_it_listens(interface: str | None, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def check() -> None:
        port = free_port()
        servers = await Ports(interface).serve(port, asyncio.Protocol)
        assert listens(port)
        await close(servers)
        assert not listens(port)

    run(check, loop)


@LOOPS
def test_the_system_chooses_one_port_for_all_addresses(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def check() -> None:
        ports = Ports(None)
        port = await ports.reserve()
        assert port > 0
        assert not listens(port)
        servers = await ports.serve(port, asyncio.Protocol)
        assert len(servers) == (2 if socket.has_ipv6 else 1)
        assert listens(port)
        await close(servers)

    run(check, loop)


def test_what_was_reserved_and_never_served_is_given_up() -> None:
    async def check() -> None:
        ports = Ports(HERE)
        port = await ports.reserve()
        with pytest.raises(OSError, match="Address already in use"):
            _bind(port)
        ports.close()
        _bind(port)

    run(check)


def _bind(port: int) -> None:
    with socket.socket() as sock:
        sock.bind((HERE, port))


def test_an_address_that_the_machine_does_not_have_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names(monkeypatch, THERE, HERE)

    async def check() -> None:
        port = free_port()
        with caplog.at_level(logging.WARNING, "goto"):
            servers = await Ports("name.test").serve(port, asyncio.Protocol)
        assert len(servers) == 1
        monkeypatch.undo()
        assert listens(port)
        await close(servers)

    run(check)
    assert caplog.messages == [f"an address of name.test is left out: {THERE}: Cannot assign requested address"]


def test_one_that_is_in_use_ends_it_and_nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, HERE, "127.0.0.2")

    async def check() -> None:
        port = free_port()
        with socket.socket() as taken:
            taken.bind(("127.0.0.2", port))
            taken.listen()
            with pytest.raises(OSError, match=r"^\[Errno \d+\] 127\.0\.0\.2: Address already in use$") as failed:
                await Ports("name.test").serve(port, asyncio.Protocol)
        assert failed.value.errno == errno.EADDRINUSE
        _bind(port)

    run(check)


def test_none_at_all_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, THERE, "192.0.2.78")

    async def check() -> None:
        with pytest.raises(OSError, match=f"{THERE}: Cannot assign requested address"):
            await Ports("name.test").reserve()

    run(check)


@pytest.mark.parametrize(
    ("interface", "says"), [("fe80::1%nope", "no interface nope$"), ("no-such-name.invalid", "no-such-name.invalid: .+")]
)
def test_an_interface_that_there_is_not(interface: str, says: str) -> None:
    async def check() -> None:
        with pytest.raises(OSError, match=says):
            await Ports(interface).serve(free_port(), asyncio.Protocol)

    run(check)


def test_without_descriptors_nothing_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    async def check() -> None:
        names(monkeypatch, HERE)
        monkeypatch.setattr(ports_module, "_bound_socket", none)
        with pytest.raises(OSError, match="Too many open files"):
            await Ports(HERE).serve(8080, asyncio.Protocol)

    run(check)
