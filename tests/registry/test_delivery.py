"""Pushing to one address: again until it is taken, in order, and never what is out of date."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from support.ports import free_port
from support.upstream import Received, Reply, Upstream, held
from support.waiting import PATIENCE, until

from goto.registry import delivery as module
from goto.registry import retry
from goto.registry.address import Address
from goto.registry.delivery import Delivery, Lanes
from goto.registry.queue import Push, PushKind
from goto.upstream.answer import Upstream as Sender

T = TypeVar("T")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience, so that failures come soon."""
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(retry, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(retry, "JITTER", 0.01)
    monkeypatch.setattr(module, "ATTEMPT_SECONDS", 0.5)


def run(address: str, test: Callable[[Delivery], Awaitable[T]]) -> T:
    async def main() -> T:
        sender = Sender()
        delivery = Delivery(sender, Address.parse(address), "e1", Lanes.make(), heard.append)
        try:
            return await test(delivery)
        finally:
            delivery.end()
            await sender.close()

    heard: list[str] = []
    return asyncio.run(main())


def push(kind: PushKind, revision: int, name: str = "", label: str = "w") -> Push:
    return Push(kind, label, revision, name, b'{"n":%d}' % revision if kind == "add" else b"")


def told(received: list[Received]) -> list[tuple[str, str, bytes]]:
    return [(one.method, one.target, one.body) for one in received]


def test_pushes_come_in_order_with_epoch_revision_and_label(upstream: Upstream):
    async def test(delivery: Delivery) -> None:
        for one in (push("add", 1, "a"), push("add", 2, "ü/ b"), push("remove", 3, "ü/ b"), push("clear", 4, label="v,ü")):
            delivery.put(one)
            await delivery.settled(one)
            assert not delivery.missed(one)

    run(f"127.0.0.1:{upstream.port}", test)
    received = upstream.take(4)
    assert told(received) == [
        ("POST", "/client/targets/add", b'{"n":1}'),
        ("POST", "/client/targets/add", b'{"n":2}'),
        ("POST", "/client/targets/%C3%BC%2F%20b/remove", b""),
        ("POST", "/client/targets/clear", b""),
    ]
    assert [one.values("Goto-Registry-Epoch") for one in received] == [["e1"]] * 4
    assert [one.values("Goto-Registry-Revision") for one in received] == [["1"], ["2"], ["3"], ["4"]]
    assert [one.values("Goto-Registry-Label") for one in received] == [["w"]] * 3 + [["v%2C%C3%BC"]]


def test_it_is_tried_until_it_is_taken(upstream: Upstream):
    statuses = iter([500, 503, 408, 429, 200])
    upstream.on("/client/targets/add", lambda _: Reply(next(statuses), b"not now"))

    async def test(delivery: Delivery) -> None:
        first, second = push("add", 1, "a"), push("add", 2, "b")
        delivery.put(first)
        await delivery.settled(first)
        assert delivery.missed(first)
        assert delivery.late
        [miss] = delivery.not_taken("w")
        assert (miss.push, miss.reason, miss.final) == (first, "answered 500: not now", False)
        assert delivery.not_taken("v") == []
        upstream.on("/client/targets/b", Reply())
        await until(lambda: not delivery.queue)
        assert (delivery.failing, delivery.late) == ("", False)
        upstream.on("/client/targets/add", Reply())
        delivery.put(second)
        await until(lambda: not delivery.queue)

    run(f"127.0.0.1:{upstream.port}", test)
    assert [one.body for one in upstream.take(6)] == [b'{"n":1}'] * 5 + [b'{"n":2}']


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 302])
def test_an_add_that_is_refused_is_not_tried_again_and_holds_up_nothing(upstream: Upstream, status: int):
    upstream.on("/client/targets/add", lambda one: Reply(status if one.body == b'{"n":1}' else 200, b"no\n"))

    async def test(delivery: Delivery) -> None:
        first, second, third = push("add", 1, "a"), push("add", 2, "b"), push("add", 3, "a")
        delivery.put(first)
        delivery.put(second)
        await until(lambda: not delivery.queue)
        [miss] = delivery.not_taken("w")
        assert (miss.push, miss.reason, miss.final) == (first, f"answered {status}: no", True)
        assert (delivery.missed(first), delivery.missed(second)) == (True, False)
        delivery.put(third)
        assert not delivery.missed(first), "there is a newer one of this name"
        await until(lambda: not delivery.queue)
        assert delivery.not_taken("w") == []

    run(f"127.0.0.1:{upstream.port}", test)
    upstream.take(3)


def test_what_is_not_there_need_not_be_removed(upstream: Upstream):
    upstream.on("/client/targets/a/remove", Reply(404, b"unknown"))

    async def test(delivery: Delivery) -> None:
        one = push("remove", 1, "a")
        delivery.put(one)
        await delivery.settled(one)
        assert (delivery.missed(one), delivery.not_taken("w")) == (False, [])

    run(f"127.0.0.1:{upstream.port}", test)


