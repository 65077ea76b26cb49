"""One exchange on the standalone host: the order of features, and what a client is told when something fails."""

from __future__ import annotations

import asyncio
import gc
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from support.client import Client, get
from support.goto_process import Goto
from support.ports import free_port
from support.scrape import scrape, scraped
from support.site import Site
from support.storm import storm
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, eventually, until

from goto.features.delay import Delay
from goto.features.proxy.feature import Proxy
from goto.features.proxy.target import ProxyTarget
from goto.features.timeouts import Timeouts
from goto.flow import Flow
from goto.hosts.standalone.body import RequestBody
from goto.hosts.standalone.connection import ClientConnection
from goto.hosts.standalone.exchange import HostedExchange
from goto.hosts.standalone.host import StandaloneHost
from goto.hosts.standalone.server import ClientProtocol
from goto.traffic.accesslog import AccessLog
from goto.traffic.listener import ListenerSpec
from goto.upstream.answer import Answer
from goto.words.reading import read_struct
from goto.words.values import Delays

FEATURE = '''
import asyncio

from goto.feature import Feature
from goto.flow import Flow


class Faulty(Feature):
    """Breaks where a header says so."""

    def request(self, flow: Flow) -> None:
        if flow.request.headers.get("break") == "request":
            raise RuntimeError("request hook")

    async def response(self, flow: Flow) -> None:
        await asyncio.sleep(0)
        if flow.request.headers.get("break") == "response":
            raise RuntimeError("response hook")
        if flow.request.headers.get("break") == "cancelled":
            asyncio.current_task().cancel()
            await asyncio.sleep(3600)
        if flow.request.headers.get("break") == "never":
            await asyncio.sleep(3600)

    def closed(self, flow: Flow) -> None:
        if flow.request.headers.get("break") == "closed":
            raise RuntimeError("closed hook")
'''


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("exchange")


@pytest.fixture
def site(process: Goto) -> Site:
    return Site(process)


@pytest.fixture(scope="module")
def faulty(goto: Callable[..., Goto], tmp_path_factory: pytest.TempPathFactory) -> Goto:
    plugin: Path = tmp_path_factory.mktemp("plugin") / "faulty.py"
    plugin.write_text(FEATURE)
    return goto("faulty", "--feature", str(plugin), expect_errors=True)


@pytest.mark.parametrize("hook", ["request", "response"])
@pytest.mark.parametrize("path", ["/x", "/status/418", "/up"])
def test_a_hook_that_raises_is_a_500_that_is_counted_and_never_passed_on(
    faulty: Goto, upstream: Upstream, hook: str, path: str
) -> None:
    site = Site(faulty)
    site.target(upstream.port, "/up")
    site.api("PUT", "/request/timeout/track/all")
    site.api("PUT", "/request/headers/track/add/break")
    site.api("PUT", "/response/headers/add/Z/1")
    with site.client() as client:
        client.send(get(path, f"Break: {hook}"))
        answer = client.answer()
        assert (answer.status, answer.text, answer.value("z")) == (500, f"goto: Faulty.{hook} failed\n", "1")
        client.send(get(path))  # and the connection goes on
        assert client.answer().status in (200, 418)
    assert site.reported["500"] == 1
    site.ended(completed=2)
    counts = site.api("GET", "/request/headers/track/break/counts").json()
    assert counts["RequestCountsByHeaderValueAndResponseStatus"] == {hook: {"500": 1}}
    assert len(upstream.take()) == (path == "/up") + (path == "/up" and hook == "response")
    assert f"Faulty.{hook} failed on GET {path}" in faulty.log


def test_a_hook_that_is_cancelled_is_a_500_and_the_connection_goes_on(faulty: Goto) -> None:
    site = Site(faulty)
    site.api("PUT", "/request/timeout/track/all")
    with site.client() as client:
        client.send(get("/x", "Break: cancelled"))
        answer = client.answer()
        assert (answer.status, answer.text) == (500, "goto: Faulty.response failed\n")
        client.send(get("/x"))
        assert client.answer().status == 200
    site.ended(completed=2)


