"""Where plug-ins stand among goto's own features."""

from __future__ import annotations

import pytest

from goto.feature import Feature
from goto.instance.onion import in_place


def feature(name: str, outside: str = "") -> type[Feature]:
    return type(name, (Feature,), {"outside": outside} if outside else {})


OWN = [feature("Bypass"), feature("ForcedStatus"), feature("Local")]


@pytest.mark.parametrize(
    ("plugins", "order"),
    [
        ([], "bypass forced_status local"),
        ([("A", ""), ("B", "")], "bypass a b forced_status local"),
        ([("A", "bypass")], "a bypass forced_status local"),
        ([("A", "local"), ("B", "bypass")], "b bypass forced_status a local"),
        ([("A", "b"), ("B", "local")], "bypass forced_status a b local"),
        ([("A", "b"), ("B", "c"), ("C", ""), ("D", "")], "bypass a b c d forced_status local"),
    ],
)
def test_each_stands_just_outside_of_the_one_it_names(plugins: list[tuple[str, str]], order: str):
    placed = in_place(OWN, [feature(*plugin) for plugin in plugins])
    assert [one.name for one in placed] == order.split()


@pytest.mark.parametrize(
    ("plugins", "says"),
    [
        (
            [("A", "forcedstatus")],
            "A: outside names 'forcedstatus', and there is no feature of that name: write one of bypass, forced_status, local",
        ),
        ([("A", "b"), ("B", "c")], "B: outside names 'c', and there is no feature of that name: write one of bypass, "),
        (
            [("A", "b"), ("B", "a")],
            "A, B: outside leads from one to the other and to no place: let one of them name ",
        ),
        ([("A", "a")], "A: outside leads from one to the other and to no place"),
        ([("A", "x"), ("B", "local")], "A: outside names 'x', and there is no feature of that name: write one of bypass, "),
    ],
)
def test_a_place_that_there_is_not(plugins: list[tuple[str, str]], says: str):
    with pytest.raises(ValueError, match="outside") as caught:
        in_place(OWN, [feature(*plugin) for plugin in plugins])
    assert str(caught.value).startswith(says)
