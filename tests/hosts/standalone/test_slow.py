"""Answers that are cut, paced or stalled."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.goto_process import Goto
from support.site import Site
from support.waiting import PATIENCE

from goto.exchange.waiting import step_in_task
from goto.flow import Control, Delivery
from goto.hosts.standalone.slow import SlowOutlet
from goto.http.wire import Ends


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("slow")


@pytest.fixture
def site(process: Goto) -> Site:
    return Site(process)


class Recorded:
    """A connection that notes what is written, and when."""

    def __init__(self) -> None:
        self.written: list[tuple[float, bytes]] = []
        self.congested = False
        self.gone = False
        self.outlet: Any = None
        self.broken: list[bool] = []
        self.began = time.monotonic()

    def send(self, data: bytes) -> None:
        self.written.append((time.monotonic() - self.began, data))

    def break_off(self, *, reset: bool = True) -> None:
        self.broken.append(reset)

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.written)


def slowly(
    delivery: Delivery,
    *pieces: bytes,
    ends: Ends = "length",
    length: int | None = None,
    head: bytes = b"HEAD",
    meanwhile: Callable[[SlowOutlet, Recorded], None] | None = None,
    error: bool = False,
) -> tuple[Recorded, SlowOutlet, bool]:
    """An answer on its slow way: what was written, and whether it is whole."""

    async def run() -> tuple[Recorded, SlowOutlet, bool]:
        connection = Recorded()
        outlet = SlowOutlet(connection, head, ends, delivery, length)  # type: ignore[arg-type]  # what it needs of one
        for piece in pieces:
            outlet.more(piece)
            outlet.flush()
        if error:
            outlet.broken(ValueError())
        else:
            outlet.end()
        if meanwhile is not None:
            meanwhile(outlet, connection)

        async def whole() -> bool:
            return await outlet.whole

        return connection, outlet, await asyncio.wait_for(step_in_task(whole()), PATIENCE)

    return asyncio.run(run())


def never_ahead(connection: Recorded, rate: float, before: int) -> None:
    """Byte n goes out n/rate after the beginning at the earliest; those before are not paced."""
    count = -before
    for at, data in connection.written:
        count += len(data)
        assert count <= 0 or at >= count / rate - 1e-6


@pytest.mark.parametrize("head", [False, True])
def test_a_pace_is_never_ahead(head: bool) -> None:
    body = bytes(range(100))
    connection, _, whole = slowly(Delivery(rate=1000, head=head), body[:30], body[30:], length=100)
    assert whole
    assert connection.data == b"HEAD" + body
    never_ahead(connection, 1000, 0 if head else 4)
    assert connection.written[-1][0] >= (0.104 if head else 0.1)


def test_it_goes_in_pieces_of_a_twentieth_of_a_second_or_of_one_byte() -> None:
    connection, _, _ = slowly(Delivery(rate=2000), b"x" * 400, length=400)
    assert all(len(data) <= 2000 / 20 for _, data in connection.written[1:])
    connection, _, _ = slowly(Delivery(rate=30), b"abc", length=3)
    assert [data for _, data in connection.written] == [b"HEAD", b"a", b"b", b"c"]


def test_a_time_for_the_whole() -> None:
    connection, _, whole = slowly(Delivery(over=0.1), b"0123456789", length=10)
    assert whole
    assert connection.written[-1][0] >= 0.1
    never_ahead(connection, 100, 4)
    failed: list[str] = []
    connection, _, whole = slowly(Delivery(over=3600.0, control=Control(failed.append)), b"abc", ends="chunks")
    assert (whole, failed, connection.data) == (True, ["over"], b"HEAD3\r\nabc\r\n0\r\n\r\n")


def test_a_stall_stands_still_once() -> None:
    heard: list[str] = []
    control = Control(heard.append, lambda: heard.append("over"))
    connection, _, whole = slowly(Delivery(stall=0.05, stall_at=4, control=control), b"abc", b"defg", b"h", length=8)
    assert whole
    assert connection.data == b"HEADabcdefgh"
    before = [at for at, data in connection.written if data in (b"HEAD", b"abc", b"d")]
    behind = [at for at, data in connection.written if at not in before]
    assert behind[0] - before[-1] >= 0.05
    assert set(heard) == {"over"}


@pytest.mark.parametrize(("at", "failed"), [(0, []), (3, ["stall_at"]), (9, ["stall_at"])])
def test_a_stall_past_the_end_is_not_possible(at: int, failed: list[str]) -> None:
    told: list[str] = []
    connection, _, whole = slowly(Delivery(stall=0.01, stall_at=at, control=Control(told.append)), b"abc", length=3)
    assert (whole, told, connection.data) == (True, failed, b"HEADabc")


def test_a_stall_moves_what_is_paced_behind_it() -> None:
    connection, _, _ = slowly(Delivery(rate=1000, stall=0.05, stall_at=20), b"x" * 40, length=40)
    assert connection.written[-1][0] >= 0.04 + 0.05
    never_ahead(connection, 1000, 4)


@pytest.mark.parametrize("delivery", [Delivery(rate=1, control=Control()), Delivery(stall=3600.0, stall_at=2, control=Control())])
def test_let_go_the_rest_goes_out(delivery: Delivery) -> None:
    assert delivery.control is not None
    let_go = delivery.control.let_go
    connection, _, whole = slowly(delivery, b"x" * 1000, length=1000, meanwhile=lambda outlet, connection: let_go())
    assert whole
    assert connection.data == b"HEAD" + b"x" * 1000


@pytest.mark.parametrize("ends", ["length", "chunks", "close"])
@pytest.mark.parametrize("after", [0, 2, 4])
def test_a_cut(ends: Ends, after: int) -> None:
    length = 5 if ends == "length" else None
    connection, outlet, whole = slowly(Delivery(end="close", after=after), b"abc", b"de", ends=ends, length=length)
    assert (whole, outlet.cut) == (False, True)
    sent = connection.data.removeprefix(b"HEAD")
    assert b"".join(re.findall(rb"[a-e]+", sent)) == b"abcde"[:after]
    assert not sent.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("delivery", [Delivery(end="close", after=5), Delivery(end="close", after=9)])
@pytest.mark.parametrize("length", [None, 5])
def test_a_cut_that_leaves_nothing_out_is_not_possible(delivery: Delivery, length: int | None) -> None:
    told: list[str] = []
    asked = dataclasses.replace(delivery, control=Control(told.append))
    connection, outlet, whole = slowly(asked, b"abcde", ends="chunks" if length is None else "length", length=length)
    assert (whole, outlet.cut, told) == (True, False, ["after"])
    assert b"abcde" in connection.data


def test_a_share_needs_a_length() -> None:
    connection, outlet, _ = slowly(Delivery(end="close", share=0.5), b"abcdef", length=6)
    assert (connection.data, outlet.cut) == (b"HEADabc", True)
    told: list[str] = []
    _, outlet, whole = slowly(Delivery(end="close", share=0.5, control=Control(told.append)), b"abcdef", ends="chunks")
    assert (outlet.cut, whole, told) == (False, True, ["share"])


def test_a_cut_may_be_paced() -> None:
    connection, outlet, _ = slowly(Delivery(end="close", after=20, rate=1000), b"x" * 1000, length=1000)
    assert (connection.data, outlet.cut) == (b"HEAD" + b"x" * 20, True)
    assert connection.written[-1][0] >= 0.02


def test_what_breaks_off_breaks_the_connection_behind_what_had_come() -> None:
    for ends, reset in (("length", False), ("close", True)):
        connection, _, whole = slowly(Delivery(rate=10_000), b"abc", ends=ends, error=True)  # type: ignore[arg-type]  # one of `Ends`
        assert (connection.data, whole, connection.broken) == (b"HEADabc", False, [reset])


def test_the_source_waits_where_too_much_is_held() -> None:
    async def run() -> None:
        connection, drained = Recorded(), []
        control = Control()
        delivery = Delivery(rate=1, control=control)
        outlet = SlowOutlet(connection, b"", "length", delivery, 1 << 20)  # type: ignore[arg-type]  # all that is asked of it
        outlet.on_drained = lambda: drained.append(True)
        outlet.more(b"x" * (1 << 19))
        outlet.flush()
        assert outlet.congested
        control.let_go()
        assert (outlet.congested, drained) == (False, [True])
        connection.congested = True
        outlet.more(b"y" * 10)
        outlet.flush()
        assert not connection.data.endswith(b"y")
        connection.congested = False
        connection.outlet.on_drained()
        assert connection.data.endswith(b"y" * 10)
        outlet.stop()

    asyncio.run(run())


@pytest.mark.parametrize("fields", [{"method": "HEAD"}, {"path": "/status/204"}])
def test_a_head_without_a_body_is_paced_too(site: Site, fields: dict[str, str]) -> None:
    rule = {"name": "p", "when": {"headers": [["slow"]]}, "pace": {"rate": "1KiB", "head": True}}
    site.api("POST", "/response/rules/add", rule)
    answer = site.call(fields.get("method", "GET"), fields.get("path", "/a"), headers={"slow": "y"})
    assert (answer.value("goto-rule"), answer.took >= 0.1) == ("p;n=0;did=pace", True)  # of more than 102 bytes
    site.api("PUT", "/response/rules/clear")
