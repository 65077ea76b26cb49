"""Both hosts, one configuration, the same requests: the same answers and the same counts.

One upstream stands behind both: mitmproxy's own there, and here a target that takes what no other does. What begins with `/t/`
is for targets, and what begins with `s` or `e` is for `/status` and `/echo`, which a target would win over.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.calls import Answer
from support.client import Client
from support.client import get as request
from support.goto_process import Goto
from support.mitm_process import Mitmdump
from support.ports import free_port
from support.scrape import scraped
from support.upstream import Reply, Upstream
from support.waiting import eventually

CONFIG = """
label: same
response:
  headers: [[z, "1"], [z, "2"], [umlaut, ä]]
  setHeaders: [[set, once], [A, "3"], [Goto-Host, here]]
request:
  headers: {track: [x, Host, user-agent]}
  timeout: {track: [all, x]}
  uri: {bypass: {uris: [/healthz, "/by/{pass}?a=b"], status: 204}}
  proxy:
    targets:
      - {name: one, url: "%(up)s/base/", match: {uris: ["/t/one/{rest:.*}"]}, replaceURI: "/there/{rest}"}
      - name: captured
        url: "%(up)s"
        match: {headers: [[x-capture, "{x}"]], query: [[capture, "{q}"]]}
        addHeaders: [[got, "{x}/{q}"], [Host, "{x}.test"]]
        addQuery: [[q2, "{q}"], [x2, "{x}"]]
        removeHeaders: [secret]
        removeQuery: [gone]
      - {name: two, url: "%(up)s/two", match: {uris: ["/t/two/{x}"]}, replicas: 2}
      - {name: also, url: "%(up)s/also", match: {uris: ["/t/two/also"]}}
      - {name: last, url: "%(up)s/last", match: {uris: ["/t/two/{x}", "/t/last/{x}"]}, fallback: true}
      - {name: missing, url: "%(up)s", match: {uris: [/t/missing]}, replaceURI: "/{nothing}"}
      - {name: down, url: "%(dead)s", match: {uris: [/t/down]}}
      - {name: drop, url: "%(up)s", match: {uris: [/t/drop]}}
      - {name: slow, url: "%(up)s", match: {uris: [/t/slow]}, requestTimeout: 1s}
      - {name: rest, url: "%(up)s", match: {uris: ["/{any:(?:[^tse].*)?}"]}, enabled: %(enabled)s}
"""


def answered(received: Any) -> Reply:
    """What the upstream says: all that it was asked."""
    asked = {"method": received.method, "target": received.target, "body": received.body.decode("latin-1")}
    asked["headers"] = sorted((name.lower(), value) for name, value in received.headers if name.lower() not in UNLIKE)
    status = int(found[1]) if (found := re.search(r"status(\d+)", received.path)) else 200
    headers = [("A", "1"), ("a", "2"), ("Set-Cookie", "c=1"), ("Set-Cookie", "d=2")]
    if received.path.startswith(("/t", "/base")):  # on its own, mitmproxy passes these on
        headers += [("Connection", "X-Hop"), ("X-Hop", "1")]
    body = json.dumps(asked).encode()
    return Reply(status, [body[:10], body[10:]] if "chunks" in received.path else body, headers)


UNLIKE = frozenset(("connection", "content-length", "transfer-encoding", "accept-encoding", "goto-hops"))
"""How bodies are delimited is each host's matter, as long as they are the same; a mark of hops names the listener, and
mitmproxy's own upstream is sent none."""


