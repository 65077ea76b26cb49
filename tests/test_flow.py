"""Origins and calls."""

from __future__ import annotations

import asyncio
import copy
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.flow import DEFAULT_TIMEOUT, Call, ClientGone, Flow, Headers, Origin, Request, Response, decode, encode
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
    ],
)
def test_an_origin_is_named_without_its_schemes_own_port(origin: Origin, authority: str) -> None:
    assert origin.authority == authority


def test_connections_are_not_shared_with_an_origin_whose_certificate_is_not_checked() -> None:
    assert Origin("https", "a", 443) == Origin("https", "a", 443, None)
    assert Origin("https", "a", 443) != Origin("https", "a", 443, client_tls(verify=False))


def test_a_call_has_its_own_headers() -> None:
    one, two = (Call("t", Origin("http", "a", 80), "GET", "/") for _ in range(2))
    one.headers.append((b"a", b"b"))
    assert two.headers == []
    assert one.timeout == DEFAULT_TIMEOUT


def request(target: str = "/", headers: Any = (), method: str = "GET") -> Request:
    return Request(method, target, Headers(headers))


@given(st.binary())
def test_bytes_survive_the_way_through_text(data: bytes):
    assert encode(decode(data)) == data


class TestHeaders:
    def test_names_compare_in_any_case_and_stay_as_they_are(self):
        headers = Headers([(b"X-A", b"1"), (b"x-b", b"2"), (b"x-a", b"3")])
        assert headers.get("x-A") == "1"
        assert headers.get_all("X-A") == ["1", "3"]
        assert "X-B" in headers
        assert "x-c" not in headers
        assert list(headers) == [("X-A", "1"), ("x-b", "2"), ("x-a", "3")]

    def test_what_is_not_there(self):
        headers = Headers()
        assert headers.get("a") is None
        assert headers.get("a", "b") == "b"
        assert headers.get_all("a") == []
        headers.remove("a")
        assert headers.fields == []

    def test_an_empty_value_is_there(self):
        headers = Headers([(b"A", b"")])
        assert headers.get("a", "default") == ""
        assert "a" in headers

    def test_a_change_is_seen_by_the_next_look_up(self):
        headers = Headers([(b"A", b"1")])
        assert headers.get_all("a") == ["1"]
        headers.add("a", "2")
        assert headers.get_all("a") == ["1", "2"]
        headers.extend([(b"B", b"3"), (b"A", b"4")])
        assert headers.get_all("a") == ["1", "2", "4"]
        assert headers.get("b") == "3"
        headers.remove("A", "nothing")
        assert "a" not in headers
        assert headers.fields == [(b"B", b"3")]

    def test_the_fields_given_are_not_shared(self):
        fields = [(b"A", b"1")]
        Headers(fields).add("B", "2")
        assert fields == [(b"A", b"1")]

    def test_values_may_be_any_bytes(self):
        headers = Headers([(b"A", "grüße".encode()), (b"B", b"\xff")])
        assert headers.get("a") == "grüße"
        assert encode(headers.get("b") or "") == b"\xff"

    @given(
        st.lists(st.tuples(st.sampled_from([b"A", b"a", b"B", b"x-C"]), st.binary(max_size=3))),
        st.sampled_from(["a", "B", "X-c"]),
    )
    def test_removing_takes_every_field_of_the_name_and_no_other(self, fields: list[tuple[bytes, bytes]], name: str):
        headers = Headers(fields)
        count = len(headers.get_all(name))
        headers.remove(name)
        assert headers.get_all(name) == []
        assert headers.fields == [field for field in fields if field[0].lower() != name.lower().encode()]
        assert len(headers.fields) == len(fields) - count


class TestRequest:
    @pytest.mark.parametrize(
        ("target", "path", "query"),
        [
            ("/", "/", ""),
            ("/a?b=c?d", "/a", "b=c?d"),
            ("/a%3F?", "/a%3F", ""),
            ("//a/../b?x", "//a/../b", "x"),
            ("*", "*", ""),
            ("?q", "", "q"),
        ],
    )
    def test_target_path_and_query(self, target: str, path: str, query: str):
        made = request(target)
        assert (made.target, made.path, made.query) == (target, path, query)

    @pytest.mark.parametrize(
        ("target", "status"),
        [("/status/200", 200), ("/status/418/", 418), ("/status/599?a=/status/200", 599), ("/status/503/?x", 503)],
    )
    def test_requested_status(self, target: str, status: int):
        assert request(target).requested_status == status

    @pytest.mark.parametrize(
        "word",
        [
            "",
            "/",
            "199",
            "600",
            "099",
            "0200",
            "20",
            "2000",
            "+20",
            "20.",
            "2 0",
            "abc",
            "２００",
            "200//",
            "200/x",
            "200%20",
            "²00",
            "-200",
        ],
    )
    def test_no_requested_status(self, word: str):
        assert request(f"/status/{word}").requested_status is None

    @pytest.mark.parametrize("target", ["/status", "/Status/200", "/a/status/200", "//status/200", "/statuses/200"])
    def test_the_status_api_is_one_path(self, target: str):
        assert request(target).requested_status is None

    @pytest.mark.parametrize(
        ("headers", "protocol"),
        [
            ([], ""),
            ([(b"Upgrade", b"websocket")], ""),
            ([(b"Upgrade", b"websocket"), (b"Connection", b"keep-alive")], ""),
            ([(b"Connection", b"upgrade")], ""),
            ([(b"Upgrade", b"WebSocket"), (b"Connection", b"keep-alive, Upgrade")], "websocket"),
            ([(b"upgrade", b" h2c "), (b"connection", b"close"), (b"CONNECTION", b"UPGRADE")], "h2c"),
            ([(b"Upgrade", b"websocket"), (b"Connection", b"not-upgrade")], ""),
        ],
    )
    def test_an_upgrade_counts_where_connection_names_it(self, headers: list[tuple[bytes, bytes]], protocol: str):
        assert request("/", headers).upgrade == protocol


def test_responses_say_what_they_are():
    line = Response.text(404, "grüße")
    assert (line.status, line.body) == (404, "grüße\n".encode())
    assert line.headers.get("content-type") == "text/plain; charset=utf-8"
    document = Response.json(200, b"{}")
    assert (document.status, document.body, document.headers.get("content-type")) == (200, b"{}", "application/json")


def test_responses_share_no_headers():
    first, second = Response(200), Response(200)
    first.headers.add("a", "b")
    assert second.headers.fields == []


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


def test_requests_and_responses_can_be_copied_and_inherited_from() -> None:
    class Mine(Headers):
        def get(self, name: str, default: str | None = None) -> str | None:
            return "mine"

    class Teapot(Response):
        pass

    response = Teapot.text(418, "short and stout")
    changed = copy.copy(response)
    changed.status, changed.body = 200, b"tall"
    assert (response.status, response.body, changed.headers) == (418, b"short and stout\n", response.headers)
    assert isinstance(changed, Teapot)
    deep = copy.deepcopy(response)
    deep.headers.add("x", "1")
    assert response.headers.get("x") is None
    request = copy.copy(Request("GET", "/a?b", Mine()))
    assert (request.path, request.query, request.headers.get("any")) == ("/a", "b", "mine")
