"""What the fields of a target do, against real servers."""

from __future__ import annotations

import re
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from support.nginx import Nginx
from support.ports import free_port
from support.upstream import Reply, Upstream, held
from support.waiting import until

from goto.client import part
from goto.client.results import Results
from goto.client.run import Run
from goto.client.target import ClientTarget

Target = Callable[..., ClientTarget]
Send = Callable[..., Results]


def shown(results: Results, name: str = "t") -> dict[str, Any]:
    wire: dict[str, Any] = results.to_wire(series=True)
    return {**wire["targets"][name], "series": wire["series"][name], "codes": wire["countsByTargetStatusCode"][name]}


# ------------------------------------------------------------ connections and bodies
def test_without_keep_alive_each_request_has_a_connection_and_says_so(send: Send, target: Target, upstream: Upstream):
    results = shown(send(target(url=upstream.base, keepAlive=False, requestCount=5, replicas=2)))
    received = upstream.take(10)
    assert len({one.connection for one in received}) == 10
    assert all(one.values("connection") == ["close"] for one in received)
    assert (results["connections"], results["phases"]["connect"]["count"], results["codes"]) == (10, 10, {200: 10})


def test_so_many_requests_of_a_connection(send: Send, target: Target, upstream: Upstream):
    results = shown(send(target(url=upstream.base, requestsPerConnection=3, requestCount=8)))
    received = upstream.take(8)
    assert sorted(Counter(one.connection for one in received).values()) == [2, 3, 3]
    assert [bool(one.values("connection")) for one in received] == [False, False, True] * 2 + [False, False]
    assert results["connections"] == 3


def test_kept_connections_say_nothing(send: Send, target: Target, upstream: Upstream):
    results = shown(send(target(url=upstream.base, requestCount=5)))
    assert not any(one.values("connection") for one in upstream.take(5))
    assert (results["connections"], results["phases"]["firstByte"]["count"]) == (1, 5)


