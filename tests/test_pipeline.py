"""The onion: which hooks run, in which order, and what happens when one breaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from goto.exchange.waiting import step_in_task
from goto.feature import Feature
from goto.flow import ClientGone, Delivery, Flow, Headers, Kept, Request, Response
from goto.pipeline import Pipeline

Trace = list[str]


THROUGH = [f"{letter} {hook}" for hook, order in (("request", "abc"), ("response", "cba"), ("closed", "cba")) for letter in order]
"""What three features see of an exchange that reaches all of them."""


def flow() -> Flow:
    return Flow(Request("GET", "/x", Headers()))


class Layer(Feature):
    """Writes down each of its hooks; `decides` answers."""

    def __init__(self, trace: Trace, letter: str, *, decides: bool = False, on: bool = True) -> None:
        self.trace, self.letter, self.decides, self.on = trace, letter, decides, on

    @property
    def active(self) -> bool:
        return self.on

    def request(self, flow: Flow) -> None:
        self.trace.append(f"{self.letter} request")
        if self.decides:
            flow.response = Response(200)

    def response(self, flow: Flow) -> None:
        self.trace.append(f"{self.letter} response")

    def closed(self, flow: Flow) -> None:
        self.trace.append(f"{self.letter} closed")


class AsyncLayer(Layer):
    async def request(self, flow: Flow) -> None:
        await asyncio.sleep(0)
        super().request(flow)

    async def response(self, flow: Flow) -> None:
        await asyncio.sleep(0)
        super().response(flow)


def run_plain(pipeline: Pipeline, exchange: Flow) -> int:
    assert pipeline.request(exchange) is None
    assert pipeline.response(exchange) is None
    pipeline.closed(exchange)
    return exchange.depth


async def run_hooks(hooks: Awaitable[None] | None) -> None:
    if hooks is not None:
        await step_in_task(hooks)


def run_async(pipeline: Pipeline, exchange: Flow) -> int:
    async def run() -> int:
        await run_hooks(pipeline.request(exchange))
        await run_hooks(pipeline.response(exchange))
        pipeline.closed(exchange)
        return exchange.depth

    return asyncio.run(run())


RUNS = pytest.mark.parametrize("run", [run_plain, run_async])
Run = Callable[[Pipeline, Flow], int]


@RUNS
def test_requests_go_inwards_responses_and_the_end_outwards(run: Run):
    trace: Trace = []
    run(Pipeline([Layer(trace, "a"), Layer(trace, "b"), Layer(trace, "c")]), flow())
    assert trace == THROUGH


@RUNS
def test_what_lies_behind_the_deciding_feature_never_sees_the_exchange(run: Run):
    trace: Trace = []
    depth = run(Pipeline([Layer(trace, "a"), Layer(trace, "b", decides=True), Layer(trace, "c")]), flow())
    assert depth == 1
    assert trace == ["a request", "b request", "b response", "a response", "b closed", "a closed"]


@RUNS
@pytest.mark.parametrize("decision", ["answer", "upstreams"])
def test_an_answer_to_come_and_an_upstream_decide_as_well(run: Run, decision: str):
    class Decides(Feature):
        def request(self, flow: Flow) -> None:
            setattr(flow, decision, [object()] if decision == "upstreams" else lambda *_: Response(200))

    trace: Trace = []
    assert run(Pipeline([Decides(), Layer(trace, "a")]), flow()) == 0
    assert trace == []


@RUNS
def test_a_forced_status_decides_nothing(run: Run):
    class Forces(Feature):
        def request(self, flow: Flow) -> None:
            flow.status = 503

    trace: Trace = []
    assert run(Pipeline([Forces(), Layer(trace, "a")]), flow()) == 1
    assert trace == ["a request", "a response", "a closed"]


@RUNS
def test_nobody_decided(run: Run):
    assert run(Pipeline([]), flow()) == -1
    trace: Trace = []
    assert run(Pipeline([Layer(trace, "a"), Layer(trace, "b")]), flow()) == 1


def test_an_idle_feature_is_not_there():
    trace: Trace = []
    idle = Layer(trace, "b", on=False)
    features = [Layer(trace, "a"), idle, Layer(trace, "c", decides=True)]
    assert run_plain(Pipeline(features), flow()) == 1
    assert not any(entry.startswith("b") for entry in trace)
    # one that becomes active is in the next pipeline, and was never in the present one
    present = Pipeline(features)
    idle.on = True
    trace.clear()
    run_plain(present, flow())
    assert not any(entry.startswith("b") for entry in trace)
    run_plain(Pipeline(features), flow())
    assert "b request" in trace


def test_a_feature_without_hooks_is_nothing_to_run():
    class Only(Feature):
        pass

    assert run_plain(Pipeline([Only()]), flow()) == -1


def test_a_feature_with_a_response_hook_alone_is_reached():
    trace: Trace = []

    class Marks(Feature):
        def response(self, flow: Flow) -> None:
            trace.append("marked")

    run_plain(Pipeline([Layer(trace, "a"), Marks(), Layer(trace, "c", decides=True)]), flow())
    assert trace == ["a request", "c request", "c response", "marked", "a response", "c closed", "a closed"]


def test_an_async_hook_may_do_what_needs_a_task():
    class Waits(Feature):
        async def request(self, flow: Flow) -> None:
            async with asyncio.timeout(60):
                await asyncio.sleep(0)
            assert asyncio.current_task() is not None
            flow.response = Response(200)

    exchange = flow()
    assert run_async(Pipeline([Waits()]), exchange) == 0
    assert exchange.response is not None
    assert exchange.response.status == 200


def test_async_hooks_are_awaited_in_order():
    trace: Trace = []
    run_async(
        Pipeline([AsyncLayer(trace, "a"), Layer(trace, "b"), AsyncLayer(trace, "c", decides=True), Layer(trace, "d")]), flow()
    )
    assert trace == THROUGH


def test_whether_somebody_wants_to_know_the_end():
    class Deep(Feature):
        def request(self, flow: Flow) -> None: ...

        def closed(self, flow: Flow) -> None: ...

    class Written(Deep):
        ends = "written"

    class Shallow(Feature):
        def request(self, flow: Flow) -> None: ...

    def wants(*features: Feature) -> list[bool]:
        """For each depth that a flow may have come to."""
        wanted, exchange = [], flow()
        for exchange.depth in range(-1, len(features)):
            wanted.append(Pipeline(features).wants_taken(exchange))
        return wanted

    assert wants(Shallow(), Deep()) == [False, False, True]
    assert wants(Written(), Deep(), Shallow()) == [False, False, True, True]


class Breaks(Layer):
    """Raises in the hook it is told."""

    def __init__(self, trace: Trace, letter: str, hook: str) -> None:
        super().__init__(trace, letter)
        self.hook = hook

    def request(self, flow: Flow) -> None:
        super().request(flow)
        if self.hook == "request":
            raise ZeroDivisionError("in request")

    def response(self, flow: Flow) -> None:
        super().response(flow)
        if self.hook == "response":
            raise ZeroDivisionError("in response")

    def closed(self, flow: Flow) -> None:
        super().closed(flow)
        if self.hook == "closed":
            raise ZeroDivisionError("in closed")


@RUNS
def test_a_broken_request_hook_is_500_and_the_hooks_further_out_run(run: Run, caplog: pytest.LogCaptureFixture):
    trace: Trace = []
    errors: list[str] = []
    exchange = flow()
    run(Pipeline([Layer(trace, "a"), Breaks(trace, "b", "request"), Layer(trace, "c")], errors.append), exchange)
    assert trace == ["a request", "b request", "a response", "a closed"]
    assert exchange.response is not None
    assert exchange.response.status == 500
    assert errors == ["Breaks.request"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert "GET /x" in record.getMessage()


@RUNS
def test_a_broken_response_hook_is_500_and_the_hooks_further_out_see_that(run: Run):
    seen: list[int] = []

    class Sees(Feature):
        def response(self, flow: Flow) -> None:
            assert flow.response is not None
            seen.append(flow.response.status)

    trace: Trace = []
    errors: list[str] = []
    exchange = flow()
    run(Pipeline([Sees(), Breaks(trace, "b", "response"), Layer(trace, "c", decides=True)], errors.append), exchange)
    assert seen == [500]
    assert errors == ["Breaks.response"]
    assert exchange.response is not None
    assert exchange.response.status == 500
    assert trace == ["b request", "c request", "c response", "b response", "c closed", "b closed"]


@RUNS
def test_a_broken_end_does_not_keep_others_from_being_told(run: Run):
    trace: Trace = []
    errors: list[str] = []
    run(Pipeline([Layer(trace, "a"), Breaks(trace, "b", "closed"), Layer(trace, "c")], errors.append), flow())
    assert trace[-3:] == ["c closed", "b closed", "a closed"]
    assert errors == ["Breaks.closed"]


def test_a_broken_hook_takes_back_what_was_decided_and_ends_the_upstream():
    class Stream:
        aborted = 0

        def abort(self) -> None:
            self.aborted += 1

    class Forwards(Feature):
        def request(self, flow: Flow) -> None:
            flow.upstreams = [object()]
            flow.answer = lambda *_: Response(200)
            raise ZeroDivisionError

    exchange = flow()
    Pipeline([Forwards()]).request(exchange)
    assert not exchange.upstreams
    assert exchange.answer is None

    stream = Stream()
    exchange = flow()
    exchange.response = Response(200, stream=stream)
    pipeline = Pipeline([Breaks([], "b", "response")])
    exchange.depth = 0
    pipeline.response(exchange)
    assert stream.aborted == 1
    assert exchange.response.status == 500
    assert exchange.response.stream is None


def test_an_async_hook_that_breaks_is_500():
    class Fails(Feature):
        async def request(self, flow: Flow) -> None:
            await asyncio.sleep(0)
            raise ZeroDivisionError

    exchange, trace = flow(), []
    run_async(Pipeline([Layer(trace, "a"), Fails(), Layer(trace, "c")]), exchange)
    assert exchange.response is not None
    assert exchange.response.status == 500
    assert trace == ["a request", "a response", "a closed"]


@pytest.mark.parametrize("hook", ["request", "response"])
@pytest.mark.parametrize("waits", [True, False])
def test_a_hook_that_is_cancelled_has_broken(hook: str, waits: bool):
    async def of_cancelled(flow: Flow) -> None:
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    def at_once(flow: Flow) -> None:
        raise asyncio.CancelledError

    fails = Feature()
    setattr(fails, hook, of_cancelled if waits else at_once)
    exchange, trace, errors = flow(), [], []
    run_async(Pipeline([Layer(trace, "a"), fails], errors.append), exchange)
    assert exchange.response is not None
    assert exchange.response.status == 500
    assert len(errors) == 1
    assert trace == ["a request", "a response", "a closed"]


@pytest.mark.parametrize("hook", ["request", "response"])
def test_a_hook_that_is_cancelled_behind_its_client_is_no_error(hook: str):
    async def cancelled(flow: Flow) -> None:
        flow.leave()
        raise asyncio.CancelledError

    fails = Feature()
    setattr(fails, hook, cancelled)
    exchange, errors = flow(), []
    pipeline = Pipeline([fails], errors.append)

    async def run() -> None:
        await run_hooks(pipeline.request(exchange))
        if not exchange.gone:
            with pytest.raises(ClientGone):
                await run_hooks(pipeline.response(exchange))

    asyncio.run(run())
    assert errors == []
    assert exchange.response is None


class Leaves(Layer):
    """Its client leaves in the hook it is told."""

    def __init__(self, trace: Trace, letter: str, hook: str) -> None:
        super().__init__(trace, letter)
        self.hook = hook

    async def request(self, flow: Flow) -> None:
        super().request(flow)
        if self.hook == "request":
            flow.leave()
            await flow.sleep(3600)

    async def response(self, flow: Flow) -> None:
        super().response(flow)
        if self.hook == "response":
            flow.leave()
            await flow.sleep(3600)


def leave_in(hook: str) -> tuple[Trace, list[str], Flow]:
    """An exchange whose client leaves at the middle of three features, as a host runs it."""
    trace: Trace = []
    errors: list[str] = []
    exchange = flow()
    pipeline = Pipeline([Layer(trace, "a"), Leaves(trace, "b", hook), Layer(trace, "c")], errors.append)

    async def run() -> None:
        await run_hooks(pipeline.request(exchange))
        if not exchange.gone:
            with pytest.raises(ClientGone):
                await run_hooks(pipeline.response(exchange))
        pipeline.closed(exchange)

    asyncio.run(run())
    return trace, errors, exchange


def test_a_client_that_leaves_during_a_request_hook_is_no_error():
    trace, errors, exchange = leave_in("request")
    assert trace == ["a request", "b request", "b closed", "a closed"]
    assert errors == []
    assert exchange.response is None
    assert not exchange.completed


def test_a_client_that_leaves_during_a_response_hook_is_no_error():
    trace, errors, exchange = leave_in("response")
    assert trace == ["a request", "b request", "c request", "c response", "b response", "c closed", "b closed", "a closed"]
    assert errors == []
    assert exchange.response is None


def set_on_flow(flow: Flow) -> None:
    flow.respones = Response(200)  # type: ignore[attr-defined]  # the mistake that is meant


def set_on_request(flow: Flow) -> None:
    flow.request.header = "a"  # type: ignore[attr-defined]  # the mistake that is meant


def got_from_request(flow: Flow) -> None:
    flow.request.header  # type: ignore[attr-defined]  # noqa: B018  # reading it is the test


def item_of_headers(flow: Flow) -> None:
    flow.request.headers["a"] = "b"  # type: ignore[index]  # the mistake that is meant


def method_of_response(flow: Flow) -> None:
    flow.response = Response(200)
    flow.response.set_text("a")  # type: ignore[attr-defined]  # the mistake that is meant


@pytest.mark.parametrize(
    ("guess", "says", "there_is"),
    [
        (set_on_flow, "'respones'", ["response", "request", "notes", "hold", "flow.notes[self]"]),
        (set_on_request, "'header'", ["headers", "path", "method"]),
        (got_from_request, "'header'", ["headers", "path", "method"]),
        (item_of_headers, "item assignment", ["get", "add", "remove"]),
        (method_of_response, "'set_text'", ["text", "json", "status", "headers"]),
    ],
)
def test_a_name_that_there_is_not_is_told_with_those_that_there_are(
    guess: Callable[[Flow], None], says: str, there_is: list[str], caplog: pytest.LogCaptureFixture
):
    class Guesses(Feature):
        def request(self, flow: Flow) -> None:
            guess(flow)

    exchange = flow()
    assert run_plain(Pipeline([Guesses()]), exchange) == -1
    assert exchange.response is not None
    assert exchange.response.status == 500
    (record,) = caplog.records
    assert record.exc_info is not None
    error = record.exc_info[1]
    assert error is not None
    assert says in str(error)
    told = " ".join(error.__notes__)
    assert [name for name in there_is if name not in told] == []
    assert told in logging.Formatter().formatException(record.exc_info).replace("\n", " ")


def test_other_errors_stay_as_they_are(caplog: pytest.LogCaptureFixture):
    class Breaks(Feature):
        def request(self, flow: Flow) -> None:
            self.nothing  # type: ignore[attr-defined]  # noqa: B018  # reading it is the test

    run_plain(Pipeline([Breaks()]), flow())
    (record,) = caplog.records
    assert record.exc_info is not None
    assert not hasattr(record.exc_info[1], "__notes__")


class Delivers(Layer):
    """Sets a delivery in one hook."""

    def __init__(self, trace: Trace, letter: str, hook: str, delivery: Delivery) -> None:
        super().__init__(trace, letter)
        self.hook, self.delivery = hook, delivery

    def request(self, flow: Flow) -> None:
        super().request(flow)
        if self.hook == "request":
            flow.delivery = self.delivery

    def response(self, flow: Flow) -> None:
        super().response(flow)
        if self.hook == "response":
            flow.delivery = self.delivery


SILENT = [Delivery(end="close"), Delivery(end="reset"), Delivery(raw=b"x")]
SENT = [Delivery(end="close", after=0), Delivery(end="reset", share=0.5), Delivery(rate=1.0), Delivery(stall=1.0)]


@pytest.mark.parametrize("delivery", SILENT)
def test_a_delivery_without_a_response_decides(delivery: Delivery):
    trace: Trace = []
    exchange = flow()
    pipeline = Pipeline([Layer(trace, "a"), Delivers(trace, "b", "request", delivery), Layer(trace, "c")])
    assert pipeline.request(exchange) is None
    assert exchange.decided
    assert exchange.silent
    pipeline.closed(exchange)
    assert trace == ["a request", "b request", "b closed", "a closed"]


@pytest.mark.parametrize("delivery", SILENT)
def test_set_with_the_response_it_keeps_those_further_out_from_it(delivery: Delivery):
    trace: Trace = []
    exchange = flow()
    pipeline = Pipeline([Layer(trace, "a"), Delivers(trace, "b", "response", delivery), Layer(trace, "c")])
    run_plain(pipeline, exchange)
    assert [step for step in trace if "request" not in step] == ["c response", "b response", "c closed", "b closed", "a closed"]


@pytest.mark.parametrize("delivery", SENT)
@pytest.mark.parametrize("hook", ["request", "response"])
def test_a_delivery_with_a_response_lets_all_hooks_run(hook: str, delivery: Delivery):
    trace: Trace = []
    exchange = flow()
    pipeline = Pipeline([Layer(trace, "a"), Delivers(trace, "b", hook, delivery), Layer(trace, "c")])
    run_plain(pipeline, exchange)
    assert trace == THROUGH
    assert not exchange.silent


class Wants(Layer):
    """Wants so many bytes of the body."""

    def __init__(self, trace: Trace, letter: str, size: int) -> None:
        super().__init__(trace, letter)
        self.size = size

    def request(self, flow: Flow) -> None:
        super().request(flow)
        if flow.request_body is None or (len(flow.request_body.data) < self.size and not flow.request_body.whole):
            flow.wants(self.size)


class WantsLater(Wants):
    async def request(self, flow: Flow) -> None:
        await asyncio.sleep(0)
        super().request(flow)


def resumed(pipeline: Pipeline, exchange: Flow, body: bytes) -> None:
    async def all_of_it() -> None:
        waits = pipeline.request(exchange)
        if waits is not None:
            await waits
        while size := exchange.wanted:
            exchange.request_body = Kept(body[:size], len(body[:size]), len(body) <= size)
            waits = pipeline.resume(exchange)
            if waits is not None:
                await waits

    asyncio.run(step_in_task(all_of_it()))


@pytest.mark.parametrize("kind", [Wants, WantsLater])
def test_a_hook_that_wants_the_body_is_called_again(kind: type[Wants]):
    trace: Trace = []
    exchange = flow()
    pipeline = Pipeline([Layer(trace, "a"), kind(trace, "b", 4), Layer(trace, "c")])
    resumed(pipeline, exchange, b"body and more")
    assert exchange.request_body == Kept(b"body", 4, False)
    assert trace == ["a request", "b request", "b request", "c request"]


def test_a_second_one_asks_again_only_for_more():
    trace: Trace = []
    pipeline = Pipeline([Wants(trace, "a", 4), Wants(trace, "b", 3), Wants(trace, "c", 8)])
    resumed(pipeline, flow(), b"body and more")
    assert trace == ["a request", "a request", "b request", "c request", "c request"]


def test_a_client_that_leaves_meanwhile_is_told_to_the_features_reached():
    trace: Trace = []
    exchange = flow()
    pipeline = Pipeline([Layer(trace, "a"), Wants(trace, "b", 4), Layer(trace, "c")])
    pipeline.request(exchange)
    pipeline.closed(exchange)
    assert trace == ["a request", "b request", "b closed", "a closed"]


def test_a_hook_that_breaks_leaves_no_delivery():
    class Breaks(Layer):
        def request(self, flow: Flow) -> None:
            flow.delivery = Delivery(end="reset")
            flow.wants(5)
            raise ValueError

    exchange = flow()
    run_plain(Pipeline([Breaks([], "a")]), exchange)
    assert (exchange.delivery, exchange.wanted) == (None, 0)
    assert exchange.response is not None
    assert exchange.response.status == 500
