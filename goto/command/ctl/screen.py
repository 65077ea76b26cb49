"""What `goto ctl` prints: text as it is, JSON as rows. A terminal gets tables, a pipe the same columns with tabs between them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from goto.testing.asking import Answer
from goto.words.unseen import escaped, escaped_lines

MOST_COLUMNS = 14
"""What has more of them is shown as a row for each value."""

Row = Sequence[object]


def show(answer: Answer, *, as_json: bool = False) -> None:
    """Print an answer."""
    if as_json:
        sys.stdout.flush()
        sys.stdout.buffer.write(answer.body)
        return
    if not answer.is_json:
        text = answer.text
        print(escaped_lines(text) if text else "", end="\n" if text else "")
        return
    try:
        value = json.loads(answer.body)
    except ValueError:
        print(escaped_lines(answer.text))
        return
    show_value(value)


def show_value(value: Any) -> None:
    """Print a value of JSON."""
    value = bare(value)
    if value is None:
        print("nothing")
        return
    found = columns_of(value)
    if found is not None:
        table(*found)
    elif isinstance(value, dict | list):
        if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
            for item in value:
                print(cell(item))
        else:
            table(("name", "value"), list(flat(value)))
    else:
        print(cell(value))


def bare(value: Any) -> Any:
    """A value without what is null or empty in it; None where nothing is left."""
    if isinstance(value, dict):
        return {key: item for key, inner in value.items() if (item := bare(inner)) is not None} or None
    if isinstance(value, list):
        return [bare(item) for item in value] or None
    return None if value == "" else value


def columns_of(value: Any) -> tuple[list[str], list[Row]] | None:
    """The columns and rows of a list of objects, or of objects by name; None where it is something else."""
    if isinstance(value, dict):
        items = [
            ({"name": name} | item if "name" not in item else item) for name, item in value.items() if isinstance(item, dict)
        ]
        if len(items) != len(value):
            return None
    elif isinstance(value, list) and all(isinstance(item, dict) for item in value):
        items = value
    else:
        return None
    columns = list(dict.fromkeys(key for item in items for key in item))
    if len(columns) > MOST_COLUMNS or any(_deep(item) for item in items):
        return None
    return columns, [[item.get(key) for key in columns] for item in items]


def _deep(item: dict[str, Any]) -> bool:
    """Whether objects within it have more in them than one line shows."""
    return any(isinstance(inner, dict) and any(isinstance(one, dict) for one in inner.values()) for inner in item.values())


def flat(value: Any, path: str = "") -> Iterable[Row]:
    """A row for each value: the way to it, and itself."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for number, item in enumerate(value):
            yield from flat(item, f"{path}[{number}]")
    else:
        yield path, value


def cell(value: object) -> str:
    """A value on one line, without anything that a terminal acts on."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return escaped(value)
    return escaped(json.dumps(value, ensure_ascii=False)) if isinstance(value, dict | list) else str(value)


def table(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Print rows."""
    lines = [[cell(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for line in [list(columns), *lines]:
            print("\t".join(line))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        numbers = all(_is_number(line[number]) for line in lines)
        made.add_column(name, justify="right" if numbers and lines else "left", overflow="fold")
    for line in lines:
        made.add_row(*map(Text, line))
    Console().print(made)


def _is_number(text: str) -> bool:
    return not text or text.replace(".", "", 1).isdecimal()
