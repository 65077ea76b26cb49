"""What rules ask for on the wire, on both hosts, with and without TLS: ends, parts of answers, and bytes that are no HTTP."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import pytest
from support.client import get
from support.goto_process import Goto
from support.mitm_process import Mitmdump
from support.nginx import Nginx
from support.ports import free_port
from support.site import Site
from support.storm import storm
from support.tls_wire import TlsWire
from support.upstream import Reply, Upstream
from support.waiting import PATIENCE, eventually

End = Literal["fin", "reset", "open"]


class Got(NamedTuple):
    """All that came of a connection, and how it ended."""

    data: bytes
    end: End

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]


class Host:
    """A listener of either host, spoken to with or without TLS."""

    def __init__(self, site: Goto | Site, port: int, prefix: str, *, tls: bool) -> None:
        self._site = site
        self.port = port
        self._prefix = prefix
        self._tls = tls

    def api(self, method: str, path: str, body: Any = None) -> Any:
        return self._site.api(method, self._prefix + path, body)

    def rule(self, name: str, uri: str, **fields: Any) -> None:
        self.api("POST", "/response/rules/add", {"name": name, "when": {"uris": [uri]}, **fields})

    def shown(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api("GET", f"/response/rules/{name}").json()
        return found

    @contextlib.contextmanager
    def connected(self) -> Iterator[socket.socket | TlsWire]:
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as bare:
            yield TlsWire(bare) if self._tls else bare

    def raw(self, data: bytes, timeout: float = PATIENCE) -> Got:
        """Send bytes; all that comes until the connection ends, or nothing more does in time."""
        got = b""
        with self.connected() as connection:
            connection.settimeout(timeout)
            connection.sendall(data)
            while True:
                try:
                    piece = connection.recv(65536)
                except TimeoutError:
                    return Got(got, "open")
                except ConnectionResetError:
                    return Got(got, "reset")
                if not piece:
                    return Got(got, "fin")
                got += piece


@pytest.fixture(scope="module")
def behind() -> Iterator[Upstream]:
    with Upstream() as made:
        made.on("/large", lambda received: Reply(body=b"x" * 200_000))
        made.on("/chunks", lambda received: Reply(body=[b"y" * 1000] * 200))
        made.on("/304", Reply(304, headers=[("Content-Length", "1000"), ("ETag", "x")]))
        made.on("/chat", Reply(verbatim=b"HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"))
        yield made


@pytest.fixture(scope="module")
def mitmdump(behind: Upstream) -> Iterator[Mitmdump]:
    with Mitmdump(f"reverse:{behind.base}", expect_errors=True) as made:
        yield made


@pytest.fixture(scope="module")
def standalone(goto: Callable[..., Goto]) -> Goto:
    return goto("deliveries")


@pytest.fixture(params=["standalone", "standalone, TLS", "mitmproxy", "mitmproxy, TLS"])
def host(request: pytest.FixtureRequest, behind: Upstream) -> Iterator[Host]:
    """A listener with nothing configured but what stands behind it."""
    tls = request.param.endswith("TLS")
    if request.param.startswith("mitmproxy"):
        process = request.getfixturevalue("mitmdump")
        made = Host(process, process.port, "", tls=tls)
    else:
        process, port = request.getfixturevalue("standalone"), free_port()
        process.api("POST", "/listeners/add", {"port": port, "protocol": "https" if tls else "http"})
        process.api("PUT", f"/listeners/{port}/open")
        made = Host(process, port, f"/goto/port/{port}", tls=tls)
        made.api("POST", "/request/proxy/targets/add", {"name": "up", "url": behind.base, "match": {"uris": ["/"]}})
    made.api("PUT", "/request/timeout/track/all")
    made.api("PUT", "/response/status/counts/clear")
    behind.take()
    yield made
    made.api("PUT", "/response/rules/clear")
    made.api("POST", "/request/timeout/track/clear")


def curl(url: str, *options: str) -> int:
    """The exit status of a request."""
    return subprocess.run(["curl", "-sk", "-m", "20", "-o", "/dev/null", *options, url], check=False).returncode


def ends(host: Host) -> dict[str, int]:
    found: dict[str, int] = host.api("GET", "/request/timeout/status").json()["all"]
    return found


POST = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"


def test_an_end_without_an_answer(host: Host, behind: Upstream) -> None:
    host.rule("c", "/c", abort="close")
    host.rule("r", "/r", abort="reset")
    assert host.raw(get("/c")) == (b"", "fin")
    assert host.raw(POST % b"/c") == (b"", "fin")
    assert host.raw(get("/r")) == (b"", "reset")
    assert host.raw(POST % b"/r") == (b"", "reset")
    assert behind.take() == []
    assert eventually(lambda: ends(host), lambda found: found.get("Aborted") == 4)["RequestCompleted"] == 0
    assert host.api("GET", "/response/status/counts").json()["countsByReportedStatus"] == {}


def test_a_close_is_no_reset_whatever_has_come_of_the_body(host: Host) -> None:
    host.rule("c", "/c", abort="close")
    got = host.raw(b"POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + b"x" * 100_000)
    assert got == (b"", "fin")


def test_work_that_is_done_and_whose_answer_is_lost(host: Host, behind: Upstream) -> None:
    host.rule("lost", "/large", at="response", abort="reset", count=1)
    assert host.raw(get("/large")) == (b"", "reset")
    assert [received.path for received in behind.take(1)] == ["/large"]
    got = host.raw(get("/large", "Connection: close"))
    assert (len(got.body), got.end) == (200_000, "fin")
    assert host.shown("lost")["unable"] == 0


@pytest.mark.parametrize("end", ["close", "reset"])
def test_an_own_answer_is_cut(host: Host, end: str) -> None:
    host.rule("t", "/t", size=1000, truncate={"after": 100, "by": end})
    got = host.raw(get("/t"))
    assert got.end == ("fin" if end == "close" else "reset")
    if end == "close":  # behind a reset the client's system may have dropped what came before
        assert b"\r\nContent-Length: 1000\r\n" in got.data
        assert b"\r\nGoto-Rule: t;n=0;did=answer+truncate\r\n" in got.data
        assert got.body == (b"0123456789abcdef" * 7)[:100]
    assert eventually(lambda: ends(host), lambda found: found.get("Aborted") == 1)
    assert host.api("GET", "/response/status/counts").json()["countsByReportedStatus"] == {"200": 1}


def test_the_head_alone(host: Host) -> None:
    host.rule("t", "/t", size=1000, truncate={"after": 0})
    got = host.raw(get("/t"))
    assert (got.data.endswith(b"\r\n\r\n"), got.end) == (True, "fin")


@pytest.mark.parametrize("path", ["/large", "/chunks"])
def test_what_an_upstream_answers_is_cut(host: Host, path: str) -> None:
    host.rule("t", path, truncate={"after": 1500})
    got = host.raw(get(path))
    assert got.end == "fin"
    body = got.body
    if path == "/chunks":
        assert b"0\r\n\r\n" not in body
        assert body.count(b"y") == 1500
    else:
        assert b"\r\nContent-Length: 200000\r\n" in got.data
        assert body == b"x" * 1500
    assert host.shown("t")["unable"] == 0


@pytest.mark.parametrize("path", ["/large", "/chunks"])
def test_what_an_upstream_answers_is_cut_by_a_reset(host: Host, path: str) -> None:
    host.rule("t", path, truncate={"after": 1500, "by": "reset"})
    assert [host.raw(get(path)).end for _ in range(5)] == ["reset"] * 5


def test_a_cut_past_the_end_is_unable_and_all_goes_out(host: Host) -> None:
    host.rule("t", "/chunks", truncate={"after": 200_000})
    host.rule("share", "/large", truncate={"after": "50%"})
    got = host.raw(get("/chunks", "Connection: close"))
    assert got.data.count(b"y") == 200_000
    assert got.data.endswith(b"0\r\n\r\n")
    assert eventually(lambda: host.shown("t"), lambda shown: shown["unable"] == 1)
    assert len(host.raw(get("/large")).body) == 100_000


GARBLED = {
    "status-line": b"HTTP/1.1 2OO OK\r\n",
    "head": b"\r\nContent-Ty",
    "chunk": b"\r\n5\r\nhello\r\nzz",
    "length": b"\r\nContent-Length: -5\r\n",
    "double-length": b"\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
    "double-encoding": b"\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "huge-head": b"x" * (1 << 20),
}


@pytest.mark.parametrize("kind", GARBLED)
def test_what_is_no_http(host: Host, kind: str) -> None:
    host.rule("g", "/g", garble=kind)
    got = host.raw(get("/g"))
    assert got.end == "fin"
    assert GARBLED[kind] in got.data
    assert b"\r\nVia-Goto: " in got.data
    assert b"\r\nGoto-Rule: g;n=0;did=garble\r\n" in got.data
    host.rule("own", "/own", garble={"raw": "HTTP/9.9 000\r\n\r\nwhat"})
    assert host.raw(get("/own")) == (b"HTTP/9.9 000\r\n\r\nwhat", "fin")


def test_garbled_in_place_of_what_an_upstream_answered(host: Host, behind: Upstream) -> None:
    host.rule("g", "/large", at="response", garble="chunk")
    got = host.raw(get("/large"))
    assert (b"\r\n5\r\nhello\r\nzz" in got.data, got.end) == (True, "fin")
    assert len(behind.take(1)) == 1


def test_what_hangs_goes_on_when_its_rule_goes(host: Host) -> None:
    host.rule("h", "/status/201", abort="hang")
    assert host.raw(get("/status/201"), timeout=0.3) == (b"", "open")
    assert eventually(lambda: host.shown("h"), lambda shown: shown["holding"] == 0)["struck"] == 1
    with host.connected() as connection:
        connection.sendall(get("/status/201"))
        eventually(lambda: host.shown("h"), lambda shown: shown["holding"] == 1)
        metrics = host.api("GET", "/goto/metrics").text
        assert f'goto_held_exchanges{{listener="{host.port}"}} 1.0' in metrics
        host.api("PUT", "/response/rules/h/remove")
        assert connection.recv(100).startswith(b"HTTP/1.1 2")
    found = eventually(lambda: ends(host), lambda found: sum(found.values()) == 2)
    assert "Aborted" not in found


@pytest.mark.parametrize(
    ("path", "status", "length"),
    [("/large", 204, None), ("/large", 205, b"0"), ("/chunks", 304, None), ("/304", 502, b"0"), ("/chat", 502, b"0")],
)
def test_a_status_takes_the_place_of_an_upstreams(host: Host, path: str, status: int, length: bytes | None) -> None:
    host.rule("s", path, at="response", status=status)
    upgrade = ("Connection: Upgrade", "Upgrade: websocket") if path == "/chat" else ("Connection: close",)
    got = host.raw(get(path, *upgrade), timeout=1 if path == "/chat" else PATIENCE)
    found = re.search(rb"(?i)\r\ncontent-length: (\d+)", got.data)
    assert (int(got.data[9:12]), got.body) == (status, b"")
    if status != 304:  # which may tell the length of what is not sent
        assert (found and found[1]) == length
    assert b"\r\nGoto-Rule: s;n=0;did=answer\r\n" in got.data


@pytest.mark.parametrize(("abort", "end"), [("close", "fin"), ("reset", "reset")])
def test_a_handshake_ends_behind_its_answer_as_others_do(host: Host, abort: str, end: End) -> None:
    host.rule("c", "/chat", at="response", abort=abort)
    assert host.raw(get("/chat", "Connection: Upgrade", "Upgrade: websocket")) == Got(b"", end)


PLAIN = pytest.mark.parametrize("host", ["standalone", "mitmproxy"], indirect=True)
"""Without TLS."""


@PLAIN
def test_what_was_planned_happens_at_64_connections(host: Host) -> None:
    host.rule("flaky", "/x", probability=0.4, oneOf=[{"status": 501}, {"status": 502, "weight": 3}])
    plan = host.api("GET", "/response/rules/flaky/plan?from=0&count=320").json()
    heads: list[bytes] = []
    storm(host.port, 320, 64, lambda n: get("/x"), heads.append)
    happened = {int(found[1]): int(head[9:12]) for head in heads if (found := re.search(rb"Goto-Rule: flaky;n=(\d+);", head))}
    assert happened == {line["n"]: 501 + line["outcome"] for line in plan if line["strikes"]}
    assert len(happened) > 64


EMPTY, CUT_OFF, RESET, FAILED = 52, 18, 56, 22
"""curl: nothing came; a part is missing; the connection was reset; an answer of 400 or more, with `--fail`."""


@PLAIN
def test_clients_see_what_it_is(host: Host, nginx: Callable[..., Nginx]) -> None:
    host.rule("c", "/c", abort="close")
    host.rule("r", "/r", abort="reset")
    host.rule("t", "/t", size=1000, truncate={"after": 100})
    host.rule("l", "/large", truncate={"after": "50%"})
    host.rule("k", "/chunks", truncate={"after": 1500})
    base = f"http://127.0.0.1:{host.port}"
    assert [curl(base + path) for path in ("/c", "/r", "/t", "/large", "/chunks")] == [EMPTY, RESET, CUT_OFF, CUT_OFF, CUT_OFF]
    assert curl(base + "/t", "--http1.0") == CUT_OFF
    assert curl(base + "/chunks", "--http1.0") == RESET  # which has no other end than that of the connection
    front = nginx(f"location / {{ proxy_http_version 1.1; proxy_pass {base}; }}").base
    assert [curl(front + path, "--fail") for path in ("/c", "/r")] == [FAILED, FAILED]
    assert [curl(front + path) for path in ("/t", "/large", "/chunks")] == [CUT_OFF] * 3


MIB = 1 << 20
SIZES = [0, 5, 65_536, MIB, MIB + 1, 3 * MIB]


def chunked(data: bytes) -> bytes:
    pieces = [data[at : at + 50_000] for at in range(0, len(data), 50_000)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("framed", ["length", "chunks"])
@pytest.mark.parametrize("size", SIZES)
def test_a_body_that_is_looked_at_goes_on_whole(host: Host, behind: Upstream, framed: str, size: int) -> None:
    api = "/response/rules/add"
    host.api("POST", api, {"name": "b", "when": {"methods": ["POST"], "body": {"contains": "needle"}}, "status": 503})
    for body in (b"x" * size, (b"needle" + b"x" * size)[: max(size, 6)]):
        if framed == "length":
            sent = b"POST /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        else:
            head = b"POST /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            sent = head + chunked(body)
        got = host.raw(sent)
        if b"needle" in body and len(body) <= MIB:
            assert got.data.startswith(b"HTTP/1.1 503 ")
            assert behind.take() == []
        else:
            assert got.data.startswith(b"HTTP/1.1 200 ")
            (received,) = behind.take(1)
            assert received.body == body
            assert bool(received.values("transfer-encoding")) == (framed == "chunks")


def test_a_client_that_waits_is_told_to_go_on_where_its_body_is_wanted(host: Host) -> None:
    host.api("POST", "/response/rules/add", {"name": "b", "when": {"body": {"equals": "needle"}}, "status": 503})
    with host.connected() as connection:
        connection.sendall(b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"needle")
        assert connection.recv(100).startswith(b"HTTP/1.1 503 ")


HTTP2_STREAM = 92
"""curl: the stream was not closed cleanly."""


def test_streams_of_http_2_are_reset(mitmdump: Mitmdump) -> None:
    host = Host(mitmdump, mitmdump.port, "", tls=True)
    host.rule("c", "/c", abort="close")
    host.rule("r", "/r", abort="reset")
    host.rule("t", "/t", size=1000, truncate={"after": 100})
    host.rule("l", "/large", truncate={"after": 1000})
    host.rule("g", "/g", garble="head")
    host.rule("b", "/b", body="fine")
    try:
        base = f"https://127.0.0.1:{mitmdump.port}"
        assert [curl(base + path, "--http2") for path in ("/c", "/r", "/t", "/large", "/g")] == [HTTP2_STREAM] * 5
        assert curl(f"{base}/b", "--http2") == 0
        unable = {name: shown["unable"] for name, shown in host.api("GET", "/response/rules").json().items()}
        assert unable == {"c": 0, "r": 0, "t": 0, "l": 0, "g": 1, "b": 0}
    finally:
        host.api("PUT", "/response/rules/clear")


def test_what_mitmproxy_cannot_do_is_refused(mitmdump: Mitmdump) -> None:
    for field, value in (("pace", {"rate": "1KiB"}), ("stall", {"after": 1, "for": "1s"})):
        answer = mitmdump.call("POST", "/response/rules/add", {"name": "p", "answers": [{}, {field: value}]})
        assert (answer.status, answer.text) == (409, f"{field}: mitmproxy cannot do it: use the standalone host\n")
    assert mitmdump.call("POST", "/response/rules/add", {"name": "p", "pace": {}}).status == 400
