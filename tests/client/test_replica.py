"""One connection's requests, one after the other: when a request is sent again, and when never."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from goto.client.results import Results
from goto.client.target import ClientTarget

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Resetting:
    """Answers the first request of each connection, reads the second and ends the connection without a word."""

    def __init__(self) -> None:
        self.read = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                for answer in (ANSWER, b""):
                    if not connection.recv(65536):
                        break
                    self.read += 1
                    connection.sendall(answer)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def resetting() -> Iterator[Resetting]:
    server = Resetting()
    yield server
    server.close()


def test_a_safe_request_is_sent_again_on_a_connection_that_was_closed(
    send: Callable[..., Results], target: Callable[..., ClientTarget], resetting: Resetting
):
    results = send(target(url=f"http://127.0.0.1:{resetting.port}/", requestCount=4))
    assert results.to_wire()["countsByStatusCodes"] == {200: 4}
    assert resetting.read == 7, "each but the first was sent twice"


@pytest.mark.parametrize("fields", [{"method": "POST"}, {"method": "GET", "body": "x"}])
def test_others_fail_and_are_sent_once(
    send: Callable[..., Results], target: Callable[..., ClientTarget], resetting: Resetting, fields: dict[str, str]
):
    results = send(target(url=f"http://127.0.0.1:{resetting.port}/", requestCount=4, **fields))
    assert results.to_wire()["countsByStatusCodes"] == {200: 2, 0: 2}
    assert results.to_wire()["countsByStatus"]["closed the connection without an answer"] == 2
    assert resetting.read == 4
