"""The difference between two documents, and the present state with that difference applied.

Settings that are the same in both documents are left as they are, whatever has changed since: counts, countdowns, and what was
set by API.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from goto.config.document import ConfiguredValues, Document
from goto.config.node import IDENTITY
from goto.words.writing import as_json


def changed(old: ConfiguredValues, new: ConfiguredValues) -> Iterator[str]:
    """The paths of settings that differ between the documents."""
    for path in {**old, **new}:
        if path not in old or path not in new or old[path].value != new[path].value:
            yield path


def takes_away(old: Document, new: Document) -> bool:
    """Whether `new` lacks a key, an item of a list or a listener that `old` has. Another value of a key takes nothing away."""
    if any(port not in new.listeners for port in old.listeners):
        return True
    sides = [(old.first, new.first), (old.process, new.process)]
    sides += [(part.settings, new.listeners[port].settings) for port, part in old.listeners.items()]
    return any(
        path not in after or _lacks(as_json(value.value), as_json(after[path].value))
        for before, after in sides
        for path, value in before.items()
    )


def _lacks(old: Any, new: Any) -> bool:
    """Whether `new` lacks a key or a named item that `old` has, both as data in JSON's types."""
    if isinstance(old, dict) and isinstance(new, dict):
        return any(key not in new or _lacks(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        after = dict(_numbered(map(_name, new), new))
        # of a pair, the second is a value like others
        found = _numbered(map(_name, old), old)
        return any(mark not in after or (isinstance(item, dict) and _lacks(item, after[mark])) for mark, item in found)
    return False


def _name(item: Any) -> Any:
    """What an item of a list is known by: the name of a map, the first of a pair, else all of it."""
    if isinstance(item, dict):
        return tuple(str(item[key]) for key in IDENTITY if key in item) or repr(item)
    return (item[0],) if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) else repr(item)


def carried_over(old: Any, new: Any, present: Any) -> Any:
    """The present value with the change from `old` to `new` applied. Each is a value, or the empty value of its setting.

    In a list, the items of `new` come first, in its order. An item that is the same in `old` stays as it is at present, or stays
    away if it was removed. Items in neither were set by API, and follow.
    """
    if old == new:
        return present
    if isinstance(new, dict) and isinstance(old, dict) and isinstance(present, dict):
        return _dicts(old, new, present)
    if isinstance(new, list) and isinstance(old, list) and isinstance(present, list):
        return _lists(old, new, present)
    return new


def _dicts(old: dict[Any, Any], new: dict[Any, Any], present: dict[Any, Any]) -> dict[Any, Any]:
    result = {}
    for key in {**new, **present}:
        values = [side.get(key) for side in (old, new, present)]
        empty: Any = [] if any(isinstance(value, list) for value in values) else None
        value = carried_over(*(empty if value is None else value for value in values))
        if value is not None and value != empty:
            result[key] = value
    return result


def _lists(old: list[Any], new: list[Any], present: list[Any]) -> list[Any]:
    before, now = dict(_marked(old)), dict(_marked(present))
    result = []
    for mark, item in _marked(new):
        if mark not in before or before[mark] != item:
            result.append(item)
        elif mark in now:
            result.append(now[mark])
    named = {*before, *(mark for mark, _ in _marked(new))}
    return result + [item for mark, item in now.items() if mark not in named]


def _marked(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Items, each with a key that is its own: its name, else the item itself, and how many equal ones came before."""
    return _numbered(map(_mark, items), items)


def _numbered(marks: Iterable[Any], items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    seen: Counter[Any] = Counter()
    for mark, item in zip(marks, items, strict=True):
        seen[mark] += 1
        yield (mark, seen[mark]), item


def _mark(item: Any) -> Any:
    if isinstance(item, msgspec.Struct):
        names = tuple(getattr(item, key) for key in IDENTITY if hasattr(item, key))
        return names or repr(item)
    try:
        hash(item)
    except TypeError:
        return repr(item)
    return item
