"""The plain connection of management calls."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest
from support.goto_process import Goto
from support.ports import free_port
from support.scripted import Scripted, answering, read_head
from support.waiting import eventually

from goto.testing import asking
from goto.testing.asking import Ask, Connection, Place
from goto.testing.failures import NotReached

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "base"),
    [
        ("http://a", "a", 80, "a", ""),
        ("a:81", "a", 81, "a:81", ""),
        ("https://A.b./x/", "a.b.", 443, "a.b.", "/x"),
        ("http://[fe80::1%25eth0]:8080", "fe80::1%eth0", 8080, "[fe80::1]:8080", ""),
        ("http://localhost.:80", "localhost", 80, "localhost.", ""),
    ],
)
def test_where_an_instance_is(url: str, host: str, port: int, authority: str, base: str):
    place = Place(url)
    assert (place.host, place.port, place.authority, place.base) == (host, port, authority, base)


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:0", "http://a b"])
def test_what_is_no_url(url: str):
    with pytest.raises(ValueError, match=r"."):
        Place(url)


def test_calls_go_over_one_kept_connection():
    def behave(client: socket.socket) -> None:
        while read_head(client):
            client.sendall(OK)

    with Scripted(behave) as server, Connection(f"http://127.0.0.1:{server.port}") as connection:
        assert [connection.ask(Ask("POST", "/")).status for _ in range(3)] == [200, 200, 200]
        assert server.connections == 1


def test_a_kept_connection_that_has_ended_is_not_used_again():
    with Scripted(answering(OK)) as server, Connection(f"http://127.0.0.1:{server.port}") as connection:
        for number in range(3):
            assert connection.ask(Ask("POST", "/")).text == "ok"
            eventually(lambda: server.ended, lambda ended, wanted=number + 1: ended == wanted)
        assert server.connections == 3


def test_a_kept_connection_that_ends_below_a_call():
    def behave(client: socket.socket) -> None:
        read_head(client)
        client.sendall(OK)
        read_head(client)  # and leaves

    with Scripted(behave) as server, Connection(f"http://127.0.0.1:{server.port}") as connection:
        assert [connection.ask(Ask("GET", "/")).text for _ in range(3)] == ["ok"] * 3
        with pytest.raises(NotReached, match="closed without an answer"):
            connection.ask(Ask("POST", "/"))  # it may have been carried out


def test_calls_at_the_same_time_have_connections_of_their_own():
    both = threading.Barrier(2, timeout=20)

    def behave(client: socket.socket) -> None:
        read_head(client)
        both.wait()
        client.sendall(OK)

    with Scripted(behave) as server, Connection(f"http://127.0.0.1:{server.port}") as connection:
        other = threading.Thread(target=lambda: connection.ask(Ask("GET", "/")))
        other.start()
        assert connection.ask(Ask("GET", "/")).text == "ok"
        other.join()


def test_nobody_there():
    port = free_port()
    with pytest.raises(NotReached, match=f"^http://127.0.0.1:{port}: Connection refused$"):
        Connection(f"http://127.0.0.1:{port}").ask(Ask("GET", "/"))


def test_what_does_not_answer_in_http():
    with Scripted(answering(b"SSH-2.0\r\n\r\n")) as server, pytest.raises(NotReached, match="did not answer in HTTP"):
        Connection(f"http://127.0.0.1:{server.port}").ask(Ask("GET", "/"))


def test_an_answer_that_does_not_come(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asking, "SECONDS", 0.1)
    gone = threading.Event()
    with Scripted(answering(b"", wait=gone)) as server:
        with pytest.raises(NotReached, match=r"no answer within 0\.2s"):
            Connection(f"http://127.0.0.1:{server.port}").ask(Ask("GET", "/", seconds=0.1))
        gone.set()


def test_over_https_the_certificate_of_this_machine_is_not_checked(goto: Callable[..., Goto]):
    pytest.importorskip("trustme")
    process = goto("asking-tls", "--protocol", "https")
    with Connection(f"https://localhost:{process.port}") as connection:
        assert connection.ask(Ask("GET", "/goto/health")).status == 200
        assert connection.ask(Ask("GET", "/goto/health")).status == 200
