"""Several documents as one: a later one adds to the ones before it, and overrides them.

- Maps are merged, key by key.
- Lists whose items are maps with a `port` or a `name` (listeners, targets, peers) are merged by it: an item is merged with the
  earlier one of that name, in its place, and new ones follow. A peer is identified by its name and address together.
- Everything else is replaced: other lists, scalars, and values of different kinds. `null` removes what an earlier document set.
"""

from __future__ import annotations

from collections.abc import Iterable

from goto.config.node import Mapping, Node, Sequence, identity


def merge(nodes: Iterable[Node]) -> Node:
    """Merge documents, in order. None of them is changed."""
    merged: Node = Mapping("", 1, 1)
    for node in nodes:
        merged = _merge(merged, node)
    return merged


def _merge(base: Node, over: Node) -> Node:
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        entries = dict(base.entries)
        for key, at, value in over:
            entries[key] = (at, _merge(entries[key][1], value) if key in entries else value)
        # a key that is missing in both is reported at the place of the later one
        return Mapping(over.file, over.line, over.column, entries)
    if isinstance(base, Sequence) and isinstance(over, Sequence) and _is_named(base) and _is_named(over):
        items = list(base.items)
        places = {identity(item): place for place, item in reversed(list(enumerate(items)))}
        for item in over.items:
            # popped, so that an item given twice stays there twice and is reported
            place = places.pop(identity(item), None)
            if place is None:
                items.append(item)
            else:
                items[place] = _merge(items[place], item)
        return Sequence(over.file, over.line, over.column, items)
    return over


def _is_named(sequence: Sequence) -> bool:
    return bool(sequence.items) and all(identity(item) is not None for item in sequence.items)