def test_refusals_of_a_label_go_with_it(upstream: Upstream):
    upstream.on("/client/targets/add", Reply(400))

    async def test(delivery: Delivery) -> None:
        for label in ("v", "w"):
            delivery.put(push("add", 1, label, label))
        await until(lambda: not delivery.queue)
        delivery.put(push("clear", 2, label="v"))
        assert [len(delivery.not_taken(label)) for label in ("v", "w")] == [1, 1]
        await until(lambda: not delivery.queue)
        assert [len(delivery.not_taken(label)) for label in ("v", "w")] == [0, 1]
        delivery.drop("w")
        assert delivery.not_taken("w") == []

    run(f"127.0.0.1:{upstream.port}", test)


def test_a_removed_target_is_not_brought_back_by_a_retry():
    port = free_port()

    async def test(delivery: Delivery) -> None:
        first = push("add", 1, "a")
        delivery.put(first)
        await delivery.settled(first)
        assert "cannot connect" in delivery.failing
        delivery.put(push("add", 2, "b"))
        delivery.put(push("remove", 3, "a"))
        delivery.put(push("add", 4, "b"))
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        await until(lambda: not delivery.queue)
        server.close()

    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
        got.append(head.split(b" ")[1] + await reader.readexactly(int(length or 0)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    run(f"127.0.0.1:{port}", test)
    assert got == [b"/client/targets/a/remove", b'/client/targets/add{"n":4}']


def test_one_that_never_answers_is_given_up_and_tried_again(upstream: Upstream):
    async def test(delivery: Delivery) -> None:
        one = push("add", 1, "a")
        delivery.put(one)
        await delivery.settled(one)
        assert delivery.failing == "no answer within 500ms"
        upstream.on("/client/targets/add", Reply())
        await until(lambda: not delivery.queue)

    with held() as event:
        upstream.on("/client/targets/add", Reply(hold=event))
        run(f"127.0.0.1:{upstream.port}", test)


def test_news_and_signs_of_life_cut_the_wait_short(upstream: Upstream, monkeypatch: pytest.MonkeyPatch):
    for name in ("FIRST_WAIT", "LONGEST_WAIT"):
        monkeypatch.setattr(retry, name, 3600.0)
    monkeypatch.setattr(module, "WAKE_SECONDS", 3600.0)
    upstream.on("/client/targets/add", Reply(500))

    async def test(delivery: Delivery) -> None:
        delivery.put(push("add", 1, "a"))
        await until(lambda: delivery.failing)
        delivery.put(push("add", 2, "b"))
        await asyncio.sleep(0.05)
        assert len(upstream.received) == 1, "not at every one of them"
        monkeypatch.setattr(module, "WAKE_SECONDS", 0.0)
        delivery.put(push("add", 3, "c"))
        await until(lambda: len(upstream.received) == 2)
        await until(lambda: delivery._resting)
        upstream.on("/client/targets/add", Reply())
        delivery.wake()
        await until(lambda: not delivery.queue)

    run(f"127.0.0.1:{upstream.port}", test)
    assert [one.body for one in upstream.take(5)] == [b'{"n":1}', b'{"n":1}', b'{"n":1}', b'{"n":2}', b'{"n":3}']


def test_ending_ends_it(upstream: Upstream):
    async def test(delivery: Delivery) -> None:
        one = push("add", 1, "a")
        delivery.put(one)
        waiting = asyncio.ensure_future(delivery.settled(one))
        await until(lambda: upstream.received)
        delivery.end()
        await asyncio.wait_for(waiting, PATIENCE)
        assert (delivery.not_taken("w"), delivery.missed(one)) == ([], False)

    with held() as event:
        upstream.on("/client/targets/add", Reply(hold=event))
        run(f"127.0.0.1:{upstream.port}", test)


def test_hung_peers_do_not_use_up_what_others_need(upstream: Upstream, monkeypatch: pytest.MonkeyPatch):
    """With one place for those that failed and one for the others, the others still go through."""

    async def main() -> None:
        sender, lanes = Sender(), Lanes(asyncio.Semaphore(1), asyncio.Semaphore(1))
        hung = Delivery(sender, Address.parse(f"127.0.0.1:{upstream.port}"), "e", lanes, lambda _: None)
        good = Delivery(sender, Address.parse(f"localhost:{upstream.port}"), "e", lanes, lambda _: None)
        hung.put(push("add", 1, "a"))
        await until(lambda: hung.failing)
        monkeypatch.setattr(module, "ATTEMPT_SECONDS", 3600.0)
        await until(lambda: lanes.again.locked())
        for revision in range(2, 5):
            one = push("add", revision, f"b{revision}")
            good.put(one)
            await good.settled(one)
            assert not good.missed(one), good.failing
        hung.end()
        good.end()
        await sender.close()

    with held() as event:
        upstream.on("/client/targets/add", lambda one: Reply(hold=event if one.body == b'{"n":1}' else None))
        asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_the_oldest_refusals_are_forgotten(upstream: Upstream, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_REFUSED", 2)
    for name in "abc":
        upstream.on(f"/client/targets/{name}/remove", Reply(403))

    async def test(delivery: Delivery) -> None:
        for number, name in enumerate("abc", 1):
            delivery.put(push("remove", number, name))
        await until(lambda: not delivery.queue)
        assert [miss.push.name for miss in delivery.not_taken("w")] == ["b", "c"]

    run(f"127.0.0.1:{upstream.port}", test)
