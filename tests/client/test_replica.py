"""One connection's requests, one after the other: when a request is sent again, and when never."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from support.ports import free_port

from goto.client import replica
from goto.client.results import Results
from goto.client.target import ClientTarget

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Resetting:
    """Answers the first request of each connection, reads the second and ends the connection without a word."""

    def __init__(self, held: float = 0.0) -> None:
        """`held` seconds pass before it ends a connection."""
        self.read = 0
        self.bytes = 0
        self._held = held
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
                    request = connection.recv(65536)
                    if not request:
                        break
                    self.read += 1
                    self.bytes += len(request)
                    if not answer:
                        time.sleep(self._held)
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


def test_one_that_is_sent_again_counts_once_from_its_first_try_and_all_its_bytes(
    send: Callable[..., Results], target: Callable[..., ClientTarget]
):
    server = Resetting(held=0.2)
    shown = send(target(url=f"http://127.0.0.1:{server.port}/", requestCount=3)).to_wire()["all"]
    server.close()
    assert (shown["requests"], shown["resent"], shown["errors"]) == (3, 2, {})
    assert shown["bytesSent"] == server.bytes
    for latency in shown["latency"].values():
        assert latency["count"] == 3
        assert latency["p50"] > 190, "the time that the server held the first try is part of it"


def test_one_that_was_never_sent_again_says_so(
    send: Callable[..., Results], target: Callable[..., ClientTarget], resetting: Resetting
):
    assert send(target(url=f"http://127.0.0.1:{resetting.port}/")).to_wire()["all"]["resent"] == 0


def test_what_is_due_by_a_rate_is_not_held_back_by_failures(
    send: Callable[..., Results], target: Callable[..., ClientTarget], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(replica, "PAUSE_STEP", 60.0)
    monkeypatch.setattr(replica, "LONGEST_PAUSE", 60.0)
    shown = send(target(url=f"http://127.0.0.1:{free_port()}/", requestCount=20, rate=1000)).to_wire()["all"]
    assert shown["errors"] == {"connect": 20}


@pytest.mark.parametrize("fields", [{"method": "POST"}, {"method": "GET", "body": "x"}])
def test_others_fail_and_are_sent_once(
    send: Callable[..., Results], target: Callable[..., ClientTarget], resetting: Resetting, fields: dict[str, str]
):
    results = send(target(url=f"http://127.0.0.1:{resetting.port}/", requestCount=4, **fields))
    assert results.to_wire()["countsByStatusCodes"] == {200: 2, 0: 2}
    assert results.to_wire()["countsByStatus"]["closed the connection without an answer"] == 2
    assert resetting.read == 4
