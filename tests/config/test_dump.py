"""States as data, and as YAML for readers of either version."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.documents import document
from support.strategies import labels

from goto.config.document import read_document
from goto.config.dump import data_of, yaml_text
from goto.config.loader import load
from goto.config.node import Mapping, Scalar
from goto.config.reader import Reader
from goto.features.proxy.target import ProxyTarget
from goto.instance.wiring import config_keys
from goto.words import CountedStatus, Label, Port, Status
from goto.words.writing import as_json


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (CountedStatus(Status(503), 2), "503:2"),
        (Status(503), 503),
        (Port(80), 80),
        (Label("x"), "x"),
        ([("a", Label("b"))], [["a", "b"]]),
        ({Label("web"): [True, None, 1.5]}, {"web": [True, None, 1.5]}),
    ],
)
def test_plain_values(value: Any, data: Any):
    assert as_json(value) == data
    assert type(as_json(value)) is type(data)


def test_a_struct_leaves_out_what_is_the_default():
    target = Reader().value(
        load(b"{name: a, url: http://x, replicas: 1, enabled: false, match: {uris: [/]}}", ""), ProxyTarget, ""
    )
    assert as_json(target) == {"name": "a", "url": "http://x", "enabled": False, "match": {"uris": ["/"]}}


def test_a_document_comes_in_the_order_of_its_keys():
    keys = config_keys()
    made = document("{response: {status: 503}, label: x, listeners: [{port: 9, response: {delay: 1s}}]}")
    assert list(data_of(made, keys)) == ["label", "response", "listeners"]
    assert data_of(made, keys)["listeners"] == [{"port": 9, "protocol": "http", "open": True, "response": {"delay": "1s"}}]
    assert data_of(read_document(load(yaml_text(data_of(made, keys)).encode(), ""), keys), keys) == data_of(made, keys)


def test_nothing_is_an_empty_map():
    assert yaml_text({}) == "{}\n"


def test_it_reads_well():
    target = {"name": "t1", "url": "http://x:80", "on": "off"}
    data = {"label": "edge", "response": {"delay": "200ms", "status": "503:2"}, "l": [target]}
    assert yaml_text(data) == (
        "label: edge\nresponse:\n  delay: 200ms\n  status: '503:2'\nl:\n  - name: t1\n    url: http://x:80\n    'on': 'off'\n"
    )


WORDS = [
    *["0o17", "1e3", "017", "0b1", "yes", "~", "1:30", ".inf", "2001-12-14", "<<", "=", "null"],
    "",
    "- a",
    "a: b",
    "# x",
    "\n",
    "\x7f",
    "\x00",
    *["\x85", "a\x85b", "a\u2028b ", "\u2029", "\ufeff", "x" * 200 + "\x85 " + "y z " * 60],
]


@given(st.one_of(labels, st.text(st.characters(exclude_categories=("Cs",))), st.sampled_from(WORDS)))
def test_text_is_text_for_readers_of_either_version(text: str):
    dumped = yaml_text({"k": text, text: "v"})
    assert yaml.safe_load(dumped) == {"k": text, text: "v"}
    node = load(dumped.encode(), "")
    assert isinstance(node, Mapping)
    values = {key: value.value for key, _, value in node if isinstance(value, Scalar)}
    assert values == {"k": text, text: "v"}


@given(st.recursive(st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none(), st.lists))
def test_other_values_too(value: Any):
    dumped = yaml_text({"k": value})
    assert yaml.safe_load(dumped) == {"k": value}
