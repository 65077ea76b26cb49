"""What a process bears of its clients, and that it says so when it was too little."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from support.client import Client, get
from support.goto_process import Goto
from support.waiting import eventually

from goto.traffic.limits import ConfiguredLimits, Limits


def hits(goto: Goto) -> dict[str, int]:
    shown = goto.call("GET", "/goto/limits").json()
    return {name: limit["hit"] for name, limit in shown.items() if limit["hit"]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("heads=1", "'heads' is not a limit: write one of connections, head, fields, headTime, bodyTime, body, targets"),
        ("", "'' is not a limit"),
        ("connections=0", "connections: 0 is not a whole number from 1"),
        ("connections", "connections: '' is not a whole number from 1"),
        ("head=10", "head: 10 is too small for the head of a request"),
        ("head=64KB", "head: '64KB' is not a size: write it like 64KiB"),
        ("headTime=0", "headTime: 0 leaves no time to send a head"),
        ("bodyTime=0", "bodyTime: 0 leaves no time to send a body"),
        ("headTime=5", "headTime: '5' is not a duration"),
        ("bodyTime=0s", "bodyTime: 0 leaves no time to send a body"),
        ("targets=100001", "targets: 100001 is not a whole number from 1 to 100000"),
    ],
)
def test_what_is_no_limit(text: str, says: str) -> None:
    with pytest.raises(ValueError, match="^" + says):
        ConfiguredLimits.parse(text)


def test_what_is_not_given_keeps_its_default() -> None:
    limits = Limits()
    before = {name: limit["limit"] for name, limit in limits.show().items()}
    limits.set(ConfiguredLimits.parse("headTime=1.5s"))
    limits.set(ConfiguredLimits.parse("head=2KiB"))
    assert {name: limit["limit"] for name, limit in limits.show().items()} == {**before, "headTime": "1.5s", "head": 2048}


def test_one_connection_too_many_is_told_so_and_the_others_go_on() -> None:
    with Goto("few", "--limit", "connections=3") as goto:
        clients = [Client(goto.port) for _ in range(3)]
        for client in clients:
            client.send(get("/status/201"))
            assert client.answer().status == 201
        with Client(goto.port) as surplus:
            surplus.send(get("/status/201"))
            answer = surplus.answer()
            assert (answer.status, answer.text) == (503, "goto: there are 3 connections already, which is the limit\n")
            assert answer.value("connection") == "close"
            assert surplus.rest() == b""
        clients[0].send(get("/goto/limits"))
        assert clients[0].answer().json()["connections"] == {"limit": 3, "hit": 1}
        for client in clients:
            client.close()
        eventually(lambda: goto.call("GET", "/status/202").status == 202)
        counts = goto.call("GET", "/response/status/counts").json()
        assert counts["countsByReportedStatus"] == {"201": 3, "202": 1}


def test_heads_have_the_limits_set(tmp_path: Path) -> None:
    (tmp_path / "goto.yaml").write_text("limits: {head: 2KiB, fields: 20, headTime: 10s}\n")
    with Goto("small", "--config", str(tmp_path / "goto.yaml"), "--limit", "headTime=100ms") as goto:
        for turn in range(2):  # the second request of a connection may go a faster way
            with Client(goto.port) as client:
                for _ in range(turn):
                    client.send(get("/"))
                    assert client.answer().status == 200
                client.send(get("/", f"X: {'x' * 3000}"))
                assert client.answer().status == 431
            with Client(goto.port) as client:
                for _ in range(turn):
                    client.send(get("/"))
                    assert client.answer().status == 200
                client.send(get("/", *(f"X-{number}: x" for number in range(20))))
                assert client.answer().status == 431
        with Client(goto.port) as client:
            client.send(b"GET / HT")
            assert client.rest() == b""
        assert hits(goto) == {"head": 2, "fields": 2, "headTime": 1}


def test_a_body_that_has_to_be_read_whole_and_targets_have_the_limits_set() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unheard, Goto("bodies", "--limit", "body=10B", "--limit", "targets=2") as goto:
        spec = {"url": f"http://127.0.0.1:{unheard.getsockname()[1]}", "match": {"uris": ["/two"]}}
        for name in ("one", "two"):
            assert goto.call("POST", "/request/proxy/targets/add", {"name": name, **spec}).status == 200
        refused = goto.call("POST", "/request/proxy/targets/add", {"name": "three", **spec})
        assert (refused.status, refused.text) == (409, "there are 2 proxy targets already: remove some first\n")
        answer = goto.call("POST", "/two", b"x" * 11)
        assert (answer.status, answer.text) == (413, "goto: body: 11 bytes are more than the limit of 10\n")
        assert hits(goto) == {"body": 1, "targets": 1}
