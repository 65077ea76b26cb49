"""What strikes do to an exchange."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from support.flows import flow, pass_through, passed
from support.rules import Onion, made, receipts

from goto.client.target import ClientTarget
from goto.feature import Feature
from goto.features.rules.acts import Acts
from goto.flow import Delivery, Flow, Headers, Response


class Behind(Feature):
    """Answers all, further in."""

    def __init__(self, response: Response | None = None) -> None:
        self.response_made = response or Response(200, b"0123456789", Headers([(b"X", b"1")]))
        self.reached = 0

    def request(self, flow: Flow) -> None:
        self.reached += 1
        flow.response = self.response_made


def run(*rules: Any, target: str = "/", method: str = "GET", behind: Behind | None = None, **how: Any) -> tuple[Flow, Onion]:
    onion = Onion(*rules, behind=[behind or Behind()])
    return passed(onion.features, flow(target, method=method), **how), onion


def test_an_answer_ends_the_look_and_what_comes_before_it_adds_up() -> None:
    behind = Behind()
    rules = [made("d1", delay="1ms"), made("h", headers=[["x", "h"]]), made("d2", delay="2ms"), made("first", status=501)]
    one, onion = run(*rules, made("second", status=502), behind=behind)
    assert receipts(one) == ["d1;n=0;did=delay", "h;n=0;did=headers", "d2;n=0;did=delay", "first;n=0;did=answer"]
    assert one.response is not None
    assert (one.response.status, one.response.headers.get("x"), behind.reached) == (501, "h", 0)
    assert onion.rules.show("second").matched == 0  # type: ignore[arg-type]  # a name
    assert one.marks == ["rule:d1", "rule:h", "rule:d2", "rule:first"]
    assert onion.rules.held() == 0


def test_of_one_header_the_later_rule_wins_and_cookies_of_both_stand() -> None:
    one, _ = run(
        made("a", headers=[["x", "a"], ["set-cookie", "a=1"]]), made("b", status=200, headers=[["X", "b"], ["Set-Cookie", "b=1"]])
    )
    assert one.response is not None
    assert (one.response.headers.get_all("x"), one.response.headers.get_all("set-cookie")) == (["b"], ["a=1", "b=1"])


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("at", ["request", "response"])
def test_an_end_without_an_answer(at: str, end: str) -> None:
    behind = Behind()
    one, onion = run(made("c", abort=end, at=at), behind=behind)
    assert one.delivery == Delivery(end=end)  # type: ignore[arg-type]  # one of two
    assert one.aborted
    assert behind.reached == (at == "response")
    assert onion.rules.strikes() == {("c", end): 1}


def test_what_a_later_end_leaves_nothing_to_be_done_to_is_unable() -> None:
    one, onion = run(made("t", truncate={"after": 1}), made("late", at="response", delay="1h"), made("c", abort="close"))
    assert onion.rules.strikes() == {("t", "unable"): 1, ("late", "unable"): 1, ("c", "close"): 1}
    assert one.marks == ["rule:t!", "rule:late!", "rule:c"]


@pytest.mark.parametrize("end", [{"abort": "close"}, {"garble": "head"}])
@pytest.mark.parametrize("at", ["request", "response"])
def test_what_was_to_be_done_to_an_answer_that_does_not_go_out_is_unable(at: str, end: dict[str, Any]) -> None:
    one, _ = run(made("p", pace={"rate": 5}), made("d", delay="1ms", truncate={"after": 1}), made("c", at=at, **end))
    assert one.marks == ["rule:p!", "rule:d!", "rule:c"]


def test_bytes_in_place_of_an_answer_carry_all_receipts() -> None:
    one, _ = run(made("h", delay="1ms"), made("g", garble="length"))
    assert one.delivery is not None
    assert one.delivery.raw is not None
    assert b"\r\nVia-Goto: me\r\nGoto-Rule: h;n=0;did=delay\r\nGoto-Rule: g;n=0;did=garble\r\n" in one.delivery.raw
    one, onion = run(made("g", garble={"base64": "aGVsbG8="}, at="response"))
    assert one.delivery is not None
    assert (one.delivery.raw, one.delivery.end) == (b"hello", "close")
    assert one.delivery.control is not None
    one.delivery.control.failed("raw")
    assert onion.rules.show("g").unable == 1  # type: ignore[arg-type]  # a name


def test_at_response_what_is_not_named_stays() -> None:
    behind = Behind()
    one, _ = run(made("s", at="response", status=502, headers=[["y", "2"]]), behind=behind)
    assert one.response is not None
    assert (one.response.status, one.response.body, one.response.headers.get("x")) == (502, b"0123456789", "1")
    assert receipts(one) == ["s;n=0;did=answer"]
    assert behind.reached == 1


@pytest.mark.parametrize(
    ("rules", "delivery", "told"),
    [
        ([{"truncate": {"after": 5}}], {"end": "close", "after": 5}, ["truncate"]),
        ([{"truncate": {"after": "50%", "by": "reset"}}], {"end": "reset", "share": 0.5}, ["truncate"]),
        ([{"truncate": {"after": 0}}], {"end": "close", "after": 0}, ["truncate"]),
        ([{"truncate": {"after": 10}}], None, ["unable"]),
        ([{"truncate": {"after": "100%"}}], None, ["unable"]),
        ([{"pace": {"rate": "1KiB", "head": True}}], {"rate": 1024.0, "head": True}, ["pace"]),
        ([{"pace": {"over": "2s"}}], {"over": 2.0}, ["pace"]),
        ([{"stall": {"after": 9, "for": "1s"}}], {"stall": 1.0, "stall_at": 9}, ["stall"]),
        ([{"stall": {"after": 10, "for": "1s"}}], None, ["unable"]),
        ([{"truncate": {"after": 5}}, {"truncate": {"after": 3}}], {"end": "close", "after": 5}, ["truncate", "unable"]),
        ([{"truncate": {"after": 5}, "stall": {"after": 5, "for": "1s"}}], {"end": "close", "after": 5}, ["unable+truncate"]),
        (
            [{"truncate": {"after": "50%"}}, {"stall": {"after": 6, "for": "1s"}}],
            {"end": "close", "share": 0.5},
            ["truncate", "unable"],
        ),
        (
            [{"pace": {"rate": 5}, "truncate": {"after": 50}}, {"stall": {"after": 1, "for": "1s"}}],
            {"rate": 5.0, "stall": 1.0, "stall_at": 1},
            ["unable+pace", "stall"],
        ),
    ],
)
def test_on_the_way(rules: list[dict[str, Any]], delivery: dict[str, Any] | None, told: list[str]) -> None:
    one, onion = run(*(made(str(number), **fields) for number, fields in enumerate(rules)))
    assert [receipt.partition("did=")[2] for receipt in receipts(one)] == told
    if delivery is None:
        assert one.delivery is None
    else:
        assert one.delivery is not None
        control = one.delivery.control
        assert one.delivery == Delivery(**delivery, control=control)
    assert onion.rules.held() == 0  # the exchange is over


def test_a_share_is_as_many_bytes_for_a_stall_as_on_the_wire() -> None:
    # 29% of 100 bytes are 29, though 100 * 0.29 is a little less
    cut = {"truncate": {"after": "29%"}, "stall": {"after": 28, "for": "1s"}}
    one, _ = run(made("t", **cut), behind=Behind(Response(200, b"x" * 100)))
    assert one.delivery is not None
    assert (one.delivery.cut(100), one.delivery.stall_at, one.delivery.stall) == (29, 28, 1.0)


@pytest.mark.parametrize("fields", [{"truncate": {"after": 0}}, {"stall": {"after": 0, "for": "1s"}}])
def test_without_a_body_nothing_can_be_done_to_it(fields: dict[str, Any]) -> None:
    for how in ({"method": "HEAD"}, {"behind": Behind(Response(204))}, {"behind": Behind(Response(101))}):
        one, onion = run(made("r", **fields), **how)  # type: ignore[arg-type]  # one of two
        assert (receipts(one), one.delivery) == (["r;n=0;did=unable"], None)
        assert onion.rules.show("r").unable == 1  # type: ignore[arg-type]  # a name


def test_what_has_no_body_can_be_paced_and_a_tunnel_cannot() -> None:
    for pace in ({"rate": 5, "head": True}, {"over": "1s"}):
        for status, method in ((204, "GET"), (200, "HEAD")):
            one, _ = run(made("r", pace=pace), behind=Behind(Response(status)), method=method)
            assert receipts(one) == ["r;n=0;did=pace"]
    one, _ = run(made("r", pace={"rate": 5}), behind=Behind(Response(101)))
    assert (receipts(one), one.delivery) == (["r;n=0;did=unable"], None)


def test_a_tunnel_stays_where_a_body_alone_is_named() -> None:
    one, onion = run(made("r", at="response", body="x"), behind=Behind(Response(101)))
    assert (receipts(one), onion.rules.strikes()) == (["r;n=0;did=unable"], {("r", "unable"): 1})


def test_what_the_host_finds_out_has_the_last_word() -> None:
    onion = Onion(made("t", truncate={"after": 5}, pace={"rate": 5}), behind=[Behind()])

    async def go() -> Flow:
        one = flow()
        passing = asyncio.create_task(pass_through(onion.features, one))
        await passing
        return one

    one = asyncio.run(go())
    assert one.delivery is not None
    assert one.delivery.control is not None
    one.delivery.control.failed("after")
    one.delivery.control.failed("nothing known")
    assert one.marks == ["rule:t!"]
    assert onion.rules.show("t").unable == 1  # type: ignore[arg-type]  # a name


async def begun(onion: Onion, one: Flow) -> asyncio.Task[Flow]:
    """An exchange that is held."""
    passing = asyncio.create_task(pass_through(onion.features, one))
    while not onion.rules.held():
        await asyncio.sleep(0)
    return passing


@pytest.mark.parametrize("at", ["request", "response"])
@pytest.mark.parametrize("fields", [{"abort": "hang"}, {"delay": "1h"}])
@pytest.mark.parametrize("how", ["remove", "disable", "disable_all", "clear", "replace", "configure", "stop"])
def test_what_is_held_goes_on_when_the_rule_goes(fields: dict[str, Any], at: str, how: str) -> None:
    behind = Behind()
    onion = Onion(made("h", at=at, **fields), behind=[behind])

    async def go() -> Flow:
        passing = await begun(onion, flow())
        assert (onion.rules.held(), onion.rules.show("h").holding) == (1, 1)  # type: ignore[arg-type]  # a name
        rules: Any = onion.rules
        match how:
            case "replace":
                rules.add(made("h", status=503))
            case "configure":
                rules.configure([made("other", status=503)])
            case "remove" | "disable":
                getattr(rules, how)("h")
            case _:
                getattr(rules, how)()
        return await asyncio.wait_for(passing, 20)

    one = asyncio.run(go())
    assert one.response is behind.response_made
    assert (onion.rules.held(), one.completed) == (0, True)


def test_behind_a_delay_that_is_cut_short_its_own_answer_follows() -> None:
    onion = Onion(made("d", delay="1h", status=503))

    async def go() -> Flow:
        passing = await begun(onion, flow())
        onion.rules.clear()
        return await asyncio.wait_for(passing, 20)

    response = asyncio.run(go()).response
    assert response is not None
    assert response.status == 503


@pytest.mark.parametrize("fields", [{"abort": "hang"}, {"delay": "1h"}])
def test_the_end_of_a_rule_lets_go(fields: dict[str, Any]) -> None:
    began = time.monotonic()
    one, _ = run(made("h", for_="50ms", **fields))
    assert time.monotonic() - began >= 0.05
    assert one.response is not None
    assert one.response.status == 200


def test_there_is_room_for_so_many() -> None:
    onion = Onion(made("h", when={"uris": ["/h"]}, abort="hang", delay="1h"), made("s", status=503), behind=[Behind()])
    onion.rules._acts.most_held = 1

    async def go() -> tuple[Flow, Flow]:
        first, second = flow("/h"), flow("/h")
        passing = await begun(onion, first)
        await pass_through(onion.features, second)
        onion.rules.clear()
        await asyncio.wait_for(passing, 20)
        return first, second

    _, second = asyncio.run(go())
    assert receipts(second) == ["h;n=0;did=unable".replace("n=0", "n=1"), "s;n=0;did=answer"]


LATE: list[dict[str, Any]] = [{"abort": "hang", "at": "response"}, {"pace": {"rate": 5}}, {"stall": {"after": 1, "for": "1s"}}]


@pytest.mark.parametrize("fields", LATE)
def test_there_is_no_more_room_though_there_was_before(fields: dict[str, Any]) -> None:
    onion = Onion(made("h", **fields), behind=[Behind()])
    one = flow()
    onion.rules.request(one)
    onion.rules._acts.most_held = 0
    one.response = Response(200, b"0123456789")
    onion.rules.response(one)
    assert receipts(one) == ["h;n=0;did=unable"]
    assert (one.delivery, list(one.holds), onion.rules.held()) == (None, [], 0)


def test_triggers() -> None:
    onion = Onion(made("t", trigger=["hook", "nobody"], status=204), made("n", trigger=["nobody"]))
    invoked: list[list[str]] = []

    def invoke(targets: list[ClientTarget]) -> asyncio.Future[None]:
        invoked.append([target.name for target in targets])
        return asyncio.get_running_loop().create_future()

    onion.client.invoke_targets = invoke  # type: ignore[method-assign, assignment]  # stands for runs that end when the test says so
    onion.client.targets = {"hook": ClientTarget(name="hook", method="GET", url="http://127.0.0.1:1")}  # type: ignore[arg-type]  # texts do for its words
    one = passed(onion.features, flow())
    assert receipts(one) == ["t;n=0;did=unable+answer+trigger"]
    assert invoked == [["hook"]]


def test_so_many_runs_go_on_at_a_time() -> None:
    onion = Onion(made("t", trigger=["hook"]), behind=[Behind()])
    onion.rules._acts.most_runs = 1
    runs: list[asyncio.Future[None]] = []

    def invoke(targets: list[ClientTarget]) -> asyncio.Future[None]:
        runs.append(asyncio.get_running_loop().create_future())
        return runs[-1]

    onion.client.invoke_targets = invoke  # type: ignore[method-assign, assignment]  # stands for runs that end when the test says so
    onion.client.targets = {"hook": ClientTarget(name="hook", method="GET", url="http://127.0.0.1:1")}  # type: ignore[arg-type]  # texts do for its words

    async def go() -> list[str]:
        told = []
        for over in (False, True, False):
            onion.features[-2].response_made = Response(200)  # type: ignore[attr-defined]  # it is `Behind`
            told += receipts(await pass_through(onion.features, flow()))
            if over:
                runs[0].set_result(None)
                await asyncio.sleep(0)
        return told

    assert asyncio.run(go()) == ["t;n=0;did=trigger", "t;n=1;did=unable", "t;n=2;did=trigger"]


def test_an_answer_that_another_feature_takes_the_place_of_is_unable() -> None:
    onion = Onion(made("b", body="mine"), between=[Behind()])
    assert receipts(passed(onion.features, flow())) == ["b;n=0;did=unable"]


def test_acts_need_no_client() -> None:
    assert Acts(lambda: None, lambda: b"").held == 0
