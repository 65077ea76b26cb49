"""What tells the items of a list apart, and plain data as nodes."""

from __future__ import annotations

import pytest

from goto.config.node import Mapping, Scalar, data_of, identity, is_null, kind_of, node_of


@pytest.mark.parametrize(
    ("item", "mark"),
    [
        ({"name": "t1", "url": "http://x"}, ("t1",)),
        ({"Name": "t1"}, ("t1",)),
        ({"port": 8081, "label": "x"}, ("8081",)),
        ({"address": "10.0.0.7:80", "name": "web"}, ("web", "10.0.0.7:80")),
        ({"url": "http://x"}, None),
        ({"address": "10.0.0.7:80"}, None),
        (["t1"], None),
        ("t1", None),
    ],
)
def test_identity(item: object, mark: object):
    assert identity(node_of(item)) == mark


def test_plain_data_as_nodes():
    node = node_of({"a": [1, "x", None, True]}, "here")
    assert isinstance(node, Mapping)
    assert (node.file, node.line) == ("here", 0)
    items = node.entries["a"][1].items
    assert [item.text for item in items] == ["1", "x", "null", "true"]
    assert [kind_of(item) for item in items] == ["the number 1", "text", "nothing", "true"]
    assert [is_null(item) for item in items] == [False, False, True, False]


def test_a_problem_has_the_place_of_its_node():
    assert str(Scalar("a", 2, 3, "x", "x").problem("key", "bad")) == "a:2:3: key: bad"


def test_nodes_as_plain_data_again():
    data = {"a": [1, 2.5, True, None, "x"], "b": {}}
    assert data_of(node_of(data)) == data