class Both:
    """A standalone process and a mitmdump, configured alike, in front of one upstream."""

    def __init__(self, standalone: Goto, mitmdump: Goto) -> None:
        self.hosts = (standalone, mitmdump)

    def ask(self, method: str, path: str, body: bytes | None, headers: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """What each of them answers, without what may differ."""
        return [self._shown(host.call(method, path, body, headers), host) for host in self.hosts]

    @staticmethod
    def _shown(answer: Answer, host: Goto) -> dict[str, Any]:
        ignored = ("date", "server", "connection", "transfer-encoding", "content-length")
        headers = sorted((name.lower(), value) for name, value in answer.headers if name.lower() not in ignored)
        text = answer.text.replace(str(host.port), "PORT")
        if answer.status == 208:  # Date is among the headers of its entries
            text = re.sub(r'"Date": ?\["[^"]*"\],?', "", text)
        return {"status": answer.status, "reason": answer.reason, "headers": headers, "body": text}

    def counts(self) -> list[Any]:
        """Everything that each of them has counted."""
        paths = ["/response/status/counts", "/request/uri/bypass", "/request/timeout/status"]
        paths += [f"/request/headers/track/{header}/counts" for header in ("x", "host")]
        return [[json.loads(host.api("GET", path).text.replace(str(host.port), "PORT")) for path in paths] for host in self.hosts]

    def same_counts(self) -> None:
        # how an exchange has ended may be known a little later on one of them
        eventually(self.counts, lambda counts: counts[0] == counts[1])


@pytest.fixture(scope="module")
def both(goto: Callable[..., Goto], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder: Path = tmp_path_factory.mktemp("parity")
    with Upstream() as upstream:
        upstream._replies = AnyPath()
        upstream.on("/t/drop", Reply(verbatim=b""))
        upstream.on("/t/slow", lambda received: Reply(hold=Never()))
        names = {"up": upstream.base, "dead": f"http://127.0.0.1:{free_port()}"}
        for kind, enabled in (("standalone", "true"), ("mitmproxy", "false")):
            (folder / f"{kind}.yaml").write_text(CONFIG % {**names, "enabled": enabled})
        standalone = goto("same", "--config", str(folder / "standalone.yaml"), "--quiet")
        with Mitmdump(f"reverse:{upstream.base}", "--set", f"goto_config={folder / 'mitmproxy.yaml'}") as mitmdump:
            yield Both(standalone, mitmdump)


class AnyPath(dict[str, Any]):
    """The upstream says what it was asked, whatever the path."""

    def get(self, path: str, default: Any = None) -> Any:
        return super().get(path, answered)


class Never:
    """An event that does not come; only that the other side leaves."""

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        return False


REQUESTS: list[tuple[str, str, bytes | None, list[tuple[str, str]]]] = [
    ("GET", "/", None, []),
    ("GET", "/a%2Fb//c/../d?x=%20&y&&=", None, [("X-Multi", "1"), ("x-multi", "2")]),
    ("GET", "/t/last/x", None, []),
    ("POST", "/post", b"body", [("Content-Type", "text/plain")]),
    ("PUT", "/chunks", b"", []),
    ("HEAD", "/head", None, []),
    ("OPTIONS", "/u/status299", None, []),
    ("GET", "/u/status204", None, []),
    ("GET", "/u/status304", None, []),
    ("GET", "/u/status599", None, []),
    ("GET", "/status/418", None, []),
    ("HEAD", "/status/418", None, []),
    ("GET", "/status/599", None, []),
    ("GET", "/status/204", None, []),
    ("POST", "/status/200", b"x" * 1000, []),
    ("GET", "/status/99", None, []),
    ("GET", "/echo?a=b&a=c", None, [("X-Multi", "1"), ("Accept", "a"), ("Accept", "b"), ("Cookie", "c")]),
    ("POST", "/echo/headers", b"hello \xff", [("Content-Type", "text/plain")]),
    ("DELETE", "/echo/", None, []),
    ("POST", "/echo", b"x" * (3 << 20), []),
    ("GET", "/healthz", None, []),
    ("GET", "/HEALTHZ?any", None, []),
    ("GET", "/by/anything?a=b", None, []),
    ("GET", "/by/anything", None, []),
    ("GET", "/t/one/more/thing?k=v", None, [("Connection", "close, X-Mine"), ("X-Mine", "1"), ("TE", "trailers;q=0")]),
    ("POST", "/t/one/%2F/status503", b"body", []),
    ("GET", "/t/one/chunks", None, []),
    ("HEAD", "/t/one/chunks", None, []),
    ("GET", "/t/one/status204", None, []),
    ("HEAD", "/t/one/status304", None, []),
    ("GET", "/t?capture=Q1&gone=1&r", None, [("X-Capture", "X1"), ("Secret", "s")]),
    ("GET", "/t/any", None, [("x-capture", "first"), ("X-CAPTURE", "second")]),
    ("GET", "/t/two/also", None, []),
    ("POST", "/t/two/only", b"body", []),
    ("GET", "/t/missing", None, []),
    ("GET", "/t/down", None, []),
    ("POST", "/t/down", b"body", []),
    ("HEAD", "/t/down", None, []),
    ("GET", "/t/drop", None, []),
    ("GET", "/t/slow", None, []),
    ("POST", "/t/slow", b"body", []),
    ("GET", "/request/this", None, []),
    ("GET", "/clients", None, []),
    ("GET", "/label", None, []),
    ("GET", "/label/", None, [("Accept", "application/json")]),
    ("HEAD", "/label", None, []),
    ("DELETE", "/label", None, []),
    ("PUT", "/response/delay/set/nonsense", b"", []),
    ("PUT", "/response/delay/set/nonsense", b"", [("Accept", "application/json")]),
    ("POST", "/request/proxy/targets/add", b"{", []),
    ("POST", "/request/proxy/targets/add", b"x" * (1 << 20), []),
    ("POST", "/request/proxy/targets/one/invoke?q=1", b"body", [("X", "1")]),
    ("POST", "/request/proxy/targets/two,one/invoke", b"", []),
    ("GET", "/request/proxy/targets/nothing/invoke", None, []),
    ("PUT", "/listeners/1/open", b"", []),
    ("GET", "/goto/ready", None, []),
    ("GET", "/goto/nothing", None, []),
    ("GET", "/goto/port/1/label", None, []),
    ("GET", "/x", None, [("Upgrade", "h2c"), ("Connection", "Upgrade")]),
    ("GET", "/t/one/x", None, [("Upgrade", "h2c"), ("Connection", "Upgrade")]),
    ("GET", "/echo", None, [("Upgrade", "websocket"), ("Connection", "Upgrade")]),
    ("GET", "/t/two/a", None, [("Upgrade", "websocket"), ("Connection", "Upgrade")]),
    ("GET", "/x", None, [("unicode", "wert-ü".encode().decode("latin-1"))]),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: f"{request[0]} {request[1]}".replace("/", "∕"))
def test_the_same_answer(both: Both, request_: tuple[str, str, bytes | None, list[tuple[str, str]]]) -> None:
    standalone, mitmdump = both.ask(*request_)
    assert standalone == mitmdump


def test_the_same_counts(both: Both) -> None:
    both.same_counts()
    assert both.counts()[0][0]["countsByReportedStatus"]


segment = st.text("abcXYZ019-._~+!$&'()*,;=:@", min_size=1, max_size=6)
rest = st.lists(st.one_of(segment, st.sampled_from(["chunks", "status503", "%2F", "..", ""])), max_size=3).map("/".join)
paths = st.one_of(
    st.tuples(st.sampled_from(["/u/", "/by/", "/a/", "/request/", "/label/", "/t/one/"]), rest).map("".join),
    segment.map(lambda word: f"/t/two/{word}"),
    segment.filter(lambda word: word[0] not in "tse").map(lambda word: f"/{word}"),
    st.integers(190, 610).map(lambda status: f"/status/{status}"),
    st.sampled_from(["/echo", "/echo/headers", "/t/down", "/t/drop", "/t/missing", "/healthz", "/label"]),
)
values = st.text("abcXYZ 019-._~/{}", min_size=1, max_size=8).map(str.strip).filter(bool)
queries = st.lists(st.tuples(st.sampled_from(["q", "gone", "a", "b"]), st.text("abc019{}.", max_size=4)), max_size=3)
fields = st.lists(st.tuples(st.sampled_from(["X", "x", "Secret", "Other", "Accept", "Cookie"]), values), max_size=4)
bodies = st.one_of(st.none(), st.binary(max_size=200))


@settings(max_examples=60, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]), paths, queries, fields, bodies)
def test_requests_made_up(
    both: Both, method: str, path: str, query: list[tuple[str, str]], headers: list[tuple[str, str]], body: bytes | None
) -> None:
    target = path + ("?" + "&".join(f"{name}={value}" for name, value in query) if query else "")
    standalone, mitmdump = both.ask(method, target, body, headers)
    assert standalone == mitmdump


