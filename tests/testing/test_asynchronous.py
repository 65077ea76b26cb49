"""The awaited connection of management calls."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest
from support.goto_process import Goto
from support.ports import free_port
from support.scripted import Scripted, answering, read_head

from goto.testing import asynchronous
from goto.testing.asking import Answer, Ask
from goto.testing.asynchronous import AsyncConnection
from goto.testing.failures import NotReached

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: 1\r\n\r\nok\n"


def ask(url: str, call: Ask) -> Answer:
    return asyncio.run(AsyncConnection(url).ask(call))


def test_a_call():
    with Scripted(answering(OK)) as server:
        answer = ask(f"http://127.0.0.1:{server.port}", Ask("GET", "/a%2Fb?c=%20"))
    assert (answer.status, answer.text, answer.headers["x"]) == (200, "ok", "1")


def test_one_that_is_open_keeps_its_connection():
    def behave(client: socket.socket) -> None:
        while read_head(client):
            client.sendall(OK)

    async def calls(url: str, *, keep: bool) -> list[int]:
        connection = AsyncConnection(url)
        if keep:
            await connection.open()
        try:
            return [(await connection.ask(Ask("GET", "/"))).status for _ in range(3)]
        finally:
            await connection.close()

    with Scripted(behave) as server:
        assert asyncio.run(calls(f"http://127.0.0.1:{server.port}", keep=True)) == [200, 200, 200]
        assert server.connections == 1
        assert asyncio.run(calls(f"http://127.0.0.1:{server.port}", keep=False)) == [200, 200, 200]
        assert server.connections == 4


def test_nobody_there():
    port = free_port()
    with pytest.raises(NotReached, match=f"^http://127.0.0.1:{port}: Connection refused$"):
        ask(f"http://127.0.0.1:{port}", Ask("GET", "/"))


def test_a_connection_that_is_closed_without_an_answer():
    with Scripted(answering()) as server, pytest.raises(NotReached, match="closed without an answer"):
        ask(f"http://127.0.0.1:{server.port}", Ask("POST", "/"))


def test_what_does_not_answer_in_http():
    with Scripted(answering(b"SSH-2.0\r\n\r\n")) as server, pytest.raises(NotReached):
        ask(f"http://127.0.0.1:{server.port}", Ask("GET", "/"))


def test_an_answer_that_does_not_come(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asynchronous, "SECONDS", 0.1)
    gone = threading.Event()
    with Scripted(answering(b"", wait=gone)) as server:
        with pytest.raises(NotReached, match=r"no answer within 0\.2s"):
            ask(f"http://127.0.0.1:{server.port}", Ask("GET", "/", seconds=0.1))
        gone.set()


def test_over_https_the_certificate_of_this_machine_is_not_checked(goto: Callable[..., Goto]):
    pytest.importorskip("trustme")
    process = goto("asynchronous-tls", "--protocol", "https")
    assert ask(f"https://127.0.0.1:{process.port}", Ask("GET", "/goto/health")).status == 200
