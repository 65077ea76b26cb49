"""What a socket tells of its other end without being read."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from support.waiting import eventually

from goto.upstream.presence import has_ended, was_reset

RESET = b"\1\0\0\0\0\0\0\0"


class Transport:
    """As much of one as is asked."""

    def __init__(self, sock: socket.socket | None) -> None:
        self._sock = sock

    def get_extra_info(self, name: str) -> socket.socket | None:
        return self._sock if name == "socket" else None


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    with near, far:
        yield near, far


def test_who_is_there_has_not_ended(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    far.sendall(b"unread")
    eventually(lambda: near.recv(6, socket.MSG_PEEK))
    assert (has_ended(Transport(near)), was_reset(Transport(near))) == (False, False)


def test_a_fin_that_was_not_read(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    far.sendall(b"unread")
    far.shutdown(socket.SHUT_WR)
    eventually(lambda: has_ended(Transport(near)))
    assert not was_reset(Transport(near))


def test_two_fins_are_no_reset(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    for one in pair:
        one.sendall(b"unread")
        one.shutdown(socket.SHUT_WR)
    eventually(lambda: has_ended(Transport(near)))
    assert not was_reset(Transport(near))


@pytest.mark.parametrize("ended", [False, True])
def test_a_reset_behind_what_was_not_read(pair: tuple[socket.socket, socket.socket], ended: bool) -> None:
    near, far = pair
    far.sendall(b"unread")
    if ended:
        far.shutdown(socket.SHUT_WR)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    far.close()
    eventually(lambda: was_reset(Transport(near)))
    assert has_ended(Transport(near))


def test_a_transport_without_a_socket_says_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    near.close()
    for sock in (None, near):
        assert (has_ended(Transport(sock)), was_reset(Transport(sock))) == (False, False)