def test_the_same_counts_after_all(both: Both) -> None:
    both.same_counts()


def test_what_is_nearly_a_call(both: Both) -> None:
    """Below `/goto` it is not found; below another prefix it is traffic, with a hint unless it is bypassed."""
    for host in both.hosts:
        host.api("PUT", "/request/uri/bypass/add?uri=/response/nope")
    for method, path, hints in (
        ("PUT", "/response/delay/300ms", ["no route PUT /response/delay/300ms; did you mean /response/delay/set/{delay}?"]),
        ("GET", "/request/x%2Fy/z/a/b/c/d?q=1", ["no route GET /request/x%2Fy/z/a/b/c/d"]),
        ("GET", "/response/nope", []),
        ("GET", "/responses", []),
        ("GET", "/label?x=1", []),
        ("GET", "/label/set/?x=1", ["no route GET /label/set/; did you mean /label?"]),
        ("GET", "/listeners?x=1&y", ["ignored unknown parameters: x, y"]),
        ("GET", "/goto/metric", []),
        ("GET", "/goto/port/1/x", []),
    ):
        standalone, mitmdump = both.ask(method, path, None, [])
        assert standalone == mitmdump or "/listeners" in path
        for answer in (standalone, mitmdump):
            assert [value for name, value in answer["headers"] if name == "goto-hint"] == hints, path
        if path.startswith("/goto"):
            assert standalone["status"] == 404
    for host in both.hosts:
        host.api("PUT", "/request/uri/bypass/remove?uri=/response/nope")
    both.same_counts()


