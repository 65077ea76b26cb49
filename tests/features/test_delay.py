"""Delays: never shorter, exactly as many as asked for, ended when the client leaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from support.client import get
from support.flows import flow, pass_through, passed
from support.goto_process import Goto
from support.site import Site
from support.waiting import eventually

from goto.features.delay import Delay
from goto.flow import ClientGone, Response
from goto.pipeline import Pipeline
from goto.words.values import Delays


def delay(text: str) -> Delay:
    feature = Delay()
    feature.set(Delays.parse(text))
    return feature


def test_it_is_never_shorter() -> None:
    for _ in range(20):
        began = time.monotonic()
        passed([delay("5ms")], flow())
        assert time.monotonic() - began >= 0.005


def test_a_count_delays_exactly_so_many() -> None:
    feature = delay("1ms:7")
    flows = [flow() for _ in range(50)]

    async def every() -> None:
        await asyncio.gather(*(pass_through([feature], one) for one in flows))

    asyncio.run(every())
    assert [tuple(one.marks) for one in flows if one.marks] == [("delay:1ms",)] * 7
    assert feature._delayed == 7
    assert feature._seconds >= 0.007
    assert not feature.active
    assert feature.show() == "No response delay"


def test_exchanges_that_began_before_a_count_ran_out_are_not_delayed() -> None:
    feature = delay("1ms:1")
    pipeline, flows = Pipeline([feature]), [flow(), flow()]
    for one in flows:
        pipeline.request(one)
    for one in flows:
        one.response = Response(200)
        pipeline.response(one)
    assert [[hold.seconds for hold in one.holds] for one in flows] == [[0.001], []]


def test_what_is_shown() -> None:
    feature = Delay()
    assert feature.show() == "No response delay"
    assert feature.set(Delays.parse("1500ms")) == "Response delay: 1.5s"
    assert feature.set(Delays.parse("90s:3")) == "Response delay: 1m30s for the next 3"
    assert feature.clear() == "Response delay cleared"
    assert feature.show() == "No response delay"


def test_each_exchange_draws_its_own_within_a_range() -> None:
    feature = delay("1ms-2ms:20")
    flows = [flow() for _ in range(20)]
    for one in flows:
        Pipeline([feature]).request(one)
        one.response = Response(200)
        Pipeline([feature]).response(one)
    held = [one.holds[0].seconds or 0 for one in flows]
    assert all(0.001 <= seconds <= 0.002 for seconds in held)
    assert len(set(held)) > 10
    assert not feature.active
    assert feature.set(Delays.parse("100ms-150ms:2@10%")) == "Response delay: 100ms-150ms for the next 2 at 10%"


@pytest.mark.parametrize("text", ["0", "0s", "0:4"])
def test_no_time_is_no_delay(text: str) -> None:
    assert not delay(text).active


@pytest.mark.parametrize("text", ["", "1", "-1s", "1s:0", "1s:-1", "1s:", "x", "1s:1.5"])
def test_what_is_no_delay(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Delays.parse(text)


def test_a_client_that_leaves_ends_it() -> None:
    async def leave() -> None:
        one = flow()
        asyncio.get_running_loop().call_soon(one.leave)
        with pytest.raises(ClientGone):
            await pass_through([delay("1h")], one)

    asyncio.run(asyncio.wait_for(leave(), 10))


def test_one_delayed_exchange_holds_up_no_other(goto: Callable[..., Goto]) -> None:
    site = Site(goto("delay"))
    site.api("PUT", "/response/delay/set/1h:1")
    with site.client() as held, site.client() as other:
        held.send(get("/a"))
        # the count is taken when its answer is known
        eventually(lambda: site.api("GET", "/response/delay").text.strip(), lambda text: text == "No response delay")
        other.send(get("/b"))
        assert other.answer().status == 200


def test_the_first_byte_waits_but_the_counts_do_not(goto: Callable[..., Goto]) -> None:
    site = Site(goto("delay-counts"))
    site.api("PUT", "/response/delay/set/1h:1")
    with site.client() as client:
        client.send(get("/status/418"))
        eventually(lambda: site.reported, lambda counts: counts == {"418": 1})
        client.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)


def test_an_answer_comes_after_the_delay(goto: Callable[..., Goto]) -> None:
    site = Site(goto("delay-real"))
    site.api("PUT", "/response/delay/set/150ms:2")
    assert all(site.call("GET", "/").took >= 0.15 for _ in range(2))
    assert site.api("GET", "/response/delay").text.strip() == "No response delay"