def test_a_hook_that_waits_for_ever_ends_with_the_process_and_is_no_error(goto: Callable[..., Goto], tmp_path: Path) -> None:
    plugin = tmp_path / "faulty.py"
    plugin.write_text(FEATURE)
    process = goto("faulty", "--feature", str(plugin), "--grace", "100ms")
    site = Site(process)
    with site.client() as client:
        client.send(get("/x", "Break: never"))
        scraped(process, lambda now: now("goto_exchanges_in_flight") == 1)
        process.stop()  # which wants no traceback


def test_a_closed_hook_that_raises_spoils_nothing(faulty: Goto) -> None:
    site = Site(faulty)
    site.api("PUT", "/request/timeout/track/all")
    assert site.call("GET", "/x", headers={"Break": "closed"}).status == 200
    site.ended(completed=1)


def test_counts_are_there_before_the_client_sees_its_answer(site: Site) -> None:
    site.api("PUT", "/request/headers/track/add/x")
    for n in range(1, 30):
        assert site.call("GET", "/status/418", headers={"X": "1"}).status == 418
        counts = site.api("GET", "/request/headers/track/x/counts").json()
        assert counts["RequestCountsByHeaderValueAndResponseStatus"] == {"1": {"418": n}}
        assert site.reported == {"418": n}


def test_a_delay_is_never_shorter_proxied_or_not(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, "/up")
    site.target(1, "/down")
    site.api("PUT", "/response/delay/set/60ms")
    for path in ("/up", "/down", "/status/204", "/x"):
        assert site.call("GET", path).took >= 0.06


def test_a_proxied_status_request_is_counted_as_requested_too(site: Site, upstream: Upstream) -> None:
    upstream.on("/status/418", Reply(500))
    site.target(upstream.port)
    assert site.call("GET", "/status/418").status == 500
    assert site.api("GET", "/response/status/counts").json() == {
        "countsByRequestedStatus": {"418": 1},
        "countsByReportedStatus": {"500": 1},
        "countsByResponseStatus": {"500": 1},
    }


def test_an_exchange_keeps_the_pipeline_it_began_with(site: Site, upstream: Upstream) -> None:
    with held() as event:
        upstream.on("/held", Reply(hold=event))
        site.target(upstream.port)
        with site.client() as client:
            client.send(get("/held"))
            upstream.take(1)
            site.api("PUT", "/response/headers/add/late/1")
            site.api("PUT", "/request/timeout/track/all")
            site.api("POST", "/request/proxy/targets/clear")
            event.set()
            answer = client.answer()
            assert (answer.status, answer.value("late")) == (200, None)
            client.send(get("/x"))
            assert client.answer().value("late") == "1"
    site.ended(completed=1)


def test_manual_invocation_is_answered_as_matched_traffic_is(site: Site, upstream: Upstream) -> None:
    upstream.on("/base", Reply(299, b"made", [("X", "1"), ("Connection", "X-Hop"), ("X-Hop", "2")]))
    spec = {"name": "m", "url": upstream.base + "/base?own=1", "enabled": False, "addHeaders": [["Y", "2"]]}
    site.api("POST", "/request/proxy/targets/add", spec)
    for path in ("/request/proxy/targets/m/invoke?q=1", "/request/proxy/targets/invoke/m?q=1"):
        answer = site.call("POST", path, b"hello", {"Z": "3"})
        assert (answer.status, answer.body, answer.values("x"), answer.values("x-hop")) == (299, b"made", ["1"], [])
        (received,) = upstream.take(1)
        assert (received.method, received.target, received.body) == ("POST", "/base?own=1&q=1", b"hello")
        assert (received.values("y"), received.values("z")) == (["2"], ["3"])
    assert site.reported == {}


def test_a_management_call_is_carried_out_though_its_client_leaves(site: Site) -> None:
    for _ in range(20):
        site.api("PUT", "/label/clear")
        client = site.client()
        client.send(get("/label/set/done", method="PUT", body=b""))
        client.close()
        eventually(lambda: site.api("GET", "/label").text.strip(), lambda text: text == "Label: done")


