"""Configuration documents, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goto.config.document import Document, read_document
from goto.config.errors import ConfigError
from goto.config.loader import load
from goto.config.node import Mapping, Node, Scalar
from goto.config.node import Sequence as Items
from goto.feature import Feature
from goto.features import FEATURES
from goto.instance.wiring import config_keys


def document(text: str | bytes, features: Sequence[type[Feature]] = FEATURES) -> Document:
    return read_document(load(text.encode() if isinstance(text, str) else text, "goto.yaml"), config_keys(features))


def problems(text: str | bytes) -> list[str]:
    """What is wrong with a document, `line:column: key: reason` each; none if it is right."""
    try:
        document(text)
    except ConfigError as error:
        return [str(problem).removeprefix("goto.yaml:") for problem in error.problems]
    return []


def data(node: Node) -> Any:
    """A node as the plain data that it stands for."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [data(item) for item in node.items]
    assert isinstance(node, Mapping)
    return {key: data(value) for key, _, value in node}
