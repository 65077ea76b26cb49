"""goto beside other addons: it stands next to the upstream, whatever the order of `-s`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.client import Client, get
from support.mitm_process import ADDON, Mitmdump
from support.upstream import Upstream
from support.waiting import eventually

OTHER = """
from mitmproxy import http

class Other:
    def requestheaders(self, flow):
        self.at("requestheaders", flow)

    def request(self, flow):
        self.at("request", flow)

    def responseheaders(self, flow):
        if flow.request.headers.get("do") == "back":
            flow.response.headers["x-back"] = flow.response.headers.get("via-goto", "none")

    def response(self, flow):
        if flow.request.headers.get("do") == "back":
            flow.response.status_code = 299

    def at(self, hook, flow):
        where, _, what = flow.request.headers.get("do", "").partition("-")
        if where != hook:
            return
        if what == "path":
            flow.request.path = "/changed"
        elif what == "answer":
            flow.response = http.Response.make(418, b"other", {"X-Other": "1"})
        elif what == "kill":
            flow.kill()


addons = [Other()]
"""


@pytest.fixture(scope="module")
def behind() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    script: Path = tmp_path_factory.mktemp("other") / "other.py"
    script.write_text(OTHER)
    return script


@pytest.fixture(scope="module", params=["before", "behind"])
def process(request: pytest.FixtureRequest, behind: Upstream, other: Path) -> Iterator[Mitmdump]:
    """goto's script stands behind the other one, or before it."""
    scripts = ("-s", str(other), "-s", str(ADDON)) if request.param == "behind" else ("-s", str(ADDON), "-s", str(other))
    with Mitmdump(f"reverse:{behind.base}", *scripts, addon=None) as mitmdump:
        eventually(lambda: mitmdump.call("GET", "/goto/ready").value("content-length"))
        yield mitmdump


@pytest.fixture
def mitmdump(process: Mitmdump, behind: Upstream) -> Mitmdump:
    behind.reset()
    process.api("POST", "/request/timeout/track/clear")
    process.api("PUT", "/request/timeout/track/all")
    process.api("POST", "/response/status/counts/clear")
    process.api("PUT", "/response/status/clear")
    return process


def ends(mitmdump: Mitmdump) -> int:
    counts: dict[str, int] = mitmdump.api("GET", "/request/timeout/status").json()["all"]
    return sum(counts.values())


@pytest.mark.parametrize("hook", ["requestheaders", "request"])
def test_without_a_body_what_others_set_is_matched_and_sent(
    mitmdump: Mitmdump, behind: Upstream, upstream: Upstream, hook: str
) -> None:
    spec = {"name": "t", "url": upstream.base, "match": {"uris": ["/changed"]}}
    mitmdump.api("POST", "/request/proxy/targets/add", spec)
    assert mitmdump.call("GET", "/x", headers={"Do": f"{hook}-path"}).status == 200
    assert (upstream.take(1)[0].target, behind.take()) == ("/changed", [])
    mitmdump.api("POST", "/request/proxy/targets/t/remove")


@pytest.mark.parametrize(("hook", "matched"), [("requestheaders", True), ("request", False)])
def test_with_a_body_it_is_decided_before_the_body(
    mitmdump: Mitmdump, behind: Upstream, upstream: Upstream, hook: str, matched: bool
) -> None:
    spec = {"name": "t", "url": upstream.base, "match": {"uris": ["/changed"]}}
    mitmdump.api("POST", "/request/proxy/targets/add", spec)
    assert mitmdump.call("POST", "/x", b"body", headers={"Do": f"{hook}-path"}).status == 200
    (received,) = (upstream if matched else behind).take(1)
    assert received.target == "/changed"
    mitmdump.api("POST", "/request/proxy/targets/t/remove")


@pytest.mark.parametrize(("hook", "body"), [("requestheaders", None), ("requestheaders", b"body"), ("request", None)])
def test_who_answers_before_goto_decides_is_left_alone(
    mitmdump: Mitmdump, behind: Upstream, hook: str, body: bytes | None
) -> None:
    mitmdump.api("PUT", "/response/status/set/503:1")
    answer = mitmdump.call("POST", "/x", body, headers={"Do": f"{hook}-answer"})
    assert (answer.status, answer.text, answer.value("via-goto")) == (418, "other", None)
    with Client(mitmdump.port) as client:
        client.send(get("/x", f"Do: {hook}-kill", method="POST", body=body))
        assert client.rest() == b""
    assert (ends(mitmdump), behind.take()) == (0, [])
    assert mitmdump.call("GET", "/x").status == 503


@pytest.mark.parametrize("path", ["/status/201", "/echo", "/x", "/t", "/two"])
def test_who_answers_after_goto_has_decided_is_heard_and_the_decision_stands(
    mitmdump: Mitmdump, upstream: Upstream, path: str
) -> None:
    for name, replicas in (("t", 1), ("two", 2)):
        spec = {"name": name, "url": upstream.base, "match": {"uris": [f"/{name}"]}, "replicas": replicas}
        mitmdump.api("POST", "/request/proxy/targets/add", spec)
    answer = mitmdump.call("POST", path, b"body", headers={"Do": "request-answer"})
    assert (answer.status, answer.text, answer.value("x-other")) == (418, "other", "1")
    eventually(lambda: ends(mitmdump), lambda count: count == 1)
    assert mitmdump.call("GET", "/status/200").status == 200
    for name in ("t", "two"):
        mitmdump.api("POST", f"/request/proxy/targets/{name}/remove")
    upstream.reset()


@pytest.mark.parametrize("path", ["/x", "/status/201"])
def test_what_others_change_on_the_way_back_goes_out_and_is_not_counted(mitmdump: Mitmdump, path: str) -> None:
    answer = mitmdump.call("GET", path, headers={"Do": "back"})
    assert (answer.status, answer.value("x-back")) == (299, answer.value("via-goto"))
    assert answer.value("via-goto") == str(mitmdump.port)
    counts = mitmdump.api("GET", "/response/status/counts").json()["countsByReportedStatus"]
    assert counts == {"200" if path == "/x" else "201": 1}


def test_management_calls_are_found_whatever_others_do_later(mitmdump: Mitmdump) -> None:
    assert mitmdump.call("GET", "/label", headers={"Do": "request-path"}).text == f"Label: {mitmdump.port}\n"
    assert mitmdump.call("PUT", "/label/set/x", b"{}", headers={"Do": "request-path"}).text.startswith("Port ")
    mitmdump.api("PUT", "/label/clear")


def test_those_of_mitmproxy_come_before_goto_too(behind: Upstream, upstream: Upstream) -> None:
    behind.reset()
    with Mitmdump(f"reverse:{behind.base}", "--map-remote", f"|.*/there|{upstream.base}/here") as mitmdump:
        assert mitmdump.call("GET", "/there").status == 200
        (received,) = upstream.take(1)
        assert (received.target, received.values("host")) == ("/here", [upstream.base.removeprefix("http://")])
    with Mitmdump(f"reverse:{behind.base}", "--set", "proxyauth=a:b") as mitmdump:
        for path in ("/x", "/label"):
            answer = mitmdump.call("GET", path)
            assert (answer.status, answer.value("via-goto")) == (401, None)
    assert behind.take() == []
