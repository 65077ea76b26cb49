"""The table at the top of the exchange on the mitmproxy host: in which state each hook finds it, and in which it leaves it.

The hooks are called by hand; what mitmproxy makes of it is in test_exchange.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from support.lab import Lab, in_lab

pytest.importorskip("mitmproxy", reason="mitmproxy is not installed in this Python")

from mitmproxy import http
from mitmproxy.flow import Error
from mitmproxy.test.tflow import tclient_conn, tflow
from mitmproxy.test.tutils import treq, tresp

from goto.feature import Feature
from goto.features import FEATURES
from goto.flow import ClientGone, Flow, Response
from goto.hosts.mitm import exchange as mitm_exchange
from goto.hosts.mitm import private
from goto.hosts.mitm.client import MitmClient
from goto.hosts.mitm.exchange import MitmExchange, State
from goto.traffic.limits import LIMITS


@pytest.fixture(autouse=True)
def wire(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What becomes of connections, in place of those that mitmproxy has."""
    seen = SimpleNamespace(ended=[], resets=[], gone=False)
    monkeypatch.setattr(mitm_exchange.private, "end", lambda client, server: seen.ended.append(server))
    monkeypatch.setattr(mitm_exchange.private, "reset", seen.resets.append)
    monkeypatch.setattr(mitm_exchange.private, "is_gone", lambda client: seen.gone)
    monkeypatch.setattr(mitm_exchange.private, "limits", {})
    return seen


class Decides(Feature):
    """Does with a flow what its header says."""

    ends = "written"

    def request(self, flow: Flow) -> None:
        if flow.request.headers.get("do") == "hold":
            flow.hold(None)

    def response(self, flow: Flow) -> None:
        if flow.request.headers.get("do") == "replace":
            flow.response = Response.text(418, "replaced")
        elif flow.request.headers.get("do") == "abort":
            flow.aborted = True

    def closed(self, flow: Flow) -> None:
        ends.append((flow.completed, flow.gone))


ends: list[tuple[bool, bool]] = []
"""How exchanges of traffic ended: completed, and whether the client had gone."""


class Hooked:
    """An exchange, and a client whose connection it is on."""

    def __init__(self, lab: Lab, method: str, path: str, body: bytes | None = None, *fields: tuple[str, str]) -> None:
        length = [] if body is None else [("content-length", str(len(body)))]
        headers = http.Headers([(name.encode(), value.encode()) for name, value in [("Host", "goto"), *length, *fields]])
        request = treq(method=method.encode(), path=path.encode(), headers=headers, content=body or b"")
        self.mitm = tflow(client_conn=tclient_conn(), req=request)
        self.over = 0
        client = MitmClient(self.mitm.client_conn, lab.first, 1)
        self.exchange = MitmExchange(lab.instance, client, self.mitm, lab.first, self._over, local=True, keeps_host=False)

    def _over(self, exchange: MitmExchange) -> None:
        self.over += 1

    @property
    def state(self) -> State:
        return self.exchange.state

    async def until(self, state: State) -> None:
        """Go through the hooks up to a state, as mitmproxy does where nothing fails."""
        await self.exchange.request_headers()
        if self.state is not state:
            await self.exchange.request()
        if self.state is not state:
            self.mitm.response = self.mitm.response or tresp()
            await self.exchange.response_headers()
        if self.state is not state:
            self.exchange.responded()
        assert self.state is state

    async def error(self, message: str) -> None:
        self.mitm.error = Error(message)
        private.own_page.set(None)
        await self.exchange.failed()

    @property
    def page(self) -> int | None:
        """The status of the page that stands for mitmproxy's; 599 for none at all."""
        page = private.own_page.get()
        return None if page is None else page.status_code


def check(test: Callable[[Lab], Awaitable[None]]) -> None:
    ends.clear()
    in_lab(test, features=(Decides, *FEATURES))


async def add_target(lab: Lab, name: str, replicas: int) -> None:
    """One for the path of its name."""
    target = {"name": name, "url": "http://127.0.0.1:1", "match": {"uris": [f"/{name}"]}, "replicas": replicas}
    await lab.api("/request/proxy/targets/add", json.dumps(target))


WAYS: list[tuple[str, str, bytes | None, list[State]]] = [
    # method, path and body; the states behind requestheaders, request and responseheaders
    ("GET", "/status/201", None, [State.DECIDING, State.READY, State.ANSWERING]),
    ("POST", "/status/201", b"x", [State.READY, State.READY, State.ANSWERING]),
    ("GET", "/echo", None, [State.DECIDING, State.READY, State.ANSWERING]),
    ("POST", "/echo", b"x", [State.COLLECTING, State.READY, State.ANSWERING]),
    ("GET", "/label", None, [State.READY, State.READY, State.ANSWERING]),
    ("PUT", "/label/set/8080", b"x", [State.COLLECTING, State.READY, State.ANSWERING]),
    ("PATCH", "/label", None, [State.READY, State.READY, State.ANSWERING]),
    ("GET", "/elsewhere", None, [State.DECIDING, State.ASKING, State.PASSING]),
    ("POST", "/one", b"x", [State.ASKING, State.ASKING, State.PASSING]),
    ("POST", "/two", b"x", [State.COLLECTING, State.READY, State.ANSWERING]),
]


