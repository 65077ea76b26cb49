"""The sockets of a port: one for each address of the interface that is listened on.

They are made here and not by the event loop: asyncio leaves out every address for which it gets no socket, whatever the reason,
and uvloop none at all.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from functools import partial

from goto.words.failures import system_reason
from goto.words.hosts import missing_interface

log = logging.getLogger("goto")

ABSENT = frozenset((errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT))
"""What the system says of an address that this machine does not have, or of a protocol that it does not speak."""

LOOPBACK = "loopback"
"""The interface of this machine alone, by both protocols, whatever `localhost` stands for."""

ATTEMPTS = 20
"""A port that the system has chosen for one address may be taken on the next; then it chooses again."""

_Found = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


class Ports:
    """Where a host accepts clients: ports on one interface."""

    def __init__(self, interface: str | None) -> None:
        """`interface` is a name or an address, or LOOPBACK; None for all of this machine."""
        self._interface = interface
        self._reserved: dict[int, list[socket.socket]] = {}

    async def reserve(self) -> int:
        """A port that the system chooses. It is kept for `serve`. Raises OSError with the reason."""
        sockets = await self._bound(0)
        port: int = sockets[0].getsockname()[1]
        self._reserved[port] = sockets
        return port

    async def serve(
        self, port: int, accept: Callable[[], asyncio.BaseProtocol], backlog: int = 100
    ) -> list[asyncio.AbstractServer]:
        """Listen; `accept` makes a protocol for each client. Raises OSError with the reason, and listens nowhere then."""
        sockets = self._reserved.pop(port, None) or await self._bound(port)
        servers: list[asyncio.AbstractServer] = []
        try:
            for sock in sockets:
                servers.append(await asyncio.get_running_loop().create_server(accept, sock=sock, backlog=backlog))
        except BaseException:
            for server in servers:
                server.close()
            for sock in sockets[len(servers) :]:
                sock.close()
            raise
        return servers

    def close(self) -> None:
        """Give up what was reserved and never served."""
        while self._reserved:
            for sock in self._reserved.popitem()[1]:
                sock.close()

    async def _bound(self, port: int) -> list[socket.socket]:
        """A socket for each address, all on one port."""
        found = await self._addresses()
        for attempt in range(ATTEMPTS):
            try:
                return self._bind(found, port)
            except OSError as error:
                if port or error.errno != errno.EADDRINUSE or attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError

    async def _addresses(self) -> list[_Found]:
        interface = self._interface
        if interface in (None, LOOPBACK):
            wanted = [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]
            if interface is not None:
                wanted = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
            return [(family, socket.SOCK_STREAM, 0, "", (address, 0)) for family, address in wanted]
        if missing := missing_interface(interface):
            raise OSError(errno.ENODEV, f"no interface {missing}")
        name = "localhost" if interface == "localhost." else interface
        try:
            # not the loop's own: uvloop's takes the number of the interface off an address that is link-local
            look_up = partial(socket.getaddrinfo, name, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            found = await asyncio.to_thread(look_up)
        except OSError as error:
            raise OSError(error.errno, f"{interface}: {system_reason(error)}") from None
        return list(dict.fromkeys(found))

    def _bind(self, found: list[_Found], port: int) -> list[socket.socket]:
        """Raises OSError where an address is in use, or none is there."""
        sockets: list[socket.socket] = []
        absent: list[OSError] = []
        for family, kind, protocol, _, (host, _, *rest) in found:
            chosen = port or (sockets[0].getsockname()[1] if sockets else 0)
            try:
                sockets.append(_bound_socket(family, kind, protocol, (host, chosen, *rest)))
            except OSError as error:
                failure = OSError(error.errno, f"{host}: {system_reason(error)}")
                if error.errno in ABSENT:
                    absent.append(failure)
                    continue
                for sock in sockets:
                    sock.close()
                raise failure from None
        if not sockets:
            raise absent[0]
        if self._interface not in (None, LOOPBACK):
            for failure in absent:
                log.warning("an address of %s is left out: %s", self._interface, failure.strerror)
        return sockets


def _bound_socket(family: int, kind: int, protocol: int, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # what it accepts has it too, at no cost for each: a client that is gone without a word is noticed
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(address)
    except BaseException:
        sock.close()
        raise
    return sock
