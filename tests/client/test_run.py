"""Runs against real servers: all requests go out, all are counted, a stop loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from support.nginx import Nginx
from support.ports import free_port
from support.scripted import Scripted, read_head
from support.upstream import Reply, Upstream
from support.waiting import eventually, until

from goto.client import replica
from goto.client.results import Results
from goto.client.run import Run
from goto.client.sent import Sent
from goto.client.target import ClientTarget
from goto.upstream.addresses import Addresses
from goto.upstream.pool import Pool

Target = Callable[..., ClientTarget]
Send = Callable[..., Results]


def codes(results: Results, name: str = "t") -> dict[str, int]:
    found: dict[str, int] = results.to_wire()["countsByTargetStatusCode"].get(name, {})
    return found


def test_every_request_is_sent_and_counted_once(send: Send, target: Target, nginx: Callable[..., Nginx]):
    server = nginx()
    results = send(target(url=f"{server.base}/a", replicas=32, requestCount=2000, sendId=True))
    assert codes(results) == {200: 64_000}
    wire = results.to_wire()
    assert wire["all"]["latency"]["raw"]["count"] == 64_000
    assert wire["all"]["bytesReceived"] == 128_000
    assert wire["all"]["errors"] == {}
    logged = eventually(lambda: server.requests, lambda there: len(there) >= 64_000)
    assert len(logged) == 64_000
    assert len({line.split()[1] for line in logged}) == 64_000, "an id was used twice"


def test_a_request_carries_what_the_target_says(send: Send, target: Target, upstream: Upstream):
    headers = [["foo", "bar"], ["foo", "baz"]]
    send(target(method="POST", url=f"{upstream.base}/p?a=1", headers=headers, body='{"k": 1}'))
    (received,) = upstream.take(1)
    assert (received.method, received.target, received.body) == ("POST", "/p?a=1", b'{"k": 1}')
    assert received.values("foo") == ["bar", "baz"]
    assert received.values("host") == [f"127.0.0.1:{upstream.port}"]


def test_a_long_body_arrives_whole(send: Send, target: Target, upstream: Upstream):
    body = "0123456789" * 100_000
    assert codes(send(target(method="PUT", url=upstream.base, body=body, replicas=3, requestCount=2))) == {200: 6}
    assert all(received.body == body.encode() for received in upstream.take(6))


def test_each_replica_keeps_one_connection(send: Send, target: Target, upstream: Upstream):
    send(target(url=upstream.base, replicas=3, requestCount=20))
    by_connection = Counter(received.connection for received in upstream.take(60))
    assert sorted(by_connection.values()) == [20, 20, 20]


@pytest.mark.parametrize("method", ["HEAD", "DELETE", "OPTIONS"])
def test_methods_and_bodiless_answers(send: Send, target: Target, upstream: Upstream, method: str):
    upstream.on("/", Reply(headers=[("X", "1")]))
    assert codes(send(target(method=method, url=upstream.base, replicas=2, requestCount=10))) == {200: 20}
    assert [received.method for received in upstream.take(20)] == [method] * 20
    assert upstream.connections == 2


@pytest.mark.parametrize(
    "reply",
    [
        Reply(204),
        Reply(304),
        Reply(302, headers=[("Location", "/elsewhere")]),
        Reply(503, reason="Gone fishing"),
        Reply(body=[b"a" * 100, b"b" * 100_000]),
        Reply(body=b"x" * 1_000_000),
    ],
)
def test_answers_of_all_kinds_are_results(send: Send, target: Target, upstream: Upstream, reply: Reply):
    upstream.on("/", reply)
    results = send(target(url=upstream.base, replicas=2, requestCount=5))
    assert results.to_wire()["countsByStatus"] == {f"{reply.status} {reply.reason}": 10}
    assert len(upstream.take(10)) == 10


def test_tracked_headers_are_counted(send: Send, target: Target, upstream: Upstream):
    upstream.on("/", Reply(headers=[("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("X-Other", "1")]))
    results = Results()
    results.tracked = {b"set-cookie": "set-cookie", b"missing": "missing"}
    wire = send(target(url=upstream.base, replicas=2, requestCount=5), results=results).to_wire()
    assert wire["countsByHeaders"] == {"set-cookie": 10}
    assert wire["countsByTargetHeaderValues"] == {"t": {"set-cookie": {"a=1": 10, "b=2": 10}}}


# ------------------------------------------------------------ what goes wrong
def test_a_dead_target_counts_every_request_and_does_not_spin(send: Send, target: Target):
    url = f"http://127.0.0.1:{free_port()}/"
    began = time.monotonic()
    wire = send(target(url=url, replicas=2, requestCount=50)).to_wire()
    assert wire["countsByStatusCodes"] == {0: 100}
    assert wire["countsByStatus"] == {f"cannot connect to {url[:-1]}: Connection refused": 100}
    assert wire["all"]["errors"] == {"connect": 100}
    assert wire["all"]["bytesSent"] == 0
    assert time.monotonic() - began > 40 * replica.LONGEST_PAUSE


def test_a_few_failures_do_not_slow_it_down(send: Send, target: Target):
    began = time.monotonic()
    send(target(url=f"http://127.0.0.1:{free_port()}/", requestCount=replica.PATIENT_FAILURES))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("verbatim", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", b"nonsense\r\n\r\n"])
def test_broken_answers_are_errors_and_the_next_request_goes_on(send: Send, target: Target, upstream: Upstream, verbatim: bytes):
    replies = iter([Reply(verbatim=verbatim), Reply(), Reply(verbatim=verbatim), Reply()])
    upstream.on("/", lambda _: next(replies))
    wire = send(target(method="POST", url=upstream.base, requestCount=4)).to_wire()
    assert wire["countsByStatusCodes"] == {0: 2, 200: 2}
    assert wire["all"]["errors"] == {"broken": 2}
    assert len(upstream.take(4)) == 4, "a POST was sent twice"


def test_a_server_that_ends_each_connection(send: Send, target: Target, upstream: Upstream):
    upstream.on("/said", Reply(headers=[("Connection", "close")], close=True))
    assert codes(send(target(url=f"{upstream.base}/said", replicas=4, requestCount=25))) == {200: 100}
    assert len(upstream.take(100)) == 100
    assert upstream.connections == 100


def test_a_server_that_ends_connections_unannounced(send: Send, target: Target, upstream: Upstream):
    """A GET may be sent again then, and is; so every request has its answer, however the race ends."""
    upstream.on("/", Reply(close=True))
    assert codes(send(target(url=upstream.base, replicas=4, requestCount=25))) == {200: 100}
    assert upstream.connections >= 100


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", free_port())) as server:
        yield server.getsockname()[1]


def test_a_slow_server_is_an_error_after_the_timeout(send: Send, target: Target, silent: int):
    wire = send(target(url=f"http://127.0.0.1:{silent}/", requestTimeout="100ms", replicas=3, requestCount=2)).to_wire()
    assert wire["countsByStatus"] == {"no answer within 100ms": 6}
    assert wire["all"]["errors"] == {"timeout": 6}


def test_connecting_has_a_timeout_of_its_own(send: Send, target: Target):
    with socket.create_server(("127.0.0.1", free_port()), backlog=0) as server:
        port = server.getsockname()[1]
        with contextlib.ExitStack() as full:
            # Linux drops what comes when the backlog is full, so that connecting hangs
            for _ in range(3):
                filler = full.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
            time.sleep(0.1)
            wire = send(target(url=f"http://127.0.0.1:{port}/", connTimeout="150ms")).to_wire()
    assert wire["countsByStatus"] == {f"cannot connect to http://127.0.0.1:{port} within 150ms": 1}
    assert wire["all"]["errors"] == {"connectTimeout": 1}


def test_a_connection_idle_for_too_long_is_not_used_again(send: Send, target: Target, upstream: Upstream):
    send(target(url=upstream.base, requestCount=3, delay="60ms", connIdleTimeout="30ms"))
    assert upstream.connections == 3
    send(target(url=upstream.base, requestCount=3, delay="60ms", connIdleTimeout="10s"))
    assert upstream.connections == 4


def test_switching_protocols_unasked_is_an_error(send: Send, target: Target, upstream: Upstream):
    upstream.on("/", Reply(verbatim=b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nrest"))
    assert send(target(url=upstream.base, requestCount=2)).to_wire()["all"]["errors"] == {"broken": 2}


# ------------------------------------------------------------ stopping
def test_a_stop_loses_nothing(send: Send, target: Target, nginx: Callable[..., Nginx]):
    server, results = nginx(), Results()

    async def during(run: Run) -> None:
        await until(lambda: codes(results).get(200, 0) > 100)
        run.stop()

    send(target(url=server.base, replicas=16, requestCount=10**9), results=results, during=during)
    counted = codes(results)[200]
    eventually(lambda: len(server.requests), lambda logged: logged >= counted)
    server.stop()
    assert len(server.requests) == counted


def test_one_target_is_stopped_and_the_others_go_on(send: Send, target: Target, upstream: Upstream):
    async def during(run: Run) -> None:
        await until(lambda: codes(results, "long") and codes(results, "short"))
        assert run.names == {"long", "short"}
        run.stop(["long"])
        assert run.names == {"short"}

    long = target(name="long", url=f"{upstream.base}/long", requestCount=1000, delay="1h")
    short = target(name="short", url=f"{upstream.base}/short", requestCount=5, delay="20ms")
    results = Results()
    # that it ends shows that the round does not wait for the one that was stopped
    send(long, short, results=results, during=during)
    assert codes(results, "short") == {200: 5}
    assert codes(results, "long") == {200: 1}


def test_of_a_stop_nothing_that_was_sent_is_forgotten(send: Send, target: Target, monkeypatch: pytest.MonkeyPatch):
    """Of two connections that are closed and cannot be made anew, one has to send again what it sent, and one what is next."""
    opened, order = 0, Addresses.order

    async def twice(addresses: Addresses) -> list[str]:
        nonlocal opened
        opened += 1
        if opened > 2:
            await asyncio.Event().wait()
        return await order(addresses)

    def answers_once(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        if b"POST" not in read_head(connection):
            return  # of what is sent again
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    monkeypatch.setattr(Addresses, "order", twice)
    seen: list[Sent] = []

    async def during(run: Run) -> None:
        seen.extend(run.sent.values())
        await until(lambda: opened == 4)
        run.stop()

    with Scripted(answers_once) as server:
        targets = [
            target(name=method, method=method, url=f"http://127.0.0.1:{server.port}/", requestCount=9, reconcile=True)
            for method in ("GET", "POST")
        ]
        wire = send(*targets, during=during).to_wire()
    assert wire["countsByTargetStatus"]["GET"] == {"200 OK": 1, "stopped before it was sent again": 1}
    assert wire["countsByTargetStatus"]["POST"] == {"200 OK": 2}
    assert [(sent.requests, sent.answers, sent.failures, list(sent.tries[:3])) for sent in seen] == [
        (2, 1, 1, [1, 2, 0]),
        (2, 2, 0, [1, 1, 0]),
    ]


def test_clearing_in_between_breaks_nothing(send: Send, target: Target, nginx: Callable[..., Nginx]):
    server, results, cleared = nginx(), Results(), 0

    async def during(_: Run) -> None:
        nonlocal cleared
        while not cleared:
            await asyncio.sleep(0)
            cleared = codes(results).get(200, 0)
        results.clear()

    send(target(url=server.base, replicas=4, requestCount=3000), results=results, during=during)
    assert codes(results) == {200: 12_000 - cleared}
    assert len(eventually(lambda: server.requests, lambda there: len(there) >= 12_000)) == 12_000


def test_two_runs_of_one_target_add_up(send: Send, target: Target, upstream: Upstream):
    results = Results()
    one = target(url=upstream.base, requestCount=20, replicas=2)

    async def during(_: Run) -> None:
        second = Run([one], results, Pool())
        second.start()
        await second.done

    send(one, results=results, during=during)
    assert codes(results) == {200: 80}


@pytest.mark.parametrize(("addresses", "share"), [("all", [3, 3]), ("first", [6, 0])])
def test_connections_go_round_the_addresses_of_a_name(
    send: Send, target: Target, monkeypatch: pytest.MonkeyPatch, addresses: str, share: list[int]
):
    async def both(*_: object) -> list[str]:
        return ["127.0.0.1", "127.0.0.2"]

    monkeypatch.setattr("goto.upstream.addresses.look_up", both)
    with Scripted(answers) as first, Scripted(answers, host="127.0.0.2", port=first.port) as second:
        url = f"http://two.test:{first.port}/"
        results = send(target(url=url, replicas=6, requestCount=2, addresses=addresses))
        assert codes(results) == {200: 12}
        assert [first.connections, second.connections] == share


def answers(connection: socket.socket) -> None:
    while read_head(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def test_https_is_verified_unless_told_otherwise(send: Send, target: Target, upstream: Upstream):
    wire = send(target(url=f"https://127.0.0.1:{upstream.port}/", requestTimeout="1s", connTimeout="1s")).to_wire()
    assert wire["countsByStatusCodes"] == {0: 1}


def test_no_targets_are_done_at_once(send: Send):
    assert send().to_wire()["all"]["requests"] == 0


def test_others_have_their_turn_meanwhile(send: Send, target: Target, nginx: Callable[..., Nginx]):
    """A run does not starve its loop."""
    server, turns = nginx(), 0

    async def during(run: Run) -> None:
        nonlocal turns
        while not run.done.done():
            await asyncio.sleep(0)
            turns += 1

    send(target(url=server.base, replicas=32, requestCount=500), during=during)
    # no more than an answer of each replica lies between two of them
    assert turns >= 400
