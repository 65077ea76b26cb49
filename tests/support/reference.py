"""What pages have of declarations: `make reference` writes it between marks, and a test compares it.

<!-- reference: limits -->        a table of `TABLES`
<!-- example: gate.py -->         a file of docs/examples
"""

from __future__ import annotations

import argparse
import functools
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

import msgspec
from prometheus_client.core import Metric

from goto.api.table import Route
from goto.client.target import ClientTarget
from goto.command.arguments import _parser
from goto.command.ctl.arguments import ABOUT
from goto.command.statuses import STATUSES
from goto.features.proxy.target import ProxyTarget
from goto.features.rules.rule import Entry, Rule
from goto.hosts.mitm.options import OPTIONS
from goto.instance.figures import State, families
from goto.instance.wiring import config_keys, route_table
from goto.journal.shown import ShownEntry
from goto.settings import members
from goto.traffic.limits import ConfiguredLimits, Limits
from goto.words.schema import field_texts
from goto.words.writing import as_json
from support.lab import Carrier, Lab, in_lab
from support.pages import DOCS, pages

MARKED = re.compile(r"(<!-- (reference|example): ([\w.-]+) -->\n).*?(<!-- /\2 -->\n)", re.S)


BOUND = re.compile(r"^(?P<what>\| [^|]+ \| )[\d,]+(?P<unit>| KiB| MiB)(?P<between> \| )`(?P<where>goto\.[\w.]+)`(?= \|)", re.M)
"""A row that says where in the source its number is."""
UNITS = {"": 1, " KiB": 1 << 10, " MiB": 1 << 20}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    head = list(head)
    written = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (head, *rows)]
    return "\n".join([written[0], "|" + "---|" * len(head), *written[1:]]) + "\n"


# ---------------------------------------------------------------- the command
WITH_A_TABLE = ("serve", "send", "ctl")
"""Commands whose options have a table each."""