@pytest.mark.parametrize(("method", "path", "body", "states"), WAYS)
def test_each_hook_leaves_it_in_the_next_state(method: str, path: str, body: bytes | None, states: list[State]) -> None:
    async def test(lab: Lab) -> None:
        for name, replicas in (("one", 1), ("two", 2)):
            await add_target(lab, name, replicas)
        hooked = Hooked(lab, method, path, body)
        exchange = hooked.exchange
        assert hooked.state is State.DECIDING
        seen = []
        for hook in (exchange.request_headers, exchange.request, exchange.response_headers):
            await hook()
            seen.append(hooked.state)
            if hook == exchange.request:
                assert (hooked.mitm.response is None) == (states[1] is State.ASKING)  # it asks somebody, or it does not
                hooked.mitm.response = hooked.mitm.response or tresp()
        assert seen == states
        assert hooked.mitm.response.headers["via-goto"] == "8080"
        exchange.responded()
        assert (hooked.state, hooked.over) == (State.OVER, 1)
        traffic = not path.startswith("/label")
        assert ends == [(True, False)] * traffic
        for step in (exchange.left, lambda: exchange.ended("broke_off")):
            step()
        assert (hooked.over, len(ends)) == (1, traffic)

    check(test)


# ---------------------------------------------------------------- what comes instead of the next hook
FAILURES: list[tuple[str, State, str, int | None, tuple[bool, bool] | None, str]] = [
    # path, and the state that an error comes in; then the page, how it ended, and as what it was counted
    ("/echo", State.COLLECTING, "malformed", 502, (True, False), "upstream_failed"),
    ("/status/201", State.READY, "malformed", 201, (True, False), ""),
    ("/elsewhere", State.ASKING, "server closed connection", 502, (True, False), "upstream_failed"),
    ("/status/201", State.ANSWERING, "peer closed connection", 201, (True, False), ""),
    ("/elsewhere", State.PASSING, "server closed connection", 599, (False, False), "broke_off"),
    ("/elsewhere", State.PASSING, Error.KILLED_MESSAGE, 599, (False, False), "aborted"),
    ("/elsewhere", State.ASKING, Error.KILLED_MESSAGE, 599, (False, False), "aborted"),
    ("/elsewhere", State.ASKING, "Client disconnected", None, (False, True), "client_gone"),
    ("/elsewhere", State.PASSING, "Client disconnected", None, (False, True), "client_gone"),
    ("/elsewhere", State.OVER, "peer closed connection", None, (True, False), ""),
]


@pytest.mark.parametrize(("path", "state", "message", "page", "end", "counted"), FAILURES)
def test_an_error_is_answered_as_long_as_no_head_is_out(
    path: str, state: State, message: str, page: int | None, end: tuple[bool, bool] | None, counted: str
) -> None:
    async def test(lab: Lab) -> None:
        hooked = Hooked(lab, "POST", path, b"x")
        await hooked.until(state)
        await hooked.error(message)
        assert (hooked.state, hooked.page, ends) == (State.OVER, page, [end])
        assert [outcome for _, outcome in lab.first.ends] == ([counted] if counted else [])

    check(test)


def test_a_body_over_its_limit_is_answered_before_it_came(monkeypatch: pytest.MonkeyPatch, wire: SimpleNamespace) -> None:
    monkeypatch.setattr(LIMITS, "body", 3)

    async def test(lab: Lab) -> None:
        await add_target(lab, "x", 2)
        hooked = Hooked(lab, "POST", "/x", b"long")
        await hooked.exchange.request_headers()
        assert (hooked.state, hooked.mitm.error and hooked.mitm.error.msg) == (State.REFUSED, Error.KILLED_MESSAGE)
        await hooked.error(Error.KILLED_MESSAGE)
        assert (hooked.state, hooked.page, ends) == (State.OVER, 413, [(True, False)])
        assert lab.first.ends == {}

    check(test)


