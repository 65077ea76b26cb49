"""The worker's side, in this process: a registry of the test's own says what it likes."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from support.ports import free_port
from support.upstream import Reply, Upstream, held
from support.waiting import PATIENCE, until

from goto.client.desired import Desired, Source
from goto.client.target import ClientTarget
from goto.errors import BadInput, Conflict
from goto.registry import retry
from goto.registry import worker as module
from goto.registry.address import Address
from goto.registry.worker import RegistryUrl, Worker, read_hand_out
from goto.upstream.answer import Upstream as Sender

ADDRESS = Address.parse("[::1]:8080")
ADD = "/registry/peers/add"


class Client:
    def __init__(self, room: int = 100) -> None:
        self.desired = Desired()
        self.targets: dict[str, ClientTarget] = {}
        self.invoked: list[str] = []
        self.room = room

    def store(self, target: ClientTarget) -> None:
        if len(self.targets) >= self.room:
            raise Conflict("too many")
        self.targets[target.name] = target

    def discard(self, name: str) -> None:
        self.targets.pop(name, None)

    def invoke_targets(self, targets: Iterable[ClientTarget]) -> None:
        self.invoked += [target.name for target in targets]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience, so that things happen soon."""
    for name in ("FIRST_WAIT", "LONGEST_WAIT", "JITTER"):
        monkeypatch.setattr(retry, name, 0.02)
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(module, "REGISTER_SECONDS", 0.5)
    monkeypatch.setattr(module, "DEREGISTER_SECONDS", 0.5)


def run(url: str, client: Client, test: Callable[[Worker], Awaitable[None]], label: str = "web/1, ü") -> None:
    async def main() -> None:
        sender = Sender()
        worker = Worker(sender, client, RegistryUrl.parse(url), label, ADDRESS)
        worker.start()
        try:
            await test(worker)
        finally:
            await worker.stop()
            await sender.close()

    asyncio.run(main())


def target(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "method": "GET", "url": "http://127.0.0.1:9/", **more}


def hands_out(*targets: dict[str, Any], epoch: str | None = "e1", revision: int = 1) -> Reply:
    answer: dict[str, Any] = {"targets": {one["name"]: one for one in targets}, "jobs": {}}
    if epoch is not None:
        answer |= {"epoch": epoch, "revision": revision}
    return Reply(body=json.dumps(answer).encode())


def test_it_registers_again_and_again_and_deregisters(upstream: Upstream):
    upstream.on("/base" + ADD, hands_out())

    async def test(worker: Worker) -> None:
        await until(lambda: len(upstream.received) >= 3)
        assert worker.registered

    run(f"{upstream.base}/base/", Client(), test)
    *registrations, last = upstream.take()
    assert {(one.method, one.target) for one in registrations} == {("POST", "/base" + ADD)}
    assert [json.loads(one.body) for one in registrations[:1]] == [{"name": "web/1, ü", "address": "[::1]:8080"}]
    assert (last.method, last.target) == ("POST", "/base/registry/peers/web%2F1%2C%20%C3%BC/remove/%5B::1%5D:8080")


def test_what_is_handed_out_is_taken_changed_and_removed(upstream: Upstream):
    client = Client()
    client.store(read_hand_out(json.dumps({"targets": {"": target("mine")}}).encode(), "w").targets[0])

    async def test(worker: Worker) -> None:
        await until(lambda: "a" in client.targets)
        assert client.invoked == ["a"]
        upstream.on(ADD, hands_out(target("a", autoInvoke=True), target("c"), revision=2))
        await until(lambda: "c" in client.targets)
        assert list(client.targets) == ["mine", "a", "c"]
        upstream.on(ADD, hands_out(revision=1))
        seen = len(upstream.received)
        await until(lambda: len(upstream.received) > seen + 1)
        assert list(client.targets) == ["mine", "a", "c"], "older than what is known"
        upstream.on(ADD, hands_out(epoch="e2", revision=0))
        seen = len(upstream.received)
        await until(lambda: len(upstream.received) > seen + 2)
        assert list(client.targets) == ["mine", "a", "c"], "a restarted registry removes nothing"
        assert client.invoked == ["a"], "invoked again though unchanged"

    upstream.on(ADD, hands_out(target("a", autoInvoke=True), target("b")))
    run(upstream.base, client, test)


def test_it_goes_on_until_the_registry_is_there(caplog: pytest.LogCaptureFixture):
    port = free_port()

    async def test(worker: Worker) -> None:
        await until(lambda: worker._complaint)
        await asyncio.sleep(0.2)
        assert not worker.registered
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        await until(lambda: worker.registered)
        server.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{"targets":{},"jobs":{} }')
        await writer.drain()
        writer.close()

    run(f"http://127.0.0.1:{port}", Client(), test, "w")
    messages = [record.message for record in caplog.records]
    assert sum("cannot register" in message for message in messages) == 1, messages
    assert f"registered with http://127.0.0.1:{port} as w at [::1]:8080" in messages


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(503, b"busy"), "answered 503: busy"),
        (Reply(404, b"no"), "answered 404: no"),
        (Reply(200, b"hello"), "did not answer with a JSON object: is it a registry?"),
        (Reply(200, b'{"RequestURI": "/"}'), "answered without targets: is it a registry?"),
        (Reply(verbatim=b""), "closed the connection without an answer"),
    ],
)
def test_what_is_no_registration_is_tried_again(upstream: Upstream, caplog: pytest.LogCaptureFixture, reply: Reply, reason: str):
    upstream.on(ADD, reply)

    async def test(worker: Worker) -> None:
        await until(lambda: len(upstream.received) > 2)
        assert not worker.registered
        upstream.on(ADD, hands_out())
        await until(lambda: worker.registered)

    run(upstream.base, Client(), test)
    complaints = [record.message for record in caplog.records if "cannot register" in record.message]
    assert complaints == [f"cannot register with {upstream.base}: {reason}; trying again"]


