"""The short words of `goto ctl`: what is done often, in few words. They win over words of a path."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from goto.command.ctl.failures import DONE, NOT_SO, bad_use
from goto.command.ctl.session import JSON, Session
from goto.command.ctl.table import WAYS
from goto.command.ctl.ways import Field
from goto.testing.asking import Answer


class Made(NamedTuple):
    """A call that was made."""

    answer: Answer
    status: int = DONE
    """The exit status."""


Make = Callable[[Session, Sequence[str], Mapping[str, Any]], Made]
"""What makes a call: with the words behind the short one, and the values of its options."""

Run = Callable[[Session, Sequence[str], Mapping[str, Any]], int]
"""What makes several calls, and prints what they come to. Returns the exit status."""


@dataclass(frozen=True)
class Short:
    words: tuple[str, ...]
    about: str
    make: Make | None = None
    run: Run | None = None
    behind: tuple[str, ...] = ()
    """The words that stand behind it, all of them needed."""
    fields: tuple[Field, ...] = ()

    @property
    def name(self) -> str:
        return " ".join(self.words)


def fields_of(method: str, path: str) -> tuple[Field, ...]:
    """The options of a route."""
    return next((way.options for way in WAYS if (way.method, way.path) == (method, path)), ())


# ---------------------------------------------------------------- reads
def _reading(path: str) -> Make:
    def make(session: Session, words: Sequence[str], given: Mapping[str, Any]) -> Made:
        query = {name: str(value) for name, value in given.items()}
        return Made(session.checked(session.answer("GET", path, query, accept=session.accept)))

    return make


def _elsewhere(module: str, name: str) -> Run:
    """What a module of this folder does, which is imported when it is asked for."""

    def run(session: Session, words: Sequence[str], given: Mapping[str, Any]) -> int:
        status: int = getattr(import_module(f"goto.command.ctl.{module}"), name)(session, words, given)
        return status

    return run


# ---------------------------------------------------------------- rules
def _rule(what: Callable[[Sequence[str]], dict[str, Any]]) -> Make:
    """Add a rule that does what the words say, to the traffic that the options say."""

    def make(session: Session, words: Sequence[str], given: Mapping[str, Any]) -> Made:
        fields = dict(given)
        when = fields.pop("when", {})
        if not isinstance(when, dict):
            raise bad_use('--when: write it like \'{"uris": ["/a"]}\'')
        if "to" in fields:
            when = {**when, "uris": [fields.pop("to")]}
        if "method" in fields:
            when = {**when, "methods": [fields.pop("method")]}
        if "times" in fields:
            fields["count"] = fields.pop("times")
        rule = {
            "name": fields.pop("name", None) or _free_name(session),
            **({"when": when} if when else {}),
            **what(words),
            **fields,
        }
        answer = session.post("/response/rules/add", rule, accept=session.accept)
        if session.as_json:
            return Made(answer)
        back = f"take it back: goto ctl{session.options} response rules {rule['name']} remove"
        return Made(answer._replace(body=f"{answer.text}\n{back}\n".encode()))

    return make


def _free_name(session: Session) -> str:
    """The first of `ctl-1`, `ctl-2`, … that no rule has."""
    there = session.read("/response/rules")
    number = 1
    while f"ctl-{number}" in there:
        number += 1
    return f"ctl-{number}"


def _status(words: Sequence[str]) -> dict[str, Any]:
    return {"status": int(words[0]) if words[0].isdecimal() else words[0]}


ON_TRAFFIC = (Field("to", "s"), Field("method", "s"), Field("times", "n"))
RULE = (*ON_TRAFFIC, *(field for field in fields_of("POST", "/response/rules/add") if field.name not in ("count",)))


# ---------------------------------------------------------------- verify and expect
def _verify(session: Session, words: Sequence[str], given: Mapping[str, Any]) -> Made:
    """Wait, and tell what it came to."""
    body = json.dumps(given, ensure_ascii=False).encode()
    answer = session.answer("POST", "/goto/journal/verify", None, body, accept=session.accept, kind=JSON)
    return Made(answer, NOT_SO) if answer.status == 417 else Made(session.checked(answer))


def _expect(session: Session, words: Sequence[str], given: Mapping[str, Any]) -> Made:
    """Add an expectation, and with `--wait` wait until it holds."""
    fields = dict(given)
    wait = fields.pop("wait", None)
    if "name" not in fields:
        fields["name"] = _free_expectation(session)
    answer = session.post("/goto/journal/expectations/add", fields, accept=session.accept)
    if wait is None:
        return Made(answer)
    from urllib.parse import quote

    path = f"/goto/journal/expectations/{quote(str(fields['name']), '')}"
    answer = session.checked(session.answer("GET", path, {"wait": str(wait)}, accept=JSON))
    return Made(answer, DONE if json.loads(answer.body).get("holds") else NOT_SO)


def _free_expectation(session: Session) -> str:
    there = session.read("/goto/journal/expectations")
    names = {item["name"] for item in there} if isinstance(there, list) else set(there)
    number = 1
    while f"ctl-{number}" in names:
        number += 1
    return f"ctl-{number}"


RESULTS = fields_of("GET", "/client/results")
JOURNAL = (*fields_of("GET", "/goto/journal"), Field("follow", "b"), Field("har", "b"))

SHORTS: tuple[Short, ...] = (
    Short(("status",), "Show how the instance is, on one screen.", run=_elsewhere("status", "status")),
    Short(("fail",), "Answer traffic with a status of your own.", _rule(_status), behind=("STATUS",), fields=RULE),
    Short(("delay",), "Hold traffic back.", _rule(lambda words: {"delay": words[0]}), behind=("DURATION",), fields=RULE),
    Short(("reset",), "End connections by a reset, without an answer.", _rule(lambda words: {"abort": "reset"}), fields=RULE),
    Short(("close",), "Close connections, without an answer.", _rule(lambda words: {"abort": "close"}), fields=RULE),
    Short(("hang",), "Never answer.", _rule(lambda words: {"abort": "hang"}), fields=RULE),
    Short(("rules",), "List the rules.", _reading("/response/rules")),
    Short(("targets",), "List the proxy targets.", _reading("/request/proxy/targets")),
    Short(("listeners",), "List the listeners.", _reading("/listeners")),
    Short(("config",), "Show the configuration.", _reading("/goto/config")),
    Short(("config", "diff"), "Show what a file would change.", run=_elsewhere("diff", "diff"), behind=("FILE",)),
    Short(("results",), "Show the results of the client.", _reading("/client/results"), fields=RESULTS),
    Short(("journal",), "Show the journal; -f follows it.", run=_elsewhere("journal", "journal"), fields=JOURNAL),
    Short(("verify",), "Say whether something went through.", _verify, fields=fields_of("POST", "/goto/journal/verify")),
    Short(
        ("expect",),
        "Count what goes through from now on; --wait waits until it holds.",
        _expect,
        fields=(*fields_of("POST", "/goto/journal/expectations/add"), Field("wait", "s")),
    ),
)


def short_of(words: Sequence[str]) -> Short | None:
    """The short word that these begin with, the longest one. None where they go on as the words of a path do."""
    found = [short for short in SHORTS if tuple(words[: len(short.words)]) == short.words]
    best = max(found, key=lambda short: len(short.words), default=None)
    if best is None or (len(words) > len(best.words) and not best.behind and _is_path(words)):
        return None
    return best


def _is_path(words: Sequence[str]) -> bool:
    """Whether more words than a short one has are those of a path: `listeners 8081 open`."""
    return any(way.words[0] == words[0] for way in WAYS)
