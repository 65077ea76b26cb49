"""On the way: loops, and requests that may not be sent on."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from support.goto_process import Goto
from support.scripted import Scripted, read_head
from support.site import Site

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nGoto-Hops: 7\r\n\r\nok"


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("forwards")


@pytest.fixture
def site(process: Goto) -> Site:
    return Site(process)


def asked(site: Site, method: str, *fields: bytes) -> bytes:
    lines = [method.encode() + b" / HTTP/1.1", b"Host: a", b"Connection: close", *fields]
    return site.raw(b"\r\n".join(lines) + b"\r\n\r\n")


def told(heads: list[bytes]) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        while head := read_head(connection):
            heads.append(head)
            connection.sendall(OK)

    return behave


def test_a_loop_ends_with_508(site: Site) -> None:
    site.target(site.port)
    got = asked(site, "GET")
    assert got.startswith(b"HTTP/1.1 508 ")
    assert b"target /: this request came through goto 32 times\n" in got
    assert site.reported == {"508": 33}


def test_who_sends_to_several_meets_no_request_twice(site: Site) -> None:
    site.target(site.port, replicas=2)
    answer = site.call("GET", "/")
    assert [(one["StatusCode"], one["Body"]) for one in answer.json()] == [
        (508, "target /: this request was sent to several here before\n")
    ] * 2
    assert site.reported == {"208": 1, "508": 2}


def test_a_chain_goes_on(site: Site, process: Goto) -> None:
    heads: list[bytes] = []
    with Scripted(told(heads)) as server:
        port = server.port
        for number in range(4):
            link = Site(process)
            link.target(port, replicas=2 if number == 1 else 1)
            port = link.port
        site.target(port)
        assert asked(site, "GET").startswith(b"HTTP/1.1 208 ")
    marks = [line for head in heads for line in head.split(b"\r\n") if line.lower().startswith(b"goto-hops")]
    assert len(marks) == 2
    assert all(mark.startswith(b"Goto-Hops: 5;") for mark in marks)


@pytest.mark.parametrize("fields", [(b"Goto-Hops: 32",), (b"Goto-Hops: x",), (b"goto-hops: 1", b"GOTO-HOPS: 1")])
def test_nothing_is_sent_from_32_on(site: Site, fields: tuple[bytes, ...]) -> None:
    heads: list[bytes] = []
    with Scripted(told(heads)) as server:
        site.target(server.port)
        got = asked(site, "GET", *fields)
    assert b"508 Loop Detected" in got
    assert heads == []
    assert "goto_upstream_failures_total{" in (metrics := site.call("GET", "/goto/metrics").text)
    assert 'kind="loop"' in metrics


def test_no_feature_and_no_answer_shows_the_field(site: Site) -> None:
    assert b"oto-" not in asked(site, "GET", b"Goto-Hops: 3").lower().replace(b"goto-host", b"").replace(b"via-goto", b"")
    with Scripted(told([])) as server:
        site.target(server.port)
        assert b"goto-hops" not in asked(site, "GET").lower()


@pytest.mark.parametrize("field", [{"addHeaders": [["goto-hops", "1"]]}, {"removeHeaders": ["Goto-Hops"]}])
def test_no_target_sets_or_removes_it(site: Site, field: dict[str, object]) -> None:
    spec = {"name": "up", "url": "http://localhost:1", **field}
    answer = site.call("POST", "/request/proxy/targets/add", spec)
    assert (answer.status, "how loops are found" in answer.text) == (400, True)


# ---------------------------------------------------------------- Max-Forwards
@pytest.mark.parametrize("method", ["OPTIONS", "TRACE"])
def test_a_request_that_may_not_be_sent_on_is_answered_here(site: Site, method: str) -> None:
    site.target(1)  # nobody listens there
    got = asked(site, method, b"Max-Forwards: 0")
    assert got.startswith(b"HTTP/1.1 200 ")
    assert b'"RequestURI":"/"' in got
    site.api("PUT", "/response/status/set/418")
    assert asked(site, method, b"Max-Forwards: 0").startswith(b"HTTP/1.1 418 ")


@pytest.mark.parametrize(
    ("method", "value", "passed"),
    [("TRACE", b"012", b"11"), ("OPTIONS", b"1", b"0"), ("OPTIONS", b"x", b"x"), ("GET", b"0", b"0"), ("POST", b"7", b"7")],
)
def test_a_larger_number_goes_on_one_less(site: Site, method: str, value: bytes, passed: bytes) -> None:
    heads: list[bytes] = []
    with Scripted(told(heads)) as server:
        site.target(server.port)
        asked(site, method, b"Max-Forwards: " + value)
        site.target(server.port, addHeaders=[["max-forwards", "99"]])
        asked(site, method, b"Max-Forwards: " + value)
    assert b"\r\nMax-Forwards: " + passed + b"\r\n" in heads[0]
    assert b"\r\nmax-forwards: 99\r\n" in heads[1]
    assert heads[1].lower().count(b"max-forwards") == 1
