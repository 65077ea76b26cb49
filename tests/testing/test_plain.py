"""`Goto`: what it answers, what came, what is expected, what it sends."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.calls import Answer, call, raw
from support.client import Client, get
from support.upstream import Reply, Upstream

from goto.testing import BadInput, Exchange, Goto, NotHeld, NotReached
from goto.testing.instances import Instance


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    instance = Instance()
    yield instance
    instance.stop()


@pytest.fixture
def goto(instance: Instance) -> Iterator[Goto]:  # type: ignore[override]  # in place of the fixture of this name
    goto = instance.listener()
    yield goto
    instance.remove(goto)


def ask(goto: Goto, path: str, method: str = "GET", body: str | None = None, headers: dict[str, str] | None = None) -> Answer:
    return call(goto.port, method, path, body, headers)


def was_reset(goto: Goto, data: bytes) -> bool:
    """Whether the connection is reset without a byte."""
    with Client(goto.port) as client:
        client.send(data)
        try:
            client.socket.recv(1)
        except ConnectionResetError:
            return True
    return False


# ---------------------------------------------------------------- what it answers
def test_answers(goto: Goto):
    goto.answer("/users/{id}", json={"id": "{id}"})
    goto.answer("/text", body="hello", status=201, response_headers={"X": "1"})
    goto.answer("/bare")
    assert ask(goto, "/users/7").json() == {"id": "7"}
    text = ask(goto, "/text")
    assert (text.status, text.body, text.value("x")) == (201, b"hello", "1")
    assert ask(goto, "/bare").body == b"200 OK\n"


def test_exactly_the_next_two(goto: Goto):
    rule = goto.fail(503, times=2, to="/orders")
    assert [ask(goto, "/orders").status for _ in range(3)] == [503, 503, 200]
    assert (rule.matched, rule.struck, rule.name) == (2, 2, "r1")


def test_criteria_of_rules(goto: Goto):
    goto.fail(418, to="/a", method="POST", headers={"x": "1"}, query={"q": None}, body_has={"item": 1}, body="no tea")
    hit = ask(goto, "/a?q=", "POST", '{"item": 1, "more": 2}', {"X": "1"})
    assert (hit.status, hit.body) == (418, b"no tea")
    assert ask(goto, "/a?q=", "POST", '{"item": 2}', {"X": "1"}).status == 200


def test_dice(goto: Goto):
    rule = goto.fail(503, probability=0.5, seed=7, name="flaky")
    assert [line["n"] for line in rule.plan(12) if line["strikes"]] == [2, 3, 5, 7, 11]
    assert [ask(goto, "/").status for _ in range(4)] == [200, 200, 503, 503]


def test_per_value(goto: Goto):
    goto.fail(503, "/a/{id}", per="{id}", times=1)
    assert [ask(goto, path).status for path in ("/a/1", "/a/1", "/a/2", "/a/2")] == [503, 200, 503, 200]


def test_a_rule_is_removed_at_the_end_of_its_block(goto: Goto):
    with goto.fail(503) as rule:
        assert ask(goto, "/").status == 503
    assert ask(goto, "/").status == 200
    rule.remove()


def test_times(goto: Goto):
    goto.delay(0.05, to="/late")
    goto.answer("/slow", body="x" * 100)
    goto.drip(over=0.1, to="/paced", at="response")
    began = time.monotonic()
    assert ask(goto, "/late").status == 200
    assert time.monotonic() - began >= 0.05
    assert goto.calls.response.rules("r3").pace.over.written == "0.1s"  # type: ignore[union-attr]  # it has one


def test_faults(goto: Goto):
    goto.answer("/whole", body="0123456789")
    for path in ("/closed", "/reset", "/cut", "/stalled", "/garbled"):
        assert goto.url_for(path) == goto.url + path
    goto.close("/closed")
    goto.reset("/reset")
    goto.garble("chunk", "/garbled")
    goto.garble({"raw": "SSH"}, "/raw")
    assert raw(goto.port, get("/closed")) == b""
    assert raw(goto.port, get("/raw")) == b"SSH"
    assert b"zz" in raw(goto.port, get("/garbled"))
    assert was_reset(goto, get("/reset"))
    goto.truncate(4, "/whole", at="response", name="cut")
    goto.stall(2, 0.01, "/whole", at="response", name="stalled")
    goto.drip("1KiB", "/whole", name="dripped")
    rules = goto.calls.response.rules()
    assert rules["cut"].truncate is not None
    assert rules["stalled"].stall is not None
    assert rules["dripped"].pace is not None


def test_what_hangs_is_let_go_with_its_rule(goto: Goto):
    rule = goto.hang("/held")
    with Client(goto.port) as client:
        client.send(get("/held"))
        (held,) = _open(goto)
        assert (held.end, held.status) == (None, None)
        rule.remove()
        assert client.answer().status == 200


def _open(goto: Goto) -> list[Exchange]:
    """Exchanges, as soon as there is one."""
    until = time.monotonic() + 20
    while not (seen := goto.seen()):
        assert time.monotonic() < until
    return seen


def test_any_rule(goto: Goto):
    goto.rule(oneOf=[{"weight": 1, "status": 503}, {"weight": 1, "status": 502}], seed=7, name="any")
    assert {ask(goto, "/").status for _ in range(4)} <= {502, 503}
    with pytest.raises(BadInput, match="rule: it does nothing"):
        goto.rule(when={"uris": ["/a"]})


def test_names_that_somebody_else_has_given(goto: Goto):
    goto.calls.response.rules.add(name="r1", status=500)
    assert goto.fail(503).name == "r2"


def test_forwarding_and_a_lost_answer(goto: Goto, upstream: Upstream):
    upstream.on("/pay", Reply(201, b"paid"))
    target = goto.forward("/pay", to=upstream.base)
    assert ask(goto, "/pay", "POST").status == 201
    goto.reset(to="/pay", at="response", times=1)
    assert was_reset(goto, get("/pay", method="POST", body=b""))
    assert len(upstream.take(2)) == 2  # the work was done
    target.remove()
    assert ask(goto, "/pay").status == 200
    with goto.forward("/pay", upstream.base, name="mine", sendId=True) as again:
        assert again.name == "mine"


def test_a_document(goto: Goto, tmp_path: Path):
    (tmp_path / "goto.yaml").write_text("response: {status: 503}\n")
    assert goto.configure(tmp_path / "goto.yaml").startswith("Configuration applied")
    assert ask(goto, "/").status == 503


# ---------------------------------------------------------------- what came
def test_seen(goto: Goto):
    ask(goto, "/a?x=1", "POST", '{"item": 1}', {"Y": "y1"})
    ask(goto, "/a")
    ask(goto, "/b")
    first, *_ = goto.seen()
    assert (first.method, first.path, first.query, first.headers["y"], first.json()) == ("POST", "/a", "x=1", "y1", {"item": 1})
    assert [seen.uri for seen in goto.seen("/a")] == ["/a?x=1", "/a"]
    assert [seen.uri for seen in goto.seen(["/a", "/b"], method="GET")] == ["/a", "/b"]
    assert [seen.uri for seen in goto.seen(body={"item": 1}, headers={"y": None}, status=200)] == ["/a?x=1"]
    assert goto.seen("/a", status="5xx") == []


def test_waiting(goto: Goto):
    later = threading.Timer(0.05, lambda: [ask(goto, "/a") for _ in range(2)])
    later.start()
    assert len(goto.wait_for("/a", times=2, status=200)) == 2
    later.join()
    with pytest.raises(NotHeld, match=r"wanted at least 3, saw 2 within 10ms:  /a") as caught:
        goto.wait_for("/a", times=3, timeout=0.01)
    assert caught.value.answer["seen"] == 2
    with pytest.raises(NotHeld, match=r"nearest .*uris: wanted /c, was /a"):
        goto.wait_for("/c", timeout=0)


def test_who_gave_up(goto: Goto):
    goto.delay("10s", to="/slow")
    with Client(goto.port) as client:
        client.send(get("/slow"))
        _open(goto)
    (seen,) = goto.wait_for("/slow", end="client_gone")
    assert seen.status == 0
    assert goto.wait_for("/slow", took={"atMost": "9s"})


# ---------------------------------------------------------------- what is expected
def test_expectations(goto: Goto):
    goto.expect("/a", times=2, method="POST")
    goto.expect("/b", at_least=1, at_most=2)
    goto.expect_nothing("/c")
    goto.expect_order("/b", {"to": "/a", "method": "POST"}, "/a")
    for path, method in (("/b", "GET"), ("/a", "POST"), ("/a", "POST")):
        ask(goto, path, method)
    goto.check()
    goto.check()  # nothing is expected any more
    assert goto.calls.goto.journal.expectations() == {}


def test_expectations_that_are_not_met(goto: Goto):
    goto.expect("/a", times=2)
    goto.expect_nothing("/b")
    goto.expect_order("/a", "/c")
    ask(goto, "/a")
    ask(goto, "/b")
    with pytest.raises(NotHeld) as caught:
        goto.check()
    first, second, third = caught.value.text.split("\n\n")
    assert first.startswith("wanted exactly 2, saw 1 within 0s:  /a")
    assert second.startswith("wanted exactly 0, saw 1 within 0s:  /b")
    assert "/c" in third
    assert goto.calls.goto.journal.expectations() == {}
    goto.check()


def test_what_may_take_a_while(goto: Goto):
    goto.expect("/a", within="5s")
    later = threading.Timer(0.05, lambda: ask(goto, "/a"))
    later.start()
    goto.check()
    later.join()


def test_only_what_came_within_a_block(goto: Goto):
    ask(goto, "/a")
    with goto.expecting("/a", times=1):
        ask(goto, "/a")
    with pytest.raises(NotHeld, match="wanted exactly 1, saw 2"), goto.expecting("/a", times=1):
        assert [ask(goto, "/a").status for _ in range(2)] == [200, 200]
    with pytest.raises(ZeroDivisionError), goto.expecting("/a", times=1):
        1 / 0  # noqa: B018  # any error will do
    assert goto.calls.goto.journal.expectations() == {}


def test_others_listeners_do_not_count(goto: Goto, instance: Instance):
    other = instance.listener()
    with goto.expecting("/a", times=1):
        ask(goto, "/a")
        ask(other, "/a")
    assert len(goto.seen("/a")) == 1
    instance.remove(other)


# ---------------------------------------------------------------- for reports
def test_har(goto: Goto, tmp_path: Path):
    ask(goto, "/a")
    har = goto.har(tmp_path / "a.har")
    assert [entry["request"]["url"].partition("/a")[1] for entry in har["log"]["entries"]] == ["/a"]
    assert json.loads((tmp_path / "a.har").read_text()) == har


def test_a_report(goto: Goto):
    goto.fail(503, to="/a", times=1)
    goto.fail(503, to="/orders/{id}")
    ask(goto, "/a")
    ask(goto, "/order/1", headers={"Authorization": "secret"})
    report = goto.report()
    assert "GET /a 503" in report
    assert "r1  spent  matched 1  struck 1  unable 0" in report
    assert "nearest to r2\nnearest" in report
    assert "secret" not in report


# ---------------------------------------------------------------- an instance of its own
def test_start(tmp_path: Path):
    (tmp_path / "goto.yaml").write_text("response: {status: 418}\n")
    with Goto.start(tmp_path / "goto.yaml") as goto:
        assert ask(goto, "/").status == 418
        assert [seen.status for seen in goto.seen()] == [418]
    with pytest.raises(NotReached):
        goto.calls.label()
    with pytest.raises(NotHeld, match="wanted at least 1, saw 0"), Goto.start() as goto:
        goto.expect("/a")


def test_one_that_runs(instance: Instance):
    with Goto(instance.url) as goto:
        assert goto.calls.label().startswith("Label: ")
        assert goto.calls._caller.connection._kept is not None
    assert goto.calls._caller.connection._kept is None


def test_the_file_to_trust(instance: Instance):
    pytest.importorskip("trustme")
    import ssl

    secure = instance.listener(https=True, host="::1")
    assert secure.url == f"https://[::1]:{secure.port}"
    context = ssl.create_default_context(cafile=secure.ca)
    with socket.create_connection(("::1", secure.port)) as plain, context.wrap_socket(plain, server_hostname="::1") as client:
        client.sendall(get("/a", "Connection: close"))
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    assert Path(secure.ca).exists()
    instance.remove(secure)
    assert not Path(secure._ca or "").exists()
