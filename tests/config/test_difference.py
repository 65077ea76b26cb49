"""What a change from one document to the next makes of the present state."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.config.difference import carried_over, changed
from goto.config.document import ConfiguredValue


class T(msgspec.Struct):
    name: str
    value: int = 0


@pytest.mark.parametrize(
    ("old", "new", "present", "result"),
    [
        pytest.param("a", "a", "b", "b", id="what the documents say alike stays as it is"),
        pytest.param("a", "b", "c", "b", id="what is new holds"),
        pytest.param("a", None, "c", None, id="what is gone is gone"),
        pytest.param(["x", "y"], ["x", "z"], ["x", "y", "api"], ["x", "z", "api"], id="an item goes, one comes, the API's stays"),
        pytest.param(["x", "y"], ["x", "y", "z"], ["y", "api"], ["y", "z", "api"], id="what the API removed stays removed"),
        pytest.param(["x"], ["x", "x"], ["x", "x"], ["x", "x"], id="one that is there twice"),
        pytest.param(["x", "y"], ["y", "x", "z"], ["x", "y"], ["y", "x", "z"], id="the order is the new one's"),
        pytest.param([T("a"), T("b")], [T("a"), T("b", 2)], [T("a", 7), T("b", 8)], [T("a", 7), T("b", 2)], id="by name"),
        pytest.param([T("a")], [], [T("a", 7), T("c")], [T("c")], id="a named one goes"),
        pytest.param("all", ["x"], "all", ["x"], id="another kind"),
        pytest.param(
            {"l": [T("a")], "m": [T("b")]},
            {"l": [T("a"), T("c")]},
            {"l": [T("a", 7)], "m": [T("b")], "n": [T("d")]},
            {"l": [T("a", 7), T("c")], "n": [T("d")]},
            id="maps, key by key",
        ),
    ],
)
def test_carried_over(old: Any, new: Any, present: Any, result: Any):
    assert carried_over(old, new, present) == result


items = st.lists(st.sampled_from("abcde"), max_size=5)


@given(items, items)
def test_where_nothing_else_was_changed_the_new_document_holds(old: list[str], new: list[str]):
    assert carried_over(old, new, old) == new


@given(items, items, items)
def test_what_neither_names_stays(old: list[str], new: list[str], present: list[str]):
    result = carried_over(old, new, present)
    for item in set(present) - set(old) - set(new):
        assert result.count(item) == present.count(item)
    for item in set(new) - set(old):
        assert item in result


def test_which_settings_differ():
    old = {"a": ConfiguredValue(1), "b": ConfiguredValue(1), "c": ConfiguredValue(1)}
    new = {"b": ConfiguredValue(1), "c": ConfiguredValue(2), "d": ConfiguredValue(1)}
    assert list(changed(old, new)) == ["a", "c", "d"]
