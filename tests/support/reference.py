"""What pages have of declarations: `make reference` writes it between marks, and a test compares it.

<!-- reference: limits -->        a table of `TABLES`
<!-- example: gate.py -->         a file of docs/examples
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from goto.command.arguments import _parser
from support.pages import DOCS, pages

MARKED = re.compile(r"(<!-- (reference|example): ([\w.-]+) -->\n).*?(<!-- /\2 -->\n)", re.S)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    head = list(head)
    written = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (head, *rows)]
    return "\n".join([written[0], "|" + "---|" * len(head), *written[1:]]) + "\n"


# ---------------------------------------------------------------- the command
def commands() -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Each command: its name, what it does, and its parser."""
    (action,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
    for name, parser in action.choices.items():
        yield name, helps[name], parser


def options(command: str) -> str:
    parser = next(parser for name, _, parser in commands() if name == command)
    rows = []
    for action in parser._actions:
        if action.help in (argparse.SUPPRESS, None) or action.dest == "help":
            continue
        shown = action.metavar or (f"{{{','.join(action.choices)}}}" if action.choices else action.dest.upper())
        value = "" if action.nargs == 0 else f" {shown}"
        names = [f"`{name}{value}`" for name in action.option_strings] or [f"`{shown}`"]
        rows.append((", ".join(names), (action.help or "") % {"default": action.default}))
    return table(("option", "what it does"), rows)


def command_list() -> str:
    return table(("command", "what it does"), ((f"`goto {name}`", what) for name, what, _ in commands()))


TABLES: dict[str, Callable[[], str]] = {
    "commands": command_list,
    "options-of-serve": lambda: options("serve"),
    "options-of-send": lambda: options("send"),
}


def written(page: Path) -> str:
    """A page with all that is made as it is to be."""
    return MARKED.sub(lambda found: f"{found[1]}{_made(found[2], found[3])}{found[4]}", page.read_text())


def _made(kind: str, name: str) -> str:
    if kind == "example":
        return f"```python\n# {name}\n{(DOCS / 'examples' / name).read_text()}```\n"
    return TABLES[name]()


if __name__ == "__main__":
    for page in pages():
        page.write_text(written(page))
