"""Bodies that come: `Expect`, trailers, bodies that stand still, and a FIN right behind a request."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from support.calls import Answer
from support.client import Client, get
from support.goto_process import Goto
from support.ports import free_port
from support.scripted import Scripted, read_head
from support.site import Site
from support.upstream import Upstream
from support.waiting import PATIENCE

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BODY = b"hello"


@pytest.fixture
def site(process: Goto) -> Site:
    return Site(process)


def expecting(target: str, *fields: str, method: str = "PUT") -> bytes:
    return get(target, "Expect: 100-continue", "Content-Length: 5", *fields, method=method)


def told(client: Client) -> tuple[list[int], Answer]:
    """The statuses up to the final one, and that answer. The body is sent when the client is told to go on."""
    statuses = []
    while True:
        answer = client.answer()
        statuses.append(answer.status)
        if answer.status != 100:
            return statuses, answer
        client.send(BODY)


def over(client: Client) -> bytes:
    """What comes up to the FIN; a reset fails."""
    rest = b""
    while data := client.stream.read1(65536):
        rest += data
    return rest


# ---------------------------------------------------------------- Expect: 100-continue
@contextlib.contextmanager
def deciding(decide: Callable[[socket.socket, bytes], None]) -> Iterator[tuple[Scripted, queue.Queue[bytes]]]:
    """An upstream that gets a head, and decides."""
    heads: queue.Queue[bytes] = queue.Queue()

    def behave(connection: socket.socket) -> None:
        while head := read_head(connection):
            heads.put(head)
            decide(connection, head)

    with Scripted(behave) as server:
        yield server, heads


def read_body(connection: socket.socket, head: bytes) -> None:
    got = head.partition(b"\r\n\r\n")[2]
    while len(got) < len(BODY):
        got += connection.recv(100)
    connection.sendall(OK)


def test_an_upstream_that_refuses_by_the_head_gets_no_body(site: Site) -> None:
    def decide(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")

    with deciding(decide) as (server, heads):
        site.target(server.port)
        with site.client() as client:
            client.send(expecting("/"))
            told_of, answer = told(client)
            assert (told_of, answer.value("connection")) == ([401], "close")
            assert over(client) == b""
        assert b"Expect: 100-continue\r\n" in heads.get(timeout=PATIENCE)
        assert heads.empty()


def test_an_upstream_that_welcomes_it_is_what_the_client_hears(site: Site) -> None:
    asked = threading.Event()

    def decide(connection: socket.socket, head: bytes) -> None:
        assert head.endswith(b"\r\n\r\n")
        assert asked.wait(PATIENCE)
        connection.sendall(CONTINUE)
        read_body(connection, b"")

    with deciding(decide) as (server, _):
        site.target(server.port)
        with site.client() as client:
            client.send(expecting("/"))
            client.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.socket.recv(1)
            client.socket.settimeout(PATIENCE)
            client.stream = client.socket.makefile("rb")
            asked.set()
            assert told(client)[0] == [100, 200]
            client.send(get("/status/202"))


def test_behind_a_second_of_silence_goto_says_it_once(site: Site) -> None:
    def decide(connection: socket.socket, head: bytes) -> None:
        body = connection.recv(100)  # it says nothing until the body is here, and then too late
        connection.sendall(CONTINUE)
        read_body(connection, b"\r\n\r\n" + body)

    with deciding(decide) as (server, _):
        site.target(server.port)
        with site.client() as client:
            began = time.monotonic()
            client.send(expecting("/"))
            assert told(client)[0] == [100, 200]
            assert time.monotonic() - began >= 0.9


@pytest.mark.parametrize("framing", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_who_does_not_wait_is_not_told(site: Site, framing: str) -> None:
    body = BODY if "Length" in framing else b"5\r\nhello\r\n0\r\n\r\n"
    with deciding(lambda connection, head: connection.sendall(CONTINUE + OK)) as (server, _):
        for path in ("/up", "/echo", "/label"):
            site.target(server.port, "/up")
            with site.client() as client:
                client.send(get(path, "Expect: 100-continue", framing, method="PUT") + body)
                assert 100 not in told(client)[0]


def test_one_target_of_several_is_read_first(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, "/two", replicas=2)
    with site.client() as client:
        client.send(expecting("/two"))
        assert told(client)[0] == [100, 208]
    assert [("expect" in [name.lower() for name, _ in one.headers], one.body) for one in upstream.take(2)] == [(False, BODY)] * 2


@pytest.mark.parametrize(
    ("path", "before", "statuses"),
    [
        ("/x", None, [100, 200]),
        ("/echo", None, [100, 200]),
        ("/label/set/edges", None, [100, 200]),
        ("/listeners/add", None, [100, 400]),
        ("/status/201", None, [201]),
        ("/status/503", None, [503]),
        ("/x", "/response/status/set/503", [503]),
        ("/echo", "/response/status/set/302", [302]),
        ("/x", "/response/status/set/299", [100, 299]),
        ("/live", "/request/uri/bypass/add?uri=/live", [200]),
        ("/a#", None, [400]),
        ("/websocket", None, [501]),
    ],
)
def test_it_goes_by_who_wants_the_body(site: Site, path: str, before: str | None, statuses: list[int]) -> None:
    if before:
        site.api("PUT", before)
    more = ["Connection: Upgrade", "Upgrade: websocket"] if path == "/websocket" else []
    with site.client() as client:
        client.send(expecting(path, *more, method="POST"))
        told_of, answer = told(client)
        assert told_of == statuses
        if 100 in statuses:
            client.send(get("/status/202"))
            assert client.answer().status in (202, statuses[-1])
        else:
            assert answer.value("connection") == "close"
            assert over(client) == b""
            if answer.text.startswith("{"):
                assert answer.json()["RequestBody"] == ""


def test_a_call_without_the_right_token_gets_its_answer_at_once() -> None:
    with Goto("token", "--admin-token", "secret" * 4) as process, Client(process.port) as client:
        client.send(expecting("/listeners/add", method="POST"))
        assert told(client)[0] == [401]
        assert over(client) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"PUT /up HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        b"PUT /up HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\n",
        b"PUT /up HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        b"GET /up HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n",
    ],
)
def test_where_it_means_nothing_it_is_ignored_and_not_passed_on(site: Site, upstream: Upstream, head: bytes) -> None:
    site.target(upstream.port, "/up")
    with site.client() as client:
        client.send(head)
        client.socket.settimeout(1.5)
        if b"Length: 5" in head:
            with pytest.raises(TimeoutError):
                client.socket.recv(1)
            client.send(BODY)
        client.socket.settimeout(PATIENCE)
        client.stream = client.socket.makefile("rb")
        assert client.answer().status == 200
    (seen,) = upstream.take(1)
    assert "expect" not in [name.lower() for name, _ in seen.headers]


# ---------------------------------------------------------------- trailers of requests
CHUNKS = b"5\r\nhello\r\n0\r\n"
TRAILERS = b"X-Sum: 42\r\nContent-Length: 7\r\nHost: evil\r\nX-Named: 1\r\nGoto-Hops: 1\r\nx-sum: 43\r\n\r\n"


def unchunked(body: bytes) -> tuple[bytes, bytes]:
    """What the chunks hold, wherever they were cut anew on their way, and the trailers behind them."""
    held = b""
    while (size := int((line := body.split(b"\r\n", 1))[0], 16)) != 0:
        held, body = held + line[1][:size], line[1][size + 2 :]
    return held, line[1]


@pytest.mark.parametrize("apart", [False, True])
def test_trailers_pass_to_one_upstream(site: Site, apart: bool) -> None:
    seen: queue.Queue[bytes] = queue.Queue()

    def behave(connection: socket.socket) -> None:
        got = b""
        while not got.endswith(b"\r\n0\r\n\r\n") and b"x-sum: 43\r\n\r\n" not in got:
            got += connection.recv(65536)
        seen.put(got)
        connection.sendall(OK)

    with Scripted(behave) as server:
        site.target(server.port)
        head = get("/", "Transfer-Encoding: chunked", "Trailer: X-Sum, Host, X-Named", "Connection: X-Named", method="POST")
        with site.client() as client:
            if apart:
                client.send(head)
                client.send(CHUNKS[:7])
                client.send(CHUNKS[7:] + TRAILERS[:4])
                client.send(TRAILERS[4:])
            else:
                client.send(head + CHUNKS + TRAILERS)
            assert client.answer().status == 200
        head, _, body = seen.get(timeout=PATIENCE).partition(b"\r\n\r\n")
        assert b"\r\nTrailer: X-Sum\r\n" in head + b"\r\n"
        assert b"X-Sum: 42" not in head
        assert unchunked(body) == (b"hello", b"X-Sum: 42\r\nx-sum: 43\r\n\r\n")


def test_in_all_other_cases_they_are_dropped(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, "/two", replicas=2)
    data = get("/two", "Transfer-Encoding: chunked", "Trailer: X-Sum", method="POST") + CHUNKS + TRAILERS
    with site.client() as client:
        client.send(data + data.replace(b"/two", b"/echo") + data.replace(b"/two", b"/status/201"))
        assert client.answer().status == 208
        shown = client.answer()
        assert shown.json()["RequestBody"] == "hello"
        assert '"X-Sum"' not in shown.text.replace('["X-Sum"]', "")
        assert client.answer().status == 201
    for one in upstream.take(2):
        assert one.body == b"hello"
        assert not {"trailer", "x-sum"} & {name.lower() for name, _ in one.headers}


@pytest.mark.parametrize("trailer", [b"X : 1\r\n\r\n", b" X: 1\r\n\r\n", b"X\r\n\r\n", b"X: 1\n\r\n\r\n", b"X: " + b"y" * 70000])
def test_malformed_trailers_are_400(site: Site, upstream: Upstream, trailer: bytes) -> None:
    site.target(upstream.port, "/up")
    for path in ("/up", "/echo"):
        with site.client() as client:
            client.send(get(path, "Transfer-Encoding: chunked", "Accept: application/json", method="POST") + CHUNKS + trailer)
            answer = client.answer()
            assert (answer.status, answer.text[:12], answer.value("vary")) == (400, "goto: body: ", None)
            assert over(client) == b""
    upstream.reset()


# ---------------------------------------------------------------- bodyTime
@pytest.fixture(scope="module")
def impatient() -> Iterator[Goto]:
    with Goto("impatient", "--limit", "bodyTime=300ms") as process:
        yield process


STILL = b"408 Request Timeout\r\n"


@pytest.mark.parametrize("path", ["/x", "/one", "/two", "/listeners/add", "/goto/config"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_stands_still_is_408(impatient: Goto, upstream: Upstream, path: str, chunked: bool) -> None:
    site = Site(impatient)
    site.target(upstream.port, "/one")
    site.target(upstream.port, "/two", replicas=2)
    site.api("PUT", "/request/timeout/track/all")
    framing, part = ("Transfer-Encoding: chunked", b"5\r\nhel") if chunked else ("Content-Length: 5", b"hel")
    with site.client() as client:
        client.send(get(path, framing, method="POST") + part)
        answer = client.answer()
        assert (answer.status, answer.text.rstrip("\n")) == (408, "goto: the body stood still for 300ms")
        assert answer.value("connection") == "close"
        client.send(b"lo" * 100_000)
        assert over(client) == b""
    assert [one.body for one in upstream.received if one.body == b"hello"] == []
    upstream.reset()
    if path in ("/x", "/one", "/two"):
        assert site.reported == {"408": 1}
        site.ended(completed=1)
    else:
        assert site.reported == {}


def test_a_body_that_moves_is_never_cut(impatient: Goto, upstream: Upstream) -> None:
    site = Site(impatient)
    site.target(upstream.port, "/one")
    for path in ("/x", "/one"):
        with site.client() as client:
            client.send(get(path, "Content-Length: 10", method="POST"))
            for _ in range(10):
                threading.Event().wait(0.1)
                client.send(b"x")
            assert client.answer().status == 200
    upstream.take(1)


def test_an_upstream_that_takes_nothing_is_not_the_clients_fault(impatient: Goto) -> None:
    site = Site(impatient)
    late = threading.Event()

    def behave(connection: socket.socket) -> None:
        head = read_head(connection)
        late.wait(PATIENCE)
        left = 30_000_000 - len(head.partition(b"\r\n\r\n")[2])
        while left > 0:
            left -= len(connection.recv(1 << 20))
        connection.sendall(OK)

    with Scripted(behave) as server:
        site.target(server.port)
        with site.client() as client:
            timer = threading.Timer(1.0, late.set)
            timer.start()
            client.send(get("/", "Content-Length: 30000000", method="POST") + b"x" * 30_000_000)
            assert client.answer().status == 200
            timer.join()


def test_behind_the_answer_of_who_does_not_want_it_there_is_no_such_limit(impatient: Goto) -> None:
    with Site(impatient).client() as client:
        client.send(get("/status/201", "Content-Length: 5", method="POST") + b"hel")
        assert client.answer().status == 201
        client.socket.settimeout(0.8)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
        client.socket.settimeout(PATIENCE)
        client.stream = client.socket.makefile("rb")
        client.send(b"lo" + get("/status/202"))
        assert client.answer().status == 202


def test_nobody_waits_for_a_body_behind_an_early_answer(impatient: Goto) -> None:
    site = Site(impatient)
    late = threading.Event()

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        late.wait(PATIENCE)
        connection.sendall(b"0\r\n\r\n")

    with Scripted(behave) as server:
        site.target(server.port, "/up")
        with site.client() as client:
            client.send(get("/up", "Content-Length: 5", method="POST") + b"hel")
            timer = threading.Timer(0.8, late.set)
            timer.start()
            answer = client.answer()
            assert (answer.status, answer.body) == (200, b"x")
            timer.join()
            client.send(b"lo" + get("/status/202"))
            assert client.answer().status == 202


def test_the_time_counts_from_the_100_on(impatient: Goto) -> None:
    with Site(impatient).client() as client:
        client.send(expecting("/x"))
        assert client.answer().status == 100
        assert client.answer().status == 408
        assert over(client) == b""


# ---------------------------------------------------------------- a FIN right behind a request


MANY = 200


def send_all(client: Client, data: bytes) -> None:
    client.send(data)
    client.socket.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_own_answers_are_whole_behind_a_fin(site: Site, tracked: bool, apart: bool) -> None:
    if tracked:
        site.api("PUT", "/request/timeout/track/all")
    body = b"x" * 700_000
    asked = [
        get("/echo", method="POST", body=body),
        get("/x", "Transfer-Encoding: chunked", method="POST") + CHUNKS + b"\r\n",
        get("/label"),
    ]
    for _ in range(3):
        with site.client(small=True) as client:
            data = b"".join(asked) + get("/status/201") * MANY + get("/echo", method="POST", body=body)
            sender = threading.Thread(target=send_all, args=(client, data))
            sender.start()
            if apart:
                sender.join(0.2)
            assert json.loads(client.answer().body)["RequestBody"] == body.decode()
            assert client.answer().json()["RequestBody"] == "hello"
            assert client.answer().status == 200
            assert [client.answer().status for _ in range(MANY)] == [201] * MANY
            assert len(client.answer().body) > len(body)
            assert over(client) == b""
            sender.join()
    if tracked:
        site.ended(completed=3 * (MANY + 3))


def test_every_time(site: Site) -> None:
    site.api("PUT", "/request/timeout/track/all")
    for number in range(100):
        with site.client() as client:
            client.send(get("/status/201") + get("/x", method="POST", body=BODY))
            client.socket.shutdown(socket.SHUT_WR)
            assert [client.answer().status for _ in range(2)] == [201, 200], number
            assert over(client) == b""
    site.ended(completed=200)


def test_whoever_waits_for_an_answer_has_left(site: Site) -> None:
    site.api("PUT", "/request/timeout/track/all")
    site.api("PUT", "/response/delay/set/30s")
    with site.client() as client:
        client.send(get("/x"))
        client.socket.shutdown(socket.SHUT_WR)
        assert over(client) == b""
    site.ended(closed=1)


def test_a_request_that_did_not_come_whole_is_left(site: Site) -> None:
    site.api("PUT", "/request/timeout/track/all")
    with site.client() as client:
        client.send(get("/status/201") + get("/x", "Content-Length: 5", method="POST") + b"hel")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.answer().status == 201
        assert over(client) == b""
    site.ended(closed=1, completed=1)


def test_over_https_too(process: Goto, https_port: int, authority: object) -> None:
    """A close_notify and a FIN in one segment with the requests."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for _ in range(20):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing)
        with socket.create_connection(("127.0.0.1", https_port), timeout=PATIENCE) as bare:
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    bare.sendall(outgoing.read())
                    incoming.write(bare.recv(65536))
            tls.write(get("/status/201") * MANY + get("/label"))
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.unwrap()
            bare.sendall(outgoing.read())
            bare.shutdown(socket.SHUT_WR)
            while data := bare.recv(65536):
                incoming.write(data)
        got = b""
        with contextlib.suppress(ssl.SSLError):
            while piece := tls.read(65536):
                got += piece
        assert got.count(b"HTTP/1.1 201 Created") == MANY
        assert got.count(b"HTTP/1.1 200 OK") == 1


def test_the_port_is_free_again(process: Goto) -> None:
    """Closing a listener does not wait for clients that were refused and stay."""
    port = free_port()
    process.api("POST", "/listeners/add", {"port": port})
    process.api("PUT", f"/listeners/{port}/open")
    with Client(port) as client:
        client.send(b"GET /# HTTP/1.1\r\nHost: h\r\n\r\n")
        assert client.answer().status == 400
        process.api("PUT", f"/listeners/{port}/close")
        process.api("PUT", f"/listeners/{port}/open")
        with Client(port) as other:
            other.send(get("/status/201"))
            assert other.answer().status == 201