def test_a_target_that_cannot_be_read_keeps_none_of_the_others(upstream: Upstream, caplog: pytest.LogCaptureFixture):
    client = Client()
    upstream.on(ADD, hands_out(target("bad", url="ftp://x"), target("good")))

    async def test(worker: Worker) -> None:
        await until(lambda: worker.registered)

    run(upstream.base, client, test)
    assert list(client.targets) == ["good"]
    assert any("target bad" in record.message and "url" in record.message for record in caplog.records)


def test_more_than_there_is_room_for(upstream: Upstream, caplog: pytest.LogCaptureFixture):
    client = Client(room=1)
    upstream.on(ADD, hands_out(target("a", autoInvoke=True), target("b", autoInvoke=True)))

    async def test(worker: Worker) -> None:
        await until(lambda: len(upstream.received) > 2)

    run(upstream.base, client, test)
    assert (list(client.targets), client.invoked) == (["a"], ["a"])
    assert any("not all targets" in record.message for record in caplog.records)


@pytest.mark.parametrize("registry", ["hung", "gone", "hung from the start"])
def test_the_end_does_not_wait_for_a_registry_that_is_not_there(
    upstream: Upstream, registry: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)
    with held() as event:
        removal = f"/registry/peers/w/remove/{'%5B::1%5D:8080'}"
        upstream.on(ADD, Reply(hold=event) if registry == "hung from the start" else hands_out())
        upstream.on(removal, Reply(hold=event))
        ending = 0.0

        async def test(worker: Worker) -> None:
            nonlocal ending
            await until(lambda: upstream.received if registry == "hung from the start" else worker.registered)
            if registry == "gone":
                upstream.on(removal, Reply(verbatim=b""))
            ending = time.monotonic()

        run(upstream.base, Client(), test, "w")
        assert time.monotonic() - ending < PATIENCE
    assert any("cannot deregister" in record.message for record in caplog.records)


def test_it_can_be_stopped_before_it_began():
    async def main() -> None:
        sender = Sender()
        worker = Worker(sender, Client(), RegistryUrl.parse("http://127.0.0.1:1"), "w", ADDRESS)
        await worker.stop()
        worker.start()
        await worker.stop()
        await worker.stop()
        await sender.close()

    asyncio.run(main())


# ---------------------------------------------------------------- what an answer says
def test_an_answer_of_the_original_with_nulls_and_empty_strings():
    wire = (
        b'{"targets":{"go":{"name":"go","method":"GET","url":"http://127.0.0.1:9/go","headers":null,"body":"","bodyReader":null,'
        b'"replicas":0,"requestCount":2,"delay":"","keepOpen":"","sendID":true,"connTimeout":"","connIdleTimeout":"",'
        b'"requestTimeout":"","autoInvoke":true}},"jobs":null}'
    )
    hand_out = read_hand_out(wire, "w")
    assert hand_out.source == Source("w")
    [one] = hand_out.targets
    assert (one.name, one.replicas, one.request_count, one.send_id, one.auto_invoke, one.headers) == ("go", 1, 2, True, True, [])


@pytest.mark.parametrize("targets", [b"null", b"{}"])
def test_an_answer_without_targets(targets: bytes):
    hand_out = read_hand_out(b'{"targets":%s,"jobs":{}}' % targets, "w")
    assert (hand_out.targets, hand_out.unread) == ([], {})


def test_epoch_and_revision():
    assert read_hand_out(b'{"targets":{},"epoch":"e","revision":3}', "w").source == Source("w", "e", 3)
    for half in (b'"epoch":"e"', b'"epoch":"","revision":3', b'"epoch":1,"revision":3', b'"epoch":"e","revision":"3"'):
        assert read_hand_out(b'{"targets":{},%s}' % half, "w").source == Source("w")


@pytest.mark.parametrize("wire", [b"", b"[]", b"{", b"{}", b'{"targets":[]}', b'{"targets":1}', b"[" * 5000, b"\xff"])
def test_what_is_no_answer(wire: bytes):
    with pytest.raises(BadInput, match="is it a registry"):
        read_hand_out(wire, "w")


@pytest.mark.parametrize(
    ("text", "host", "port", "base"),
    [
        ("http://reg:8080", "reg", 8080, ""),
        ("https://reg/", "reg", 443, ""),
        ("http://[::1]:8080/a/b/", "::1", 8080, "/a/b"),
        ("http://rég", "xn--rg-bja", 80, ""),
    ],
)
def test_the_url_of_a_registry(text: str, host: str, port: int, base: str):
    url = RegistryUrl.parse(text)
    assert (url.origin.host, url.origin.port, url.base) == (host, port, base)


@pytest.mark.parametrize(
    "text", ["", "reg:8080", "ftp://reg", "http://", "http://reg:0", "http://reg?x=1", "http://reg#x", "http://u@reg"]
)
def test_what_is_no_url_of_a_registry(text: str):
    with pytest.raises(ValueError, match=r"."):
        RegistryUrl.parse(text)
