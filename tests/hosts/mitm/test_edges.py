"""How HTTP and connections behave at their edges on the mitmproxy host, byte for byte."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certificates import Authority
from support.client import Client, get
from support.mitm_process import Mitmdump
from support.scripted import Scripted, answering, read_head
from support.site import Site
from support.upstream import Reply, Upstream
from support.waiting import PATIENCE, eventually

BODY_TIME = "600ms"


@pytest.fixture(scope="module")
def behind() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def process(behind: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mitmdump]:
    config: Path = tmp_path_factory.mktemp("config") / "goto.yaml"
    config.write_text(f"limits:\n  bodyTime: {BODY_TIME}\n")
    with Mitmdump(f"reverse:{behind.base}", "--set", f"goto_config={config}") as mitmdump:
        yield mitmdump


@pytest.fixture
def site(process: Mitmdump, behind: Upstream) -> Iterator[Site]:
    behind.reset()
    site = Site(process)
    site.api("PUT", "/request/timeout/track/all")
    yield site
    site.goto.api("POST", f"/listeners/{site.port}/remove")


# ---------------------------------------------------------------- requests that are refused
REFUSED: list[tuple[bytes, bytes]] = [
    # a request, and what the answer names
    (b"GET /a?b# HTTP/1.1\r\nHost: a\r\n\r\n", b"#"),
    (b"GET /# HTTP/1.1\r\nHost: a\r\n\r\n", b"#"),
    (b"GET http://a/x#y HTTP/1.1\r\nHost: a\r\n\r\n", b"#"),
    (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", b"*"),
    (b"GET ftp://a:21/ HTTP/1.1\r\nHost: a\r\n\r\n", b"ftp"),
    (b"GET ws://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", b"ws"),
    (b"GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", b""),
    (b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", b""),
    (b"GET / HTTP/1.1\r\n\r\n", b"Host"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", b"Host"),
    (b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", b"Host"),
    (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", b"Host"),
    (b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", b"Host"),
    (b"GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", b"Host"),
    (b"GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", b"Host"),
    (b"GET http://a/ HTTP/1.1\r\nHost: u@a\r\n\r\n", b"Host"),
    (b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b""),
    (b"POST / HTTP/1.1\r\nHost : a\r\n\r\n", b""),
]


@pytest.mark.parametrize(("request_", "named"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_a_request_is_refused_before_any_feature_sees_it(site: Site, behind: Upstream, request_: bytes, named: bytes) -> None:
    site.api("PUT", "/response/status/set/503:1")
    got = site.raw(request_)
    assert got.startswith(b"HTTP/1.1 400 ")
    if named:
        head, _, body = got.partition(b"\r\n\r\n")
        assert body.startswith(b"goto: ")
        assert named in body
        assert b"\r\nConnection: close" in head
        assert b"\r\nVia-Goto: " in head
    assert (site.reported, behind.take()) == ({}, [])
    assert site.call("GET", "/x").status == 503


@pytest.mark.parametrize("host", ["a", "a:", "a:0", "[::1]:80", "", "a-._~!$&'()*+;=%2f", "A.Test."])
def test_other_hosts_are_taken(site: Site, host: str) -> None:
    assert site.raw(f"GET /status/201 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()).startswith(
        b"HTTP/1.1 201 "
    )


def test_a_refusal_is_heard_by_who_is_still_sending(site: Site) -> None:
    for _ in range(3):
        with site.client() as client:
            client.send(get("/#", f"Content-Length: {1 << 24}", method="POST") + bytes(1 << 16))
            assert client.answer().status == 400
            client.send(bytes(1 << 16))
            assert client.rest() == b""


def test_options_of_no_path_is_for_all(site: Site, behind: Upstream) -> None:
    for target, sent in (("http://a", "*"), ("*", "*"), ("http://a/", "/"), ("http://a?b", "/?b")):
        site.raw(get(target, "Connection: close", method="OPTIONS"))
        (received,) = behind.take(1)
        assert received.target == sent


def test_a_folded_line_becomes_one_blank(site: Site, behind: Upstream, upstream: Upstream) -> None:
    site.target(upstream.port, "/t")
    for path, server in (("/t", upstream), ("/u", behind)):
        assert site.raw(get(path, "Connection: close", "X: a\r\n  b\r\n\tc")).startswith(b"HTTP/1.1 200 ")
        assert server.take(1)[0].values("x") == ["a b c"]
    with Scripted(answering(b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n")) as folding:
        site.target(folding.port, "/f")
        assert b"\r\nX: a b\r\n" in site.raw(get("/f", "Connection: close"))


# ---------------------------------------------------------------- on the way
def test_max_forwards_counts_towards_what_nobody_routed_too(site: Site, behind: Upstream) -> None:
    for method, passed in (("OPTIONS", "6"), ("GET", "07")):
        assert site.raw(get("/u", "Connection: close", "Max-Forwards: 07", method=method)).startswith(b"HTTP/1.1 200 ")
        assert behind.take(1)[0].values("max-forwards") == [passed]
    got = site.raw(get("/u", "Connection: close", "Max-Forwards: 0", method="OPTIONS"))
    assert b'"RequestURI":"/u"' in got


# ---------------------------------------------------------------- bodies that come
@pytest.mark.parametrize(
    ("path", "status"),
    [("/status/418", 418), ("/status/200", 200), ("/echo?forced", 503), ("/u?forced", 503), ("/u?201", 201), ("/label", 405)],
)
def test_who_wants_no_body_does_not_ask_for_it(site: Site, path: str, status: int) -> None:
    if "forced" in path:
        site.api("PUT", "/response/status/set/503:1")
    elif "201" in path:
        site.api("PUT", "/response/status/set/201:1")  # its body is empty, for there is no catch-all here
    with site.client() as client:
        client.send(get(path, "Expect: 100-continue", "Content-Length: 4", method="POST"))
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (status, "close")
        client.send(b"body")
        assert client.rest() == b""


def test_a_body_that_stands_still_is_408(site: Site, behind: Upstream) -> None:
    taken = threading.Event()

    def takes(connection: socket.socket) -> None:
        read_head(connection)
        while connection.recv(65536):
            pass
        taken.set()

    with Scripted(takes) as server:
        site.target(server.port, "/t")
        site.target(server.port, "/two", replicas=2)
        for path in ("/t", "/two", "/echo", "/u"):
            with site.client() as client:
                client.send(get(path, "Content-Length: 10", method="POST") + b"abc")
                answer = client.answer()
                assert (answer.status, answer.text) == (408, f"goto: the body stood still for {BODY_TIME}\n")
                assert client.rest() == b""
        assert taken.wait(PATIENCE)
        assert "goto_proxy_failures_total{" not in site.goto.api("GET", "/goto/metrics").text
    assert site.reported == {"408": 4}
    site.ended(completed=4)
    assert behind.take() == []


def test_a_body_that_stands_still_does_not_hold_back_an_answer_that_is_ready(site: Site) -> None:
    with site.client() as client:
        client.send(get("/status/418", "Content-Length: 10", method="POST") + b"abc")
        assert client.answer().status == 418


def test_a_management_call_whose_body_stands_still_does_nothing(site: Site) -> None:
    with site.client() as client:
        client.send(get("/label/set/new", "Content-Length: 10", method="PUT") + b"abc")
        assert client.answer().status == 408
    assert site.api("GET", "/label").text == f"Label: {site.port}\n"


def test_a_body_that_moves_is_never_cut(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, "/t")
    for path in ("/t", "/echo"):
        with site.client() as client:
            client.send(get(path, "Content-Length: 8", method="POST"))
            for _ in range(8):
                threading.Event().wait(0.1)
                client.send(b"x")
            assert client.answer().status == 200


def test_an_upstream_that_takes_nothing_is_not_the_clients_fault(site: Site) -> None:
    going = threading.Event()

    def waits(connection: socket.socket) -> None:
        going.wait(PATIENCE)
        got = read_head(connection)
        size = len(got.partition(b"\r\n\r\n")[2])
        while size < 1 << 23:
            size += len(connection.recv(1 << 16))
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    with Scripted(waits) as server, site.client() as client:
        site.target(server.port)
        sending = threading.Thread(target=client.send, args=(get("/x", method="POST", body=bytes(1 << 23)),))
        sending.start()
        threading.Event().wait(1)
        going.set()
        assert client.answer().status == 201
        sending.join()


# ---------------------------------------------------------------- trailers
@pytest.mark.parametrize("routed", [True, False])
def test_trailers_are_dropped_and_nothing_hangs(site: Site, behind: Upstream, upstream: Upstream, routed: bool) -> None:
    if routed:
        site.target(upstream.port)
    server = upstream if routed else behind
    body = b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
    with site.client() as client:
        for _ in range(2):
            client.send(get("/x", "Transfer-Encoding: chunked", "Trailer: X-Sum", "TE: trailers", method="POST") + body)
            assert client.answer().status == 200
    for received in server.take(2):
        assert (received.body, received.values("trailer"), received.values("te")) == (b"abc", [], [])


@pytest.mark.parametrize("routed", [True, False])
def test_trailers_of_an_answer_are_dropped(routed: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    for pieces in ((head + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",), (head, b"3\r\nabc\r\n", b"0\r\nX-S", b"um: 1\r\n\r\n")):
        with (
            Scripted(answering(*pieces)) as server,
            Mitmdump(f"reverse:http://127.0.0.1:{1 if routed else server.port}") as mitmdump,
        ):
            if routed:
                Site.target(mitmdump_site(mitmdump), server.port)
            with Client(mitmdump.port) as client:
                client.send(get("/x", "TE: trailers"))
                answer = client.answer()
                assert (answer.status, answer.body, answer.values("trailer")) == (200, b"abc", [])


def mitmdump_site(mitmdump: Mitmdump) -> Site:
    """The first listener, as a site."""
    site = Site.__new__(Site)
    site.goto, site.port = mitmdump, mitmdump.port
    return site


# ---------------------------------------------------------------- answers that come back
@pytest.mark.parametrize(
    ("status", "framing", "length"),
    [
        (304, "Content-Length: 5", "5"),
        (304, "Transfer-Encoding: chunked", None),
        (304, "X: 1", None),
        (204, "Content-Length: 5", None),
        (204, "Transfer-Encoding: chunked", None),
    ],
)
@pytest.mark.parametrize("routed", [True, False])
def test_what_has_no_body_names_none(
    site: Site, behind: Upstream, upstream: Upstream, routed: bool, status: int, framing: str, length: str | None
) -> None:
    name, _, value = framing.partition(": ")

    def nothing(connection: socket.socket) -> None:
        while read_head(connection):
            connection.sendall(f"HTTP/1.1 {status} Fine\r\n{name}: {value}\r\n\r\n".encode())

    with Scripted(nothing) as server:
        if routed:
            site.target(server.port)
            port = site.port
        else:
            mitmdump = Mitmdump(f"reverse:http://127.0.0.1:{server.port}")
            port = mitmdump.port
        try:
            with Client(port) as client:
                for _ in range(2):
                    client.send(get("/x"))
                    answer = client.answer()
                    assert (answer.status, answer.value("content-length"), answer.value("transfer-encoding")) == (
                        status,
                        length,
                        None,
                    )
        finally:
            if not routed:
                mitmdump.stop()


def read_to_the_end(client: Client) -> None:
    while client.socket.recv(65536):
        pass


def test_a_broken_body_that_only_the_end_would_end_is_reset(site: Site) -> None:
    """An HTTP/1.0 client would take a FIN for the end of the whole."""
    for framing in (b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", b"Content-Length: 9\r\n\r\nab"):
        with Scripted(answering(b"HTTP/1.1 200 OK\r\n" + framing)) as server, site.client() as client:
            site.target(server.port)
            client.send(b"GET /x HTTP/1.0\r\nHost: a\r\n\r\n")
            if b"chunked" in framing:
                with pytest.raises(ConnectionResetError):
                    read_to_the_end(client)
            else:
                assert client.rest().endswith(b"\r\n\r\nab")  # the length says that there is more


def test_a_reset_does_not_end_a_body(site: Site) -> None:
    def resets(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\npart")
        threading.Event().wait(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with Scripted(resets) as server, site.client() as client:
        site.target(server.port)
        client.send(get("/x"))
        with pytest.raises(ConnectionResetError):
            read_to_the_end(client)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_205_of_gotos_own_is_empty(site: Site, method: str) -> None:
    with site.client() as client:
        for _ in range(2):
            client.send(get("/status/205", method=method))
            status, _, fields = client.head()
            assert (status, dict(fields)["Content-Length"]) == (205, "0")


# ---------------------------------------------------------------- HTTP/2
def test_http_2_cookies_are_one_field_and_a_body_without_a_length_has_an_end(behind: Upstream, upstream: Upstream) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    behind.reset()
    with Mitmdump(f"reverse:{behind.base}") as mitmdump:
        site = mitmdump_site(mitmdump)
        site.api("PUT", "/request/headers/track/add/cookie")
        site.target(upstream.port, "/t")
        for path, server in (("/t", upstream), ("/u", behind)):
            curl = ["curl", "-sS", "--max-time", "20", "--http2", "-k", "-w", " %{http_code} %{http_version}"]
            fields = ["-T", "-", "-H", "Cookie: a=1", "-H", "Cookie: b=2"]
            ran = subprocess.run(
                [*curl, *fields, f"https://127.0.0.1:{mitmdump.port}{path}"],
                input="body",
                capture_output=True,
                text=True,
                check=False,
            )
            assert ran.stdout.endswith(" 200 2"), ran.stdout + ran.stderr
            (received,) = server.take(1)
            assert (received.values("cookie"), received.body) == (["a=1; b=2"], b"body")
        counts = site.api("GET", "/request/headers/track/cookie/counts").json()["RequestCountsByHeaderValue"]
        assert counts == {"a=1; b=2": 2}


def test_a_refused_http_2_request_is_answered_on_its_stream(behind: Upstream) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with Mitmdump(f"reverse:{behind.base}") as mitmdump:
        url = f"https://127.0.0.1:{mitmdump.port}/x"
        ran = subprocess.run(
            ["curl", "-sS", "--max-time", "20", "--http2", "-k", "--request-target", "/x#y", "-w", " %{http_code}", url],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stdout.startswith("goto: ")
        assert ran.stdout.endswith(" 400")


# ---------------------------------------------------------------- streaming
def test_goto_stream_no_leaves_bodies_to_mitmproxy(upstream: Upstream) -> None:
    upstream.on("/x", Reply(body=[b"much ", b"ado"]))
    for option, seen in ((), b"much ado"), (("--set", "goto_stream=no"), b"much todo"):
        with Mitmdump(
            "reverse:http://127.0.0.1:1", "--modify-body", "/~s/ado/todo", *option, expect_errors=not option
        ) as mitmdump:
            mitmdump_site(mitmdump).target(upstream.port)
            assert mitmdump.call("POST", "/x", b"body").body == seen
    eventually(lambda: upstream.take(2))


# ---------------------------------------------------------------- on the way
@pytest.mark.parametrize("body", [None, b"x"])
def test_what_nobody_routed_keeps_a_mark_of_hops_that_it_has_one_higher(site: Site, behind: Upstream, body: bytes | None) -> None:
    behind.on("/u", Reply(headers=[("Goto-Hops", "7")]))  # nor does an answer show the field
    for came, sent in (
        ([], []),
        (["3"], ["4"]),
        (["31;0a1b2c3d"], ["32;0a1b2c3d"]),
        (["many"], ["33"]),
        (["1", "2"], ["33"]),
    ):
        answer = site.call("POST", "/u", body, [("Goto-Hops", value) for value in came])
        assert answer.value("goto-hops") is None
        (received,) = behind.take(1)
        assert received.values("goto-hops") == sent


def test_a_circle_through_gotos_in_mitmproxy_ends(site: Site) -> None:
    site.api("PUT", "/request/headers/track/add/goto-hops")
    site.target(site.port)
    answer = site.call("GET", "/x")
    assert (answer.status, answer.text) == (508, "target /: this request came through goto 32 times\n")
    assert site.reported == {"508": 33}
    assert site.api("GET", "/request/headers/track/goto-hops/counts").json()["RequestCountsByHeaderValue"] == {}


def test_max_forwards_of_none_is_answered_here(site: Site, behind: Upstream, upstream: Upstream) -> None:
    site.target(upstream.port, "/t")
    for path in ("/t", "/u"):
        answer = site.call("OPTIONS", path, headers={"Max-Forwards": "0"})
        assert answer.json()["RequestURI"] == path
    site.call("OPTIONS", "/t", headers={"Max-Forwards": "3"})
    assert upstream.take(1)[0].values("max-forwards") == ["2"]
    assert behind.take() == []


# ---------------------------------------------------------------- names
def test_a_dot_at_the_end_of_a_host_is_for_host_and_not_for_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    asked: list[str | None] = []
    secure = authority.server(authority.issue("localhost"))
    secure.sni_callback = lambda tls, name, context: asked.append(name)
    hosts: list[bytes] = []

    def answers(connection: socket.socket) -> None:
        hosts.extend(line for line in read_head(connection).split(b"\r\n") if line.lower().startswith(b"host:"))
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    trusted = ("--set", f"ssl_verify_upstream_trusted_ca={authority.file}")
    with Scripted(answers, tls=secure) as server, Mitmdump("reverse:http://127.0.0.1:1", *trusted) as mitmdump:
        spec = {"name": "t", "url": f"https://localhost.:{server.port}", "match": {"uris": ["/"]}}
        mitmdump.api("POST", "/request/proxy/targets/add", spec)
        assert mitmdump.call("GET", "/x").status == 201
    assert (asked, hosts) == (["localhost"], [f"Host: localhost.:{server.port}".encode()])


# ---------------------------------------------------------------- early answers
BIG = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"


def early(connection: socket.socket) -> None:
    read_head(connection)
    connection.sendall(BIG)  # and is closed with bytes unread: a reset


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_refused_and_reset_is_answered_each_time(site: Site, chunked: bool) -> None:
    piece = b"x" * 65_536
    framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: 20000000"
    with Scripted(early) as server:
        site.target(server.port)
        for _ in range(25):
            with site.client() as client:
                with contextlib.suppress(OSError):
                    client.send(get("/", framing, method="POST"))
                    for _ in range(40):
                        client.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                answer = client.answer()
                assert (answer.status, answer.body) == (413, b"big")
    assert site.reported == {"413": 25}
