"""What both hosts tell the journal, with real clients and a real upstream: bodies that stream, uploads, and how exchanges end."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from haralyzer import HarParser
from soak.journal import keep, with_rule
from support.client import Client, get
from support.goto_process import Goto
from support.har_schema import VALID
from support.mitm_process import Mitmdump
from support.ports import free_port
from support.secure import SecureClient
from support.upstream import Reply, Upstream
from support.waiting import PATIENCE, eventually

MIB = 1 << 20


UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


class Host:
    """A listener of either host in front of an upstream, with the journal on."""

    def __init__(self, process: Goto, port: int, target: str) -> None:
        self.process = process
        self.port = port
        self.target = target
        """The name under which the upstream is called."""

    def journal(self, query: str = "") -> list[dict[str, Any]]:
        page = self.process.api("GET", f"/goto/journal?listener={self.port}&{query}").json()
        entries: list[dict[str, Any]] = page["entries"]
        return entries

    def archive(self, query: str = "") -> dict[str, Any]:
        har: dict[str, Any] = self.process.api("GET", f"/goto/journal?format=har&{query}").json()
        return har

    def over(self, uri: str) -> dict[str, Any]:
        """The entry of the one exchange with this path, once it is over."""
        (entry,) = eventually(lambda: self.journal(f"uri={uri}"), lambda found: len(found) == 1 and found[0]["end"] is not None)
        return entry


@pytest.fixture(scope="module")
def behind() -> Iterator[Upstream]:
    with Upstream() as made:
        yield made


@pytest.fixture(scope="module")
def mitmdump(behind: Upstream) -> Iterator[Mitmdump]:
    with Mitmdump(f"reverse:{behind.base}", expect_errors=True) as made:
        yield made


@pytest.fixture(scope="module")
def standalone(goto: Callable[..., Goto]) -> Goto:
    return goto("journal")


@pytest.fixture(params=["standalone", "mitmproxy", "mitmproxy, its own upstream"])
def host(request: pytest.FixtureRequest, behind: Upstream) -> Iterator[Host]:
    process: Goto = request.getfixturevalue("mitmdump" if request.param.startswith("mitm") else "standalone")
    process.api("PUT", "/goto/journal/set/y")
    process.api("PUT", "/goto/journal/clear")
    process.api("PUT", "/request/proxy/targets/clear")
    own = request.param.endswith("upstream")
    if not own:
        process.api("POST", "/request/proxy/targets/add", {"name": "up", "url": behind.base, "match": {"uris": ["/"]}})
    behind.take()
    yield Host(process, process.port, "upstream" if own else "up")
    process.api("PUT", "/goto/journal/set/n")


def test_a_streamed_body_still_streams_and_its_beginning_is_kept(host: Host, behind: Upstream) -> None:
    more = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"first"
        assert more.wait(PATIENCE)
        yield b"x" * 3 * MIB

    behind.on("/stream", lambda received: Reply(body=body()))
    client = Client(host.port)
    client.send(get("/stream"))
    assert client.head()[0] == 200
    assert client.stream.readline() == b"5\r\n"
    assert client.stream.read(5) == b"first"  # it is here while the upstream still holds the rest
    (entry,) = eventually(lambda: host.journal("uri=/stream"), lambda found: found[0]["responseBody"]["size"] == 5)
    assert (entry["status"], entry["end"]) == (200, None)
    more.set()
    left = 3 * MIB + 2
    while left > 0:
        left -= len(client.stream.read(min(left, 65536)))
        if left < 4096:
            break
    entry = host.over("/stream")
    assert entry["responseBody"]["size"] == 5 + 3 * MIB
    assert entry["responseBody"]["truncated"] is True
    assert entry["responseBody"]["text"].startswith("firstxxx")
    assert len(entry["responseBody"]["text"]) == 4096
    client.close()


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_goes_on_as_it_came_and_is_counted_whole(host: Host, behind: Upstream, chunked: bool) -> None:
    data = bytes(range(256)) * 12_288
    path = f"/upload/{chunked}"
    if chunked:
        pieces = b"".join(
            b"%x\r\n%b\r\n" % (len(data[at : at + 65536]), data[at : at + 65536]) for at in range(0, len(data), 65536)
        )
        message = get(path, "Transfer-Encoding: chunked", method="POST") + pieces + b"0\r\n\r\n"
    else:
        message = get(path, method="POST", body=data)
    client = Client(host.port)
    client.send(message)
    assert client.answer().status == 200
    (received,) = behind.take()
    assert received.body == data
    entry = host.over(path)
    assert (entry["body"]["size"], entry["body"]["truncated"], len(entry["body"]["base64"])) == (len(data), True, 5464)
    assert [(call["target"], call["status"]) for call in entry["calls"]] == [(host.target, 200)]
    assert entry["ms"]["upstream"] > 0
    client.close()


def test_heads_are_those_that_came_and_went(host: Host, behind: Upstream) -> None:
    behind.on("/heads", Reply(201, b"made\n", headers=[("X-Up", "1"), ("Set-Cookie", "secret=1")], reason="Built"))
    answer = host.process.call("GET", "/heads?a=b", headers=[("X-A", "one"), ("x-a", "two"), ("Authorization", "secret")])
    assert answer.status == 201
    entry = host.over("/heads")
    assert [pair for pair in entry["headers"] if pair[0].lower() in ("x-a", "authorization")] == [
        ["X-A", "one"],
        ["x-a", "two"],
        ["Authorization", "***"],
    ]
    shown = dict(entry["responseHeaders"])
    assert (shown["X-Up"], shown["Set-Cookie"]) == ("1", "***")
    assert shown["Via-Goto"]
    assert not {"content-length", "transfer-encoding", "connection"} & {name.lower() for name in shown}
    assert (entry["status"], entry["reason"], entry["responseBody"]) == (201, "Built", {"size": 5, "text": "made\n"})
    assert entry["client"].startswith("127.0.0.1:")


@pytest.mark.parametrize("target", ["/sized?a=b", "http://a/sized?a=b"])
def test_the_size_of_a_head_is_that_on_the_wire(host: Host, target: str) -> None:
    head = f"POST {target} HTTP/1.1\r\nHost:a\r\nX-A: \t b \r\nContent-Length: 2\r\n\r\n".encode()
    with Client(host.port) as client:
        client.send(head + b"hi")
        assert client.answer().status == 200
    host.over("/sized")
    (entry,) = host.archive("uri=/sized")["log"]["entries"]
    assert (entry["request"]["headersSize"], entry["request"]["bodySize"]) == (len(head), 2)
    assert entry["request"]["url"] == "http://a/sized?a=b"


def over_tls(host: Host, behind: Upstream) -> Host:
    """The host where it speaks TLS: mitmproxy does on the same port."""
    if isinstance(host.process, Mitmdump):
        return host
    secure = Host(host.process, free_port(), host.target)
    secure.process.api("POST", "/listeners/add", {"port": secure.port, "protocol": "https", "open": True})
    target = {"name": "up", "url": behind.base, "match": {"uris": ["/"]}}
    secure.process.api("POST", f"/goto/port/{secure.port}/request/proxy/targets/add", target)
    return secure


def unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_a_session_is_an_archive(host: Host, behind: Upstream) -> None:
    """By a JSON Schema of HAR 1.2, and for another reader: gzip, a form, an upload, a websocket and a reset, all over TLS."""
    host = over_tls(host, behind)
    text, upload = b"text " * 100, bytes(range(256)) * 64
    behind.on("/gzip", Reply(body=gzip.compress(text), headers=[("Content-Encoding", "gzip"), ("Content-Type", "text/plain")]))
    behind.on("/chat", Reply(verbatim=SWITCHED + b"\x81\x02hi\x88\x02\x03\xe8"))
    rule = {"name": "flaky", "when": {"uris": ["/reset"]}, "abort": "reset"}
    host.process.api("POST", f"/goto/port/{host.port}/response/rules/add", rule)
    sent = [
        get("/gzip"),
        get("/form", "Content-Type: application/x-www-form-urlencoded", method="POST", body=b"a=1&b=%20"),
        get("/upload", method="PUT", body=upload),
    ]
    with SecureClient(host.port, unverified()) as client:
        for message in sent:
            client.send(message)
            assert client.answer().status == 200
        client.send(get("/chat", *UPGRADE))
        assert client.head()[0] == 101
        assert client.stream.read(4) == b"\x81\x02hi"
    with SecureClient(host.port, unverified()) as client:
        client.send(get("/reset"))
        with contextlib.suppress(ssl.SSLError):
            assert client.rest() == b""
    for uri in ("/gzip", "/form", "/upload", "/chat", "/reset"):
        host.over(uri)
    archive = host.archive()
    VALID.validate(archive)
    assert all(entry["request"]["url"].startswith("https://a/") for entry in archive["log"]["entries"])
    (page,) = HarParser(archive).pages
    read = {entry.request.url.rpartition("/")[2]: entry for entry in page.entries}
    assert {name: entry.response.status for name, entry in read.items()} == {
        "gzip": 200,
        "form": 200,
        "upload": 200,
        "chat": 101,
        "reset": 0,
    }
    assert read["gzip"].response.text == text.decode()
    params = read["form"].request.raw_entry["postData"]["params"]
    assert params == [{"name": "a", "value": "1"}, {"name": "b", "value": " "}]
    assert read["upload"].request.bodySize == len(upload)


def test_bodies_that_are_none(host: Host, behind: Upstream) -> None:
    behind.on("/304", Reply(304, headers=[("ETag", "x")]))
    assert host.process.call("GET", "/304").status == 304
    client = Client(host.port)
    client.send(get("/head", method="HEAD"))
    assert client.head()[0] == 200
    for path in ("/304", "/head"):
        assert host.over(path)["responseBody"] == {"size": 0, "text": ""}
    client.close()


def test_an_upstream_that_breaks_off_and_one_that_drops(host: Host, behind: Upstream) -> None:
    behind.on("/broken", Reply(verbatim=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))
    behind.on("/dropped", Reply(verbatim=b""))
    client = Client(host.port)
    client.send(get("/broken"))
    with contextlib.suppress(ConnectionResetError):
        client.answer()
    entry = host.over("/broken")
    # mitmproxy holds a short answer of its own upstream until it is whole
    sent = (0, 0) if host.target == "upstream" else (200, 4)
    assert (entry["end"], entry["status"], entry["responseBody"]["size"]) == ("broke_off", *sent)
    assert host.process.call("GET", "/dropped").status == 502
    entry = host.over("/dropped")
    assert (entry["end"], entry["status"]) == ("upstream_failed", 502)
    assert entry["calls"][0]["status"] == 0
    assert entry["calls"][0]["error"]
    client.close()


def test_a_client_that_leaves_within_its_upload_or_its_answer(host: Host, behind: Upstream) -> None:
    held = threading.Event()
    behind.on("/held", Reply(hold=held))
    client = Client(host.port)
    client.send(get("/half", "Content-Length: 1000", method="POST") + b"x" * 10)
    eventually(lambda: host.journal("uri=/half"), lambda found: bool(found) and found[0]["body"]["size"] == 10)
    client.close()
    entry = host.over("/half")
    assert (entry["end"], entry["body"]) == ("client_gone", {"size": 10, "text": "x" * 10})
    client = Client(host.port)
    client.send(get("/held"))
    eventually(lambda: host.journal("uri=/held"), lambda found: len(found) == 1)
    client.close()
    assert host.over("/held")["status"] == 0
    held.set()


@pytest.mark.parametrize("host", ["standalone", "mitmproxy"], indirect=True)
def test_a_call_whose_client_leaves_waits_no_more(host: Host) -> None:
    """1,000 calls may wait. Where those of clients that have left were still among them, there would be no room."""
    body = json.dumps({"when": {"uris": ["/never"]}, "timeout": "60s"}).encode()
    host.process.api("POST", "/goto/journal/expectations/add", {"name": "never", "when": {"uris": ["/never"]}})
    cursor = host.process.api("GET", "/goto/watch?journal=y").json()["cursor"]
    waits = [
        get("/goto/journal/verify", method="POST", body=body),
        get("/goto/journal?uri=/never&wait=60s"),
        get("/goto/journal/expectations/never?wait=60s"),
        get(f"/goto/watch?journal=y&wait=60s&since={cursor}"),
    ]
    for _ in range(2):
        clients = [socket.create_connection(("127.0.0.1", host.port), PATIENCE) for _ in range(600)]
        for client, wait in zip(clients, itertools.cycle(waits), strict=False):
            client.sendall(wait)
        for client in clients:
            client.close()
        answer = eventually(
            lambda: host.process.call("POST", "/goto/journal/verify", {"when": {"uris": ["/never"]}, "timeout": "10ms"}),
            lambda found: found.status == 417,
        )
        assert "saw 0" in answer.text
    host.process.api("PUT", "/goto/journal/expectations/clear")


def test_waiting_calls_are_woken_by_the_exchange(host: Host, behind: Upstream) -> None:
    body = json.dumps({"when": {"uris": ["/wakes"], "status": "2xx"}, "timeout": "60s"}).encode()
    clients = [Client(host.port) for _ in range(50)]
    for client in clients:
        client.send(get("/goto/journal/verify", method="POST", body=body))
    assert host.process.call("GET", "/wakes").status == 200
    for client in clients:
        assert client.answer().status == 200
        client.close()


def test_http_2_says_so(behind: Upstream, mitmdump: Mitmdump) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    mitmdump.api("PUT", "/goto/journal/set/y")
    url = f"https://127.0.0.1:{mitmdump.port}/two?a=b"
    ran = subprocess.run(
        ["curl", "-sS", "--http2", "-k", "-m", "20", "-d", "hello", "-w", "%{http_version}", url],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.endswith("2")
    host = Host(mitmdump, mitmdump.port, "upstream")
    entry = host.over("/two")
    assert (entry["version"], entry["body"]) == ("2.0", {"size": 5, "text": "hello"})
    har = mitmdump.api("GET", "/goto/journal?format=har&uri=/two").json()["log"]["entries"][0]
    assert (har["request"]["httpVersion"], har["request"]["headersSize"]) == ("HTTP/2", -1)
    assert har["request"]["url"] == url
    mitmdump.api("PUT", "/goto/journal/set/n")


def test_a_slow_answer_is_kept_as_it_goes_out(standalone: Goto) -> None:
    port = free_port()
    standalone.api("POST", "/listeners/add", {"port": port, "protocol": "http", "open": True})
    standalone.api("PUT", "/goto/journal/set/y")
    rule = {"name": "slow", "when": {"uris": ["/slow"]}, "size": 100, "pace": {"over": "200ms"}}
    standalone.api("POST", f"/goto/port/{port}/response/rules/add", rule)
    client = Client(port)
    client.send(get("/slow"))
    assert len(client.answer().body) == 100
    host = Host(standalone, port, "")
    entry = host.over("/slow")
    assert (entry["responseBody"]["size"], entry["end"]) == (100, "completed")
    assert entry["ms"]["end"] >= 200
    rule = {"name": "cut", "when": {"uris": ["/cut"]}, "size": 100, "truncate": {"after": 10}}
    standalone.api("POST", f"/goto/port/{port}/response/rules/add", rule)
    client.send(get("/cut"))
    client.head()
    entry = host.over("/cut")
    assert (entry["responseBody"], entry["end"]) == ({"size": 10, "text": "0123456789"}, "aborted")
    client.close()


def test_its_memory_stays_within_its_limit(goto: Callable[..., Goto]) -> None:
    """The same at length, with a million exchanges: `python -m soak.journal`."""
    process = goto("memory", "--quiet")
    assert keep(process, with_rule(process), 1_500).problems == []