@pytest.mark.parametrize("status", ["503:3", "204:2", "418:1"])
def test_forced_statuses(both: Both, status: str) -> None:
    """The body that goes with one is the catch-all's, which mitmproxy does not have."""
    for host in both.hosts:
        host.api("PUT", f"/response/status/set/{status}")
    for path in ("/x", "/t/one/x", "/status/200", "/echo", "/x"):
        standalone, mitmdump = both.ask("GET", path, None, [])
        assert (standalone["status"], standalone["reason"]) == (mitmdump["status"], mitmdump["reason"])
    both.same_counts()


def test_the_same_state(both: Both) -> None:
    shown = [host.call("GET", "/goto/config", headers={"Accept": "application/json"}).json() for host in both.hosts]
    for one in shown:
        one["request"]["proxy"]["targets"].pop()
    assert shown[0] == shown[1]


# ---------------------------------------------------------------- features of users that wait
WAITS = """
import asyncio
from goto.feature import Feature
from goto.routes import get

class Waits(Feature):
    def __init__(self):
        self.seen = []

    async def request(self, flow):
        flow.notes[self] = []
        how = flow.request.headers.get("how")
        if how == "request":
            flow.hold(0.02, flow.notes[self].append)
            flow.hold(0.01, flow.notes[self].append)
        elif how == "for-ever":
            flow.hold(None, flow.notes[self].append)
        elif how == "released":
            asyncio.get_running_loop().call_later(0.01, flow.hold(None, flow.notes[self].append).release)
        elif how == "async":
            async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(0.01))
            flow.mark("slept")

    async def response(self, flow):
        how = flow.request.headers.get("how")
        if how == "response":
            flow.hold(0.02, flow.notes[self].append)
        elif how == "for-ever-after":
            flow.hold(None, flow.notes[self].append)
        elif how == "async":
            await asyncio.sleep(0.01)

    def closed(self, flow):
        self.seen.append({
            "how": flow.request.headers.get("how"),
            "lasted": [round(seconds, 3) for seconds in flow.notes[self]],
            "marks": list(flow.marks),
            "status": flow.counted,
            "completed": flow.completed,
            "gone": flow.gone and not flow.completed,  # one that has taken all may leave at any time
            "aborted": flow.aborted,
            "peer": [flow.peer.address, flow.peer.number, flow.peer.requests],
        })

    @get("/waits")
    def show(self) -> list[dict[str, object]]:
        '''Show how exchanges ended.'''
        return self.seen
"""

