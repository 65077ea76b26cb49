"""Origins, calls, and an exchange on its way."""

from __future__ import annotations

import asyncio
import time

import pytest

from goto.flow import DEFAULT_TIMEOUT, Call, ClientGone, Control, Delivery, Flow, Headers, Origin, Request, Response
from goto.tls.client import client_tls


@pytest.mark.parametrize(
    ("origin", "authority"),
    [
        (Origin("http", "a.example", 80), "a.example"),
        (Origin("http", "a.example", 8080), "a.example:8080"),
        (Origin("http", "a.example", 443), "a.example:443"),
        (Origin("https", "a.example", 443), "a.example"),
        (Origin("https", "a.example", 80), "a.example:80"),
        (Origin("http", "::1", 80), "[::1]"),
        (Origin("http", "::1", 9000), "[::1]:9000"),
        (Origin("http", "fe80::1%eth0", 80), "[fe80::1]"),
        (Origin("http", "a.example.", 80), "a.example."),
    ],
)
def test_an_origin_is_named_without_its_schemes_own_port(origin: Origin, authority: str) -> None:
    assert origin.authority == authority


@pytest.mark.parametrize(
    ("url", "host", "authority", "server_name", "resolvable"),
    [
        ("https://A.Example.:8443/x", "a.example.", "a.example.:8443", "a.example", "a.example."),
        ("http://localhost.", "localhost.", "localhost.", "localhost", "localhost"),
        ("https://[fe80::1%25eth0]/", "fe80::1%eth0", "[fe80::1]", "fe80::1", "fe80::1%eth0"),
        ("https://[fe80::1%eth0]/", "fe80::1%eth0", "[fe80::1]", "fe80::1", "fe80::1%eth0"),
        ("https://faß.test/", "xn--fa-hia.test", "xn--fa-hia.test", "xn--fa-hia.test", "xn--fa-hia.test"),
    ],
)
def test_a_host_is_looked_up_named_and_secured_each_in_its_own_form(
    url: str, host: str, authority: str, server_name: str, resolvable: str
) -> None:
    origin = Origin.of(url)
    assert (origin.host, origin.authority, origin.server_name, origin.resolvable) == (host, authority, server_name, resolvable)


def test_a_server_name_that_is_given_takes_the_place_of_the_host() -> None:
    assert Origin.of("https://a.", client_tls(server_name="b")).server_name == "b"


def test_connections_are_not_shared_with_an_origin_whose_certificate_is_not_checked() -> None:
    assert Origin("https", "a", 443) == Origin("https", "a", 443, None)
    assert Origin("https", "a", 443) != Origin("https", "a", 443, client_tls(verify=False))


def test_a_call_has_its_own_headers() -> None:
    one, two = (Call("t", Origin("http", "a", 80), "GET", "/") for _ in range(2))
    one.headers.append((b"a", b"b"))
    assert two.headers == []
    assert one.timeout == DEFAULT_TIMEOUT


def request() -> Request:
    return Request("GET", "/", Headers())


def test_a_flow_is_decided_by_any_of_three():
    assert not Flow(request()).decided
    answered, answering, forwarded, forced = (Flow(request()) for _ in range(4))
    answered.response = Response(200)
    answering.answer = lambda flow, body, size: Response(200)
    forwarded.upstreams = [object()]
    forced.status = 503
    assert answered.decided
    assert answering.decided
    assert forwarded.decided
    assert not forced.decided


class TestWaiting:
    def test_a_sleep_is_never_short(self):
        async def sleep(seconds: float) -> float:
            started = time.monotonic()
            await Flow(request()).sleep(seconds)
            return time.monotonic() - started - seconds

        async def many() -> list[float]:
            return await asyncio.gather(*(sleep(n / 2000) for n in range(60)))

        assert min(asyncio.run(many())) >= 0

    def test_a_timer_that_fires_early_does_not_shorten_a_sleep(self, monkeypatch: pytest.MonkeyPatch):
        async def sleep() -> float:
            loop = asyncio.get_running_loop()
            call_later = loop.call_later
            monkeypatch.setattr(loop, "call_later", lambda delay, *args: call_later(delay / 2, *args))
            started = time.monotonic()
            await Flow(request()).sleep(0.05)
            return time.monotonic() - started

        assert asyncio.run(sleep()) >= 0.05

    def test_a_client_that_leaves_ends_a_sleep_at_once(self):
        async def leave() -> Flow:
            flow = Flow(request())
            sleeper = asyncio.create_task(flow.sleep(3600))
            await asyncio.sleep(0)  # it sleeps now
            assert not sleeper.done()
            flow.leave()
            with pytest.raises(ClientGone):
                await asyncio.wait_for(sleeper, 20)
            return flow

        assert asyncio.run(leave()).gone

    def test_who_has_left_waits_for_nothing(self):
        async def wait() -> None:
            flow = Flow(request())
            flow.leave()
            with pytest.raises(ClientGone):
                await flow.sleep(3600)
            with pytest.raises(ClientGone):
                await flow.wait(asyncio.get_running_loop().create_future())

        asyncio.run(wait())

    def test_a_wait_gives_the_result_or_the_error(self):
        async def wait() -> None:
            loop, flow = asyncio.get_running_loop(), Flow(request())
            result: asyncio.Future[int] = loop.create_future()
            loop.call_soon(result.set_result, 3)
            assert await flow.wait(result) == 3
            broken: asyncio.Future[int] = loop.create_future()
            loop.call_soon(broken.set_exception, ValueError("no"))
            with pytest.raises(ValueError, match="no"):
                await flow.wait(broken)

        asyncio.run(wait())

    def test_leaving_after_the_result_came_changes_nothing(self):
        async def wait() -> None:
            flow = Flow(request())
            result: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            waiter = asyncio.create_task(flow.wait(result))
            await asyncio.sleep(0)
            result.set_result(3)
            flow.leave()
            assert await waiter == 3
            flow.leave()  # nobody waits

        asyncio.run(wait())


def test_what_a_delivery_does():
    for delivery in (Delivery(raw=b""), Delivery(end="close"), Delivery(end="reset")):
        assert (delivery.silent, delivery.cuts, delivery.slows) == (True, False, False)
    for delivery in (Delivery(end="close", after=0), Delivery(end="reset", share=0.5)):
        assert (delivery.silent, delivery.cuts, delivery.slows) == (False, True, False)
    assert (Delivery(end="close", after=5).cut(None), Delivery(end="close", share=0.5).cut(None)) == (5, None)
    assert [Delivery(end="close", share=share).cut(100) for share in (0.0, 0.29, 0.57, 0.295, 1.0)] == [0, 29, 57, 29, 100]
    for delivery in (Delivery(rate=1), Delivery(over=1), Delivery(stall=1, stall_at=5)):
        assert (delivery.silent, delivery.cuts, delivery.slows) == (False, False, True)


def test_control_tells_both_sides():
    heard: list[str] = []
    control = Control(heard.append, lambda: heard.append("over"))
    control.when_let_go(lambda: heard.append("free"))
    control.failed("after")
    control.over()
    control.let_go()
    control.let_go()
    assert heard == ["after", "over", "free"]
    assert control.free
    Control().failed("after")
    Control().let_go()
    Control().over()
