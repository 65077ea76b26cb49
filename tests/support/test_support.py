"""The helpers themselves: a helper that lies makes every test that uses it lie."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import pytest

from support import ROOT
from support.calls import call, raw
from support.nginx import Nginx
from support.ports import PORTS, free_port
from support.upstream import Reply, Upstream, held
from support.waiting import eventually


def test_free_ports_are_free_and_given_once():
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    assert all(12000 <= port < 30000 and port in PORTS for port in ports)
    with socket.socket() as taker:
        # as servers do: a connection that ended on it a minute ago does not matter
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(("127.0.0.1", ports[0]))


@pytest.mark.parametrize("worker", range(3))
def test_ports_are_apart_from_those_of_other_workers_and_not_the_seeds(worker: int):
    code = "import random; from support.ports import PORTS, free_port; random.seed(0); print(PORTS, free_port(), free_port())"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    env |= {"PYTEST_XDIST_WORKER": f"gw{worker}", "PYTEST_XDIST_WORKER_COUNT": "3"}
    runs = [subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True) for _ in range(2)]
    (ports, *first), (_, *second) = (run.stdout.strip().rsplit(" ", 2) for run in runs)
    assert ports == f"range({12000 + worker}, 30000, 3)"
    assert {int(port) % 3 for port in first + second} == {worker}
    assert first != second


def test_eventually_gives_what_held_and_fails_with_what_did_not():
    values = iter([0, 0, 3])
    assert eventually(lambda: next(values)) == 3
    with pytest.raises(AssertionError, match="7"):
        eventually(lambda: 7, lambda value: value == 8, seconds=0)


def test_upstream_records_the_request_byte_for_byte(upstream: Upstream):
    answer = call(upstream.port, "POST", "/a//b%2Fc?k=v&k=w%20x&e", b"body", [("X-A", "1"), ("x-a", "2")])
    assert (answer.status, answer.reason, answer.body) == (200, "Fine", b"hello\n")
    (received,) = upstream.take(1)
    assert (received.method, received.target, received.body) == ("POST", "/a//b%2Fc?k=v&k=w%20x&e", b"body")
    assert received.path == "/a//b%2Fc"
    assert received.query == [("k", "v"), ("k", "w x"), ("e", "")]
    assert [pair for pair in received.headers if pair[0].lower() == "x-a"] == [("X-A", "1"), ("x-a", "2")]
    assert upstream.take() == []


def test_upstream_reads_and_writes_chunks(upstream: Upstream):
    upstream.on("/c", Reply(201, [b"one", b"two"], [("A", "b")]))
    request = (
        b"PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nT: t\r\n\r\n"
    )
    assert raw(upstream.port, request) == (
        b"HTTP/1.1 201 Fine\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    )
    assert upstream.take(1)[0].body == b"abcd"


def test_upstream_keeps_connections_and_counts_them(upstream: Upstream):
    request = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
    assert raw(upstream.port, request * 2, half_close=True).count(b"200 Fine") == 2
    assert raw(upstream.port, request, until=b"hello\n").endswith(b"hello\n")
    assert [received.connection for received in upstream.take(3)] == [1, 1, 2]
    assert upstream.connections == 2


def test_upstream_sees_a_sender_leave_while_it_holds_the_answer(upstream: Upstream):
    with held() as event:
        upstream.on("/slow", Reply(hold=event))
        with pytest.raises(TimeoutError):
            call(upstream.port, "GET", "/slow", timeout=0.05)
        (received,) = upstream.take(1)
        assert received.aborted.wait(20)


def test_upstream_answers_what_was_held_and_what_is_verbatim(upstream: Upstream):
    let_go = threading.Event()
    let_go.set()
    upstream.on("/slow", Reply(hold=let_go))
    upstream.on("/broken", Reply(verbatim=b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
    upstream.on("/dropped", lambda received: Reply(verbatim=b""))
    assert call(upstream.port, "GET", "/slow").status == 200
    assert raw(upstream.port, b"GET /broken HTTP/1.1\r\n\r\n").endswith(b"half")
    assert raw(upstream.port, b"GET /dropped HTTP/1.1\r\n\r\n") == b""


def test_nginx_serves(nginx):
    server: Nginx = nginx()
    (server.files / "big").write_bytes(b"x" * 1_000_000)
    assert call(server.port, "GET", "/").body == b"ok"
    assert len(call(server.port, "GET", "/files/big").body) == 1_000_000
    assert call(server.port, "GET", "/status/418").status == 418
    assert call(server.port, "GET", "/headers?a=1").values("set-cookie") == ["a=1", "b=2"]
    assert call(server.port, "POST", "/upload", b"y" * 3_000_000).body == b"ok"
    assert "GET /headers?a=1 HTTP/1.1" in eventually(lambda: server.requests, lambda lines: len(lines) >= 5)