HELD = {"request": [0.02, 0.01], "response": [0.02], "released": [0.01], "async": []}
"""Seconds that an exchange is held at least, by how it is."""


@pytest.fixture(scope="module")
def waiting(goto: Callable[..., Goto], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    plugin: Path = tmp_path_factory.mktemp("waiting") / "waits.py"
    plugin.write_text(WAITS)
    with Upstream() as upstream:
        target = {"name": "t", "url": upstream.base, "match": {"uris": ["/t"]}}
        standalone = goto("waits", "--feature", str(plugin), "--quiet")
        with Mitmdump(f"reverse:{upstream.base}", "--set", "goto_label=waits", "--set", f"goto_features={plugin}") as mitmdump:
            both = Both(standalone, mitmdump)
            for host in both.hosts:
                host.api("POST", "/request/proxy/targets/add", target)
            yield both


def ended(host: Goto, had: int) -> dict[str, Any]:
    """How the exchange behind so many others has ended."""
    seen: list[dict[str, Any]] = eventually(lambda: host.api("GET", "/waits").json(), lambda shown: len(shown) > had)
    return seen[had]


@pytest.mark.parametrize("how", list(HELD))
@pytest.mark.parametrize("path", ["/t", "/status/203", "/echo"])
def test_features_that_wait(waiting: Both, how: str, path: str) -> None:
    answers, ends = [], []
    for host in waiting.hosts:
        had = len(host.api("GET", "/waits").json())
        answer = host.call("GET", path, headers={"How": how})
        end = ended(host, had)
        lasted, _ = end.pop("lasted"), end.pop("peer")
        # timers have milliseconds, and begin with the one that the loop has read last
        assert [seconds > least - 0.002 for seconds, least in zip(lasted, HELD[how], strict=True)] == [True] * len(HELD[how])
        answers.append(answer.status)
        ends.append(end)
    assert answers == [203 if path == "/status/203" else 200] * 2
    marks = ["slept"] if how == "async" else []
    shared = {"how": how, "marks": marks, "status": answers[0], "completed": True, "gone": False, "aborted": False}
    assert ends == [shared] * 2


@pytest.mark.parametrize(("how", "status"), [("for-ever", 0), ("for-ever-after", 203)])
def test_clients_that_leave_while_a_feature_waits(waiting: Both, how: str, status: int) -> None:
    for host in waiting.hosts:
        had = len(host.api("GET", "/waits").json())
        with Client(host.port) as client:
            client.send(request("/status/203", f"How: {how}"))
            scraped(host, lambda now: now("goto_exchanges_in_flight") == 1)
        end = ended(host, had)
        del end["lasted"], end["peer"]
        assert end == {"how": how, "marks": [], "status": status, "completed": False, "gone": True, "aborted": False}
        scraped(host, lambda now: now("goto_exchanges_total", status=str(status), outcome="client_gone") == 1)


def test_the_same_is_seen_of_a_clients_connection(waiting: Both) -> None:
    for host in waiting.hosts:
        had = len(host.api("GET", "/waits").json())
        numbers = []
        for _ in range(2):
            with Client(host.port) as client:
                for requests in (1, 2, 3):
                    client.send(request("/status/203"))
                    assert client.answer().status == 203
                    address, number, seen = ended(host, had)["peer"]
                    assert (address, seen) == (f"127.0.0.1:{client.socket.getsockname()[1]}", requests)
                    numbers.append(number)
                    had += 1
        assert len(set(numbers[:3])) == len(set(numbers[3:])) == 1
        assert 0 < numbers[0] < numbers[3]