def test_an_answer_that_a_hook_puts_there_stands_for_the_upstreams(wire: SimpleNamespace) -> None:
    async def test(lab: Lab) -> None:
        for message, page in (("", None), ("server closed connection", 418)):
            hooked = Hooked(lab, "GET", "/elsewhere", None, ("do", "replace"))
            await hooked.until(State.REPLACING)
            assert wire.ended.pop() is hooked.mitm.server_conn
            assert hooked.mitm.response.status_code == 418
            if message:
                await hooked.error(message)
            else:
                hooked.mitm.response.content = b"what had come of the upstream's"
                hooked.exchange.responded()
                assert hooked.mitm.response.content == b"replaced\n"
            assert (hooked.state, hooked.page if message else None) == (State.OVER, page)
        assert ends == [(True, False)] * 2

    check(test)


# ---------------------------------------------------------------- clients that leave
@pytest.mark.parametrize(
    ("path", "state", "over"),
    [
        ("/echo", State.COLLECTING, True),
        ("/status/201", State.READY, True),
        ("/elsewhere", State.ASKING, True),
        ("/elsewhere", State.PASSING, True),
        ("/status/201", State.ANSWERING, True),
        ("/status/201", State.SETTLING, False),
    ],
)
def test_a_client_that_leaves_ends_it_but_where_all_is_written(path: str, state: State, over: bool) -> None:
    async def test(lab: Lab) -> None:
        if state is State.SETTLING:
            await lab.api("/request/timeout/track/all", method="PUT")
        hooked = Hooked(lab, "POST", path, b"x")
        await hooked.until(state)
        hooked.exchange.left()
        assert (hooked.state is State.OVER) is over
        assert ends == [(False, True)] * over

    check(test)


def test_a_client_that_leaves_while_a_hook_holds_it(wire: SimpleNamespace) -> None:
    async def test(lab: Lab) -> None:
        hooked = Hooked(lab, "POST", "/elsewhere", b"x", ("do", "hold"))
        deciding = asyncio.ensure_future(hooked.exchange.request_headers())
        while not hooked.exchange.flow.depth >= 0 or hooked.exchange.flow.holds:
            await asyncio.sleep(0)
        assert hooked.state is State.DECIDING
        hooked.exchange.left()
        with pytest.raises(ClientGone):
            await deciding
        hooked.exchange.gone()
        assert (hooked.state, ends, hooked.over) == (State.OVER, [(False, True)], 1)
        assert hooked.mitm.error.msg == Error.KILLED_MESSAGE

    check(test)


def test_whether_the_client_takes_it_is_seen_once_mitmproxy_has_written_it(
    monkeypatch: pytest.MonkeyPatch, wire: SimpleNamespace
) -> None:
    took: list[bool] = []

    async def took_everything(client: Any) -> bool:
        return took.pop()

    monkeypatch.setattr(mitm_exchange.private, "took_everything", took_everything)

    async def test(lab: Lab) -> None:
        await lab.api("/request/timeout/track/all", method="PUT")
        for taken in (True, False):
            hooked = Hooked(lab, "GET", "/status/201")
            hooked.mitm.client_conn.timestamp_end = None
            await hooked.until(State.SETTLING)
            for _ in range(3):
                await asyncio.sleep(0)
            assert hooked.state is State.SETTLING
            took.append(taken)
            hooked.mitm.live = False
            await hooked.exchange._settling
            assert (hooked.state, ends.pop()) == (State.OVER, (taken, False))

    check(test)


# ---------------------------------------------------------------- exceptions, and what goto ends on purpose
@pytest.mark.parametrize("state", [State.DECIDING, State.COLLECTING, State.READY, State.ASKING, State.ANSWERING, State.PASSING])
def test_an_exception_is_answered_in_every_state(state: State) -> None:
    path = {State.COLLECTING: "/echo", State.ASKING: "/elsewhere", State.PASSING: "/elsewhere"}.get(state, "/status/201")

    async def test(lab: Lab) -> None:
        hooked = Hooked(lab, "POST", path, b"x")
        if state is not State.DECIDING:
            await hooked.until(state)
        hooked.exchange.broke(Response.text(500, "goto: the request failed"))
        assert hooked.state is {State.ANSWERING: State.ANSWERING, State.PASSING: State.REPLACING}.get(state, State.READY)
        assert (hooked.mitm.response.status_code, hooked.mitm.response.headers["via-goto"]) == (500, "8080")

    check(test)


def test_what_goto_ends_on_purpose_is_counted_as_that() -> None:
    async def test(lab: Lab) -> None:
        hooked = Hooked(lab, "GET", "/status/201", None, ("do", "abort"))
        await hooked.until(State.OVER)
        assert (ends, lab.first.ends) == ([(False, False)], {(201, "aborted"): 1})

    check(test)


def test_marks_are_seen_in_mitmproxys_views() -> None:
    async def test(lab: Lab) -> None:
        await lab.api("/response/status/set/503", method="PUT")
        await lab.api("/response/delay/set/1ms", method="PUT")
        hooked = Hooked(lab, "GET", "/elsewhere")
        await hooked.until(State.OVER)
        assert hooked.mitm.comment == "forced:503 delay:1ms"

    check(test)


