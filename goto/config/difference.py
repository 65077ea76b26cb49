"""What changes from one document to the next, and what that makes of the present state.

What both documents say alike is left as it is, whatever became of it since: counts, countdowns, and what was set by API.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from goto.config.document import Settings
from goto.config.node import IDENTITY


def changed(old: Settings, new: Settings) -> Iterator[str]:
    """The paths of settings of which the documents do not say the same."""
    for path in {**old, **new}:
        if path not in old or path not in new or old[path].value != new[path].value:
            yield path


def carried_over(old: Any, new: Any, present: Any) -> Any:
    """The present value with the change from `old` to `new` made to it. Each is a value, or what stands for none.

    In a list, what `new` names comes first, in its order: an item that it says as `old` did stays as it is at present, gone if it
    is gone. What neither names was set by API, and follows.
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
    """Items with what tells them apart: the name of what has one, else the item itself and how many of it came before."""
    seen: Counter[Any] = Counter()
    for item in items:
        mark = _mark(item)
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
