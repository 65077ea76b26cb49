"""Several documents as one."""

from __future__ import annotations

from typing import Any

import pytest
from support.documents import data

from goto.config.merge import merge
from goto.config.node import Mapping, node_of

T1, T2 = {"name": "t1", "url": "u1"}, {"name": "t2", "url": "u2"}


@pytest.mark.parametrize(
    ("documents", "merged"),
    [
        ([], {}),
        ([{"a": 1}], {"a": 1}),
        ([{"a": {"b": 1, "c": 2}}, {"a": {"c": 3, "d": 4}}], {"a": {"b": 1, "c": 3, "d": 4}}),
        ([{"a": 1}, {"a": {"b": 1}}, {"a": [2]}], {"a": [2]}),
        ([{"a": {"b": 1}}, {"a": None}], {"a": None}),
        ([{"a": [1, 2]}, {"a": [3]}], {"a": [3]}),
        ([{"a": [T1, T2]}, {"a": [{"name": "t1", "enabled": False}]}], {"a": [{**T1, "enabled": False}, T2]}),
        ([{"a": [T1]}, {"a": [T2]}], {"a": [T1, T2]}),
        ([{"a": [T1]}, {"a": []}], {"a": []}),
        ([{"a": [T1]}, {"a": ["x"]}], {"a": ["x"]}),
        ([{"l": [{"port": 1, "x": {"a": 1}}]}, {"l": [{"port": 1, "x": {"b": 2}}]}], {"l": [{"port": 1, "x": {"a": 1, "b": 2}}]}),
        (
            [{"p": [{"name": "web", "address": "a"}]}, {"p": [{"name": "web", "address": "b"}, {"name": "web", "address": "a"}]}],
            {"p": [{"name": "web", "address": "a"}, {"name": "web", "address": "b"}]},
        ),
    ],
)
def test_merging(documents: list[Any], merged: Any):
    assert data(merge(map(node_of, documents))) == merged


def test_one_that_is_given_twice_stays_there_twice_to_be_found_out():
    assert data(merge([node_of({"a": [T1]}), node_of({"a": [T1, T1]})])) == {"a": [T1, T1]}


def test_what_is_merged_stays_as_it_was():
    first, second = node_of({"a": {"b": 1}, "l": [T1]}), node_of({"a": {"c": 1}, "l": [{**T1, "x": 1}, T2]})
    merge([first, second])
    assert data(first) == {"a": {"b": 1}, "l": [T1]}
    assert data(second) == {"a": {"c": 1}, "l": [{**T1, "x": 1}, T2]}


def test_every_value_keeps_the_file_that_it_is_from():
    merged = merge([node_of({"a": 1, "b": {"c": 1}}, "first"), node_of({"b": {"d": 1}}, "second")])
    assert isinstance(merged, Mapping)
    inner = merged.entries["b"][1]
    assert isinstance(inner, Mapping)
    assert [merged.entries["a"][1].file, inner.entries["c"][1].file, inner.entries["d"][1].file] == ["first", "first", "second"]
