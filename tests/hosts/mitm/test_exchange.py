"""Exchanges on the mitmproxy host: what it carries itself, what it answers, and what a client is told when something fails."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.client import Client, get
from support.goto_process import Goto
from support.mitm_process import Mitmdump
from support.nginx import Nginx
from support.ports import free_port
from support.resources import forget_peak, peak
from support.scrape import scraped
from support.scripted import Scripted, answering, read_head
from support.site import Site
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, eventually

from goto.hosts.mitm.client import IDLE_SECONDS
from goto.hosts.mitm.private import LINGER_SECONDS

MEGABYTE = 1 << 20

FEATURE = """
from goto.feature import Feature


class Faulty(Feature):
    def request(self, flow):
        if flow.request.headers.get("break") == "request":
            raise RuntimeError("request hook")

    async def response(self, flow):
        if flow.request.headers.get("break") == "response":
            raise RuntimeError("response hook")
"""


@pytest.fixture(scope="module")
def behind() -> Iterator[Upstream]:
    """What stands behind mitmproxy: where unrouted flows go."""
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def process(behind: Upstream) -> Iterator[Mitmdump]:
    with Mitmdump(f"reverse:{behind.base}") as mitmdump:
        yield mitmdump


@pytest.fixture
def site(process: Goto, behind: Upstream) -> Iterator[Site]:
    behind.reset()
    site = Site(process)
    site.api("PUT", "/request/timeout/track/all")
    yield site
    site.goto.api("POST", f"/listeners/{site.port}/remove")


# ---------------------------------------------------------------- what it carries
def test_unrouted_flows_go_to_mitmproxys_own_upstream(site: Site, behind: Upstream) -> None:
    answer = site.call("POST", "/a%2Fb//c?q=%20", b"body", [("X", "1"), ("x", "2")])
    assert (answer.status, answer.text) == (200, "hello\n")
    assert answer.value("via-goto") == str(site.port)
    (received,) = behind.take(1)
    assert (received.method, received.target, received.body) == ("POST", "/a%2Fb//c?q=%20", b"body")
    assert (received.values("x"), received.values("host")) == (["1", "2"], [f"127.0.0.1:{behind.port}"])


def test_an_absolute_form_goes_on_in_origin_form(site: Site, behind: Upstream, upstream: Upstream) -> None:
    assert site.raw(get("http://other.test/x?y", "Connection: close")).startswith(b"HTTP/1.1 200 ")
    (received,) = behind.take(1)
    assert (received.target, received.values("host")) == ("/x?y", [f"127.0.0.1:{behind.port}"])
    site.target(upstream.port, match={"headers": [["Host", "other.test"]]})
    site.raw(get("http://other.test/x?y", "Connection: close"))
    assert upstream.take(1)[0].target == "/x?y"


def test_an_upgrade_but_to_websocket_is_ignored_and_not_forwarded(site: Site, behind: Upstream, upstream: Upstream) -> None:
    site.target(upstream.port, "/t")
    for path, server in (("/u", behind), ("/t", upstream)):
        answer = site.call(
            "GET", path, headers={"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AA"}
        )
        assert answer.status == 200
        (received,) = server.take(1)
        assert (received.values("upgrade"), received.values("connection"), received.values("http2-settings")) == ([], [], [])


def test_a_target_gets_the_request_and_the_client_its_answer(site: Site, upstream: Upstream) -> None:
    packed = gzip.compress(b"zip" * 1000)
    fields = [
        ("Content-Encoding", "gzip"),
        ("A", "1"),
        ("a", "2"),
        ("Connection", "X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=1"),
    ]
    upstream.on("/x", Reply(218, packed, fields, "This is fine"))
    site.target(upstream.port)
    answer = site.call(
        "PUT", "/x", b"body", [("B", "1"), ("b", "2"), ("Connection", "close, X-Mine"), ("X-Mine", "1"), ("TE", "trailers")]
    )
    assert (answer.status, answer.reason, answer.body) == (218, "This is fine", packed)
    assert (answer.values("a"), answer.values("x-hop"), answer.values("keep-alive")) == (["1", "2"], [], [])
    (received,) = upstream.take(1)
    assert (received.body, received.values("b"), received.values("x-mine"), received.values("te")) == (
        b"body",
        ["1", "2"],
        [],
        [],
    )
    site.ended(completed=1)


def test_a_connection_is_kept_though_the_upstreams_is_not(site: Site, upstream: Upstream) -> None:
    upstream.on("/close", Reply(headers=[("Connection", "close")], close=True))
    site.target(upstream.port)
    with site.client() as client:
        for _ in range(5):
            client.send(get("/close", method="POST", body=b"x"))
            answer = client.answer()
            assert (answer.status, answer.values("connection")) == (200, [])
    assert upstream.connections == 5


def test_a_kept_connection_that_was_idle_is_not_taken(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port)
    with site.client() as client:
        for wait in (0, 0, 0, 0, 0, IDLE_SECONDS + 1):
            time.sleep(wait)
            client.send(get("/x", method="POST", body=b"x"))
            assert client.answer().status == 200
    *busy, before, after = [received.connection for received in upstream.take(6)]
    assert len({*busy, before}) < 5  # a machine that stalls for long may have made one of them idle
    assert after == before + 1


def test_http_1_0_gets_no_chunks(site: Site, upstream: Upstream) -> None:
    upstream.on("/x", Reply(body=[b"one", b"two"]))
    site.target(upstream.port)
    head, _, body = site.raw(b"GET /x HTTP/1.0\r\nHost: a\r\n\r\n").partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert body == b"onetwo"


def test_expect_100_continue(site: Site, upstream: Upstream, behind: Upstream) -> None:
    site.target(upstream.port, "/t")
    for path in ("/t", "/u", "/echo"):
        with site.client() as client:
            client.send(get(path, "Expect: 100-continue", "Content-Length: 4", method="POST"))
            assert client.head()[0] == 100
            client.send(b"body")
            assert client.answer().status == 200
    assert (upstream.take(1)[0].body, behind.take(1)[0].body) == (b"body", b"body")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/status/200", "/status/204", "/status/304", "/up", "/up204", "/up304", "/label", "/echo"])
def test_bodies_are_there_only_where_they_may_be(site: Site, upstream: Upstream, method: str, path: str) -> None:
    """A byte too many would be taken for the start of the next answer."""
    upstream.on("/up204", Reply(204))
    upstream.on("/up304", Reply(304))
    site.target(upstream.port, "/{up:up.*}")
    with site.client() as client:
        for _ in range(3):
            client.send(get(path, method=method))
            answer = client.answer(method)
            assert answer.status in (200, 204, 304)
            assert bool(answer.body) == (method == "GET" and answer.status == 200)


# ---------------------------------------------------------------- streaming
def test_bodies_stream_both_ways(site: Site) -> None:
    """The upstream answers each piece of the request before the next is sent."""

    def behave(connection: socket.socket) -> None:
        data = read_head(connection).partition(b"\r\n\r\n")[2]
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while data := data or connection.recv(65536):
            if data.endswith(b"0\r\n\r\n"):
                connection.sendall(b"0\r\n\r\n")
                return
            connection.sendall(data)
            data = b""

    with Scripted(behave) as server, site.client() as client:
        site.target(server.port)
        client.send(get("/x", "Transfer-Encoding: chunked", method="POST"))
        assert client.head()[0] == 200
        for piece in (b"1\r\na\r\n", b"2\r\nbc\r\n"):
            client.send(piece)
            assert client.stream.read(len(piece)) == piece
        client.send(b"0\r\n\r\n")
        assert client.stream.read(5) == b"0\r\n\r\n"
    site.ended(completed=1)


@pytest.mark.parametrize("path", ["/t", "/u"])
def test_memory_does_not_grow_with_a_body(nginx: Callable[[], Nginx], path: str) -> None:
    server = nginx()
    (server.files / "big").write_bytes(bytes(200 * MEGABYTE))
    with Mitmdump(f"reverse:{server.base}") as mitmdump:
        spec = {"name": "t", "url": server.base, "match": {"uris": ["/t/{rest:.*}"]}, "replaceURI": "/{rest}"}
        mitmdump.api("POST", "/request/proxy/targets/add", spec)
        prefix = "/t" if path == "/t" else ""
        mitmdump.call("GET", "/label")
        before = forget_peak(mitmdump.process.pid)
        with Client(mitmdump.port) as client:
            client.send(get(f"{prefix}/files/big"))
            status, _, fields = client.head()
            assert (status, dict(fields)["Content-Length"]) == (200, str(200 * MEGABYTE))
            left = 200 * MEGABYTE
            while left:
                left -= len(client.stream.read1(1 << 20))
            client.send(get(f"{prefix}/upload", f"Content-Length: {200 * MEGABYTE}", method="POST"))
            for _ in range(200):
                client.send(bytes(MEGABYTE))
            assert client.answer().status == 200
        assert peak(mitmdump.process.pid) - before < 30 * MEGABYTE


@pytest.mark.parametrize("path", ["/status/200", "/echo"])
def test_an_upload_that_goto_answers_is_not_held(site: Site, path: str) -> None:
    before = forget_peak(site.goto.process.pid)
    with site.client() as client:
        client.send(get(path, f"Content-Length: {100 * MEGABYTE}", method="POST"))
        for _ in range(100):
            client.send(b"x" * MEGABYTE)
        answer = client.answer()
    assert answer.status == 200
    if path == "/echo":
        shown = answer.json()
        assert (len(shown["RequestBody"]), shown["RequestBodySize"]) == (MEGABYTE, 100 * MEGABYTE)
    assert peak(site.goto.process.pid) - before < 30 * MEGABYTE


# ---------------------------------------------------------------- bodies over the limit
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413_and_read_no_further(site: Site, chunked: bool) -> None:
    with site.client() as client:
        if chunked:
            client.send(get("/request/proxy/targets/add", "Transfer-Encoding: chunked", method="POST"))
            client.send(b"%x\r\n%b\r\n" % (MEGABYTE + 1, b"x" * (MEGABYTE + 1)))
        else:
            client.send(
                get("/request/proxy/targets/add", f"Content-Length: {50 * MEGABYTE}", "Expect: 100-continue", method="POST")
            )
        answer = client.answer()
        assert (answer.status, answer.value("connection"), answer.value("via-goto")) == (413, "close", str(site.port))
        assert b"body: more than the limit" in answer.body
        assert client.rest() == b""
    site.ended()


def test_a_client_that_goes_on_sending_sees_its_413(site: Site) -> None:
    """A connection that is closed on unread bytes would be reset, and the answer lost."""

    def sees() -> bool:
        """Whether the client was quick enough to be waited for. A machine may stall for as long."""
        began, status = time.monotonic(), 0
        with contextlib.suppress(OSError), site.client() as client:
            client.send(get("/request/proxy/targets/add", f"Content-Length: {2 * MEGABYTE}", method="POST") + bytes(MEGABYTE))
            time.sleep(0.05)
            client.send(bytes(MEGABYTE))
            status = client.answer().status
        quick = time.monotonic() - began < LINGER_SECONDS
        assert status == 413 or not quick
        return quick

    for _ in range(5):
        eventually(sees)


def test_a_body_for_several_targets_has_its_limit(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, replicas=2)
    with site.client() as client:
        client.send(get("/x", f"Content-Length: {65 * MEGABYTE}", method="POST"))
        assert client.answer().status == 413
    assert site.reported == {"413": 1}
    site.ended(completed=1)
    assert upstream.take() == []


# ---------------------------------------------------------------- what goto sends itself
def test_several_calls_are_answered_in_one(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, replicas=2)
    site.target(1, "/{x}")
    answer = site.call("POST", "/x", b"body")
    assert answer.status == 208
    assert [(one["TargetID"], one["StatusCode"]) for one in answer.json()] == [
        ("/[1][1]", 200),
        ("/[2][2]", 200),
        ("/{x}[1][1]", 502),
    ]
    assert [received.body for received in upstream.take(2)] == [b"body", b"body"]


def test_a_manual_invocation(site: Site, upstream: Upstream) -> None:
    upstream.on("/base", Reply(299, b"made"))
    site.api("POST", "/request/proxy/targets/add", {"name": "m", "url": f"{upstream.base}/base"})
    answer = site.call("POST", "/request/proxy/targets/m/invoke?q=1", b"hello")
    assert (answer.status, answer.body) == (299, b"made")
    assert upstream.take(1)[0].body == b"hello"
    assert site.reported == {}


# ---------------------------------------------------------------- failures
def test_an_upstream_that_is_down_is_gotos_own_502(site: Site) -> None:
    port = free_port()
    site.target(port)
    site.api("PUT", "/response/headers/add/Z/1")
    answer = site.call("GET", "/x")
    assert (answer.status, answer.text) == (502, f"target /: cannot connect to http://127.0.0.1:{port}: Connection refused\n")
    assert (answer.value("z"), answer.value("via-goto")) == ("1", str(site.port))
    assert site.reported == {"502": 1}
    site.ended(completed=1)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [(b"", "closed the connection without an answer"), (b"nonsense\r\n\r\n", "answered with invalid HTTP")],
)
def test_an_upstream_that_breaks_is_502(site: Site, sent: bytes, reason: str) -> None:
    with Scripted(answering(sent) if sent else read_head) as server:
        site.target(server.port)
        answer = site.call("GET", "/x")
        assert answer.status == 502
        assert answer.text.startswith(f"target /: {reason}")
    site.ended(completed=1)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok",),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"),
        (
            b"HTTP/1.1 102\r\n\r\nHTTP/1.1 103 Early",
            b" Hints\r\nA: b\r\n",
            b"\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\no",
            b"k",
        ),
    ],
)
def test_an_interim_answer_is_not_the_answer(site: Site, pieces: tuple[bytes, ...]) -> None:
    with Scripted(answering(*pieces)) as server:
        site.target(server.port)
        answer = site.call("GET", "/x")
        assert (answer.status, answer.text, answer.value("link")) == (202, "ok", None)
    assert site.reported == {"202": 1}
    site.ended(completed=1)


def test_a_slow_upstream_is_504(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, requestTimeout="1s")
    with held() as event:
        upstream.on("/slow", Reply(hold=event))
        for method, body in (("GET", None), ("POST", b"x")):
            answer = site.call(method, "/slow", body)
            assert (answer.status, answer.text) == (504, "target /: no answer within 1s\n")
            assert answer.took >= 1
        assert all(received.aborted.wait(PATIENCE) for received in upstream.take(2))
    assert site.call("GET", "/fine").status == 200
    site.ended(completed=3)


def test_an_upstream_that_cannot_be_connected_to_in_time_is_504(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        site.target(port, requestTimeout="300ms")
        answer = site.call("POST", "/x", b"x" * 10)
        assert (answer.status, answer.text) == (504, f"target /: cannot connect to http://127.0.0.1:{port} within 300ms\n")
        for client in waiting:
            client.close()
    site.ended(completed=1)


def test_an_upstream_that_reads_no_more_is_504(site: Site) -> None:
    done = threading.Event()

    def behave(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        read_head(connection)
        done.wait(20)

    with Scripted(behave) as server, site.client() as client:
        site.target(server.port, requestTimeout="1s")
        client.send(get("/x", f"Content-Length: {50 * MEGABYTE}", method="POST"))

        def pour() -> None:
            try:
                for _ in range(50):
                    client.send(bytes(MEGABYTE))
            except OSError:
                pass

        pouring = threading.Thread(target=pour)
        pouring.start()
        answer = client.answer()
        assert (answer.status, answer.text) == (504, "target /: reads no more of the request within 1s\n")
        client.close()
        pouring.join()
        done.set()


def test_a_client_that_pauses_its_upload_is_waited_for(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, requestTimeout="1s")
    with site.client() as client:
        client.send(get("/x", "Content-Length: 2", method="POST") + b"a")
        time.sleep(1.5)
        client.send(b"b")
        assert client.answer().status == 200


def test_a_body_that_breaks_half_way_breaks_the_clients_connection(site: Site) -> None:
    for head in (b"Content-Length: 100", b"Transfer-Encoding: chunked"):
        with Scripted(answering(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % head, b"5\r\nabcde\r\n")) as server:
            site.target(server.port)
            got = site.raw(get("/x"))
            assert got.startswith(b"HTTP/1.1 200 OK\r\n")
            assert got.endswith(b"5\r\nabcde\r\n")
    assert site.reported == {"200": 2}
    site.ended(broken=2)


def test_a_body_that_pauses_for_too_long_breaks_too(site: Site) -> None:
    wait = threading.Event()
    for piece in (b"abc", b""):
        with Scripted(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + piece, wait=wait)) as server:
            site.target(server.port, bodyTimeout="1s")
            assert site.raw(get("/x")).endswith(b"\r\n\r\n" + piece)
            wait.set()
    site.ended(broken=2)


def test_a_body_may_pause_for_longer_than_its_head_may_take(site: Site) -> None:
    def pauses(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        time.sleep(1)
        connection.sendall(b"def")

    with Scripted(pauses) as server, site.client() as client:
        site.target(server.port, requestTimeout="500ms")
        client.send(get("/x"))
        assert client.answer().body == b"abcdef"


def test_events_come_whenever_they_do_unless_bodytimeout_says_otherwise(site: Site) -> None:
    wait = threading.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\nabc"
    with Scripted(answering(head, wait=wait)) as server:
        site.target(server.port, bodyTimeout="500ms")
        assert site.raw(get("/x")).endswith(b"abc")
        wait.set()
    site.ended(broken=1)


# ---------------------------------------------------------------- clients that leave
def test_a_client_that_leaves_during_a_delay(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, "/t")
    site.api("PUT", "/response/delay/set/1m")
    for number, path in enumerate(("/t", "/u", "/status/200", "/echo"), 1):
        with site.client() as client:
            client.send(get(path))
            eventually(lambda: site.reported, lambda counts: counts == {"200": number})  # noqa: B023  # counts do not wait
    site.ended(closed=4)
    assert site.reported == {"200": 4}


def test_a_client_that_leaves_while_the_upstream_is_slow(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port)
    site.api("PUT", "/request/headers/track/add/x")
    with held() as event:
        upstream.on("/slow", Reply(hold=event))
        for leave in (Client.close, Client.reset):
            client = site.client()
            client.send(get("/slow", "X: 1"))
            (received,) = upstream.take(1)
            leave(client)
            assert received.aborted.wait(PATIENCE)
    site.ended(closed=2)
    assert site.reported == {}
    counts = site.api("GET", "/request/headers/track/x/counts").json()
    assert (counts["RequestCountsByHeaderValue"], counts["RequestCountsByHeaderValueAndResponseStatus"]) == ({"1": 2}, {})


def test_a_half_closed_client_has_gone(site: Site) -> None:
    site.api("PUT", "/response/delay/set/1m")
    with site.client() as client:
        client.send(get("/status/200"))
        client.socket.shutdown(socket.SHUT_WR)
        site.ended(closed=1)


def test_a_client_that_leaves_in_mid_upload(site: Site, behind: Upstream) -> None:
    bodies: list[bytes] = []

    def takes(connection: socket.socket) -> None:
        mine = len(bodies)
        bodies.append(read_head(connection).partition(b"\r\n\r\n")[2])
        while data := connection.recv(4096):
            bodies[mine] += data

    with Scripted(takes) as server:
        site.target(server.port, "/t")
        for path in ("/t", "/u", "/echo"):
            for leave in (Client.close, Client.reset):
                client, had = site.client(), len(bodies)
                client.send(get(path, "Content-Length: 100", method="POST") + b"abc")
                if path == "/t":
                    eventually(lambda had=had: bodies[had:], lambda got: got == [b"abc"])
                scraped(site.goto, lambda now: now("goto_exchanges_in_flight", listener=str(site.port)) == 1)
                leave(client)
                scraped(site.goto, lambda now: now("goto_exchanges_in_flight", listener=str(site.port)) == 0)
        site.ended(closed=6)
        eventually(lambda: server.ended, lambda ended: ended == 2)
    # none of them got what it could take for the whole
    assert bodies == [b"abc", b"abc"]
    assert behind.take() == []


def test_a_client_that_leaves_in_mid_download(site: Site, upstream: Upstream) -> None:
    upstream.on("/big", Reply(body=[bytes(MEGABYTE)] * 64))
    site.target(upstream.port)
    with site.client(small=True) as client:
        client.send(get("/big"))
        assert client.head()[0] == 200
    site.ended(closed=1)


def test_a_client_that_takes_all_completes_however_slow(site: Site, upstream: Upstream) -> None:
    upstream.on("/big", Reply(body=bytes(8 * MEGABYTE)))
    site.target(upstream.port, requestTimeout="1s")
    with site.client(small=True) as client:
        client.send(get("/big"))
        assert client.head()[0] == 200
        time.sleep(1.5)
        assert sum(site.ends.values()) == 0
        assert len(client.stream.read(8 * MEGABYTE)) == 8 * MEGABYTE
    site.ended(completed=1)


def test_a_management_call_is_carried_out_though_its_client_leaves(site: Site) -> None:
    for _ in range(10):
        site.api("PUT", "/label/clear")
        client = site.client()
        client.send(get("/label/set/done", method="PUT", body=b""))
        client.close()
        eventually(lambda: site.api("GET", "/label").text.strip(), lambda text: text == "Label: done")


# ---------------------------------------------------------------- websockets
UPGRADE = (
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def echoing(connection: socket.socket) -> None:
    """A websocket server that sends one text frame back and ends on a close frame."""
    head = read_head(connection)
    assert b"upgrade: websocket" in head.lower(), head
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )
    while frame := connection.recv(4096):
        mask, data = frame[2:6], frame[6:]
        plain = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        connection.sendall(bytes((frame[0], len(plain))) + plain)


@pytest.mark.parametrize("routed", [True, False])
@pytest.mark.parametrize("clean", [True, False])
def test_a_websocket_passes_through(routed: bool, clean: bool) -> None:
    with Scripted(echoing) as server, Mitmdump(f"reverse:http://127.0.0.1:{server.port if not routed else 1}") as mitmdump:
        mitmdump.api("PUT", "/request/timeout/track/all")
        if routed:
            spec = {"name": "t", "url": f"http://127.0.0.1:{server.port}", "match": {"uris": ["/"]}}
            mitmdump.api("POST", "/request/proxy/targets/add", spec)
        with Client(mitmdump.port) as client:
            client.send(get("/chat", *UPGRADE))
            status, _, fields = client.head()
            assert (status, dict(fields)["Via-Goto"]) == (101, str(mitmdump.port))
            client.send(b"\x81\x82\0\0\0\0hi")
            assert client.stream.read(4) == b"\x81\x02hi"
            if clean:
                client.send(b"\x88\x82\0\0\0\0\x03\xe8")
                assert client.stream.read(4) == b"\x88\x02\x03\xe8"
        ends = eventually(lambda: mitmdump.api("GET", "/request/timeout/status").json()["all"], lambda ends: sum(ends.values()))
        assert ends == {"ConnectionClosed": int(not clean), "RequestCompleted": int(clean)}


def test_a_websocket_that_nobody_can_carry_is_501(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, "/two", replicas=2)
    site.target(upstream.port, "/unverified", scheme="https", verifyTLS=False)
    site.target(upstream.port, "/own", scheme="https", tls={"serverName": "a"})
    for path in ("/two", "/unverified", "/own", "/echo"):
        with site.client() as client:
            client.send(get(path, *UPGRADE))
            assert client.answer().status == 501
    assert upstream.take() == []


# ---------------------------------------------------------------- hooks that raise
@pytest.fixture(scope="module")
def faulty(behind: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mitmdump]:
    plugin: Path = tmp_path_factory.mktemp("plugin") / "faulty.py"
    plugin.write_text(FEATURE)
    with Mitmdump(f"reverse:{behind.base}", "--set", f"goto_features={plugin}", expect_errors=True) as mitmdump:
        yield mitmdump


@pytest.mark.parametrize("hook", ["request", "response"])
@pytest.mark.parametrize("path", ["/x", "/status/418", "/up", "/chunks"])
def test_a_hook_that_raises_is_a_500_and_never_passed_on(
    faulty: Mitmdump, upstream: Upstream, behind: Upstream, hook: str, path: str
) -> None:
    behind.reset()
    upstream.on("/chunks", Reply(body=[b"x" * 70000] * 3))
    site = Site(faulty)
    site.target(upstream.port, "/up")
    site.target(upstream.port, "/chunks")
    site.api("PUT", "/request/timeout/track/all")
    site.api("PUT", "/response/headers/add/Z/1")
    answer = site.call("GET", path, headers={"Break": hook})
    assert (answer.status, answer.text, answer.value("z")) == (500, f"goto: Faulty.{hook} failed\n", "1")
    assert answer.value("via-goto") == str(site.port)
    assert site.call("GET", path).status in (200, 418)
    assert site.reported["500"] == 1
    site.ended(completed=2)
    assert len(upstream.take()) + len(behind.take()) == (path != "/status/418") * (1 + (hook == "response"))