def test_the_log_says_where_an_exchange_went_and_how_it_ended(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, "/one")
    site.target(upstream.port, "/two", replicas=2)
    site.target(1, "/down")
    for path in ("/one?a", "/two", "/down", "/status/418"):
        site.call("GET", path)
    with held() as event:
        upstream.on("/one", Reply(hold=event))
        client = Client(site.port)
        client.send(get("/one"))
        eventually(lambda: [received for received in upstream.received if received.target == "/one"])
        client.close()
        lines = eventually(site.log, lambda lines: len(lines) == 5)
    ends = [" ".join(line.split()[3:6] + line.split()[7:]) for line in lines]
    assert ends == [
        "GET /one?a 200 /one",
        "GET /two 208 /two",
        "GET /down 502 /down",
        "GET /status/418 418 local",
        "GET /one - /one client-gone",
    ]


def test_a_busy_process_still_answers_others(site: Site) -> None:
    body = b"x" * (8 << 20)
    answer = site.call("POST", "/echo", body)
    assert answer.json()["RequestBodySize"] == len(body)
    assert site.goto.call("GET", "/goto/health").status == 200


def test_a_pipelined_request_waits_for_the_proxied_one_before_it(site: Site, upstream: Upstream) -> None:
    with held() as release:
        upstream.on("/slow", Reply(body=b"slow", hold=release))
        site.target(upstream.port, "/slow")
        with site.client() as client:
            client.send(get("/slow") + get("/status/201"))
            upstream.take(1)
            client.send(get("/status/202"))
            release.set()
            answers = [client.answer() for _ in range(3)]
    assert [(answer.status, answer.text) for answer in answers] == [
        (200, "slow"),
        (201, "201 Created\n"),
        (202, "202 Accepted\n"),
    ]


def test_a_client_that_leaves_ends_the_upstreams_connection(site: Site, upstream: Upstream) -> None:
    with held() as release:
        upstream.on("/slow", Reply(body=b"slow", hold=release))
        site.target(upstream.port, "/slow")
        client = site.client()
        client.send(get("/slow"))
        (received,) = upstream.take(1)
        client.close()
        assert received.aborted.wait(PATIENCE)
    (line,) = eventually(lambda: [line for line in site.log() if "/slow" in line])
    assert re.search(r" GET /slow - [0-9.]+ms /slow client-gone$", line)
    assert site.reported == {}


def test_several_targets_are_awaited_and_the_connection_goes_on(site: Site, upstream: Upstream) -> None:
    upstream.on("/both", Reply(body=b"x"))
    site.target(upstream.port, "/both", name="one")
    site.target(upstream.port, "/both", name="two")
    with site.client() as client:
        client.send(get("/both") + get("/status/204"))
        both, after = client.answer(), client.answer()
    assert both.status == 208
    assert [answer["TargetName"] for answer in both.json()] == ["one", "two"]
    assert after.status == 204
    assert site.reported == {"204": 1, "208": 1}


def test_a_client_that_leaves_several_targets_is_logged_once(site: Site, upstream: Upstream) -> None:
    with held() as release:
        upstream.on("/both", Reply(body=b"x", hold=release))
        site.target(upstream.port, "/both", name="one")
        site.target(upstream.port, "/both", name="two")
        client = site.client()
        client.send(get("/both"))
        received = upstream.take(2)
        client.close()
        assert all(each.aborted.wait(PATIENCE) for each in received)
    (line,) = eventually(lambda: [line for line in site.log() if "/both" in line])
    assert line.endswith("one,two client-gone")


def test_a_listener_that_closes_lets_the_proxied_request_finish(process: Goto, site: Site, upstream: Upstream) -> None:
    with held() as release:
        upstream.on("/slow", Reply(body=b"slow", hold=release))
        site.target(upstream.port, "/slow")
        with site.client() as client:
            client.send(get("/slow") + get("/status/201"))
            upstream.take(1)
            assert process.call("PUT", f"/listeners/{site.port}/close").status == 200
            release.set()
            answer = client.answer()
            assert (answer.status, answer.text) == (200, "slow")
            assert client.rest() == b""  # the request behind it is not answered any more


