"""The runs whose arrivals are counted, and their routes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from support.goto_process import Goto
from support.lab import Lab
from support.waiting import until

from goto.client.arrived import ArrivedRun, unpacked
from goto.counting import numbers
from goto.features.arrivals import service as module
from goto.features.arrivals.service import ArrivedRuns
from goto.http.numbered_id import Numbered, fresh_run, numbered_id


def arrive(runs: ArrivedRuns, run: str, *of: int) -> None:
    for number in of:
        known = runs.of(Numbered(run, number, opens=True))
        if known is not None:
            known.arrive(number, 8080, runs.shelf)
            known.leave(number, completed=True)


def shown(run: str, lab: Lab) -> ArrivedRun:
    async def ask() -> bytes:
        answer = await lab.call("GET", f"/goto/arrivals/{run}")
        assert answer.status == 200
        return answer.body

    return msgspec.json.decode(asyncio.run(ask()), type=ArrivedRun)


def test_the_numbers_of_a_run() -> None:
    lab, name = Lab(), fresh_run(gaps=True)
    arrive(lab.instance.arrived, name, 0, 2, 1, 2)
    run = shown(numbered_id(name, 7), lab)
    assert (run.arrivals, run.arrived, run.completed, run.reordered, run.incomplete) == (4, 3, 3, 1, False)
    assert run.listeners == [8080]
    assert run.count == 3
    assert bytes(unpacked(run).tries) == b"\1\1\2"
    assert run.gaps is not None


def test_the_first_id_registers_a_run_unless_too_many_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_RUNS", 2)
    monkeypatch.setattr(numbers, "MOST_RUNS", 2)
    runs, names = ArrivedRuns(), [fresh_run() for _ in range(4)]
    for name in names[:3]:
        arrive(runs, name, 0)
    assert list(runs.show()) == names[:2]
    # one that is added has its place, and the oldest one goes
    runs.add(msgspec.convert({"run": names[3]}, module.NewRun, dec_hook=lambda kind, text: kind.parse(text)))
    assert list(runs.show()) == names[1::2]
    # what went unseen before is said
    runs.remove(module.RunName(names[1]))
    arrive(runs, names[2], 1)
    assert {name: run.incomplete for name, run in runs.show().items()} == {names[3]: False, names[2]: True}


def test_an_id_that_opens_no_run_counts_in_one_that_is_known() -> None:
    runs, name = ArrivedRuns(), fresh_run()
    assert runs.of(Numbered(name, 0, opens=False)) is None
    arrive(runs, name, 0)
    assert runs.of(Numbered(name, 1, opens=False)) is runs.shelf.runs[name]


def test_this_process_knows_of_its_own_runs_that_nothing_arrived_unless_it_missed_some() -> None:
    async def main() -> None:
        runs, name = ArrivedRuns(), fresh_run(gaps=True)
        told = await runs.told(name)
        assert told is not None
        assert (told.arrived, told.count, told.incomplete, told.listeners) == (0, 0, False, [])
        assert not unpacked(told).tries
        assert told.gaps is not None
        arrive(runs, name, 0)
        runs.clear()
        assert await runs.told(name) is None
        await runs.count(name)
        told = await runs.told(name)
        assert told is not None
        assert told.incomplete

    asyncio.run(main())


def test_numbers_wait_for_what_is_under_way() -> None:
    async def main() -> None:
        runs, name = ArrivedRuns(), module.RunName(fresh_run())
        run = runs.of(Numbered(name, 0, opens=True))
        assert run is not None
        run.arrive(0, 8080, runs.shelf)
        asked = asyncio.ensure_future(runs.show_one(name))
        await until(lambda: run._idle)
        assert not asked.done()
        run.leave(0, completed=True)
        assert (await asked).completed == 1

    asyncio.run(main())


@pytest.fixture(scope="module", params=["standalone", "mitmproxy"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Goto]:
    if request.param == "standalone":
        with Goto() as goto:
            yield goto
    else:
        from support.mitm_process import Mitmdump

        with Goto() as behind, Mitmdump(f"reverse:{behind.base}") as goto:
            yield goto


def json(goto: Goto, path: str) -> Any:
    return goto.api("GET", path).json()


def test_arrivals_on_both_hosts(site: Goto, goto: Callable[..., Goto]) -> None:
    site.api("POST", "/goto/arrivals/clear")
    name = fresh_run()
    site.api("POST", "/goto/arrivals/add", {"run": name})
    for number in (0, 1, 1, 3):
        assert site.call("GET", f"/a?x-request-id={numbered_id(name, number)}").status == 200
    assert site.call("GET", "/a", headers={"X-Request-Id": numbered_id(name, 2)}).status == 200
    found = msgspec.convert(json(site, f"/goto/arrivals/{name}"), ArrivedRun)
    assert (found.arrivals, found.arrived, found.completed, found.reordered, found.incomplete) == (5, 4, 4, 1, False)
    assert bytes(unpacked(found).tries) == b"\1\2\1\1"
    assert found.listeners == [site.port]
    assert list(json(site, "/goto/arrivals")) == [name]
    site.api("PUT", f"/goto/arrivals/{name}/remove")
    assert site.call("GET", f"/goto/arrivals/{name}").status == 404
    assert site.call("PUT", f"/goto/arrivals/{name}/remove").status == 404
    wrong = site.call("POST", "/goto/arrivals/add", {"run": "x"})
    assert wrong.status == 400
    assert wrong.text.startswith("run: 'x' is no run")
