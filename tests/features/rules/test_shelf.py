"""The rules of a listener, and those among them that a request fits."""

from __future__ import annotations

import pytest
from support.flows import flow
from support.rules import live

from goto.errors import Conflict, NotFound
from goto.features.rules.shelf import Shelf


def fitting(shelf: Shelf, target: str = "/") -> list[str]:
    fits = sorted(shelf.fits(flow(target).request, reused=False), key=lambda fit: fit.item.rank)
    return [fit.item.given.name for fit in fits]


def test_a_rule_is_replaced_in_its_place() -> None:
    shelf = Shelf()
    for name in "abc":
        assert shelf.put(live(name, status=503)) is None
    assert fitting(shelf) == ["a", "b", "c"]
    old = shelf.get("b")
    assert shelf.put(live("b", when={"uris": ["/x"]}, status=503)) is old
    assert fitting(shelf) == ["a", "c"]
    assert fitting(shelf, "/x") == ["a", "b", "c"]
    assert [rule.given.name for rule in shelf] == ["a", "b", "c"]


def test_rules_that_are_added_under_traffic_are_found_and_removed_ones_are_not() -> None:
    shelf = Shelf()
    shelf.put(live("a", status=503))
    assert fitting(shelf) == ["a"]
    shelf.put(live("b", status=503))
    shelf.put(live("off", status=503, enabled=False))
    assert fitting(shelf) == ["a", "b"]
    shelf.remove(shelf.known("a"))
    assert fitting(shelf) == ["b"]
    assert len(shelf) == 2


def test_an_unknown_name() -> None:
    shelf = Shelf()
    shelf.put(live("flaky", status=503))
    with pytest.raises(NotFound, match=r"^unknown rule: flakey; did you mean flaky\?$"):
        shelf.known("flakey")
    with pytest.raises(NotFound, match=r"^unknown rule: zzz$"):
        shelf.known("zzz")


def test_limits_change_nothing() -> None:
    shelf = Shelf()
    shelf.most_rules = 2
    shelf.put(live("a", status=503))
    shelf.put(live("b", size=1000))
    with pytest.raises(Conflict, match=r"^rules: 2 rules are the limit"):
        shelf.put(live("c", status=503))
    shelf.put(live("a", status=501))
    shelf.most_bodies = 1500
    with pytest.raises(Conflict, match=r"^rules: their bodies together are over"):
        shelf.put(live("a", size=1000))
    with pytest.raises(Conflict):
        shelf.replace_all([live("x", size=1000), live("y", size=1000)])
    assert [rule.given.name for rule in shelf] == ["a", "b"]


def test_all_are_replaced_in_the_order_given() -> None:
    shelf = Shelf()
    a, b, c = (live(name, status=503) for name in "abc")
    shelf.replace_all([a, b])
    shelf.replace_all([c, b, a])
    assert fitting(shelf) == ["c", "b", "a"]
    shelf.put(live("d", status=503))
    assert fitting(shelf) == ["c", "b", "a", "d"]


def test_spent_ones_leave_the_index_in_the_end() -> None:
    shelf = Shelf()
    shelf.few = 2
    rules = [live(str(number), count=1, status=503) for number in range(5)]
    shelf.replace_all(rules)
    assert len(fitting(shelf)) == 5
    for rule in rules[:3]:
        rule.strike({})
        shelf.spent()
    assert fitting(shelf) == ["3", "4"]
    assert not shelf.idle
    for rule in rules[3:]:
        rule.strike({})
        shelf.spent()
    assert shelf.idle
