"""The addresses of a host: looked up, taken in turn, and tried one beside the other (RFC 8305)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from itertools import zip_longest
from typing import TypeVar

from goto.words.failures import system_reason

T = TypeVar("T")

COMPANY_SECONDS = 0.25
"""An address that has not answered after this time gets company: the next one is tried beside it (RFC 8305, 5)."""

RENEW_SECONDS = 30.0
"""From one look-up of a host to the next, as long as it is in use."""


def is_address(host: str) -> bool:
    """Whether a host is an IP address, which needs no look-up."""
    if ":" in host:
        return True
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, each once, in the order in which they are tried. Raises OSError.

    The system says which comes first (RFC 6724); then the two families take turns (RFC 8305, 4).
    """
    if is_address(host):
        return [host]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    families: dict[int, dict[str, None]] = {}
    for family, _, _, _, where in found:
        address, scope = str(where[0]), where[3] if len(where) > 3 else 0
        families.setdefault(family, {})[f"{address}%{scope}" if scope else address] = None
    return [address for each in zip_longest(*families.values()) for address in each if address is not None]


async def first_to_answer(addresses: Sequence[str], attempt: Callable[[str], Awaitable[T]], drop: Callable[[T], None]) -> T:
    """What the first attempt that succeeds gives. Raises what they failed with, an OSError with each reason where these differ.

    The next address is tried when one has failed, or has not answered after `COMPANY_SECONDS`. `drop` gets what came too late.
    """
    if len(addresses) == 1:
        return await attempt(addresses[0])
    loop = asyncio.get_running_loop()
    left = list(addresses)
    under_way: list[asyncio.Future[T]] = []
    errors: list[Exception] = []
    try:
        while left or under_way:
            if left:
                under_way.append(asyncio.ensure_future(attempt(left.pop(0)), loop=loop))
            await asyncio.wait(under_way, timeout=COMPANY_SECONDS if left else None, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in under_way if task.done()]:
                under_way.remove(task)
                error = task.exception()
                if error is None:
                    return task.result()
                if not isinstance(error, Exception):
                    raise error
                errors.append(error)
    finally:
        for task in under_way:
            task.cancel()
            task.add_done_callback(lambda done: _drop(done, drop))
    reasons = dict.fromkeys(map(system_reason, errors))
    raise errors[0] if len(reasons) == 1 else OSError(", ".join(reasons))


def _drop(task: asyncio.Future[T], drop: Callable[[T], None]) -> None:
    if not task.cancelled() and task.exception() is None:
        drop(task.result())


async def connected_socket(address: str, port: int) -> socket.socket:
    """A socket that is connected to an IP address. Raises OSError.

    One that was reset since is connected too: an upstream may answer and reset before it was sent a byte (RFC 9112, 9.5), and
    what it said is there to be read. A loop's own `create_connection` throws that away.
    """
    family, kind, protocol, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
    if "%" in address:
        where = (address, *where[1:])  # uvloop takes a zone by its name alone, and drops its number
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        with contextlib.suppress(ConnectionResetError):
            await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


class Addresses:
    """The addresses of a host that connections are made to again and again: one look-up serves all of them.

    It is looked up by `begin`, before the next connection after `failed`, and every `RENEW_SECONDS` until `close`. A look-up that
    fails leaves what was known.
    """

    def __init__(self, host: str, port: int, *, turns: bool = True) -> None:
        """`host` as the system is asked for it. `turns`: each connection begins with the next address, else with the first."""
        self.host = host
        self.port = port
        self._turns = turns
        self._known: list[str] = []
        self._begun = 0
        """Connections that were begun with one address after the other."""
        self._outdated = True
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Connections will be made."""
        if is_address(self.host):
            self._known = [self.host]
            self._outdated = False
        else:
            self._renew()

    @property
    def known(self) -> bool:
        """The next connection need not wait for a look-up."""
        return not self._outdated

    async def order(self) -> list[str]:
        """All addresses, in the order in which the next connection tries them. Raises OSError."""
        if self._outdated:
            # not cancelled with whoever waits for it, since others do too
            await asyncio.shield(self._task or self._renew())
        first = self._begun % len(self._known)
        if self._turns:
            self._begun += 1
        return self._known[first:] + self._known[:first]

    def failed(self) -> None:
        """No connection could be made: the addresses may be others by now."""
        self._outdated = not is_address(self.host)

    def close(self) -> None:
        """No more connections will be made."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            self._task.cancel()

    def _renew(self) -> asyncio.Task[None]:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(RENEW_SECONDS, self._renew)
        if self._task is None:
            self._task = loop.create_task(self._look_up())
            self._task.add_done_callback(self._looked_up)
        return self._task

    async def _look_up(self) -> None:
        try:
            known = await look_up(self.host, self.port)
        except OSError:
            if not self._known:
                raise
        else:
            self._known = known
        self._outdated = False

    def _looked_up(self, task: asyncio.Task[None]) -> None:
        self._task = None
        with contextlib.suppress(asyncio.CancelledError):
            task.exception()  # it is told to whoever waits; where nobody does, the next one looks up again
