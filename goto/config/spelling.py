"""Keys as they are declared, in whatever letter case they were written.

Documents are merged by their keys. Only types tell which keys are goto's, in any letter case, and which are a user's own, such as
labels, in which it matters.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin

import msgspec

from goto.config.document import LISTENER_KEYS
from goto.config.keys import LISTENERS, Key, Keys
from goto.config.node import Mapping, Node, Sequence
from goto.settings import members


def as_declared(node: Node, keys: Keys) -> Node:
    """A document with the keys that are known as they are declared. One that is there twice stays so, and is found out later."""
    own = {name: _Kind(kind) for name, kind in LISTENER_KEYS.items()}
    return _renamed(node, {**keys.top_tree, LISTENERS: [{**own, **keys.listener_tree}]})


class _Kind:
    """The type of a value."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind


def _renamed(node: Node, below: Any) -> Node:
    """`below`: what stands there: a map of known keys, a list of one such map, a setting, or a type."""
    if isinstance(below, Key):
        return _value(node, below.setting.type)
    if isinstance(below, _Kind):
        return _value(node, below.kind)
    if isinstance(below, list) and isinstance(node, Sequence):
        return Sequence(node.file, node.line, node.column, [_renamed(item, below[0]) for item in node.items])
    return _map(node, below) if isinstance(below, dict) and isinstance(node, Mapping) else node


def _map(node: Mapping, below: dict[str, Any]) -> Mapping:
    spelled = {name.lower(): name for name in below}
    entries: dict[str, tuple[Node, Node]] = {}
    for key, at, value in node:
        name = spelled.get(key.lower(), key)
        if key != name and (name in node.entries or name in entries):
            name = key
        entries[name] = (at, _renamed(value, below.get(name)))
    return Mapping(node.file, node.line, node.column, entries)


def _value(node: Node, kind: Any) -> Node:
    for member in members(kind):
        origin = get_origin(member)
        if origin is Annotated:
            return _value(node, get_args(member)[0])
        if isinstance(node, Sequence) and origin is list:
            items = [_value(item, get_args(member)[0]) for item in node.items]
            return Sequence(node.file, node.line, node.column, items)
        if isinstance(node, Mapping) and origin is dict:
            entries = {key: (at, _value(value, get_args(member)[1])) for key, at, value in node}
            return Mapping(node.file, node.line, node.column, entries)
        if isinstance(node, Mapping) and isinstance(member, type) and issubclass(member, msgspec.Struct):
            return _map(node, _below(member))
    return node


@lru_cache(maxsize=64)
def _below(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The fields of a struct; msgspec looks them up anew each time that it is asked."""
    return {field.encode_name: _Kind(field.type) for field in msgspec.structs.fields(struct)}