def test_counts_are_exact_with_many_connections(site: Site) -> None:
    site.api("PUT", "/request/headers/track/add/x")
    site.api("PUT", "/response/status/set/503:700")
    statuses = storm(site.port, 3000, 64, lambda n: get(f"/p/{n}", f"x: v{n % 3}"))
    assert statuses == {503: 700, 200: 2300}
    counts = site.call("GET", "/request/headers/track/x/counts").json()
    assert counts["RequestCountsByHeaderValue"] == {"v0": 1000, "v1": 1000, "v2": 1000}
    by_status = counts["RequestCountsByHeaderValueAndResponseStatus"]
    assert sum(by_status[value]["503"] for value in by_status) == 700
    assert site.reported == {"200": 2300, "503": 700}


def test_what_follows_the_beginning_of_a_head_is_never_a_request_of_its_own(site: Site) -> None:
    """It would be one that only its reader sees (RFC 9112, 11.2)."""
    with site.client() as client:
        client.send(get("/first"))
        assert client.answer().json()["RequestURI"] == "/first"
        for turn in range(3):
            client.send(get("/second") + b"GET /third HTTP/1.1\r\nX: ")
            assert client.answer().json()["RequestURI"] == "/second"
            client.send(get(f"/inner/{turn}"))
            third = client.answer().json()
            assert third["RequestURI"] == "/third"
            assert third["RequestHeaders"]["X"] == [f"GET /inner/{turn} HTTP/1.1"]


def test_what_follows_the_beginning_of_a_body_is_never_a_request_of_its_own(site: Site) -> None:
    inner = get("/inner")
    with site.client() as client:
        for turn in range(3):
            client.send(get("/first"))
            assert client.answer().json()["RequestURI"] == "/first"
            client.send(get(f"/body/{turn}", f"Content-Length: {len(inner)}", method="POST"))
            client.send(inner)
            assert client.answer().json()["RequestBody"] == inner.decode()


def test_a_response_hook_may_put_another_response_in_the_place_of_an_upstreams(
    goto: Callable[..., Goto], upstream: Upstream, tmp_path: Path
) -> None:
    plugin = tmp_path / "other.py"
    plugin.write_text(
        "from goto.feature import Feature\nfrom goto.flow import Response\n"
        "class Other(Feature):\n    def response(self, flow):\n        flow.response = Response.text(299, 'other')\n"
    )
    site = Site(goto("other", "--feature", str(plugin)))
    upstream.on("/whole", Reply(body=b"x"))
    upstream.on("/pieces", Reply(body=[b"x" * 100_000] * 3))
    site.target(upstream.port, "/whole")
    site.target(upstream.port, "/pieces")
    with site.client() as client:
        for path in ("/whole", "/pieces", "/whole"):
            client.send(get(path))
            answer = client.answer()
            assert (answer.status, answer.text) == (299, "other\n")


def test_a_request_that_comes_again_on_a_connection_is_a_request_of_its_own(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, "/up", addHeaders=[["Added", "1"]], removeHeaders=["gone"])
    site.api("PUT", "/request/headers/track/add/x")
    with site.client() as client:
        for _ in range(3):
            for request in (get("/a", "x: 1"), get("/up", "x: 1", "gone: 1"), get("/a", "x: 1"), get("/a", "x: 2"), get("/up")):
                for _ in range(3):
                    client.send(request)
                    assert client.answer().status == 200
    counts = site.call("GET", "/request/headers/track/x/counts").json()["RequestCountsByHeaderValue"]
    assert counts == {"1": 27, "2": 9}
    received = upstream.take(18)
    sent = {tuple(name for name, _ in each.headers if name != "Goto-Hops") for each in received}
    assert sent == {("Host", "x", "Added"), ("Host", "Added")}


BAD = """
from goto.feature import Feature
from goto.flow import Response

def raises(flow, body, size):
    raise RuntimeError("it is not mine")

class Bad(Feature):
    def request(self, flow):
        kind = flow.request.query
        if kind == "answer":
            flow.answer = raises
        elif kind == "none":
            flow.answer = lambda flow, body, size: None
        elif kind == "upstreams":
            flow.upstreams = 5

    def response(self, flow):
        if flow.request.query == "fields":
            flow.response.headers.fields.append(("X-Text", "is no bytes"))
        elif flow.request.query == "status":
            flow.response.status = 999
"""


