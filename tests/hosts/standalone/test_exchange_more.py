"""Exchanges without a body: pipelined, proxied, left by their clients."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.client import get
from support.goto_process import Goto
from support.site import Site
from support.storm import storm
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, eventually


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("more")


@pytest.fixture
def site(process: Goto) -> Site:
    return Site(process)


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


def test_several_targets_are_awaited_in_a_task_and_the_connection_goes_on(site: Site, upstream: Upstream) -> None:
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
    assert {tuple(name for name, _ in each.headers) for each in received} == {("Host", "x", "Added"), ("Host", "Added")}


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


@pytest.mark.parametrize("way", [[], ["--no-fast-path"]], ids=["plain", "task"])
def test_an_answer_that_cannot_be_written_is_500_and_ends_its_connection_alone(
    upstream: Upstream, tmp_path: Path, way: list[str]
) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    upstream.on("/far", Reply(body=b"far", headers=[("Date", "x")]))
    upstream.on("/pieces", Reply(body=[b"one", b"two"]))
    with Goto("bad", "--feature", str(tmp_path / "bad.py"), *way, expect_errors=True) as goto:
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
