"""One request to several upstreams, their answers in one."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from support.client import get
from support.flows import flow
from support.goto_process import Goto
from support.scripted import Scripted, answering, read_head
from support.site import Site
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, eventually

from goto.exchange.waiting import step_in_task
from goto.flow import Call, ClientGone, Origin, Response
from goto.upstream import fanout
from goto.upstream.answer import Upstream as Sender
from goto.upstream.fanout import fan_out

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("fan-out")


@pytest.fixture
def site(process: Goto) -> Site:
    return Site(process)


def entries(*ports: int, body: bytes = b"") -> list[dict[str, Any]]:
    async def run() -> Response:
        sender = Sender()
        calls = [
            Call(f"t{n}", Origin("http", "127.0.0.1", port), "POST", "/", [(b"Host", b"a")], timeout=5, id=f"t{n}[1][1]")
            for n, port in enumerate(ports)
        ]
        try:
            return await asyncio.wait_for(step_in_task(fan_out(sender, flow(), calls, body)), PATIENCE)
        finally:
            await sender.close()

    response = asyncio.run(run())
    assert response.status == 208
    listed: list[dict[str, Any]] = json.loads(response.body)
    return listed


def test_entries_in_target_then_replica_order_whoever_answers_first(site: Site, upstream: Upstream) -> None:
    with held() as event:
        upstream.on("/slow", Reply(201, b"slow", [("X", "1"), ("X", "2")], "Odd One", hold=event))
        site.target(upstream.port, "/{a}", replaceURI="/slow", replicas=2)
        site.target(upstream.port, "/", replaceURI="/fast")
        with site.client() as client:
            client.send(get("/x", method="POST", body=b"hello"))
            eventually(lambda: len(upstream.received), lambda count: count == 3)
            event.set()
            answer = client.answer()
    assert (answer.status, answer.value("content-type")) == (208, "application/json")
    listed = answer.json()
    assert [(one["TargetName"], one["TargetID"]) for one in listed] == [
        ("/{a}", "/{a}[1][1]"),
        ("/{a}", "/{a}[2][2]"),
        ("/", "/[1][1]"),
    ]
    headers = [one.pop("Headers") for one in listed]
    assert headers[0]["X"] == ["1", "2"]
    assert [tuple(one.values())[2:] for one in listed] == [("201 Odd One", 201, "slow")] * 2 + [("200 Fine", 200, "hello\n")]
    assert [received.body for received in upstream.take(3)] == [b"hello"] * 3
    assert site.reported == {"208": 1}


def test_one_that_fails_has_its_entry_and_spoils_nothing(site: Site, upstream: Upstream) -> None:
    with Scripted(answering(b"")) as broken, Scripted(answering(OK + b"Content-Length: 9\r\n\r\nhello")) as cut:
        listed = entries(upstream.port, 1, broken.port, cut.port)
    assert [(one["StatusCode"], one["Status"]) for one in listed] == [(200, "200 Fine")] + [(502, "502 Bad Gateway")] * 3
    assert [one["Body"].startswith(f"target t{n}: ") for n, one in enumerate(listed)] == [False, True, True, True]
    assert listed[1]["Headers"] == {}


def test_a_whole_body_goes_to_each(upstream: Upstream) -> None:
    body = bytes(range(256)) * 1000
    entries(upstream.port, upstream.port, body=body)
    assert [received.body == body for received in upstream.take(2)] == [True, True]


def test_what_is_no_text() -> None:
    with Scripted(answering(OK + b"X: \xff\r\nContent-Length: 3\r\n\r\na\xffb")) as server:
        (one,) = entries(server.port)
    assert (one["BodyBase64"], one["Headers"]["X"]) == ("Yf9i", ["\\xff"])


def test_codings_are_undone_within_the_limit_that_all_bodies_share(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"0123456789" * 20_000
    coded = gzip.compress(body)
    answer = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(coded) + coded
    with Scripted(answering(answer)) as server:
        one, two = entries(server.port, server.port)
        monkeypatch.setattr(fanout, "FAN_OUT_LIMIT", len(body) + 100)
        monkeypatch.setattr(fanout, "ASIDE_BYTES", 0)
        cut = entries(server.port, server.port)
    assert one["Body"] == two["Body"] == body.decode()
    assert (one["BodyDecoded"], one["Headers"]["Content-Encoding"]) == ("gzip", ["gzip"])
    assert 0 < sum(len(entry["Body"]) for entry in cut) <= len(body) + 100
    assert {entry["BodySize"] for entry in cut if entry.get("BodyTruncated")} == {len(coded)}


def test_what_is_kept_is_bounded_and_said(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "FAN_OUT_LIMIT", 10)
    monkeypatch.setattr(fanout, "RESPONSES_LIMIT", 3)
    upstream.on("/", Reply(body=b"sixsix"))
    *listed, rest = entries(*[upstream.port] * 5)
    assert sum(len(one["Body"]) for one in listed) == 10
    assert len(listed) == 3
    assert {one.get("BodySize", 6) for one in listed} == {6}
    assert [len(one["Body"]) < 6 for one in listed] == [one.get("BodyTruncated", False) for one in listed]
    assert rest["LeftOut"] == 2
    upstream.take(3)


def test_a_client_that_leaves_aborts_all(site: Site) -> None:
    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.recv(1)

    site.api("PUT", "/request/timeout/track/all")
    with Scripted(behave) as server:
        site.target(server.port, replicas=5)
        client = site.client()
        client.send(get("/"))
        eventually(lambda: server.connections, lambda count: count == 5)
        client.close()
        eventually(lambda: server.ended, lambda count: count == 5)
    site.ended(closed=1)


def test_a_flow_whose_client_has_gone_sends_nothing_on() -> None:
    async def run() -> None:
        one = flow()
        one.leave()
        with pytest.raises(ClientGone):
            await step_in_task(fan_out(Sender(), one, [Call("t", Origin("http", "127.0.0.1", 1), "GET", "/")], b""))
        await asyncio.sleep(0)

    asyncio.run(run())


def test_a_body_over_the_limit_is_refused_before_anything_is_sent(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, replicas=2)
    with site.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % ((64 << 20) + 1))
        assert client.answer().status == 413
    assert upstream.take() == []


def test_manual_invocation_of_several_names_the_unknown(site: Site, upstream: Upstream) -> None:
    site.target(upstream.port, "/a")
    site.api("POST", "/request/proxy/targets/add", {"name": "a", "url": upstream.base})
    answer = site.call("POST", "/request/proxy/targets/a,nope/invoke", "x")
    assert answer.status == 208
    assert [one["StatusCode"] for one in answer.json()] == [200, 502]
    assert "nope" in answer.json()[1]["Body"]


def test_a_list_does_not_wait_for_ever_for_a_stream_of_events(site: Site) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
    with held() as event, Scripted(answering(head, wait=event)) as server:
        site.target(server.port, "/t", replicas=2, bodyTimeout="500ms")
        answers = site.call("GET", "/t").json()
        assert [answer["Body"] for answer in answers] == ["target /t: no more of its answer within 500ms"] * 2
