"""The client's routes, on a real instance: the API end to end."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.goto_process import Goto
from support.ports import free_port
from support.upstream import Reply, Upstream, held
from support.waiting import eventually

from goto.client import feature as module
from goto.client.feature import Client
from goto.client.histogram import Latencies
from goto.counting.bounded import TRACKED_LIMIT
from goto.errors import Conflict
from goto.words.reading import read_struct


@pytest.fixture(scope="module")
def instance(goto: Callable[..., Goto]) -> Goto:
    return goto("client")


@pytest.fixture
def g(instance: Goto) -> Goto:
    """An instance whose client is as new."""
    for path in ("targets/stop/all", "targets/clear", "track/headers/clear", "reporting/set/n", "results/clear"):
        instance.api("POST", f"/client/{path}")
    return instance


def add(g: Goto, name: str, url: str, **fields: Any) -> None:
    answer = g.api("POST", "/client/targets/add", {"name": name, "method": "GET", "url": url} | fields)
    assert name in answer.text


def results(g: Goto) -> dict[str, Any]:
    found: dict[str, Any] = g.call("GET", "/client/results").json()
    return found


def codes(g: Goto, name: str) -> dict[str, int]:
    found: dict[str, int] = results(g)["countsByTargetStatusCode"].get(name, {})
    return found


# ------------------------------------------------------------ targets
def test_targets_are_listed_with_the_seeds_keys_in_the_order_added(g: Goto):
    for name in ("b", "a", "c"):
        add(g, name, "http://127.0.0.1:9/", headers=[["x", "1"]], delay="1500ms", sendID=True)
    add(g, "b", "http://127.0.0.1:9/new", replicas=2)
    listed = g.call("GET", "/client/targets").json()
    assert list(listed) == ["b", "a", "c"]
    assert (listed["b"]["url"], listed["b"]["replicas"], listed["b"]["delay"]) == ("http://127.0.0.1:9/new", 2, "")
    assert (listed["a"]["sendId"], listed["a"]["delay"], listed["a"]["headers"]) == (True, "1.5s", [["x", "1"]])
    assert g.call("GET", "/client/targets/list/").json() == listed
    assert g.call("HEAD", "/client/targets").status == 200


def test_unknown_keys_are_named_and_bad_ones_change_nothing(g: Goto):
    answer = g.api("POST", "/client/targets/add", {"name": "t", "method": "GET", "url": "http://x", "colour": "red"})
    assert "colour" in answer.text
    before = g.call("GET", "/client/targets").json()
    answer = g.call("POST", "/client/targets/add", {"name": "t", "method": "GET", "url": "http://y", "rate": 1, "delay": "1s"})
    assert answer.status == 400
    assert answer.text.startswith("rate: ")
    assert g.call("GET", "/client/targets").json() == before


def test_removing(g: Goto):
    add(g, "a", "http://127.0.0.1:9/")
    assert g.call("PUT", "/client/targets/b/remove").status == 404
    assert "a" in g.api("PUT", "/client/targets/a/remove").text
    assert g.call("POST", "/client/targets/a/remove").status == 404
    add(g, "a", "http://127.0.0.1:9/")
    assert "cleared" in g.api("PUT", "/client/targets/clear").text
    assert g.call("GET", "/client/targets").json() == {}


def test_there_is_an_end_to_targets(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_CLIENT_TARGETS", 2)
    client = Client()
    for name in ("a", "b", "a"):
        client.store(read_struct({"name": name, "method": "GET", "url": "http://x"}, module.ClientTarget)[0])
    with pytest.raises(Conflict, match="2 client targets already"):
        client.store(read_struct({"name": "c", "method": "GET", "url": "http://x"}, module.ClientTarget)[0])
    assert list(client.targets) == ["a", "b"]


# ------------------------------------------------------------ invoking
def test_invoke_answers_at_once_and_the_results_follow(g: Goto, upstream: Upstream):
    with held() as event:
        upstream.on("/a", Reply(hold=event))
        add(g, "a", f"{upstream.base}/a", replicas=3, requestCount=2)
        answer = g.api("POST", "/client/targets/a/invoke")
        assert "Invoked" in answer.text
        assert results(g)["countsByStatus"] == {}
    eventually(lambda: codes(g, "a"), lambda found: found == {"200": 6})


def test_of_several_names_the_known_ones_are_acted_on(g: Goto, upstream: Upstream):
    add(g, "a", f"{upstream.base}/a")
    answer = g.api("POST", "/client/targets/a,nobody/invoke")
    assert "unknown client targets: nobody" in answer.text
    upstream.take(1)
    assert g.call("POST", "/client/targets/nobody,none/invoke").status == 404
    assert g.call("POST", "/client/targets/a,,b/invoke").status == 400
    g.api("PUT", "/client/reporting/set/yes")
    shown = g.api("POST", "/client/targets/nobody,a/invoke").json()
    assert [(entry["TargetName"], entry["StatusCode"]) for entry in shown] == [("a", 200), ("nobody", 0)]
    assert "nobody" not in results(g)["targetInvocationCounts"]


def test_invoking_nothing(g: Goto):
    assert "none" in g.api("POST", "/client/targets/invoke/all").text
    g.api("POST", "/client/blocking/set/TRUE")
    assert g.api("POST", "/client/targets/invoke/all").json() == []


def test_reporting_answers_with_the_responses(g: Goto, upstream: Upstream):
    upstream.on("/r", Reply(201, b"made", headers=[("X-Up", "yes")], reason="Created"))
    add(g, "r", f"{upstream.base}/r", replicas=2)
    g.api("PUT", "/client/reporting/set/Y")
    assert "yes" in g.api("GET", "/client/reporting").text
    shown = g.api("POST", "/client/targets/r/invoke").json()
    assert [entry["TargetID"] for entry in shown] == ["r[1][1]", "r[2][2]"]
    assert shown[0] == {
        "TargetName": "r",
        "TargetID": "r[1][1]",
        "Status": "201 Created",
        "StatusCode": 201,
        "Headers": {"X-Up": ["yes"], "Content-Length": ["4"]} if "Content-Length" in shown[0]["Headers"] else {"X-Up": ["yes"]},
        "Body": "made",
    }
    assert codes(g, "r") == {"201": 2}, "counted before the answer"
    assert g.call("PUT", "/client/reporting/set/maybe").status == 400


def test_auto_invoked_on_receipt_unless_unchanged(g: Goto, upstream: Upstream):
    for _ in range(2):
        add(g, "auto", f"{upstream.base}/auto", autoInvoke=True, requestCount=2)
    upstream.take(2)
    add(g, "auto", f"{upstream.base}/auto", autoInvoke=True, requestCount=3)
    upstream.take(3)
    assert "auto" in g.call("GET", "/client/targets").json()


# ------------------------------------------------------------ stopping
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/client/targets/long/stop"),
        ("POST", "/client/targets/stop/all"),
        ("PUT", "/client/targets/long/remove"),
        ("POST", "/client/targets/clear"),
    ],
)
def test_a_running_target_is_stopped(g: Goto, upstream: Upstream, method: str, path: str):
    add(g, "long", f"{upstream.base}/long", requestCount=10**9, replicas=2)
    g.api("POST", "/client/targets/long/invoke")
    eventually(lambda: len(upstream.received), lambda count: count > 10)
    g.api(method, path)

    def seen() -> tuple[dict[str, int], int]:
        return codes(g, "long"), len(upstream.received)

    # nothing comes any more, and what came is counted
    eventually(lambda: (seen(), time.sleep(0.1), seen()), lambda of: of[0] == of[2] == ({"200": of[0][1]}, of[0][1]))


def test_a_stop_answers_when_the_results_are_final(g: Goto, upstream: Upstream):
    upstream.on("/slow", lambda _: (time.sleep(0.2), Reply())[1])
    add(g, "slow", f"{upstream.base}/slow", requestCount=1000, replicas=3)
    g.api("POST", "/client/targets/slow/invoke")
    eventually(lambda: len(upstream.received), lambda count: count >= 3)
    answer = g.api("POST", "/client/targets/slow,nobody/stop")
    assert "slow" in answer.text
    assert "nobody" in answer.text
    assert sum(codes(g, "slow").values()) == len(upstream.received)
    assert "none was running" in g.api("POST", "/client/targets/slow/stop").text
    assert g.call("POST", "/client/targets/nobody/stop").status == 404


def test_removing_a_listener_stops_what_it_runs(g: Goto, upstream: Upstream):
    port = free_port()
    g.api("POST", "/listeners/add", {"port": port})
    g.api("PUT", f"/listeners/{port}/open")
    other = Goto.__new__(Goto)
    other.port = port
    add(other, "long", f"{upstream.base}/long", requestCount=10**9)
    other.api("POST", "/client/targets/long/invoke")
    eventually(lambda: len(upstream.received), lambda count: count > 10)
    assert g.call("GET", "/client/targets").json() == {}, "another listener's"
    g.api("PUT", f"/listeners/{port}/remove")
    eventually(lambda: (len(upstream.received), time.sleep(0.2), len(upstream.received)), lambda seen: seen[0] == seen[2])


# ------------------------------------------------------------ tracked headers and results
def test_tracked_headers(g: Goto, upstream: Upstream):
    upstream.on("/a", Reply(headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X", "1")]))
    assert "set-cookie,x,gone" in g.api("PUT", "/client/track/headers/add/Set-Cookie,X,gone").text
    assert "unknown headers: never" in g.api("POST", "/client/track/headers/remove/GONE,never").text
    assert g.call("PUT", "/client/track/headers/remove/gone").status == 404
    assert g.call("PUT", "/client/track/headers/add/a%20b").status == 400
    too_many = g.call("PUT", f"/client/track/headers/add/{','.join(f'h{number}' for number in range(TRACKED_LIMIT - 1))}")
    assert (too_many.status, too_many.text) == (
        409,
        f"headers: at most {TRACKED_LIMIT} can be tracked: remove some first\n",
    )
    assert g.call("GET", "/client/track/headers/list").text.strip() == "set-cookie,x"
    add(g, "a", f"{upstream.base}/a", requestCount=3)
    g.api("PUT", "/client/reporting/set/1")
    g.api("POST", "/client/targets/a/invoke")
    shown = results(g)
    assert shown["countsByHeaders"] == {"set-cookie": 3, "x": 3}
    assert shown["countsByTargetHeaderValues"] == {"a": {"set-cookie": {"a=1": 3, "b=2": 3}, "x": {"1": 3}}}
    assert "cleared" in g.api("POST", "/client/track/headers/clear").text
    assert g.call("GET", "/client/track/headers").text.strip() == ""


def test_results_accumulate_and_are_cleared(g: Goto, upstream: Upstream):
    upstream.on("/b", Reply(500))
    add(g, "a", f"{upstream.base}/a")
    add(g, "b", f"{upstream.base}/b")
    g.api("PUT", "/client/reporting/set/y")
    for _ in range(3):
        g.api("POST", "/client/targets/invoke/all")
    assert results(g)["countsByStatusCodes"] == {"200": 3, "500": 3}
    assert "nobody" in g.api("POST", "/client/results/b,nobody/clear").text
    assert results(g)["countsByStatusCodes"] == {"200": 3}
    assert g.call("POST", "/client/results/nobody/clear").status == 404
    g.api("PUT", "/client/targets/a/remove")
    assert codes(g, "a") == {"200": 3}, "results outlive their target"
    g.api("POST", "/client/results/clear")
    assert results(g)["countsByStatusCodes"] == {}


def test_results_hold_measures_and_histograms_when_asked_for(g: Goto, upstream: Upstream):
    add(g, "a", f"{upstream.base}/a", requestCount=10)
    g.api("PUT", "/client/reporting/set/y")
    g.api("POST", "/client/targets/a/invoke")
    shown = g.call("GET", "/client/results?histograms=y").json()
    assert shown["targets"]["a"]["requests"] == shown["all"]["requests"] == 10
    assert shown["targets"]["a"]["bytesReceived"] == 60
    assert len(Latencies.decoded(shown["histograms"]["a"]["raw"])) == 10
    assert "histograms" not in results(g)
    assert g.call("GET", "/client/results?histograms=perhaps").status == 400


def test_values_that_are_no_utf8_are_shown(g: Goto, upstream: Upstream):
    upstream.on("/", Reply(verbatim=b"HTTP/1.1 200 \xff\r\nX: \xfe\r\nContent-Length: 1\r\n\r\n\xff"))
    g.api("PUT", "/client/track/headers/add/x")
    g.api("PUT", "/client/reporting/set/y")
    add(g, "t", upstream.base)
    (entry,) = g.api("POST", "/client/targets/t/invoke").json()
    assert (entry["BodyBase64"], entry["Status"], entry["Headers"]["X"]) == ("/w==", r"200 \xff", [r"\xfe"])
    assert results(g)["countsByStatus"] == {r"200 \xff": 1}
    assert results(g)["countsByHeaderValues"] == {"x": {"\\xfe": 1}}


# ------------------------------------------------------------ what a registry sends
def pushed(revision: int) -> dict[str, str]:
    return {"Goto-Registry-Epoch": "e1", "Goto-Registry-Revision": str(revision), "Goto-Registry-Label": "client"}


def test_a_registry_touches_only_what_it_sent(goto: Callable[..., Goto], upstream: Upstream):
    g = goto("registered")
    body = json.dumps({"name": "p", "method": "GET", "url": f"{upstream.base}/p", "autoInvoke": True})
    add(g, "own", "http://127.0.0.1:9/")
    assert g.call("POST", "/client/targets/add", body, pushed(2)).status == 200
    assert g.call("POST", "/client/targets/add", body, pushed(3)).status == 202
    upstream.take(1)
    own = body.replace('"p"', '"own"')
    assert g.call("POST", "/client/targets/add", own, pushed(4)).status == 409
    assert g.call("POST", "/client/targets/own/remove", headers=pushed(5)).status == 202
    assert g.call("POST", "/client/targets/p/remove", headers=pushed(1)).status == 202, "older than what was heard"
    assert set(g.call("GET", "/client/targets").json()) == {"own", "p"}
    assert g.call("POST", "/client/targets/clear", headers=pushed(6)).status == 200
    assert set(g.call("GET", "/client/targets").json()) == {"own"}
    assert g.call("POST", "/client/targets/p/remove", headers=pushed(7)).status == 404
    assert g.call("POST", "/client/targets/add", body, {"Goto-Registry-Revision": "x"}).status == 400


# ------------------------------------------------------------ invocations
def test_invocations_are_numbered_and_told_apart(g: Goto, upstream: Upstream):
    add(g, "a", f"{upstream.base}/a", requestCount=3)
    add(g, "b", f"{upstream.base}/b", requestCount=2)
    first = int(re.findall(r"Invoked client targets: a \(invocation (\d+)\)", g.api("POST", "/client/targets/a/invoke").text)[0])
    both = g.api("POST", "/client/targets/a,nobody,b/invoke").text
    assert both == f"Invoked client targets: a, b (invocation {first + 1}) (unknown client targets: nobody)\n"
    added = g.api("POST", "/client/targets/add", {"name": "c", "method": "GET", "url": upstream.base, "autoInvoke": True}).text
    assert added == f"Added client target c, and invoked it (invocation {first + 2})\n"
    assert g.api("GET", "/client/results?wait=60s").json()["targetInvocationCounts"] == {"a": 6, "b": 2, "c": 1}
    listed = g.api("GET", "/client/results/invocations").json()
    assert [(one["id"], one["targets"], one["state"], one["requests"], one["errors"]) for one in listed] == [
        (first + 2, ["c"], "done", 1, 0),
        (first + 1, ["a", "b"], "done", 5, 0),
        (first, ["a"], "done", 3, 0),
    ]
    assert all(one["start"] <= one["end"] for one in listed)
    one = g.api("GET", f"/client/results/invocations/{first + 1}?series=y&histograms=y").json()
    assert one["targetInvocationCounts"] == {"a": 3, "b": 2}
    assert Latencies.decoded(one["histograms"]["a"]["raw"]).counts
    assert sum(point["requests"] for point in one["series"]["a"]["points"]) == 3
    g.api("POST", "/client/results/clear")
    assert g.api("GET", "/client/results/invocations").json() == []
    missing = g.call("GET", f"/client/results/invocations/{first}")
    assert (missing.status, missing.text) == (
        404,
        f"id: there is no invocation {first}: GET /client/results/invocations lists those that are known\n",
    )
    assert g.call("GET", "/client/results/invocations/x").status == 400


def test_one_that_runs_outlives_a_clear_and_keeps_its_own_results(g: Goto, upstream: Upstream):
    add(g, "a", f"{upstream.base}/a", requestCount=10**9)
    g.api("POST", "/client/targets/a/invoke")
    eventually(lambda: codes(g, "a").get("200", 0), lambda count: count > 20)
    before = codes(g, "a")["200"]
    g.api("POST", "/client/results/clear")
    [one] = g.api("GET", "/client/results/invocations").json()
    assert (one["state"], one["end"]) == ("running", None)
    g.api("POST", "/client/targets/a/stop")
    g.api("GET", "/client/results?wait=60s")
    [one] = g.api("GET", "/client/results/invocations").json()
    assert one["state"] == "stopped"
    assert one["requests"] == len(upstream.received)
    assert codes(g, "a")["200"] <= one["requests"] - before


def test_results_wait_until_nothing_runs_or_the_time_is_up(g: Goto, upstream: Upstream):
    with held() as event:
        upstream.on("/a", Reply(hold=event))
        add(g, "a", f"{upstream.base}/a")
        g.api("POST", "/client/targets/a/invoke")
        eventually(lambda: upstream.received)
        assert g.api("GET", "/client/results?wait=50ms").json()["all"]["requests"] == 0
        event.set()
        assert g.api("GET", "/client/results?wait=60s").json()["all"]["requests"] == 1
    assert g.call("GET", "/client/results?wait=soon").status == 400


def test_a_target_is_invoked_without_being_kept(g: Goto, upstream: Upstream):
    upstream.on("/a", Reply(headers=[("X", "1")], body=b"\xff\x00"))
    once = {"method": "GET", "url": f"http://localhost:{upstream.port}/a", "requestCount": 2}
    answers = g.api("POST", "/client/targets/invoke", once).json()
    assert [answer["TargetID"] for answer in answers] == ["once[1][1]", "once[1][2]"]
    assert [answer["BodyBase64"] for answer in answers] == ["/wA="] * 2
    first, second = (answer["Ms"] for answer in answers)
    assert first["connect"] > 0
    assert first["dns"] > 0
    assert first["tls"] is None
    assert first["connect"] + first["firstByte"] <= first["total"]
    assert (second["dns"], second["connect"]) == (None, None)
    refused = g.api(
        "POST", "/client/targets/invoke", {"name": "r", "method": "GET", "url": f"http://127.0.0.1:{free_port()}"}
    ).json()
    assert refused[0]["TargetName"] == "r"
    assert "Connection refused" in refused[0]["Status"]
    assert refused[0]["Ms"]["firstByte"] is None
    assert g.api("GET", "/client/targets").json() == {}
    assert results(g)["all"]["requests"] == 0
    assert g.api("GET", "/client/results/invocations").json() == []
    many = g.call("POST", "/client/targets/invoke", {**once, "requestCount": 11, "replicas": 100})
    assert (many.status, many.text) == (
        400,
        "requestCount: 1,100 requests in all are more than 1,000, which are answered with at most\n",
    )


# ------------------------------------------------------------ reconcile
def test_what_was_sent_is_joined_with_what_arrived_here_or_elsewhere(g: Goto, goto: Callable[..., Goto]):
    other = goto("server", "--admin-token", "s3cret")
    for where in (g, other):
        add(g, "a", f"{where.base}/a", requestCount=50, replicas=2, reconcile=True)
        g.api("POST", "/client/targets/a/invoke")
        g.api("GET", "/client/results?wait=60s")
        server = {} if where is g else {"server": other.base, "token": "s3cret"}
        found = g.api("POST", "/client/reconcile", {"targets": ["a"], **server}).json()
        assert found == g.api("POST", "/client/reconcile", server).json()
        since = found["a"]["server"].pop("since")
        assert since.endswith("Z")
        all_there = dict.fromkeys(("sent", "answered", "arrived", "arrivals"), 100)
        nothing = dict.fromkeys(("failed", "duplicated", "lostOnTheWay", "answeredElsewhere", "lostOnTheWayBack"), 0)
        server_side = {"incomplete": False, "listeners": [where.port]}
        rest = {"tries": {"1": 100}, "examples": {}, "server": server_side, "incomplete": False}
        assert found["a"] == {**all_there, **nothing, **rest}
        if where is g:
            g.api("POST", "/client/targets/a/invoke")
            g.api("GET", "/client/results?wait=60s")
            assert g.api("POST", "/client/reconcile", {}).json()["a"]["arrivals"] == 200
        g.api("POST", "/client/results/clear")


def test_while_requests_are_under_way_it_is_incomplete(g: Goto, upstream: Upstream):
    with held() as event:
        upstream.on("/a", Reply(hold=event))
        add(g, "a", f"{upstream.base}/a", reconcile=True)
        g.api("POST", "/client/targets/a/invoke")
        eventually(lambda: upstream.received)
        found = g.api("POST", "/client/reconcile", {}).json()["a"]
        assert (found["sent"], found["answered"], found["failed"], found["incomplete"]) == (1, 0, 0, True)
        event.set()
        g.api("GET", "/client/results?wait=60s")
        found = g.api("POST", "/client/reconcile", {}).json()["a"]
    assert (found["answered"], found["answeredElsewhere"], found["incomplete"]) == (1, 1, False)


def test_what_cannot_be_reconciled_is_said(g: Goto):
    add(g, "a", f"{g.base}/a")
    g.api("POST", "/client/targets/a/invoke")
    for body, status, text in (
        ({"targets": ["a"]}, 409, "targets: a was not invoked with reconcile since its results were cleared\n"),
        ({"targets": ["b"]}, 404, "unknown client target: b\n"),
        ({"server": "x"}, 400, "server: 'x' is not an http or https URL: write it like http://host:8080/path\n"),
    ):
        answer = g.call("POST", "/client/reconcile", body)
        assert (answer.status, answer.text) == (status, text)
    add(g, "a", f"{g.base}/a", reconcile=True)
    g.api("POST", "/client/targets/a/invoke")
    g.api("GET", "/client/results?wait=60s")
    answer = g.call("POST", "/client/reconcile", {"server": f"http://127.0.0.1:{free_port()}"})
    assert answer.status == 503
    assert answer.text.startswith("server: cannot connect to http://127.0.0.1:")
