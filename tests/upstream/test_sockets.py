"""What a transport leaves to the system's socket."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from goto.upstream.sockets import RESET, read_rest


class Lost(asyncio.Transport):
    """A transport that has left what its socket has received."""

    def __init__(self, sock: socket.socket | None) -> None:
        super().__init__()
        self.sock = sock

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        assert name == "socket"
        return self.sock


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    near.setblocking(False)
    return near, far


@pytest.mark.parametrize("size", [1, 100_000])
def test_the_rest_is_read_up_to_the_end(size: int) -> None:
    near, far = pair()
    got: list[bytes] = []
    with near, far:
        far.sendall(b"a" * size)
        far.close()
        near.setblocking(True)  # so that it is the end that ends it, however slowly it comes
        read_rest(Lost(near), got.append)
    assert b"".join(got) == b"a" * size


def test_nothing_is_waited_for() -> None:
    near, far = pair()
    got: list[bytes] = []
    with near, far:
        read_rest(Lost(near), got.append)
    read_rest(Lost(near), got.append)  # closed meanwhile
    read_rest(Lost(None), got.append)
    read_rest(None, got.append)
    assert got == []


def test_a_socket_with_the_option_is_closed_by_a_reset() -> None:
    near, far = pair()
    with near, far:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        near.close()
        with pytest.raises(ConnectionResetError):
            far.recv(1)