def commands() -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Each command: its name, what it does, and its parser."""
    (action,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
    for name, parser in action.choices.items():
        yield name, helps[name], parser


def options(command: str) -> str:
    """The arguments and options of a command."""
    parser = next(parser for name, _, parser in commands() if name == command)
    return table(("option", "what it does"), _options(parser))


def options_of_others() -> str:
    """Those of the commands that have only a few."""
    rows = ((f"`goto {name}`", *row) for name, _, parser in commands() if name not in WITH_A_TABLE for row in _options(parser))
    return table(("command", "option", "what it does"), rows)


def options_of_ctl() -> str:
    """Those that are about the instance: all others are fields."""
    rows = ((f"`--{name}`", what) for name, what in ABOUT.items())
    return table(("option", "what it does"), rows)


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if action.help in (argparse.SUPPRESS, None) or action.dest == "help":
            continue
        shown = action.metavar or (f"{{{','.join(action.choices)}}}" if action.choices else action.dest.upper())
        value = "" if action.nargs == 0 else f" {shown}"
        names = [f"`{name}{value}`" for name in action.option_strings] or [f"`{shown}`"]
        yield ", ".join(names), (action.help or "") % {"default": action.default}


def command_list() -> str:
    return table(("command", "what it does"), ((f"`goto {name}`", what) for name, what, _ in commands()))


def statuses(command: str = "") -> str:
    """The exit statuses of a command with those of all, or of each by its name."""
    if command:
        rows = ((status, when) for name, status, when in STATUSES if name in ("goto", command))
        return table(("exit status", "when"), sorted(rows, key=lambda row: int(row[0].partition(",")[0])))
    return table(("command", "status", "when"), ((f"`{name}`", status, when) for name, status, when in STATUSES))


# ---------------------------------------------------------------- the API
CHAPTERS = (
    ("listeners", "/listeners"),
    ("label", "/label"),
    ("tracking", "/request/headers"),
    ("timeouts", "/request/timeout"),
    ("bypass", "/request/uri"),
    ("delay", "/response/delay"),
    ("headers", "/response/headers"),
    ("rules", "/response/rules"),
    ("status", "/response/status"),
    ("targets", "/request/proxy"),
    ("client", "/client"),
    ("registry", "/registry"),
    ("journal", "/goto/journal"),
    ("journal", "/goto/watch"),
    ("goto", "/goto"),
)
"""Of the page of routes, each with what its paths begin with; a route is in the first that fits."""


MOST_SHOWN = 5
"""Query parameters that are shown with a path; where there are more, the page tells of them."""


def chapter_of(route: Route) -> str:
    return next((name for name, begin in CHAPTERS if f"{route.path}/".startswith(f"{begin}/")), "others")


def routes(chapter: str) -> str:
    """The routes of a chapter, with all that their docstrings say and the errors that they name."""
    first: dict[tuple[type, str], str] = {}
    rows = []
    for route in route_table().routes:
        known = first.setdefault((route.owner, route.method), route.path)
        if chapter_of(route) != chapter:
            continue
        asked = [f"{one.name}={{{one.name}}}" for one in route.parameters if one.source == "query"]
        query = "&".join(asked) if len(asked) <= MOST_SHOWN else "…"
        if known != route.path:
            told = f"The same as `{known}`."
        else:
            told = " ".join((inspect.getdoc(getattr(route.owner, route.method)) or "").split())
        errors = sorted({error.status for error in route.raises} - {400})
        rows.append((", ".join(route.methods), f"`{route.path}{'?' if query else ''}{query}`", told, " ".join(map(str, errors))))
    return table(("method", "path", "what it does", "errors"), rows)


# ---------------------------------------------------------------- fields and keys
SIMPLE = {
    bool: "`true`, `false`",
    int: "number",
    float: "number",
    str: "text",
    Any: "any JSON",
    bytes: "bytes",
    type(None): "`null`",
}
WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def kind(declared: Any) -> str:
    """What a value may be, in words, or an example."""
    origin, inner = get_origin(declared), get_args(declared)
    if origin is Annotated:
        return kind(inner[0])
    if origin is Literal:
        return ", ".join(f"`{json.dumps(one) if isinstance(one, bool) else one}`" for one in inner)
    if (choices := members(declared)) != [declared]:
        return " or ".join(dict.fromkeys(map(kind, choices)))
    if origin is list:
        pair = get_origin(inner[0]) is tuple
        return "list of `[name, value]`" if pair else f"list of {kind(inner[0])}"
    if origin is dict:
        return f"map to {kind(inner[1])}"
    if origin is tuple or declared is msgspec.Raw or declared is list:
        return "list"
    if declared in SIMPLE:
        return SIMPLE[declared]
    if is_typeddict(declared) or (isinstance(declared, type) and issubclass(declared, msgspec.Struct)):
        return "object"
    own = getattr(declared, "schema", {})
    if "enum" in own:
        return ", ".join(f"`{one}`" for one in own["enum"])
    if examples := own.get("examples"):
        return f"`{examples[0] if isinstance(examples[0], str) else json.dumps(examples[0])}`"
    return WORDS.sub(" ", declared.__name__).lower()


def fields(struct: type[msgspec.Struct], without: type[msgspec.Struct] | None = None) -> str:
    """The fields of a JSON object, in the order declared, but for those of another."""
    told = field_texts(struct)
    left_out = () if without is None else without.__struct_fields__
    rows = []
    for one in msgspec.structs.fields(struct):
        if one.name in left_out:
            continue
        default = "required" if one.required else _default(one.default if one.default is not msgspec.NODEFAULT else None)
        rows.append((f"`{one.encode_name}`", kind(one.type), default, told.get(one.name, "")))
    return table(("field", "value, for example", "default", "meaning"), rows)


def _default(value: Any) -> str:
    if value is None or value == "" or value is msgspec.UNSET:
        return "none"
    return f"`{json.dumps(as_json(value))}`".replace('"', "")


def answer(shown: Any) -> str:
    """The keys of a JSON object that is answered."""
    told = field_texts(shown)
    rows = ((f"`{name}`", kind(declared), told.get(name, "")) for name, declared in get_type_hints(shown).items())
    return table(("key", "value", "meaning"), rows)


def keys(of: str) -> str:
    """The keys of a listener, or of the process."""
    found = getattr(config_keys(), of)
    rows = (
        (f"`{path}`", kind(key.setting.type), " ".join(key.setting.description.split())) for path, key in sorted(found.items())
    )
    return table(("key", "value, for example", "sets"), rows)


# ---------------------------------------------------------------- figures and limits
class _Idle(Carrier):
    """Carries nothing, which has a load too."""

    log = SimpleNamespace(lost=0)

    def loads(self) -> dict[Any, Any]:
        return {}


def metrics() -> str:
    """The metrics of an instance that serves nothing."""

    async def read(lab: Lab) -> list[Metric]:
        return families(State(_Idle(), lab.instance.listeners, lab.instance.registry, lab.instance.upstream, 0.0, 0))  # type: ignore[arg-type]  # nothing hosts it

    rows = []
    for family in in_lab(read):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        if family.type == "info":
            name = f"{family.name}_info"
        names = [*getattr(family, "_labelnames", ()), *(label for sample in family.samples for label in sample.labels)]
        labels = " ".join(f"`{label}`" for label in dict.fromkeys(names))
        rows.append((f"`{name}`", "gauge" if family.type == "info" else family.type, labels, family.documentation))
    return table(("metric", "type", "labels", "what"), rows)


def limits() -> str:
    """What `--limit` sets."""
    told = field_texts(ConfiguredLimits)
    beyond = _attributes(inspect.getsource(Limits))
    rows = []
    for one in msgspec.structs.fields(ConfiguredLimits):
        what, _, default = told[one.name].rpartition(" (")
        then = re.sub(r"^(?:beyond it|then) ", "", beyond[one.name]).rstrip(".")
        rows.append((f"`{one.encode_name}`", what, f"`{default.removesuffix(').')}`", then))
    return table(("name", "what", "default", "beyond it"), rows)


def _attributes(source: str) -> dict[str, str]:
    """What the docstrings of attributes say behind their first sentence or a semicolon: what is done beyond a limit."""
    told = re.findall(r'self\.(\w+)\b[^\n]*\n\s+"""(.*?)"""', source, re.S)
    return {name: re.split(r"[.;] ", " ".join(text.split()), maxsplit=1)[-1] for name, text in told}


TABLES: dict[str, Callable[[], str]] = {
    "commands": command_list,
    "options-of-serve": lambda: options("serve"),
    "options-of-send": lambda: options("send"),
    "options-of-ctl": options_of_ctl,
    "options-of-others": options_of_others,
    "options-in-mitmproxy": lambda: table(("option", "what it does"), ((f"`{name}`", what) for name, what in OPTIONS.items())),
    "statuses": statuses,
    "statuses-of-send": lambda: statuses("goto send"),
    "statuses-of-ctl": lambda: statuses("goto ctl"),
    **{f"routes-{name}": functools.partial(routes, name) for name, _ in CHAPTERS},
    "keys-of-a-listener": lambda: keys("listener"),
    "keys-of-the-process": lambda: keys("process"),
    "proxy-target": lambda: fields(ProxyTarget),
    "client-target": lambda: fields(ClientTarget),
    "rule": lambda: fields(Rule, without=Entry),
    "rule-entry": lambda: fields(Entry),
    "journal-entry": lambda: answer(ShownEntry),
    "metrics": metrics,
    "limits": limits,
}


def written(page: Path) -> str:
    """A page with all that is made as it is to be."""
    text = MARKED.sub(lambda found: f"{found[1]}{_made(found[2], found[3])}{found[4]}", page.read_text())
    return BOUND.sub(_bound, text)


def _bound(row: re.Match[str]) -> str:
    """A row of a table of bounds, with the number that the constant it names has now."""
    value, unit = pkgutil.resolve_name(row["where"]), row["unit"]
    return f"{row['what']}{value // UNITS[unit]:,}{unit}{row['between']}`{row['where']}`"


def _made(kind: str, name: str) -> str:
    if kind == "example":
        return f"```python\n# {name}\n{(DOCS / 'examples' / name).read_text()}```\n"
    return TABLES[name]()


if __name__ == "__main__":
    for page in pages():
        page.write_text(written(page))
