"""`goto health`."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable

import pytest
from support.goto_process import Goto
from support.ports import free_port
from support.scripted import Scripted, answering, read_head
from support.upstream import Reply, Upstream

from goto.command import health as module
from goto.command.health import health

Out = pytest.CaptureFixture[str]


def test_a_healthy_instance(goto: Callable[..., Goto], capsys: Out) -> None:
    process = goto("health")
    for url in (process.base, process.base + "/", process.base + "/goto/ready"):
        assert health(url) == 0
    out, error = capsys.readouterr()
    assert out.splitlines()[0].endswith("is healthy")
    assert out.splitlines()[2] == "ready"
    assert error == ""


def test_a_proxy_of_the_environment_is_not_asked(goto: Callable[..., Goto], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert health(goto("health-proxy").base) == 0


def test_nobody_there(capsys: Out) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert health(url) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(f"goto: {url}/goto/health: ")
    assert error.count("\n") == 1


def test_an_instance_that_says_no(upstream: Upstream, capsys: Out) -> None:
    upstream.on("/goto/health", Reply(503))
    assert health(upstream.base) == 1
    assert "503" in capsys.readouterr().err


def test_something_else_that_listens(capsys: Out) -> None:
    with Scripted(answering(b"SSH-2.0-x\r\n\r\n")) as other:
        assert health(f"http://127.0.0.1:{other.port}") == 1
    assert capsys.readouterr().err.endswith("/goto/health: did not answer in HTTP\n")


def test_a_url_without_a_scheme(goto: Callable[..., Goto], capsys: Out) -> None:
    process = goto("health-short")
    for url in (f"127.0.0.1:{process.port}", f"[::1]:{process.port}", f"localhost.:{process.port}"):
        assert health(url) == 0
    assert capsys.readouterr().err == ""


def test_a_name_that_nobody_looks_up_in_time(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    asleep = threading.Event()
    monkeypatch.setattr(module, "SECONDS", 0.2)

    def never(*_: object, **__: object) -> list[object]:
        asleep.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    try:
        assert health("http://a.test") == 1
    finally:
        asleep.set()
    assert capsys.readouterr().err == "goto: http://a.test/goto/health: no answer within 0.2s\n"


def test_an_answer_that_drips(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        with contextlib.suppress(OSError):
            while not over.wait(0.05):
                connection.sendall(b"x")

    monkeypatch.setattr(module, "SECONDS", 0.5)
    with Scripted(drip) as server:
        assert health(f"http://127.0.0.1:{server.port}") == 1
        over.set()
    assert capsys.readouterr().err.endswith(": no answer within 0.5s\n")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://[fe80::1%25nope]:1", "http://no.invalid"])
def test_what_the_system_says_is_said_without_numbers(url: str, capsys: Out) -> None:
    assert health(url) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"goto: {url}/goto/health: ")
    assert not re.search(r"urlopen|Errno|\[", error.replace(url, ""))


def test_a_handshake_that_fails_is_told_in_the_words_of_openssl(goto: Callable[..., Goto], capsys: Out) -> None:
    assert health(f"https://127.0.0.1:{goto('health-plain').port}") == 1
    assert re.search(r": (wrong version number|record layer failure)\n$", capsys.readouterr().err)


@pytest.mark.parametrize("url", ["ftp://localhost", "http://", "", "http://a b", "http://::1:8080"])
def test_what_is_no_url(url: str, capsys: Out) -> None:
    assert health(url) == 2
    assert capsys.readouterr().err.startswith("goto: ")
