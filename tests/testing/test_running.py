"""`goto.testing.run`: hooks are run as a host runs them, in whatever test."""

from __future__ import annotations

import asyncio

import pytest

from goto.feature import Feature
from goto.flow import Call, Flow, Hold, Origin, Request, Response
from goto.testing import run


class Noted(Feature):
    """Writes down which hooks run, and how the exchange ended."""

    def __init__(self, *, on: bool = True) -> None:
        self.on = on
        self.seen: list[str] = []

    @property
    def active(self) -> bool:
        return self.on

    def request(self, flow: Flow) -> None:
        self.seen.append(f"request {flow.request.path}")

    def response(self, flow: Flow) -> None:
        assert flow.response is not None
        self.seen.append(f"response {flow.response.status}")

    def closed(self, flow: Flow) -> None:
        self.seen.append(f"closed {flow.completed}")


class Waiting(Noted):
    """The same with hooks that wait: for the event loop, and for a task of their own."""

    async def request(self, flow: Flow) -> None:
        await asyncio.sleep(0)
        await flow.sleep(0.001)
        super().request(flow)

    async def response(self, flow: Flow) -> None:
        await asyncio.create_task(asyncio.sleep(0))
        super().response(flow)


class Decides(Feature):
    """Decides the flow in one of the ways there are."""

    def __init__(self, way: str) -> None:
        self.way = way

    def request(self, flow: Flow) -> None:
        match self.way:
            case "response":
                flow.response = Response.text(503, "no")
            case "answer":
                flow.answer = lambda flow, body, size: Response.text(201, f"{body.decode()} {size}")
            case "upstreams":
                flow.upstreams = [Call("a", Origin("http", "a.example", 80), "GET", "/")]
            case "status":
                flow.status = 418


def request() -> Request:
    return Request("GET", "/a?b")


@pytest.mark.parametrize("kind", [Noted, Waiting])
@pytest.mark.parametrize("in_loop", [False, True], ids=["plain test", "async test"])
def test_hooks_run_once_each(kind: type[Noted], in_loop: bool):
    feature = kind()

    async def within() -> Flow:
        return run(feature, request())

    flow = asyncio.run(within()) if in_loop else run(feature, request())
    assert feature.seen == ["request /a", "response 200", "closed True"]
    assert flow.response is not None
    assert flow.completed


def test_an_event_loop_that_was_set_stays_so():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        run(Waiting(), request())
        assert asyncio.get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@pytest.mark.parametrize(
    ("way", "status", "body"),
    [
        ("response", 503, b"no\n"),
        ("answer", 201, b"four 4\n"),
        ("upstreams", 204, b""),
        ("status", 204, b""),
        ("nothing", 204, b""),
    ],
)
def test_a_flow_is_answered_however_it_was_decided(way: str, status: int, body: bytes):
    outer = Noted()
    flow = run([outer, Decides(way)], request(), body=b"four", answer=Response(204))
    assert flow.response is not None
    assert (flow.response.status, flow.response.body) == (status, body)
    assert outer.seen == ["request /a", f"response {status}", "closed True"]


@pytest.mark.parametrize(("way", "status"), [("status", 418), ("upstreams", 200), ("nothing", 200)])
def test_without_an_answer_there_is_an_empty_one(way: str, status: int):
    flow = run(Decides(way), request())
    assert flow.response is not None
    assert (flow.response.status, flow.response.body) == (status, b"")


def test_what_stands_behind_the_one_that_decides_is_not_called():
    behind, off = Noted(), Noted(on=False)
    run([off, Decides("response"), behind], request())
    assert (behind.seen, off.seen) == ([], [])


def test_a_client_that_leaves():
    feature = Noted()
    assert not run(feature, request(), completed=False).completed
    assert feature.seen[-1] == "closed False"


def test_holds_are_released_and_can_be_looked_at():
    lasted: list[float] = []
    held: list[Hold] = []

    class Holds(Feature):
        def request(self, flow: Flow) -> None:
            held.append(flow.hold(3600, lasted.append))
            held.append(flow.hold(None, lasted.append))

        def response(self, flow: Flow) -> None:
            assert lasted  # those of the request are over
            held.append(flow.hold(0.5, lasted.append))

        def closed(self, flow: Flow) -> None:
            assert flow.holds == held

    flow = run(Holds(), request())
    assert flow.holds == held
    assert [hold.seconds for hold in flow.holds] == [3600, None, 0.5]
    assert len(lasted) == 3


@pytest.mark.parametrize("hook", ["request", "response", "closed"])
@pytest.mark.parametrize("in_loop", [False, True], ids=["plain test", "async test"])
def test_what_a_hook_raises_fails_the_test(hook: str, in_loop: bool):
    class Broken(Feature):
        pass

    def breaks(self: Feature, flow: Flow) -> None:
        raise LookupError("nothing there")

    setattr(Broken, hook, breaks)
    outer = Noted()

    async def within() -> Flow:
        return run([outer, Broken()], request())

    with pytest.raises(LookupError, match="nothing there"):
        asyncio.run(within()) if in_loop else run([outer, Broken()], request())
    assert outer.seen[-1] == "closed True"


def test_what_passes_is_kept_for_those_who_ask() -> None:
    class Sizes(Feature):
        def __init__(self) -> None:
            self.seen: list[tuple[int, int, bytes]] = []

        def request(self, flow: Flow) -> None:
            flow.keep(request=2)

        def closed(self, flow: Flow) -> None:
            assert flow.request_body is not None
            assert flow.response_body is not None
            assert flow.times is not None
            self.seen.append((flow.request_body.size, flow.response_body.size, flow.request_body.data))

    sizes = Sizes()
    flow = run(sizes, Request("POST", "/"), body=b"abc", answer=Response.text(200, "hello"))
    assert sizes.seen == [(3, 6, b"ab")]
    assert flow.times is not None
    assert flow.times.end is not None
    assert not flow.calls
