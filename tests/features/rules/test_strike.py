"""What a strike says of itself."""

from __future__ import annotations

import asyncio

from support.flows import flow
from support.rules import live

from goto.features.rules.strike import Strike, quoted
from goto.flow import Control


def test_a_receipt_names_the_rule_the_number_and_what_was_done_in_order() -> None:
    strike = Strike(live("a b;ü~", status=503), 12)
    strike.did("headers")
    strike.did("delay")
    strike.did("answer")
    assert strike.receipt() == "a%20b%3B%C3%BC~;n=12;did=answer+delay+headers"


def test_what_turns_out_not_to_be_possible_is_told_first_and_counted_once() -> None:
    rule, one = live("flaky", status=503), flow()
    strike = Strike(rule, 0)
    strike.did("truncate")
    strike.did("pace")
    strike.mark(one)
    assert one.marks == ["rule:flaky"]
    strike.not_done("truncate")
    strike.not_done("pace")
    assert (strike.words, rule.unable) == (("unable",), 1)
    assert one.marks == ["rule:flaky!"]


def test_one_that_gave_up_is_marked_so_at_once() -> None:
    one = flow()
    strike = Strike(live("flaky", status=503), 0).give_up()
    strike.mark(one)
    assert one.marks == ["rule:flaky!"]
    assert strike.gave_up
    assert not strike.may_hold


def test_a_release_ends_waits_and_slow_ways() -> None:
    strike = Strike(live(delay="1h"), 0)
    strike.control = Control()
    hold = flow().hold(5)
    strike.holds.append(hold)
    strike.release()
    assert strike.control.free
    assert hold.wait.here


def test_it_lets_go_at_the_end_of_its_rule() -> None:
    async def run() -> bool:
        control, gone = Control(), asyncio.Event()
        control.when_let_go(gone.set)
        strike = Strike(live(for_="1ms", pace={"rate": 1}), 0)
        strike.let_go_at_its_end(control)
        await asyncio.wait_for(gone.wait(), 10)
        other, later = Control(), Strike(live(for_="1h", pace={"rate": 1}), 0)
        later.let_go_at_its_end(other)
        later.settle()
        return other.free

    assert not asyncio.run(run())


def test_names_as_they_stand_in_headers_and_marks() -> None:
    assert quoted("a-b._~9") == "a-b._~9"
    assert quoted("a b!") == "a%20b%21"
