"""`goto ctl`: from its words to a call, and from the answer to what is printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from goto.command.ctl.arguments import ABOUT, Arguments, parse, settle
from goto.command.ctl.failures import DONE, Ended, bad_use, nearest
from goto.command.ctl.names import names
from goto.command.ctl.screen import show, table
from goto.command.ctl.session import Session
from goto.command.ctl.short import SHORTS, Made, Short, short_of
from goto.command.ctl.table import WAYS
from goto.command.ctl.values import value_of
from goto.command.ctl.ways import Field, Way, chosen, following, matching
from goto.words.unseen import escaped

USAGE = """usage: goto ctl [OPTION]... WORD... [--FIELD VALUE]...

Make a management call. The words are its path: `goto ctl response delay set 200ms` is PUT /response/delay/set/200ms.
Words in braces stand for your own; fields of a body and parameters of a query are options, and -f FILE is a whole body.
"""

EXAMPLES = """
examples:
  goto ctl status                                    how the instance is
  goto ctl fail 503 --to /orders --times 2           exactly the next two requests to /orders
  goto ctl delay 200ms --for 30s                     all traffic, for half a minute
  goto ctl response rules                            GET /response/rules
  goto ctl listeners add --port 8081 --open y        POST /listeners/add
  goto ctl journal -f --status 5xx                   follow what fails
  goto ctl response --help                           what there is below a word

