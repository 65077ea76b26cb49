"""A rule at work."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from support.rules import live

from goto.features.rules.live import LiveRule
from goto.features.rules.strike import Strike
from goto.matching.captures import Capture


def struck(rule: LiveRule, times: int) -> list[int | None]:
    """The statuses of so many exchanges, None for those that are not struck or passed by."""
    strikes = [rule.strike({}) for _ in range(times)]
    return [None if strike is None else strike.work.status for strike in strikes]


def test_the_dice_as_they_are_documented() -> None:
    rule = live("flaky", seed=7, probability=0.5, delay="100ms-300ms", status=503)
    plan = [rule.plan(number) for number in range(12)]
    assert [number for number, (strikes, _, _) in enumerate(plan) if strikes] == [2, 3, 5, 7, 11]
    assert [str(plan[number][1]) for number in (2, 3)] == ["210.792ms", "165.298ms"]
    assert [str(strike.delay) for _ in range(4) if (strike := rule.strike({}))] == ["210.792ms", "165.298ms"]
    every = live("flaky", seed=7, delay="100ms-300ms")
    assert [str(every.plan(n)[1]) for n in range(4)] == ["180.84ms", "283.131ms", "210.792ms", "165.298ms"]
    lognormal = live("flaky", seed=7, delay={"p50": "80ms", "p99": "900ms"})
    assert [str(lognormal.plan(n)[1]) for n in range(2)] == ["62.161ms", "334.981ms"]
    one_of = live("flaky", seed=7, oneOf=[{"status": 501}, {"status": 502}])
    assert [one_of.plan(n)[2] for n in range(6)] == [0, 1, 0, 0, 0, 0]
    assert struck(one_of, 6) == [501, 502, 501, 501, 501, 501]


def test_never_and_always_without_a_roll() -> None:
    assert struck(live(probability=0, status=503), 50) == [None] * 50
    assert struck(live(probability=1, status=503), 50) == [503] * 50


@pytest.mark.parametrize(
    ("then", "statuses"),
    [
        (None, [501, None, 503, 503, 503, 503, 503]),
        ("last", [501, None, 503, 503, 503, 503, 503]),
        ("again", [501, None, 503, 501, None, 503, 501]),
        ("pass", [501, None, 503, None, None, None, None]),
    ],
)
def test_answers_in_turn(then: str | None, statuses: list[int | None]) -> None:
    rule = live(answers=[{"status": 501}, {}, {"status": 503}], then=then)
    assert struck(rule, 7) == statuses
    assert rule.state == ("spent" if then == "pass" else "active")
    assert rule.turns.struck == (3 if then == "pass" else 7)


def test_a_delay_beside_entries_is_added_and_holds_for_one_that_passes() -> None:
    rule = live(answers=[{"status": 501, "delay": "1s"}, {}], delay="2s")
    assert [str(strike.delay) for _ in range(2) if (strike := rule.strike({}))] == ["3s", "2s"]
    assert [str(live(oneOf=[{"delay": "1s"}, {"delay": "1s"}], delay="2s").plan(0)[1])] == ["3s"]


def test_per_value() -> None:
    rule = live(when={"query": [["id", "{id}"]], "uris": ["/{x}", "/"]}, per="{x}-{id}", count=1, status=503)
    taken = [rule.strike({"id": Capture(value, "query")}) is not None for value in "aabba"]
    assert taken == [True, False, True, False, False]
    assert rule.strike({"id": Capture("a", "query"), "x": Capture("%61", "uri")}) is not None
    assert (rule.left, rule.state, rule.turns.forgotten) == (None, "active", 0)


def test_what_cannot_be_worked_out_counts_and_does_nothing() -> None:
    rule = live(when={"query": [["d", "{d}"]]}, delay="{d}", status=503)
    strike = rule.strike({"d": Capture("soon", "query")})
    assert isinstance(strike, Strike)
    assert (strike.words, strike.gave_up, strike.delay, strike.work.outcome) == (("unable",), True, None, False)
    assert (rule.turns.struck, rule.unable) == (1, 1)
    assert rule.plan(0) == (True, None, None)


@pytest.mark.parametrize(
    ("fields", "state", "active"),
    [
        ({}, "active", True),
        ({"enabled": False}, "disabled", False),
        ({"after": "1h"}, "waiting", False),
        ({"for_": "1h"}, "active", True),
        ({"for_": "0s"}, "spent", False),
        ({"after": "1h", "enabled": False}, "disabled", False),
    ],
)
def test_its_states(fields: dict[str, Any], state: str, active: bool) -> None:
    rule = live(status=503, **fields)
    assert (rule.state, rule.is_active(time.monotonic())) == (state, active)
    assert rule.over == (state in ("disabled", "spent"))


def test_begin_sets_all_to_its_start() -> None:
    rule = live(seed=7, probability=0.5, count=2, status=503)
    first = struck(rule, 5)
    assert (rule.left, rule.state) == (0, "spent")
    began = rule.begins
    rule.begin()
    assert (rule.left, rule.state, rule.turns.matched) == (2, "active", 0)
    assert struck(rule, 5) == first
    assert rule.begins >= began


def test_what_is_left_is_what_will_be_struck() -> None:
    rule = live(answers=[{"status": 501}, {"status": 502}], then="pass", count=5)
    assert rule.left == 2
    struck(rule, 3)
    assert (rule.left, rule.state) == (0, "spent")


def test_the_end_of_its_time_is_told_once() -> None:
    rule = live(status=503, for_="1h")
    assert [rule.ends_now(now) for now in (rule.ends - 1, rule.ends, rule.ends)] == [False, True, False]
    rule.begin()
    assert rule.ends_now(rule.ends)
    spent = live(status=503, for_="1h", count=1)
    struck(spent, 1)
    assert not spent.ends_now(spent.ends)  # which was told already


def test_a_seed_is_chosen_and_kept() -> None:
    rule = live(status=503)
    assert rule.given.seed is not None
    assert rule.is_still(rule.as_it_is)
    assert live(status=503).given.seed != live(status=503).given.seed
    rule.enabled = False
    assert not rule.as_it_is.enabled


def test_its_memory(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"12345")
    assert live(answers=[{"body": "abc"}, {"file": str(file)}, {}]).body_size == 8


def test_a_release_is_told_to_what_it_holds_and_known_to_what_it_struck() -> None:
    rule = live(abort="hang")
    strike = rule.strike({})
    assert strike is not None
    rule.held.add(strike)
    assert not strike.let_go
    rule.release()
    assert strike.let_go
