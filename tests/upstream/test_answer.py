"""Sending on: upstreams that misbehave, bodies that stream, connections that went stale. Over real sockets, through a process."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.client import Client, get
from support.goto_process import Goto
from support.resources import memory
from support.scripted import Scripted, answering, read_head
from support.site import Site
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, eventually

from goto.flow import Call, Origin
from goto.upstream.answer import Answer
from goto.upstream.answer import Upstream as Sender
from goto.upstream.errors import Broken, TooSlow, UpstreamError
from goto.upstream.sink import Sink

OK = b"HTTP/1.1 200 OK\r\n"
MB = 1 << 20


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("upstream")


@pytest.fixture
def site(process: Goto) -> Site:
    return Site(process)


def answered(
    site: Site, behave: Callable[[socket.socket], None], request: bytes = b"", **fields: object
) -> tuple[Client, Scripted]:
    server = Scripted(behave)
    site.target(server.port, **fields)
    client = site.client()
    client.send(request or get("/"))
    return client, server


@pytest.mark.parametrize(
    ("pieces", "status", "body"),
    [
        ([OK + b"\r\nhello", b" world"], 200, b"hello world"),
        ([b"HTTP/1.0 200 OK\r\n\r\nhello"], 200, b"hello"),
        ([OK + b"Content-Length: 5\r\n\r\nhe", b"llo"], 200, b"hello"),
        ([OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", b"lo\r\n", b"0\r\n\r\n"], 200, b"hello"),
        ([OK[:9], OK[9:] + b"Content-Le", b"ngth: 2\r\n", b"\r\n", b"ok"], 200, b"ok"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"Content-Length: 2\r\n\r\nok"], 200, b"ok"),
        ([OK + b"Content-Length: 2\r\n\r\nok" + OK + b"Content-Length: 4\r\n\r\nevil"], 200, b"ok"),
        ([b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n"], 204, b""),
        ([b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"], 304, b""),
        ([b"HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nok"], 599, b"ok"),
    ],
)
def test_odd_answers_that_are_answers(site: Site, pieces: list[bytes], status: int, body: bytes) -> None:
    client, server = answered(site, answering(*pieces))
    with client, server:
        answer = client.answer()
        assert (answer.status, answer.body) == (status, body)
        client.send(get("/label"))  # and the client's connection stays
        assert client.answer().status == 200


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([], "closed the connection without an answer"),
        ([b"HTTP/1.1 20"], "closed the connection in the middle of its answer"),
        ([b"SSH-2.0-x\r\n"], 'answered with what is no HTTP: "SSH-2.0-x"'),
        (
            [OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
            'answered with what is no HTTP: "Transfer-Encoding: chunked"',
        ),
        (
            [b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"],
            "switched protocols without being asked to",
        ),
        ([b"HTTP/1.1 100 Continue\r\n\r\n"], "closed the connection"),
    ],
)
def test_what_is_no_answer_is_a_502_that_says_which_target_and_why(site: Site, pieces: list[bytes], why: str) -> None:
    client, server = answered(site, answering(*pieces))
    with client, server:
        answer = client.answer()
        assert answer.status == 502
        assert answer.text.startswith("target /: ")
        assert why in answer.text
        assert server.connections == 1  # nothing was sent twice
    assert site.reported == {"502": 1}


def test_nobody_listens(site: Site) -> None:
    site.target(1)
    answer = site.call("GET", "/")
    assert (answer.status, answer.text) == (502, "target /: cannot connect to http://127.0.0.1:1: Connection refused\n")


@pytest.mark.parametrize(
    "pieces",
    [
        [OK + b"Content-Length: 100\r\n\r\nhello"],
        [OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
        [OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"zz\r\n"],
    ],
)
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_body_that_breaks_half_way_breaks_the_clients_connection(site: Site, pieces: list[bytes], version: bytes) -> None:
    site.api("PUT", "/request/timeout/track/all")
    client, server = answered(site, answering(*pieces), b"GET / HTTP/" + version + b"\r\nHost: a\r\n\r\n")
    with client, server:
        # where only the end would tell that it is whole, it is a reset, which may overtake what was sent
        assert client.head()[0] in ((200,) if version == b"1.1" else (200, 0))
        got = client.rest()
        assert b"hello" in got or got == b""
        assert not got.endswith(b"0\r\n\r\n")
    site.ended(broken=1)
    eventually(lambda: [line for line in site.log() if line.endswith("/ broke-off")])


def test_an_answer_to_head_says_the_length_and_has_no_body(site: Site, upstream: Upstream) -> None:
    upstream.on("/a", Reply(body=b"x" * 1234))
    upstream.on("/b", Reply(body=[b"x"]))
    site.target(upstream.port)
    with site.client() as client:
        for path, length in (("/a", "1234"), ("/b", None), ("/a", "1234")):
            client.send(get(path, method="HEAD"))
            answer = client.answer("HEAD")
            assert (answer.status, answer.value("content-length"), answer.value("transfer-encoding")) == (200, length, None)
        client.send(get("/a"))
        assert len(client.answer().body) == 1234
    assert upstream.connections == 1


# ---------------------------------------------------------------- kept connections
def stale(connection: socket.socket) -> None:
    """Takes two requests on a connection and answers the first only."""
    read_head(connection)
    connection.sendall(OK + b"Content-Length: 2\r\n\r\nok")
    read_head(connection)


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_a_safe_request_on_a_kept_connection_that_turns_out_closed_is_sent_again_once(site: Site, method: str) -> None:
    with Scripted(stale) as server:
        site.target(server.port)
        assert [site.call(method, "/").status for _ in range(4)] == [200] * 4
        assert server.connections == 4


@pytest.mark.parametrize(("method", "body"), [("POST", b""), ("POST", b"x"), ("GET", b"x"), ("DELETE", None)])
def test_any_other_is_not_sent_again(site: Site, method: str, body: bytes | None) -> None:
    with Scripted(stale) as server:
        site.target(server.port)
        assert site.call("GET", "/").status == 200
        answer = site.call(method, "/", body)
        assert answer.status == 502
        assert "without an answer" in answer.text
        assert server.connections == 1


def test_a_request_is_not_sent_again_once_a_byte_of_the_answer_has_come(site: Site) -> None:
    def behave(connection: socket.socket) -> None:
        stale(connection)
        connection.sendall(b"H")

    with Scripted(behave) as server:
        site.target(server.port)
        assert [site.call("GET", "/").status for _ in range(2)] == [200, 502]
        assert server.connections == 1


def test_a_request_is_sent_again_only_once(site: Site) -> None:
    first = threading.Event()

    def behave(connection: socket.socket) -> None:
        if first.is_set():
            read_head(connection)  # from now on nothing is answered
            return
        stale(connection)
        first.set()

    with Scripted(behave) as server:
        site.target(server.port)
        assert site.call("GET", "/").status == 200
        first.set()
        assert site.call("GET", "/").status == 502
        assert server.connections == 2


def test_bytes_nobody_asked_for_are_no_answer_to_the_next(site: Site) -> None:
    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(OK + b"Content-Length: 2\r\n\r\nok")
        threading.Event().wait(0.05)
        connection.sendall(OK + b"Content-Length: 4\r\n\r\nevil")
        connection.recv(1)

    with Scripted(behave) as server:
        site.target(server.port)
        assert site.call("GET", "/").body == b"ok"
        eventually(lambda: server.ended, lambda ended: ended == 1)
        assert site.call("GET", "/").body == b"ok"


# ---------------------------------------------------------------- time
def test_no_head_in_time_is_a_504(site: Site) -> None:
    with held() as event:
        client, server = answered(site, answering(b"", wait=event), requestTimeout="1s")
        with client, server:
            answer = client.answer()
            assert answer.status == 504
            assert answer.text.startswith("target /: no answer within ")


def test_a_head_that_drips_is_too_slow_as_well(site: Site) -> None:
    drops = [bytes((byte,)) for byte in OK + b"X: " + b"a" * 80]  # 20 ms each
    client, server = answered(site, answering(*drops, b"Content-Length: 0\r\n\r\n"), requestTimeout="300ms")
    with client, server:
        assert client.answer().status == 504


def test_a_body_that_pauses_too_long_breaks_off(site: Site) -> None:
    with held() as event:
        head = OK + b"Content-Type: text/event-stream\r\nContent-Length: 9\r\n\r\n"
        for pieces in ((head + b"hello",), (head,), (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n")):
            client, server = answered(site, answering(*pieces, wait=event), bodyTimeout="500ms")
            with client, server:
                assert client.head()[0] == 200
                assert client.rest() in (b"", b"hello", b"5\r\nhello\r\n")


def test_a_body_may_pause_for_longer_than_its_head_may_take(site: Site) -> None:
    with held() as event:
        begun = answering(OK + b"Content-Length: 9\r\n\r\nhello", wait=event)

        def ends(connection: socket.socket) -> None:
            threading.Timer(1, event.set).start()
            begun(connection)
            connection.sendall(b"more")

        client, server = answered(site, ends, requestTimeout="300ms")
        with client, server:
            assert client.answer().body == b"hellomore"


def test_a_body_may_take_longer_than_the_timeout_while_it_comes(site: Site) -> None:
    client, server = answered(site, answering(OK + b"\r\n", *[b"x"] * 80), bodyTimeout="1s")  # 20 ms each
    with client, server:
        assert client.answer().body == b"x" * 80


def test_the_time_begins_with_the_last_byte_of_the_request(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, requestTimeout="1s")
    with site.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
        threading.Event().wait(1.5)  # the client's time, not the upstream's
        client.send(b"b")
        assert client.answer().status == 200
    assert upstream.take(1)[0].body == b"ab"


def test_an_upstream_that_reads_no_more_is_too_slow(site: Site) -> None:
    with held() as event:
        client, server = answered(
            site,
            answering(b"", wait=event),
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n",
            requestTimeout="300ms",
        )
        with client, server:
            stop = threading.Event()
            sender = threading.Thread(target=_pour, args=(client, 100, stop))
            sender.start()
            assert client.head()[0] == 504
            stop.set()
            client.socket.shutdown(socket.SHUT_RDWR)
            sender.join()


def _pour(client: Client, megabytes: int, stop: threading.Event) -> None:
    try:
        for _ in range(megabytes):
            if stop.is_set():
                return
            client.send(b"x" * MB)
    except OSError:
        pass


# ---------------------------------------------------------------- uploads
def test_an_early_answer_to_an_upload_reaches_the_client(site: Site) -> None:
    with held() as event:
        client, server = answered(
            site,
            answering(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig", wait=event),
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 100_000,
        )
        with client, server:
            answer = client.answer()
            assert (answer.status, answer.body) == (413, b"big")


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_passes_byte_for_byte_and_framed_as_it_was(site: Site, upstream: Upstream, chunked: bool) -> None:
    site.target(upstream.port)
    body = bytes(range(256)) * 4000
    with site.client() as client:
        if chunked:
            pieces = [body[at : at + 7001] for at in range(0, len(body), 7001)]
            data = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
            client.send(get("/", "Transfer-Encoding: chunked", method="POST") + data)
        else:
            client.send(get("/", method="POST", body=body))
        assert client.answer().status == 200
    (received,) = upstream.take(1)
    assert received.body == body
    assert received.values("content-length") == ([] if chunked else [str(len(body))])
    assert received.values("transfer-encoding") == (["chunked"] if chunked else [])


def leave_during_upload(site: Site, sent: bytes) -> None:
    got: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            got.append(data)

    site.api("PUT", "/request/timeout/track/all")
    client, server = answered(site, behave, sent)
    with server:
        eventually(lambda: b"hello" in b"".join(got))
        client.close()
        eventually(lambda: server.ended, lambda ended: ended == 1)
        assert not b"".join(got).endswith(b"0\r\n\r\n")  # not taken for a whole body
    site.ended(closed=1)


def test_a_client_that_leaves_during_its_upload_aborts_the_upstream(site: Site) -> None:
    leave_during_upload(site, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello")


def test_a_client_that_leaves_during_a_chunked_upload_aborts_the_upstream(site: Site) -> None:
    leave_during_upload(site, get("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n")


def test_what_breaks_an_upload_is_no_crash(goto: Callable[..., Goto]) -> None:
    process = goto("broken-upload", expect_errors=True)

    def behave(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    for _ in range(5):
        site = Site(process)
        client, server = answered(site, behave, get("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n")
        with server:
            client.send(b"zz\r\n")  # malformed, and gone before it is told so
            client.close()
            eventually(site.log)
    assert "Traceback" not in process.log


def test_a_malformed_chunk_is_a_400_and_aborts_the_upstream(site: Site) -> None:
    got: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            got.append(data)

    client, server = answered(site, behave, get("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n")
    with client, server:
        eventually(lambda: b"hello" in b"".join(got))
        client.send(b"zz\r\n")
        assert client.answer().status == 400
        assert client.rest() == b""
        eventually(lambda: server.ended, lambda ended: ended == 1)


# ---------------------------------------------------------------- the client leaves
@pytest.mark.parametrize("how", ["fin", "reset", "half"])
@pytest.mark.parametrize("pieces", [[b""], [OK + b"Content-Length: 9\r\n\r\nhello"]])
def test_a_client_that_leaves_aborts_the_upstream(site: Site, how: str, pieces: list[bytes]) -> None:
    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"".join(pieces))
        connection.recv(1)

    site.api("PUT", "/request/timeout/track/all")
    client, server = answered(site, behave)
    with server:
        eventually(lambda: server.connections, lambda count: count == 1)
        if pieces[0]:
            assert client.head()[0] == 200
        match how:
            case "fin":
                client.close()
            case "reset":
                client.reset()
            case _:
                client.socket.shutdown(socket.SHUT_WR)
        eventually(lambda: server.ended, lambda ended: ended == 1)
        site.ended(closed=1)
        client.close()


# ---------------------------------------------------------------- memory
def flood(size: int) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % size)
        for _ in range(size // MB):
            connection.sendall(b"x" * MB)

    return behave


@pytest.mark.parametrize("delay", ["0", "100ms"])
def test_a_client_that_does_not_read_holds_back_the_upstream(site: Site, delay: str) -> None:
    site.api("PUT", f"/response/delay/set/{delay}")
    sent = 0

    def behave(connection: socket.socket) -> None:
        nonlocal sent
        read_head(connection)
        connection.sendall(OK + b"\r\n")
        for _ in range(400):
            connection.sendall(b"x" * MB)
            sent += MB

    before = memory(site.goto.process.pid)
    with Scripted(behave) as server:
        site.target(server.port)
        with site.client(small=True) as client:
            client.send(get("/"))
            assert client.head()[0] == 200
            threading.Event().wait(1)  # as long as it likes to take more than it should
            assert sent < 100 * MB
            assert memory(site.goto.process.pid) - before < 30 * MB
        eventually(lambda: server.ended, lambda ended: ended == 1)


def test_a_paused_outlet_stays_paused_when_held_bytes_fill_it() -> None:
    """A client may be full with what was held while its answer waited: the upstream must not be let go on then."""

    class Full(Sink):
        def flush(self) -> None:
            self.congested = True

    async def run(port: int) -> None:
        sender = Sender()
        answer = await sender.head(Call("t", Origin("http", "127.0.0.1", port), "GET", "/", [(b"Host", b"a")]), b"")
        outlet = Full()
        assert answer.connection is not None
        answer.pipe(outlet)
        assert answer.connection._paused
        outlet.congested = False
        outlet.on_drained()
        assert not answer.connection._paused
        answer.abort()
        await sender.close()

    with Scripted(flood(64 * MB)) as server:
        asyncio.run(asyncio.wait_for(run(server.port), PATIENCE))


def test_a_head_without_end_is_no_answer(site: Site) -> None:
    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(OK)
        for _ in range(600):
            connection.sendall(b"x: " + b"a" * 60_000 + b"\r\n")
        connection.sendall(b"Content-Length: 0\r\n\r\n")

    client, server = answered(site, behave)
    with client, server:
        assert client.answer().status == 502


SIZE = 200 * MB


def test_a_large_download_leaves_memory_where_it_was(site: Site) -> None:
    with Scripted(flood(SIZE)) as server:
        site.target(server.port)
        before = peak = memory(site.goto.process.pid)
        with site.client() as client:
            client.send(get("/"))
            status, _, _ = client.head()
            got = 0
            while got < SIZE:
                got += len(client.stream.read(min(4 * MB, SIZE - got)))
                peak = max(peak, memory(site.goto.process.pid))
        assert (status, got) == (200, SIZE)
        assert peak - before < 30 * MB


def test_a_large_upload_leaves_memory_where_it_was(site: Site) -> None:
    digest = hashlib.sha256()

    def behave(connection: socket.socket) -> None:
        body = read_head(connection).partition(b"\r\n\r\n")[2]
        size = 0
        while True:
            digest.update(body)
            size += len(body)
            if size == SIZE:
                break
            body = connection.recv(MB)
            assert body
        connection.sendall(OK + b"Content-Length: 2\r\n\r\nok")

    wanted = hashlib.sha256()
    with Scripted(behave) as server:
        site.target(server.port)
        before = peak = memory(site.goto.process.pid)
        with site.client() as client:
            client.send(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % SIZE)
            for number in range(SIZE // MB):
                piece = bytes((number % 256,)) * MB
                client.send(piece)
                wanted.update(piece)
                peak = max(peak, memory(site.goto.process.pid))
            assert client.answer().body == b"ok"
        assert digest.digest() == wanted.digest()
        assert peak - before < 30 * MB


# ---------------------------------------------------------------- TLS
@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("certificates")

    def make(name: str) -> Path:
        pem = folder / f"{name}.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += [
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            pem,
            "-out",
            f"{pem}.crt",
        ]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("openssl is not installed")
        pem.write_text(pem.read_text() + Path(f"{pem}.crt").read_text())
        return pem

    return make


def tls(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.fixture(scope="module")
def secure(goto: Callable[..., Goto], certificates: Callable[[str], Path]) -> Iterator[tuple[Goto, int, int]]:
    """A process, a server whose certificate it trusts, and one whose it does not."""
    known, unknown = certificates("known"), certificates("unknown")
    body = answering(OK + b"Content-Length: 6\r\n\r\nsecret")
    with Scripted(body, tls=tls(known)) as trusted, Scripted(body, tls=tls(unknown)) as other:
        yield goto("tls", env={"SSL_CERT_FILE": str(known)}), trusted.port, other.port


@pytest.mark.parametrize(
    ("trusted", "verify", "status"), [(True, True, 200), (True, False, 200), (False, True, 502), (False, False, 200)]
)
def test_certificates_are_checked_unless_told_otherwise(
    secure: tuple[Goto, int, int], trusted: bool, verify: bool, status: int
) -> None:
    process, known, unknown = secure
    site = Site(process)
    site.target(known if trusted else unknown, scheme="https", verifyTLS=verify)
    answer = site.call("GET", "/")
    assert answer.status == status
    if status == 200:
        assert answer.body == b"secret"
    else:
        assert "certificate not accepted" in answer.text
        assert "Traceback" not in process.log


def test_certificates_are_checked_by_default(secure: tuple[Goto, int, int]) -> None:
    process, _, unknown = secure
    site = Site(process)
    site.target(unknown, scheme="https")
    assert site.call("GET", "/").status == 502


def test_tls_to_who_does_not_speak_it_and_the_other_way_round(secure: tuple[Goto, int, int]) -> None:
    process, known, _ = secure

    def plain_text(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Scripted(plain_text) as plain:
        site = Site(process)
        site.target(plain.port, "/tls", scheme="https")
        site.target(known, "/plain")
        assert site.call("GET", "/tls").status == 502
        assert site.call("GET", "/plain").status == 502


# ---------------------------------------------------------------- in process
def test_a_sender_that_is_given_up_hears_nothing_and_leaves_no_connection() -> None:
    async def run(server: Scripted) -> None:
        sender = Sender()
        call = Call("t", Origin("http", "127.0.0.1", server.port), "GET", "/", [(b"Host", b"a")])
        heard: list[Answer] = []
        sender.send(call, b"", heard.append).abort()
        waiting = asyncio.ensure_future(sender.head(call, b""))
        while not server.connections:
            await asyncio.sleep(0.005)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        while server.ended < server.connections:
            await asyncio.sleep(0.005)
        assert heard == []
        await sender.close()

    def hold(connection: socket.socket) -> None:
        read_head(connection)
        connection.recv(1)

    with Scripted(hold) as server:
        asyncio.run(asyncio.wait_for(run(server), PATIENCE))


def test_whatever_keeps_a_connection_from_being_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> UpstreamError:
        async def sock_connect(*_: object) -> None:
            raise LookupError("nobody thought of this")

        monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", sock_connect)
        sender = Sender()
        with pytest.raises(UpstreamError) as caught:
            await asyncio.wait_for(sender.head(Call("t", Origin("http", "127.0.0.1", 1), "GET", "/"), b""), PATIENCE)
        return caught.value

    error = asyncio.run(main())
    assert (error.status, str(error)) == (502, "cannot connect to http://127.0.0.1:1: nobody thought of this")


def test_errors_of_one_call() -> None:
    async def run() -> None:
        sender = Sender()
        nowhere = Origin("http", "127.0.0.1", 1)
        with pytest.raises(UpstreamError, match=r"no such thing"):
            await sender.head(Call("t", nowhere, "GET", "/", failure="no such thing"), b"")
        with Scripted(answering()) as server, pytest.raises(Broken, match=r"without an answer"):
            await sender.head(Call("t", Origin("http", "127.0.0.1", server.port), "GET", "/"), b"")
        with Scripted(answering(b"", wait=threading.Event())) as server, pytest.raises(TooSlow, match=r"within 100ms"):
            await sender.head(Call("t", Origin("http", "127.0.0.1", server.port), "GET", "/", timeout=0.1), b"")
        await sender.close()

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


@pytest.mark.parametrize("kept", [False, True])
def test_a_call_that_cannot_be_written_fails_and_takes_its_connection_with_it(kept: bool) -> None:
    async def run(server: Scripted) -> None:
        sender = Sender()
        origin = Origin("http", "127.0.0.1", server.port)
        if kept:
            answer = await sender.head(Call("t", origin, "GET", "/"), b"")
            assert answer.done
        bad: list[Any] = [("X-Text", "is no bytes")]
        with pytest.raises(UpstreamError, match=r"the request cannot be written") as caught:
            await asyncio.wait_for(sender.head(Call("t", origin, "GET", "/", bad), b""), PATIENCE)
        assert caught.value.status == 502
        async with asyncio.timeout(PATIENCE):
            while sender.pool.connections != (0, 0):
                await asyncio.sleep(0)

    with Scripted(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        asyncio.run(run(server))
