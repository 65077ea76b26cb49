"""What was sent, joined with what arrived: each number is what a count request by request gives."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.goto_process import Goto
from support.meddler import Meddler

from goto.client.arrived import ArrivedRun, packed
from goto.client.histogram import Latencies
from goto.client.reconcile import EXAMPLES, Reconciled, Side, reconciled
from goto.client.results import Results
from goto.client.run import Run
from goto.client.sent import Sent
from goto.client.server import OtherServer, joined
from goto.client.target import ClientTarget
from goto.counting.numbers import Numbers, Shelf
from goto.http.numbered_id import numbered_id
from goto.upstream.pool import Pool

OUTCOMES = st.tuples(st.integers(0, 3), st.booleans(), st.booleans())
"""Of a request: how often it arrives, whether one of these is completed, whether it is answered."""


def told(plan: list[tuple[int, bool, bool]], **fields: object) -> ArrivedRun:
    numbers = Numbers()
    numbers.grow(len(plan) + 1)
    for number, (times, completed, _) in enumerate(plan):
        numbers.tries[number] = times
        if completed and times:
            numbers.done(number)
    counted = {
        "since": "2026-01-01T00:00:00Z",
        "listeners": [8080],
        "arrived": sum(times > 0 for times, _, _ in plan),
        "arrivals": sum(times for times, _, _ in plan),
        "completed": sum(completed and times > 0 for times, completed, _ in plan),
        "reordered": 3,
        "incomplete": False,
        "count": len(numbers),
        "numbers": packed(numbers.to_bytes()),
    }
    return ArrivedRun(**{**counted, **fields})  # type: ignore[arg-type]  # each of its own type


def sent(plan: list[tuple[int, bool, bool]], replicas: int = 1) -> Sent:
    made = Sent(Shelf(), replicas=replicas)
    for number, (_, _, answered) in enumerate(plan):
        made.begin(number)
        if answered:
            made.answered(number)
        else:
            made.failed()
    return made


@given(plans=st.lists(st.lists(OUTCOMES, max_size=30), min_size=1, max_size=3))
def test_each_number_is_that_of_a_count_one_by_one(plans: list[list[tuple[int, bool, bool]]]) -> None:
    sides = [sent(plan) for plan in plans]
    found = reconciled([(side, told(plan)) for side, plan in zip(map(Side.of, sides), plans, strict=True)])
    all_ = [
        (numbered_id(side.run, number), times, completed and times > 0, answered)
        for side, plan in zip(sides, plans, strict=True)
        for number, (times, completed, answered) in enumerate(plan)
    ]
    kinds = {
        "duplicated": [id_ for id_, times, _, _ in all_ if times > 1],
        "lostOnTheWay": [id_ for id_, times, _, _ in all_ if not times],
        "answeredElsewhere": [id_ for id_, times, _, answered in all_ if answered and not times],
        "lostOnTheWayBack": [id_ for id_, _, completed, answered in all_ if completed and not answered],
    }
    expected: Reconciled = {
        "sent": len(all_),
        "answered": sum(answered for _, _, _, answered in all_),
        "failed": sum(not answered for _, _, _, answered in all_),
        "arrived": sum(times > 0 for _, times, _, _ in all_),
        "arrivals": sum(times for _, times, _, _ in all_),
        "tries": {str(times): count for times, count in sorted(Counter(times for _, times, _, _ in all_ if times).items())},
        "duplicated": sum(max(times - 1, 0) for _, times, _, _ in all_),
        "lostOnTheWay": len(kinds["lostOnTheWay"]),
        "answeredElsewhere": len(kinds["answeredElsewhere"]),
        "lostOnTheWayBack": len(kinds["lostOnTheWayBack"]),
        "reordered": 3 * len(plans),
        "examples": {kind: ids[:EXAMPLES] for kind, ids in kinds.items() if ids},
        "server": {"incomplete": False, "listeners": [8080], "since": "2026-01-01T00:00:00Z"},
        "incomplete": False,
    }
    assert found == expected


def test_a_run_that_the_server_does_not_know_is_incomplete() -> None:
    side = Side.of(sent([(0, False, True)]))
    found = reconciled([(side, None)])
    assert found["server"] == {"incomplete": True, "listeners": []}
    assert found["incomplete"]
    assert (found["lostOnTheWay"], found["answeredElsewhere"]) == (1, 1)


@pytest.mark.parametrize("where", ["sent", "given up", "server", "more runs"])
def test_what_is_incomplete_on_any_side_is_said(where: str) -> None:
    one = sent([(1, True, True)])
    one.incomplete = where == "sent"
    if where == "given up":
        one.give_up()
    side = Side.of(one)
    found = reconciled([(side, told([(1, True, True)], incomplete=where == "server"))], incomplete=where == "more runs")
    assert found["incomplete"]
    assert found["server"]["incomplete"] is (where == "server")


def test_reordered_is_left_out_where_several_replicas_send() -> None:
    side = Side.of(sent([(1, True, True)], replicas=2))
    assert "reordered" not in reconciled([(side, told([(1, True, True)]))])


def test_gaps_of_several_runs_are_merged() -> None:
    gaps = Latencies()
    gaps.add([0.0262, 0.1314])
    plan = [(2, True, True)]
    sides = [Side.of(sent(plan)) for _ in range(2)]
    found = reconciled([(sides[0], told(plan, gaps=gaps.encoded())), (sides[1], told(plan))])
    assert found["gaps"] == {"p50": "26ms", "p90": "131ms", "max": "131ms"}
    gaps = Latencies()
    gaps.add([0.0012])
    assert reconciled([(sides[0], told(plan, gaps=gaps.encoded()))])["gaps"]["max"] == "1.2ms"


def test_what_no_server_tells_is_refused() -> None:
    side = Side.of(sent([(1, True, True)]))
    with pytest.raises(ValueError, match="numbers"):
        reconciled([(side, told([(1, True, True)], numbers="x"))])


@pytest.fixture(scope="module", params=["standalone", "mitmproxy"])
def server(request: pytest.FixtureRequest, goto: Callable[..., Goto]) -> Iterator[Goto]:
    if request.param == "standalone":
        yield goto("server")
    else:
        from support.mitm_process import Mitmdump

        with Mitmdump(f"reverse:{goto('behind').base}") as there:
            yield there


@pytest.mark.parametrize(("method", "replicas", "registered"), [("GET", 1, True), ("POST", 1, False), ("GET", 8, False)])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_proxy_in_between_that_drops_repeats_and_answers_by_itself(
    server: Goto, target: Callable[..., ClientTarget], method: str, replicas: int, registered: bool, seed: int
) -> None:
    count = 240

    async def main() -> None:
        pool = Pool()
        async with Meddler(server.port, seed) as proxy:
            one = target(url=f"{proxy.base}/a", method=method, replicas=replicas, reconcile=True, gaps=True)
            run = Run([one], Results(), pool, total=count)
            [sent] = run.sent.values()
            there = OtherServer(pool, server.base)
            if registered:
                await there.count(sent.run)
            run.start()
            await run.done
            await proxy.let_go()
            found = await joined([sent], there)
        await pool.close()

        arrived = Counter(proxy.forwarded)
        first = list(arrived)
        lost = [number for number in range(count) if number not in arrived]
        kinds = {
            "duplicated": sorted(number for number, times in arrived.items() if times > 1),
            "lostOnTheWay": lost,
            "answeredElsewhere": [number for number in lost if number in proxy.answered],
            "lostOnTheWayBack": sorted(number for number in arrived if number not in proxy.answered),
        }
        assert all(kinds.values()), "the plan has something of each kind"
        ids = {kind: [numbered_id(sent.run, number) for number in numbers[:EXAMPLES]] for kind, numbers in kinds.items()}
        gaps, server_side = found.pop("gaps"), found["server"]
        assert gaps["max"] != "0s"
        assert server_side.pop("since")
        if replicas == 1:
            assert found.pop("reordered") == sum(number < max(first[:place], default=-1) for place, number in enumerate(first))
        expected = {
            "sent": count,
            "answered": len(proxy.answered),
            "failed": count - len(proxy.answered),
            "arrived": len(arrived),
            "arrivals": len(proxy.forwarded),
            "duplicated": len(proxy.forwarded) - len(arrived),
            "tries": {str(times): number for times, number in sorted(Counter(arrived.values()).items())},
            "examples": ids,
            "server": {"incomplete": False, "listeners": [server.port]},
            "incomplete": False,
        }
        assert found == {**expected, **{kind: len(kinds[kind]) for kind in kinds if kind != "duplicated"}}
        # whatever was sent twice came twice
        assert dict(enumerate(sent.tries[:count])) == {number: proxy.came[number] for number in range(count)}

    asyncio.run(asyncio.wait_for(main(), 120))
