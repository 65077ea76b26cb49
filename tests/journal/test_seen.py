"""How many were seen, and how far a list has come in order, compared with plain lists."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from goto.journal.seen import InOrder, Seen
from goto.journal.wanted import Count


def test_a_count() -> None:
    seen = Seen(Count.read({"atLeast": 1, "atMost": 2}))
    assert (seen.reached, seen.holds, seen.exceeded, seen.bounded) == (False, False, False, True)
    for seq in (3, 5, 8):
        seen.fits(seq, 0)
    seen.misses(9, 0, lost=True)
    seen.misses(10, 0, lost=False)
    assert (seen.seen, seen.lost, seen.entries) == (3, 1, [3, 5, 8])
    assert (seen.reached, seen.holds, seen.exceeded) == (True, False, True)
    for seq in range(500):
        seen.fits(seq, 0)
    assert len(seen.entries) == 100


def came_to(fits: list[set[int]], length: int) -> int:
    """How far a list comes, exchange after exchange."""
    at = 0
    for places in fits:
        if at < length and at in places:
            at += 1
    return at


@given(
    st.integers(1, 4).flatmap(
        lambda length: st.tuples(
            st.just(length), st.lists(st.frozensets(st.integers(0, length - 1)), max_size=12), st.randoms(use_true_random=False)
        )
    )
)
def test_in_order_whatever_order_they_are_decided_in(case: tuple[int, list[frozenset[int]], random.Random]) -> None:
    length, fits, dice = case
    order = InOrder(length)
    undecided: list[tuple[int, int]] = []
    decided: dict[int, set[int]] = {}
    begun = 0
    while begun < len(fits) or undecided:
        if begun < len(fits) and (not undecided or dice.random() < 0.5):
            begun += 1
            order.expect(begun, list(range(length)))
            undecided += [(begun, place) for place in range(length)]
        else:
            seq, place = undecided.pop(dice.randrange(len(undecided)))
            if place in fits[seq - 1]:
                order.fits(seq, place)
                decided.setdefault(seq, set()).add(place)
            else:
                order.misses(seq, place, lost=False)
        # at each moment: what is decided is enough for this
        assert order.seen == came_to([decided.get(seq, set()) for seq in range(1, begun + 1)], length)
        assert order.reached is (order.seen == length)
    assert order.seen == came_to([set(places) for places in fits], length)
    assert order.entries == sorted(set(order.entries))
    assert order._held == []  # memory is constant once all is decided


def test_older_ones_may_come_later_as_long_as_nothing_is_settled() -> None:
    order = InOrder(2)
    order.settling = False
    order.expect(9, [1])
    order.fits(9, 1)
    order.expect(3, [0])
    order.fits(3, 0)
    assert (order.seen, order.entries) == (2, [3, 9])
    order.settling = True
    order.settle()
    assert (order.holds, order.exceeded, order.bounded, order.lost) == (True, False, False, 0)


def test_what_is_held_is_bounded() -> None:
    order = InOrder(2)
    order.most_held = 10
    order.expect(1, [0])
    for seq in range(2, 40):
        order.expect(seq, [0, 1])
        order.fits(seq, 0)
        order.fits(seq, 1)
    assert len(order._held) <= 10
    order.misses(1, 0, lost=True)
    assert (order.seen, order.lost) == (2, 1)
