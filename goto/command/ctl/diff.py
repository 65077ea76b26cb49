"""`goto ctl config diff FILE`: what a file would change, if it was merged into the configuration."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from goto.command.ctl.failures import DONE, bad_use
from goto.command.ctl.screen import table
from goto.command.ctl.session import Session
from goto.config.errors import ConfigError
from goto.config.loader import LARGEST, load, load_file
from goto.config.merge import merge
from goto.config.node import IDENTITY, data_of, node_of
from goto.config.spelling import as_declared


def diff(session: Session, words: Sequence[str], given: Mapping[str, Any]) -> int:
    """Print a row for each value that would be another one. Raises `Ended`."""
    from goto.instance.wiring import config_keys

    (file,) = words
    present = session.read("/goto/config")
    try:
        node = load(sys.stdin.buffer.read(LARGEST + 1), file) if file == "-" else load_file(file)
        after = data_of(merge([node_of(present, "present"), as_declared(node, config_keys())]))
    except ConfigError as error:
        raise bad_use(str(error)) from None
    changes = list(changed(present, after))
    if session.as_json:
        import json

        print(json.dumps([{"path": path, "is": old, "becomes": new} for path, old, new in changes], ensure_ascii=False))
    elif changes:
        table(("path", "is", "becomes"), changes)
    else:
        print(f"{file} would change nothing")
    return DONE


def changed(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The values that differ, by the way to them. Items of lists are told apart by their names."""
    if old == new:
        return
    before, after = _by_key(old), _by_key(new)
    if before is None or after is None:
        yield path, old, new
        return
    for key in {**before, **after}:
        yield from changed(before.get(key), after.get(key), f"{path}.{key}".removeprefix(".").replace(".[", "["))


def _by_key(value: Any) -> dict[str, Any] | None:
    """The parts of a value; None where it is shown whole."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and value and all(isinstance(item, dict) and {"name", "port"} & set(item) for item in value):
        return {f"[{' '.join(str(item[key]) for key in IDENTITY if key in item)}]": item for item in value}
    return None