@pytest.mark.parametrize("size", [4, 200_000])
def test_a_body_of_any_bytes(send: Send, target: Target, upstream: Upstream, size: int):
    body = bytes(range(256)) * (size // 256) + b"\x00\xff\r\n"
    send(target(method="PUT", url=upstream.base, bodyBase64=b64encode(body).decode(), requestCount=2))
    assert [one.body for one in upstream.take(2)] == [body] * 2


def test_it_connects_elsewhere_and_host_stays(send: Send, target: Target, upstream: Upstream):
    send(target(url="http://nowhere.invalid:81/a", connectTo=f"127.0.0.1:{upstream.port}"))
    (received,) = upstream.take(1)
    assert (received.target, received.values("host")) == ("/a", ["nowhere.invalid:81"])


def test_through_a_proxy_it_says_which_origin_it_goes_to(send: Send, target: Target, upstream: Upstream):
    proxy = f"http://me:s%3Acret@localhost:{upstream.port}"
    urls = {"url": "http://nowhere.invalid:81/{n}?a", "urls": ["http://nowhere.invalid:81/é"], "variables": True}
    send(target(**urls, requestCount=2, proxy=proxy))
    received = upstream.take(2)
    assert [one.target for one in received] == ["http://nowhere.invalid:81/1?a", "http://nowhere.invalid:81/%C3%A9"]
    assert {(*one.values("host"), *one.values("proxy-authorization")) for one in received} == {
        ("nowhere.invalid:81", f"Basic {b64encode(b'me:s:cret').decode()}")
    }
    failed = shown(send(target(url="http://nowhere.invalid/", proxy=f"http://127.0.0.1:{free_port()}")))
    assert failed["errors"] == {"connect": 1}


def test_max_time_is_for_a_whole_answer(send: Send, target: Target, upstream: Upstream):
    upstream.on("/drip", lambda _: Reply(body=(time.sleep(0.05) or b"x" for _ in range(100))))
    results = shown(send(target(url=f"{upstream.base}/drip", maxTime="200ms", requestCount=2)))
    assert (results["codes"], results["errors"]) == ({0: 2}, {"timeout": 2})
    assert results["latency"]["raw"]["p50"] >= 200
    whole = shown(send(target(url=upstream.base, maxTime="10s", requestCount=3, delay="20ms")))
    assert whole["codes"] == {200: 3}


# ------------------------------------------------------------ URLs and variables
def test_requests_go_to_all_urls_in_turn(send: Send, target: Target, upstream: Upstream):
    urls = [f"{upstream.base}/b?x=1", f"{upstream.base}/é"]
    send(target(url=f"{upstream.base}/a", urls=urls, requestCount=7))
    assert [one.target for one in upstream.take(7)] == ["/a", "/b?x=1", "/%C3%A9"] * 2 + ["/a"]


def test_or_at_random(send: Send, target: Target, upstream: Upstream):
    send(target(url=f"{upstream.base}/a", urls=[f"{upstream.base}/b"], pick="random", requestCount=60))
    targets = [one.target for one in upstream.take(60)]
    assert set(targets) == {"/a", "/b"}
    assert targets not in (["/a", "/b"] * 30, ["/b", "/a"] * 30)


def test_variables_are_filled_in_everywhere(send: Send, target: Target, upstream: Upstream):
    headers, body = [["x", "{replica}-{uuid}"]], '{"n": {n}, "r": {random:1-9}}'
    fields = {"variables": True, "method": "POST", "headers": headers, "body": body}
    send(target(url=f"{upstream.base}/{{n}}?q={{random:a%2Fb|ä}}&{{m}}", replicas=2, requestCount=3, sendId=True, **fields))
    received = upstream.take(6)
    assert sorted(one.path for one in received) == [f"/{number}" for number in range(1, 7)]
    for one in received:
        assert one.query[0][1] in ("a%2Fb", "ä")
        assert re.fullmatch(r"[12]-[0-9a-f-]{36}", one.values("x")[0])
        assert re.fullmatch(rb'\{"n": ' + one.path[1:].encode() + rb', "r": [1-9]\}', one.body)
        assert one.query[-1][0] == "x-request-id"
        assert "{m}" in one.target


def test_a_long_body_with_variables(send: Send, target: Target, upstream: Upstream):
    send(target(method="PUT", url=upstream.base, variables=True, body="x" * 100_000 + "{n}", requestCount=3, replicas=2))
    assert sorted(one.body[100_000:] for one in upstream.take(6)) == [b"1", b"2", b"3", b"4", b"5", b"6"]


# ------------------------------------------------------------ durations and stages
def test_a_duration_ends_a_run_and_its_series_adds_up(send: Send, target: Target, nginx: Callable[..., Nginx]):
    server = nginx()
    began = time.monotonic()
    results = shown(send(target(url=server.base, duration="600ms", replicas=8)))
    assert 0.6 <= time.monotonic() - began < 10
    assert results["requests"] > 0
    assert results["errors"] == {}
    points = results["series"]["points"]
    assert sum(point["requests"] for point in points) == results["requests"] == results["latency"]["corrected"]["count"]
    assert max(point["max"] for point in points) == pytest.approx(results["latency"]["corrected"]["max"], rel=0.001)


def test_a_count_ends_it_earlier(send: Send, target: Target, upstream: Upstream):
    assert shown(send(target(url=upstream.base, duration="1h", requestCount=3, replicas=2)))["codes"] == {200: 6}
    assert shown(send(target(url=upstream.base, duration="1h"), total=7))["codes"] == {200: 7}


def test_what_is_in_flight_at_the_end_has_its_time(
    send: Send, target: Target, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(part, "STOP_SECONDS", 0.1)
    with held() as event:
        upstream.on("/", Reply(hold=event))
        results = shown(send(target(url=upstream.base, duration="100ms", replicas=2)))
    assert (results["codes"], results["errors"]) == ({0: 2}, {"stopped": 2})
    assert results["latency"]["raw"]["p50"] >= 100


def test_at_a_rate_all_that_is_due_before_the_end_is_sent(send: Send, target: Target, upstream: Upstream):
    results = shown(send(target(url=upstream.base, rate=200, duration="500ms", replicas=8)))
    assert results["codes"] == {200: 100}
    assert results["rate"]["wanted"] == 200


@pytest.mark.parametrize("kind", [{"rate": [0, 200]}, {"rate": 100}])
def test_stages_of_rates_send_their_sum(send: Send, target: Target, upstream: Upstream, kind: dict[str, Any]):
    results = shown(send(target(url=upstream.base, stages=[{"for": "300ms", **kind}, {"for": "200ms", "rate": 100}], replicas=8)))
    assert results["codes"] == {200: 50}
    assert results["rate"]["wanted"] == pytest.approx(100, rel=0.1)
    assert any(point["wanted"] == 100 for point in results["series"]["points"])


class Crowd:
    """Counts how many are here at a time."""

    def __init__(self, seconds: float) -> None:
        self.most = 0
        self._here = 0
        self._seconds = seconds
        self._lock = threading.Lock()

    def __call__(self, _: object) -> Reply:
        with self._lock:
            self._here += 1
            self.most = max(self.most, self._here)
        time.sleep(self._seconds)
        with self._lock:
            self._here -= 1
        return Reply()


@pytest.mark.parametrize("delay", ["0s", "10ms"])
def test_stages_of_replicas_send_so_many_at_a_time(send: Send, target: Target, upstream: Upstream, delay: str):
    first, second = Crowd(0.02), Crowd(0.02)
    began: list[float] = []

    def reply(received: object) -> Reply:
        began.append(time.monotonic())
        return (first if began[-1] - began[0] < 0.4 else second)(received)

    upstream.on("/", reply)
    stages = [{"for": "300ms", "replicas": 4}, {"for": "300ms", "replicas": 1}]
    results = shown(send(target(url=upstream.base, stages=stages, delay=delay)))
    assert (first.most, second.most) == (4, 1)
    assert results["errors"] == {}
    assert results["connections"] >= 4
    assert results["requests"] == len(upstream.take())


def test_a_count_ends_stages_of_replicas(send: Send, target: Target, upstream: Upstream):
    stages = [{"for": "1h", "replicas": [1, 5]}]
    assert shown(send(target(url=upstream.base, stages=stages, requestCount=20)))["codes"] == {200: 20}
    assert shown(send(target(url=upstream.base, stages=stages), total=7))["codes"] == {200: 7}


def test_stages_are_stopped_like_all_else(send: Send, target: Target, upstream: Upstream):
    results = Results()

    async def during(run: Run) -> None:
        await until(lambda: results.of("r").requests > 2 and results.of("s").requests > 2)
        run.stop()

    one, other = [{"for": "1h", "replicas": 2}], [{"for": "1h", "rate": 100}]
    targets = target(name="r", url=upstream.base, stages=one), target(name="s", url=upstream.base, stages=other)
    send(*targets, results=results, during=during)
    assert results.total().errors == {}


# ------------------------------------------------------------ checks
def test_an_answer_that_does_not_pass_is_a_failure_under_its_own_status(send: Send, target: Target, upstream: Upstream):
    upstream.on("/", lambda _: Reply(body=b'{"a": %d}' % len(upstream.received)))
    checks = ["status=2xx", "json:$.a=1", "body~a", "size<100"]
    results = shown(send(target(url=upstream.base, checks=checks, requestCount=5)))
    assert results["codes"] == {200: 5}
    assert (results["errors"], results["checks"]) == ({"check": 4}, {"json:$.a=1": 4})
    assert results["latency"]["corrected"]["count"] == 5
    assert sum(point["errors"] for point in results["series"]["points"]) == 4


def test_bodies_in_pieces_are_looked_into_up_to_a_limit(send: Send, target: Target, upstream: Upstream):
    upstream.on("/small", Reply(body=iter([b"x" * 70_000, b"ok"])))
    upstream.on("/large", Reply(body=iter([b"ok", b"x" * (1 << 20)])))
    small = shown(send(target(url=f"{upstream.base}/small", checks=["body~xok", "size=70002"])))
    assert small["checks"] == {}
    large = shown(send(target(url=f"{upstream.base}/large", checks=["body~ok", "body!~zz", "size>1MiB"])))
    assert large["checks"] == {"body~ok": 1, "body!~zz": 1}


def test_a_request_that_failed_is_not_judged(send: Send, target: Target):
    results = shown(send(target(url=f"http://127.0.0.1:{free_port()}/", checks=["status=2xx"])))
    assert (results["errors"], results["checks"]) == ({"connect": 1}, {})


# ------------------------------------------------------------ what is measured
def test_connecting_is_in_what_is_corrected_and_shown_apart(send: Send, target: Target, upstream: Upstream):
    results = shown(send(target(url=upstream.base, keepAlive=False, requestCount=5)))
    connect = results["phases"]["connect"]
    assert (connect["count"], results["phases"]["dns"]["count"], results["phases"]["tls"]["count"]) == (5, 0, 0)
    assert results["latency"]["corrected"]["mean"] > results["latency"]["raw"]["mean"] > 0
    named = shown(send(target(url=upstream.base.replace("127.0.0.1", "localhost"))))
    assert named["connections"] == named["phases"]["connect"]["count"] == 1


def test_the_first_byte_comes_before_the_last(send: Send, target: Target, upstream: Upstream):
    upstream.on("/slow", lambda _: Reply(body=(time.sleep(0.1) or b"x" for _ in range(3))))
    results = shown(send(target(url=f"{upstream.base}/slow")))
    assert results["phases"]["firstByte"]["max"] <= results["latency"]["raw"]["max"] - 100


def test_what_is_late_is_counted(send: Send, target: Target, upstream: Upstream):
    upstream.on("/", lambda _: (time.sleep(0.03), Reply())[1])
    results = shown(send(target(url=upstream.base, rate=1000, requestCount=20)))
    assert results["rate"]["wanted"] == 1000
    assert results["rate"]["sent"] <= 1 / 0.03
    # the third one was due 2 ms after the begin, and had to wait for two answers
    assert 18 <= results["rate"]["late"] <= 20
    assert "rate" not in shown(send(target(url=upstream.base)))