exit status: 0 done, 1 it is not so (verify, expect, health), 2 bad use, 3 refused, 4 not reached
"""


def ctl(tokens: Sequence[str]) -> int:
    """Carry out a command. Returns the exit status."""
    as_json = "--json" in tokens
    try:
        if tokens[:1] == ["--names"]:
            arguments = parse(tokens[2:], _known)
            return names(tokens[1] if len(tokens) > 1 else "", arguments.about)
        arguments = parse(tokens, _known)
        as_json = "json" in arguments.about
        return _run(arguments)
    except Ended as ended:
        if as_json:
            sys.stderr.flush()
            sys.stderr.buffer.write(ended.as_json)
        elif ended.text:
            print(escaped(f"goto: {' '.join(ended.text.split())}"), file=sys.stderr)
        return ended.status


def _run(arguments: Arguments) -> int:
    """Raises `Ended`."""
    words, about = arguments.words, arguments.about
    if "help" in about or not words:
        return _help(words)
    short = short_of(words)
    if "only" in about and "peers" not in about:
        raise bad_use("--only: stands beside --peers alone")
    session = Session(about)
    if short is not None:
        return _run_short(session, short, arguments)
    ways = matching(WAYS, words)
    if not ways:
        from goto.command.ctl.foreign import foreign_ways

        foreign = foreign_ways(session)
        ways = matching(foreign, words)
        if not ways:
            raise _unknown(words, [*WAYS, *foreign])
    settle(arguments, [field for way in ways for field in way.options])
    way = chosen(ways, body=arguments.body is not None or _has_fields(arguments, ways))
    given = _values(arguments, way.options)
    body = _body(arguments, way)
    if "peers" in about:
        return _at_peers(session, arguments, lambda peer: Made(peer.call(way, words, given, body)))
    return _shown(session, Made(session.call(way, words, given, body)))


def _at_peers(session: Session, arguments: Arguments, make: Callable[[Session], Made]) -> int:
    from goto.command.ctl.peers import at_each

    return at_each(session, arguments.about, make)


def _shown(session: Session, made: Made) -> int:
    show(made.answer, as_json=session.as_json)
    return made.status


def _run_short(session: Session, short: Short, arguments: Arguments) -> int:
    behind = arguments.words[len(short.words) :]
    if len(behind) != len(short.behind):
        like = f"write it like goto ctl {' '.join((*short.words, *short.behind))}"
        raise bad_use(f"{short.name}: {like}" if short.behind else f"{short.name}: {behind[0]} is one word too many")
    settle(arguments, short.fields)
    given = _values(arguments, short.fields)
    if short.run is not None:
        if "peers" in arguments.about:
            raise bad_use(f"--peers: not with {short.name}")
        return short.run(session, behind, given)
    make = short.make
    assert make is not None
    if "peers" in arguments.about:
        return _at_peers(session, arguments, lambda peer: make(peer, behind, given))
    return _shown(session, make(session, behind, given))


def _has_fields(arguments: Arguments, ways: Sequence[Way]) -> bool:
    names = {field.name for way in ways for field in way.fields}
    return bool(names & set(arguments.given))


def _values(arguments: Arguments, options: Sequence[Field]) -> dict[str, Any]:
    """The values of the options of a way. Raises `Ended` for one that it does not have."""
    kinds = {field.name: field.kinds for field in options}
    for name in arguments.given:
        if name not in kinds:
            raise bad_use(f"--{name}: not here{nearest(name, kinds)}")
    return {name: value_of(text, kinds[name]) for name, text in arguments.given.items()}


def _body(arguments: Arguments, way: Way) -> bytes | None:
    """The body of `-f`. Raises `Ended`."""
    file = arguments.body
    if file is None:
        return None
    if not (way.fields or way.raw):
        raise bad_use(f"-f: {way.method} {way.path} takes no body")
    if {field.name for field in way.fields} & set(arguments.given):
        raise bad_use("-f: cannot be given together with fields of the body")
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise bad_use(f"-f: {file}: {error.strerror}") from None


# ---------------------------------------------------------------- what is known
def _known(words: Sequence[str]) -> Sequence[Field]:
    """The options of what some words stand for."""
    short = short_of(words)
    if short is not None:
        return short.fields
    return [field for way in matching(WAYS, words) for field in way.options]


def _unknown(words: Sequence[str], ways: Sequence[Way]) -> Ended:
    """What is wrong with words that are no path."""
    for count in range(len(words)):
        behind = following(ways, words[:count])
        first = {short.words[0] for short in SHORTS} if not count else set()
        if not following(ways, words[: count + 1]) and not matching(ways, words[: count + 1]):
            if not behind:
                return bad_use(f"{words[count]} is one word too many behind {' '.join(words[:count])}")
            return bad_use(f"unknown word {words[count]}{nearest(words[count], {*behind, *first})}")
    return bad_use(f"{' '.join(words)}: one of these has to follow: {', '.join(following(ways, words))}")


def _help(words: Sequence[str]) -> int:
    """Print what there is, below some words. Raises `Ended`."""
    short = short_of(words) if words else None
    below = [way for way in WAYS if len(way.words) >= len(words) and following([way], words[:-1]) and _below(way, words)]
    if words and not below and short is None:
        raise _unknown(words, WAYS)
    if not words:
        print(USAGE)
        table(("short", ""), [(" ".join((*one.words, *one.behind)), one.about) for one in SHORTS])
        print()
        table(("option", ""), [("--" + name, about) for name, about in ABOUT.items()])
        print()
    rows: list[tuple[str, str, tuple[Field, ...]]] = [(" ".join(way.words), way.about, way.options) for way in below]
    if short is not None:
        rows.insert(0, (" ".join((*short.words, *short.behind)), short.about, short.fields))
    table(("words", ""), [row[:2] for row in rows])
    if not words:
        print(EXAMPLES)
    elif rows[0][0].split()[: len(words)] == words:
        # those of what the words stand for themselves
        options = {field.option: field.kinds for row in rows if len(row[0].split()) <= len(words) + 1 for field in row[2]}
        if options:
            print()
            table(("option", ""), [(option, _spoken(kinds)) for option, kinds in options.items()])
    return DONE


def _spoken(kinds: str) -> str:
    """What the value of an option may be."""
    if len(kinds) > 3:
        return "any JSON, or text"
    return " or ".join(
        {"s": "text", "n": "a number", "b": "y or n", "l": "texts with commas", "j": "JSON"}[kind] for kind in kinds
    )


def _below(way: Way, words: Sequence[str]) -> bool:
    return all(word == wanted or wanted.startswith("{") for word, wanted in zip(words, way.words, strict=False))
