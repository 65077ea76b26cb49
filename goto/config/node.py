"""A document as it was written: maps, lists and scalars, each with its line and column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from goto.config.errors import Problem

IDENTITY = ("port", "name", "address")
"""The keys that identify a map in a list: a listener by its port, a target by its name, a peer by its name and address."""


@dataclass(slots=True, eq=False)
class Node:
    """A part of a document. Lines and columns count from 1; 0 stands for no place."""

    file: str
    line: int
    column: int

    def problem(self, path: str, reason: str) -> Problem:
        return Problem(self.file, self.line, self.column, path, reason)


@dataclass(slots=True, eq=False)
class Scalar(Node):
    """A scalar as text, and its value: None, a bool, an int, a float, or a str."""

    text: str
    value: Any


@dataclass(slots=True, eq=False)
class Sequence(Node):
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Mapping(Node):
    """Keys in the order in which they were written, each with the node of the key and that of the value."""

    entries: dict[str, tuple[Node, Node]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[str, Node, Node]]:
        """Each key, its node, and the node of its value."""
        return ((key, at, value) for key, (at, value) in self.entries.items())


def kind_of(node: Node) -> str:
    """The kind of a node, for messages."""
    if isinstance(node, Scalar):
        names = {type(None): "nothing", bool: f"{node.text}", int: f"the number {node.text}", float: f"the number {node.text}"}
        return names.get(type(node.value), "text")
    return "a list" if isinstance(node, Sequence) else "a map"


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def identity(node: Node) -> tuple[str, ...] | None:
    """The values that identify a map in a list: its port, or its name and address. None where it has neither port nor name."""
    if not isinstance(node, Mapping):
        return None
    by_key = {key.lower(): value for key, _, value in node}
    words = [value.text for key in IDENTITY if isinstance(value := by_key.get(key), Scalar)]
    named = "port" in by_key or "name" in by_key
    return tuple(words) if named and words else None


def node_of(value: Any, file: str = "") -> Node:
    """Plain data as nodes, without lines and columns."""
    match value:
        case dict():
            entries = {key: (Node(file, 0, 0), node_of(item, file)) for key, item in value.items()}
            return Mapping(file, 0, 0, entries)
        case list() | tuple():
            return Sequence(file, 0, 0, [node_of(item, file) for item in value])
        case None:
            return Scalar(file, 0, 0, "null", None)
        case bool():
            return Scalar(file, 0, 0, str(value).lower(), value)
    return Scalar(file, 0, 0, str(value), value)


def data_of(node: Node) -> Any:
    """A node as plain data, in JSON's types."""
    if isinstance(node, Mapping):
        return {key: data_of(value) for key, _, value in node}
    if isinstance(node, Sequence):
        return [data_of(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.value