# ---------------------------------------------------------------- other addons
def other() -> http.Response:
    return http.Response.make(418, b"other")


def test_who_answers_or_kills_before_goto_decides_is_left_alone() -> None:
    async def test(lab: Lab) -> None:
        answered = Hooked(lab, "GET", "/elsewhere")
        await answered.exchange.request_headers()
        answered.mitm.response = other()
        await answered.exchange.request()
        killed = Hooked(lab, "GET", "/elsewhere")
        await killed.exchange.request_headers()
        await killed.error(Error.KILLED_MESSAGE)
        for hooked in (answered, killed):
            assert (hooked.state, hooked.over, ends, lab.first.ends) == (State.OVER, 1, [], {})
        assert killed.page is None

    check(test)


@pytest.mark.parametrize("path", ["/status/201", "/echo", "/elsewhere"])
def test_who_answers_afterwards_is_heard(path: str) -> None:
    async def test(lab: Lab) -> None:
        hooked = Hooked(lab, "POST", path, b"x")
        await hooked.exchange.request_headers()
        hooked.mitm.response = theirs = other()
        await hooked.exchange.request()
        await hooked.exchange.response_headers()
        assert (hooked.state, hooked.mitm.response) == (State.ANSWERING, theirs)
        hooked.exchange.responded()
        assert ends == [(True, False)]

    check(test)


def test_who_answers_afterwards_is_heard_though_a_target_was_asked(wire: SimpleNamespace) -> None:
    async def test(lab: Lab) -> None:
        await add_target(lab, "one", 1)
        hooked = Hooked(lab, "POST", "/one", b"x")
        await hooked.exchange.request_headers()
        hooked.mitm.response = other()
        await hooked.exchange.request()
        hooked.mitm.response = tresp()  # the target's, since the body has streamed
        await hooked.exchange.response_headers()
        assert (hooked.state, hooked.mitm.response.status_code, wire.ended) == (State.REPLACING, 418, [hooked.mitm.server_conn])

    check(test)


def test_a_client_that_leaves_before_anything_is_decided_has_made_a_request() -> None:
    async def test(lab: Lab) -> None:
        await lab.api("/request/headers/track/add/x", method="PUT")
        hooked = Hooked(lab, "GET", "/elsewhere", None, ("X", "1"))
        await hooked.exchange.request_headers()
        hooked.exchange.left()
        assert (hooked.state, hooked.over) == (State.DECIDING, 0)
        await hooked.error("Client disconnected")
        assert (hooked.state, hooked.over, ends) == (State.OVER, 1, [(False, True)])
        counts = json.loads(await lab.api("/request/headers/track/x/counts", method="GET"))
        assert counts["RequestCountsByHeaderValue"] == {"1": 1}

    check(test)


# ---------------------------------------------------------------- bodies that do not come
LATE = [
    # path, the state that the time runs out in, the state then, and the page
    ("/echo", State.COLLECTING, State.REFUSED, 408),
    ("/status/201", State.READY, State.REFUSED, 201),
    ("/elsewhere", State.ASKING, State.REFUSED, 408),
    ("/elsewhere", State.PASSING, State.OVER, None),
]


@pytest.mark.parametrize(("path", "state", "then", "page"), LATE)
def test_a_body_that_stands_still(
    monkeypatch: pytest.MonkeyPatch, path: str, state: State, then: State, page: int | None
) -> None:
    unsent = [1]
    monkeypatch.setattr(mitm_exchange.private, "unsent", lambda client, server: unsent[0])

    async def test(lab: Lab) -> None:
        hooked = Hooked(lab, "POST", path, b"x")
        await hooked.until(state)
        for waits, behind in ((False, 0), (True, 1)):
            unsent[0] = behind
            assert not hooked.exchange._body_late(waits)  # an upstream takes nothing
            assert hooked.state is state
        unsent[0] = 0
        assert hooked.exchange._body_late(True)
        assert hooked.state is then
        await hooked.error(Error.KILLED_MESSAGE)
        assert (hooked.state, hooked.page, len(ends)) == (State.OVER, page, 1)
        assert ends[0][0] is (page is not None)

    check(test)


@pytest.mark.parametrize(
    ("path", "state"), [("/status/201", State.REFUSED), ("/echo", State.COLLECTING), ("/elsewhere", State.ASKING)]
)
def test_a_body_that_waits_to_be_asked_for_is_asked_for_by_who_wants_it(path: str, state: State) -> None:
    async def test(lab: Lab) -> None:
        hooked = Hooked(lab, "POST", path, b"x", ("Expect", "100-continue"))
        await hooked.exchange.request_headers()
        assert hooked.state is state
        assert (hooked.mitm.error is not None) is (state is State.REFUSED)

    check(test)
