"""`goto ctl config diff FILE`: what a file would change, if it was merged into the configuration."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from goto.command.ctl.failures import DONE, bad_use
from goto.command.ctl.screen import table
from goto.command.ctl.session import Session
from goto.config.loader import load
from goto.config.node import IDENTITY, data_of
from goto.testing.asking import Answer


def diff(session: Session, words: Sequence[str], given: Mapping[str, Any]) -> int:
    """Print a row for each value that would be another one. The instance says what it would come to. Raises `Ended`."""
    (file,) = words
    try:
        document = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise bad_use(f"{file}: {error.strerror}") from None
    present = session.checked(session.answer("GET", "/goto/config"))
    after = session.checked(session.answer("POST", "/goto/config", {"dry": "y"}, document))
    changes = list(changed(_data(present), _data(after)))
    if session.as_json:
        print(json.dumps([{"path": path, "is": old, "becomes": new} for path, old, new in changes], ensure_ascii=False))
    elif changes:
        table(("path", "is", "becomes"), changes)
    else:
        print(f"{file} would change nothing")
    return DONE


def _data(answer: Answer) -> Any:
    """A document as plain data."""
    return data_of(load(answer.body, "config"))


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
