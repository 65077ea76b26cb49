"""One exchange on the standalone host: the order of features, and what a client is told when something fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.client import Client, get
from support.goto_process import Goto
from support.site import Site
from support.upstream import Reply, Upstream, held
from support.waiting import eventually

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
