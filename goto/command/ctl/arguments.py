"""The words and options of a `goto ctl`.

An option before the first word is about the instance. Behind the words, one that names a field of what they stand for is the
field, else it is about the instance. Options stand anywhere; what is behind `--` is a word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from goto.command.ctl.failures import bad_use, nearest
from goto.command.ctl.values import NO, YES
from goto.command.ctl.ways import Field, folded

ABOUT = {
    "url": "URL of the instance (default: GOTO_URL, else http://localhost:8080)",
    "token": "admin token, TOKEN or @FILE (default: GOTO_ADMIN_TOKEN)",
    "port": "act on the listener of this port",
    "peers": "make the call at each peer of this label of a registry",
    "only": "with --peers: at the N-th of them alone",
    "json": "print the answer of the API, byte for byte",
    "help": "say what there is",
}
"""Options about the instance, with what they do."""

BARE = ("json", "help")
"""Those without a value."""

Known = Callable[[Sequence[str]], Sequence[Field]]
"""The options of what some words stand for."""


@dataclass
class Arguments:
    words: list[str] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)
    """Fields, by their names, as they were written."""
    about: dict[str, str] = field(default_factory=dict)
    later: list[tuple[str, str]] = field(default_factory=list)
    """Options that what stood before them does not have: words behind them may make a field of them."""
    body: str | None = None
    """The file of a whole body, of `-f`."""


def parse(tokens: Sequence[str], known: Known) -> Arguments:
    """Raises `Ended` for bad use."""
    found = Arguments()
    rest = list(tokens)
    while rest:
        token = rest.pop(0)
        if token == "--":
            found.words += rest
            break
        if token == "-h":
            found.about["help"] = ""
        elif token == "-f":
            _short_f(found, rest, known)
        elif token.startswith("--"):
            name, equals, value = token[2:].partition("=")
            option = _option(found.words, name, known)
            if isinstance(option, Field):
                found.given[option.name] = value if equals else _value(token, rest, option.kinds)
            elif option:
                found.about[option] = value if equals or option in BARE else _value(token, rest, "s")
            elif not found.words:
                raise bad_use(f"unknown option {token}{nearest('--' + name, ['--' + one for one in ABOUT])}")
            else:
                found.later.append((name, value if equals else _value(token, rest, "s")))
        else:
            found.words.append(token)
    return found


def settle(found: Arguments, options: Sequence[Field]) -> None:
    """Make fields of the options that are left, once it is known which there are. Raises `Ended` for those that are none."""
    fields = {folded(one.name): one for one in options}
    for name, value in found.later:
        if folded(name) not in fields:
            there = [*(one.option for one in options), *(f"--{one}" for one in ABOUT)]
            raise bad_use(f"unknown option --{name}{nearest('--' + name, there)}")
        found.given[fields[folded(name)].name] = value
    found.later.clear()


def _option(words: Sequence[str], name: str, known: Known) -> Field | str | None:
    """The field that an option names where it stands, or what it says about the instance."""
    if words:
        for one in known(words):
            if folded(one.name) == folded(name):
                return one
    return name if name in ABOUT else None


def _short_f(found: Arguments, rest: list[str], known: Known) -> None:
    """`-f FILE` is a body; where there is an option `--follow`, `-f` is that."""
    if any(one.name == "follow" for one in known(found.words)):
        found.given["follow"] = "y"
    else:
        found.body = _value("-f", rest, "s")


def _value(option: str, rest: list[str], kinds: str) -> str:
    """The word behind an option, whatever it is. What is yes or no may stand alone, which is yes."""
    if kinds == "b" and (not rest or rest[0].lower() not in (*YES, *NO)):
        return "y"
    if not rest:
        raise bad_use(f"{option} needs a value")
    return rest.pop(0)
