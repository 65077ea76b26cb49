"""Friendly keywords, as the fields of the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

from goto.testing.exchanges import Exchange
from goto.testing.routes import in_words

OneOrMore = str | Sequence[str]
Named = Mapping[str, str | None] | Sequence[Sequence[str]]
"""Values by name, None where it only has to be there; or pairs, as in the API: `[["x", "1"], ["y"]]`."""


class Criteria(TypedDict, total=False):
    """What an exchange has to have, all of it."""

    method: OneOrMore
    headers: Named
    query: Named
    """Of parameters."""
    body: Any
    """Text that the body contains, or JSON: of objects the keys given, of lists all items."""
    reused: bool
    """Whether it is not the first of its connection."""
    status: int | str
    """`503`, `5xx`, `!2xx`; 0 for none."""
    end: str
    rule: str
    """A rule that struck it."""
    target: str
    """A target that was called for it."""
    id: str
    took: Mapping[str, str | float]
    """`{"atLeast": 1.9, "atMost": "2.1s"}`, from head to end."""


class RuleOptions(TypedDict, total=False):
    """What traffic a rule strikes, and when. Durations are text, or seconds."""

    name: str
    method: OneOrMore
    headers: Named
    query: Named
    body_has: Any
    """Text that the request's body contains, or JSON as in `Criteria`."""
    reused: bool
    unless: Mapping[str, Any]
    times: int
    probability: float
    seed: int
    per: str
    at: str
    skip: int
    every: int
    after: str | float
    for_: str | float
    probes: bool
    receipt: bool
    trigger: Sequence[str]
    enabled: bool
    response_headers: Named


def several(given: OneOrMore) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def pairs(given: Named) -> list[list[str]]:
    """Names and values as the API has them."""
    if not isinstance(given, Mapping):
        return [list(pair) for pair in given]
    return [[name] if value is None else [name, value] for name, value in given.items()]


def body_test(given: Any) -> dict[str, Any]:
    """The criterion of a body."""
    return {"contains": given} if isinstance(given, str) else {"json": given}


def when_of(to: OneOrMore | None, criteria: Mapping[str, Any]) -> dict[str, Any]:
    """Criteria as a rule and a verification have them."""
    when: dict[str, Any] = {}
    for name, value in {"to": to, **criteria}.items():
        if value is None:
            continue
        match name:
            case "to":
                when["uris"] = several(value)
            case "method":
                when["methods"] = several(value)
            case "headers" | "query":
                when[name] = pairs(value)
            case "body":
                when["body"] = body_test(value)
            case "status":
                when["status"] = str(value)
            case "took":
                when["took"] = {bound: in_words(time) for bound, time in value.items()}
            case _:
                when[name] = value
    return when


def rule_of(to: OneOrMore | None, options: Mapping[str, Any], does: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a rule, without its name."""
    of_when = {"method", "headers", "query", "reused"}
    when = when_of(to, {name: value for name, value in options.items() if name in of_when})
    if options.get("body_has") is not None:
        when["body"] = body_test(options["body_has"])
    fields: dict[str, Any] = {"when": when} if when else {}
    for name, value in options.items():
        if name in of_when or name in ("name", "body_has") or value is None:
            continue
        if name == "response_headers":
            fields["headers"] = pairs(value)
        elif name == "times":
            fields["count"] = value
        else:
            fields[name] = in_words(value) if name in ("after", "for_") else value
    return {**fields, **{name: value for name, value in does.items() if value is not None}}


def count_of(times: int | None, at_least: int | None, at_most: int | None) -> dict[str, int] | None:
    """A count as the API has it; None for at least one. Raises ValueError."""
    if times is not None and (at_least is not None or at_most is not None):
        raise ValueError("times: cannot be given together with at_least or at_most")
    given = {"exactly": times, "atLeast": at_least, "atMost": at_most}
    return {name: count for name, count in given.items() if count is not None} or None


# ---------------------------------------------------------------- looking into the journal
def queries(to: OneOrMore | None, criteria: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What to ask `GET /goto/journal` for, once for each URI; `fits` looks at the rest."""
    asked: dict[str, Any] = {name: criteria[name] for name in ("end", "rule", "target", "id") if criteria.get(name) is not None}
    if criteria.get("status") is not None:
        asked["status"] = str(criteria["status"])
    if isinstance(criteria.get("method"), str):
        asked["method"] = criteria["method"]
    for uri in [None] if to is None else several(to):
        yield asked if uri is None else {**asked, "uri": uri}


def fits(exchange: Exchange, criteria: Mapping[str, Any]) -> bool:
    """Whether an exchange has what `queries` could not ask for."""
    from goto.matching.when import Body, BodyTest
    from goto.words import Duration

    methods = criteria.get("method")
    if methods is not None and exchange.method not in several(methods):
        return False
    if not all(_has(exchange.headers.all(name), value) for name, *value in pairs(criteria.get("headers") or {})):
        return False
    if not all(_has(_values(exchange.query, name), value) for name, *value in pairs(criteria.get("query") or {})):
        return False
    if criteria.get("reused") is not None and (exchange.entry.get("onConnection", 1) > 1) != criteria["reused"]:
        return False
    if criteria.get("body") is not None:
        kept = exchange.entry.get("body") or {}
        test = BodyTest.read(body_test(criteria["body"]))
        if not test.fits(Body(exchange.body, not kept.get("truncated"))):
            return False
    for bound, time in (criteria.get("took") or {}).items():
        wanted, took = Duration.parse(str(in_words(time))).seconds, exchange.seconds
        if took is None or (took < wanted if bound == "atLeast" else took > wanted):
            return False
    return True


def _has(values: Sequence[str], wanted: Sequence[str]) -> bool:
    return bool(values) if not wanted or wanted[0].startswith("{") else wanted[0] in values


def _values(query: str, name: str) -> list[str]:
    from urllib.parse import unquote_plus

    found = [pair.partition("=") for pair in query.split("&") if pair]
    return [unquote_plus(value) for key, _, value in found if unquote_plus(key) == name]
