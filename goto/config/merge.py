"""Several documents as one: a later one adds to the ones before it, and overrides them.

- Maps are merged, key by key.
- Lists whose items are maps with a `port` or a `name` (listeners, targets, peers) are merged by it: a known one is merged with
  its namesake in its place, others follow. A peer is known by name and address together.
- Everything else is replaced: other lists, scalars, and what is of another kind. `null` takes back what an earlier one said.
"""

from __future__ import annotations

from collections.abc import Iterable

from goto.config.node import Mapping, Node, Sequence, identity


def merge(nodes: Iterable[Node]) -> Node:
    """All documents as one, in order; none of them is changed."""
    merged: Node = Mapping("", 1, 1)
    for node in nodes:
        merged = _merge(merged, node)
    return merged


def _merge(base: Node, over: Node) -> Node:
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        entries = dict(base.entries)
        for key, at, value in over:
            entries[key] = (at, _merge(entries[key][1], value) if key in entries else value)
        # what is missing in both is the later one's fault
        return Mapping(over.file, over.line, over.column, entries)
    if isinstance(base, Sequence) and isinstance(over, Sequence) and _is_named(base) and _is_named(over):
        items = list(base.items)
        places = {identity(item): place for place, item in reversed(list(enumerate(items)))}
        for item in over.items:
            # popped, so that one given twice is there twice and is found out
            place = places.pop(identity(item), None)
            if place is None:
                items.append(item)
            else:
                items[place] = _merge(items[place], item)
        return Sequence(over.file, over.line, over.column, items)
    return over


def _is_named(sequence: Sequence) -> bool:
    return bool(sequence.items) and all(identity(item) is not None for item in sequence.items)
