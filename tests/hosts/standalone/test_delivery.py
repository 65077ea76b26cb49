"""The body of an upstream's answer on its way to a client."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.client import Client, get
from support.goto_process import Goto
from support.scripted import Scripted, read_head
from support.site import Site
from support.upstream import Reply, Upstream

MB = 1 << 20


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("outlet")


@pytest.fixture(scope="module", params=["at once", "in a task"])
def site(process: Goto, request: pytest.FixtureRequest) -> Site:
    """Both ways an exchange may go on the host."""
    made = Site(process)
    if request.param == "in a task":
        made.api("PUT", "/request/timeout/track/all")
    return made


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=3000), max_size=6), st.booleans())
def test_bodies_arrive_as_they_are(site: Site, upstream: Upstream, pieces: list[bytes], whole: bool) -> None:
    body = b"".join(pieces)
    upstream.on("/b", Reply(body=body if whole else pieces))
    site.target(upstream.port, "/b")
    with site.client() as client:
        for _ in range(2):
            client.send(get("/b"))
            answer = client.answer()
            assert answer.body == body
            assert (answer.value("content-length"), answer.value("transfer-encoding")) == (
                (str(len(body)), None) if whole else (None, "chunked")
            )


def test_a_client_of_http_1_0_gets_no_chunks(site: Site, upstream: Upstream) -> None:
    upstream.on("/b", Reply(body=[b"hel", b"lo"]))
    site.target(upstream.port, "/b")
    for kept in (b"", b"Connection: keep-alive\r\n"):
        with site.client() as client:
            for _ in range(3):  # so that it is surely idle
                client.send(get("/status/202"))
                assert client.answer().status == 202
            client.send(b"GET /b HTTP/1.0\r\n" + kept + b"\r\n")
            _, _, fields = client.head()
            named = {name.lower(): value for name, value in fields}
            assert "transfer-encoding" not in named
            assert named["connection"] == "close"
            assert client.rest() == b"hello"


def test_each_piece_goes_on_as_it_comes(site: Site) -> None:
    go = threading.Event()

    def behave(connection: object) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nfirst")
        go.wait(20)
        connection.sendall(b"second")

    with Scripted(behave) as server, site.client() as client:
        site.target(server.port, "/b")
        client.send(get("/b"))
        assert client.head()[0] == 200
        assert client.stream.read(10) == b"5\r\nfirst\r\n"
        go.set()
        assert client.stream.read(16) == b"6\r\nsecond\r\n0\r\n\r\n"


def test_a_slow_reader_gets_every_byte(site: Site) -> None:
    body = bytes(range(256)) * (64 * 1024)

    def behave(connection: object) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with Scripted(behave) as server, Client(site.port, small=True) as client:
        site.target(server.port, "/b")
        client.send(get("/b"))
        assert client.head()[0] == 200
        got = b""
        while len(got) < len(body):
            got += client.stream.read(min(MB, len(body) - len(got)))
            threading.Event().wait(0.005)
        assert got == body
        client.send(get("/label"))
        assert client.answer().status == 200