def test_an_answer_that_cannot_be_written_is_500_and_ends_its_connection_alone(upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    upstream.on("/far", Reply(body=b"far", headers=[("Date", "x")]))
    upstream.on("/pieces", Reply(body=[b"one", b"two"]))
    with Goto("bad", "--feature", str(tmp_path / "bad.py"), expect_errors=True) as goto:
        site = Site(goto)
        site.target(upstream.port, "/far")
        site.target(upstream.port, "/pieces")
        with site.client() as other:
            other.send(get("/status/201"))
            assert other.answer().status == 201
            targets = ["/?answer", "/?none", "/?upstreams", "/?fields", "/?status", "/far?fields", "/pieces?fields"]
            for target in targets:
                with site.client() as client:
                    client.send(get("/status/202"))
                    assert client.answer().status == 202
                    client.send(get(target))
                    answer = client.answer()
                    assert answer.status == 500, target
                    assert answer.text.startswith("goto: "), target
                    (line,) = eventually(
                        lambda target=target: [line for line in goto.log.splitlines() if f" GET {target} " in line]
                    )
                    assert re.search(r" 500 [0-9.]+ms ", line), line
            other.send(get("/far"))
            assert other.answer().text == "far"
        assert goto.api("GET", "/goto/metrics").status == 200
        assert "Fatal error" not in goto.log
        assert "never retrieved" not in goto.log


HELD = """
import asyncio

from goto.feature import Feature


class Held(Feature):
    def __init__(self):
        self.over = []

    def request(self, flow):
        if flow.request.headers.get("hold") == "request":
            flow.hold(3600, self.over.append)

    async def response(self, flow):
        if flow.request.headers.get("hold") == "async":
            await flow.sleep(3600)
        if flow.request.headers.get("hold") == "response":
            flow.hold(None, self.over.append)
        peer = flow.peer
        flow.response.headers.add("Peer", f"{peer.address} {peer.number} {peer.requests}")
        flow.response.headers.add("Over", str(len(self.over)))
"""


@pytest.fixture(scope="module")
def holding(goto: Callable[..., Goto], tmp_path_factory: pytest.TempPathFactory) -> Goto:
    plugin: Path = tmp_path_factory.mktemp("held") / "held.py"
    plugin.write_text(HELD)
    return goto("holding", "--feature", str(plugin))


@pytest.mark.parametrize("how", ["request", "response", "async"])
@pytest.mark.parametrize("body", [None, b"hello"])
def test_a_client_that_leaves_what_holds_it_ends_the_hold(holding: Goto, how: str, body: bytes | None) -> None:
    site = Site(holding)
    site.api("PUT", "/request/timeout/track/all")
    client = site.client()
    client.send(get("/x", f"Hold: {how}", method="POST" if body else "GET", body=body) + get("/behind"))
    scraped(site.goto, lambda seen: seen("goto_exchanges_in_flight", listener=str(site.port)) == 1)
    client.close()
    site.ended(closed=1)
    assert site.call("GET", "/x").value("over") == ("0" if how == "async" else "1")
    assert not [line for line in site.log() if "/behind" in line]


def test_a_flow_says_whose_request_it_is(holding: Goto) -> None:
    site = Site(holding)
    numbers = []
    for _ in range(2):
        with site.client() as client:
            own = "{}:{}".format(*client.socket.getsockname())
            for requests in ("1", "2", "3"):
                client.send(get("/x"))
                address, number, count = (client.answer().value("peer") or "").split(" ")
                assert (address, count) == (own, requests)
            numbers.append(int(number))
    assert numbers[0] < numbers[1]


def test_a_target_may_bear_the_name_of_an_end(site: Site, upstream: Upstream) -> None:
    """How an exchange ended is a value, and no word of its line in the log."""
    for number, name in enumerate(("broke-off", "client-gone", "aborted")):
        site.target(upstream.port, f"/{number}", name=name)
        assert site.call("GET", f"/{number}").status == 200
    ends = scrape(site.goto).by("goto_exchanges_total", "listener", "outcome")
    assert {outcome: count for (listener, outcome), count in ends.items() if listener == str(site.port)} == {"completed": 3}


def test_no_exchange_leaves_a_circle_behind(upstream: Upstream) -> None:
    """The collector looks seldom, since exchanges need it not."""

    async def run() -> list[str]:
        host = StandaloneHost(AccessLog(enabled=False), "127.0.0.1")
        port = free_port()
        listener = await host.instance.listeners.start(ListenerSpec(port))
        target = {"name": "up", "url": upstream.base, "match": {"uris": ["/up"]}}
        listener.feature(Proxy).add(read_struct(target, ProxyTarget)[0])
        listener.feature(Delay).set(Delays.parse("1ms"))
        listener.feature(Timeouts).track_all()
        chunks = get("/x", "Transfer-Encoding: chunked", method="POST") + b"1\r\na\r\n0\r\n\r\n"
        requests = [get("/x"), get("/x", method="POST", body=b"a"), chunks, get("/up"), get("/up", method="POST", body=b"a")]
        requests += [get("/status/204"), get("/label"), get("/up", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n"]
        kinds = (ClientConnection, ClientProtocol, HostedExchange, RequestBody, Flow, Answer)
        gc.collect()
        others = {id(each): each for each in gc.get_objects() if isinstance(each, kinds)}  # what other tests keep
        gc.disable()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for request in [*requests, get("/x", "Connection: close")]:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                found = re.search(rb"Content-Length: (\d+)", head)
                if found:
                    await reader.readexactly(int(found[1]))
            assert await reader.read() == b""
            writer.close()
            listener.feature(Delay).clear()
            for left in (get("/x", "Content-Length: 9", method="POST"), get("/up", "Content-Length: 9", method="POST"), b"GET /"):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(left + b"a")
                await until(lambda: host._servers[port][1].connections)
                await asyncio.sleep(0.01)
                writer.transport.abort()
                await until(lambda: not host._servers[port][1].connections)
            left_over = [each for each in gc.get_objects() if isinstance(each, kinds) and id(each) not in others]
            return [type(each).__name__ for each in left_over]
        finally:
            gc.enable()
            await host.stop(1)

    assert asyncio.run(asyncio.wait_for(run(), PATIENCE)) == []


# ---------------------------------------------------------------- hooks that are async def
def test_hooks_that_wait_for_nothing_lose_no_answer_behind_a_fin(holding: Goto) -> None:
    """Before Python 3.12 each takes a task, which takes turns of the loop."""
    site = Site(holding)
    site.api("PUT", "/request/timeout/track/all")
    with site.client() as client:
        client.send(get("/status/201") * 20 + get("/x", method="POST", body=b"hello"))
        client.socket.shutdown(socket.SHUT_WR)
        assert [client.answer().status for _ in range(21)] == [201] * 20 + [200]
        assert client.rest() == b""
    site.ended(completed=21)


STUBBORN = """
import asyncio

from goto.feature import Feature
from goto.routes import put


class Stubborn(Feature):
    @put("/stubborn")
    async def wait(self) -> str:
        \"\"\"Waits.\"\"\"
        await asyncio.sleep(3600)
        return "over"

    async def request(self, flow):
        await asyncio.sleep(3600)
"""


def test_what_outlives_the_grace_at_the_end_has_its_line_in_the_log(goto: Callable[..., Goto], tmp_path: Path) -> None:
    plugin = tmp_path / "stubborn.py"
    plugin.write_text(STUBBORN)
    process = goto("stubborn", "--feature", str(plugin), "--grace", "100ms")
    with Client(process.port) as traffic, Client(process.port) as call:
        traffic.send(get("/hooked"))
        scraped(process, lambda seen: seen("goto_exchanges_in_flight") == 1)
        call.send(get("/stubborn", method="PUT"))
        process.api("GET", "/goto/health")
        log = process.stop()  # which wants no traceback
    assert [line.split(" ")[-2:] for line in log.splitlines() if " /hooked " in line] == [["local", "client-gone"]]
    assert " /stubborn was cancelled" in log
