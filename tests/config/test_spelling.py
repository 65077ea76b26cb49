"""Keys in any letter case."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.config.loader import load
from goto.config.node import Mapping, Node, Scalar, Sequence
from goto.config.spelling import as_declared
from goto.features import FEATURES
from goto.instance.wiring import config_keys

KEYS = config_keys(FEATURES)


def plain(node: Node) -> Any:
    """A node's data; of maps a list of pairs, so that none of two keys hides the other."""
    if isinstance(node, Mapping):
        return [(key, plain(value)) for key, _, value in node]
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.value


def declared(text: str) -> Any:
    return plain(as_declared(load(text.encode(), "f"), KEYS))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("{RESPONSE: {STATUS: 503}}", "{response: {status: 503}}"),
        (
            "{Client: {Targets: [{NAME: t, SENDID: y, TLS: {CA: x}}]}}",
            "{client: {targets: [{name: t, sendId: y, tls: {ca: x}}]}}",
        ),
        ("{LISTENERS: [{PORT: 1, TLS: {Cert: a}, Response: {}}]}", "{listeners: [{port: 1, tls: {cert: a}, response: {}}]}"),
        # labels are a user's own, what they stand for is not
        ("{Registry: {Targets: {Edge: [{NAME: t}], edge: []}}}", "{registry: {targets: {Edge: [{name: t}], edge: []}}}"),
        # what is wrong stays for others to find
        ("{Respons: {STATUS: 1}, label: [X: 1]}", "{Respons: {STATUS: 1}, label: [X: 1]}"),
        ("{Response: {a: 1}, response: {Status: 1}}", "{Response: {a: 1}, response: {status: 1}}"),
        ("{RESPONSE: 1, Response: 2}", "{response: 1, Response: 2}"),
        ("[X: 1]", "[X: 1]"),
    ],
)
def test_keys_as_they_are_declared(text: str, same: str) -> None:
    assert declared(text) == plain(load(same.encode(), "f"))


WORDS = sorted({word for path in [*KEYS.listener, *KEYS.process] for word in path.split(".")})


@given(
    st.dictionaries(st.sampled_from(WORDS).flatmap(lambda word: st.sampled_from([word, word.upper(), word.title()])), st.none())
)
def test_no_key_is_lost(written: dict[str, None]) -> None:
    found = declared("{" + ", ".join(f"{key}: 1" for key in written) + "}")
    assert [key.lower() for key, _ in found] == [key.lower() for key in written]


def test_every_key_keeps_its_place() -> None:
    node = as_declared(load(b"label: x\nRESPONSE:\n  STATUS: 503\n", "f"), KEYS)
    assert isinstance(node, Mapping)
    at, below = node.entries["response"]
    assert isinstance(below, Mapping)
    assert [(at.line, at.column), (below.entries["status"][0].line, below.entries["status"][0].column)] == [(2, 1), (3, 3)]
