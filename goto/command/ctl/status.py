"""`goto ctl status`: an instance on one screen: listeners and rates, the rules that hold, and what is odd."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from goto.command.ctl.failures import DONE
from goto.command.ctl.screen import Row, show, table
from goto.command.ctl.session import JSON, Session
from goto.words.unseen import escaped

SPAN = 1.0
"""Seconds that rates are measured over."""

LISTENERS = ("listener", "label", "protocol", "open", "per second", "in flight", "p50 ms", "p99 ms", "exchanges", "5xx")
RULES = ("listener", "rule", "state", "matched", "struck", "unable", "holding")


def status(session: Session, words: Sequence[str], given: Mapping[str, Any]) -> int:
    """Raises `Ended`."""
    version = session.read("/goto/version")
    ready = session.answer("GET", "/goto/ready")
    first = session.answer("GET", "/goto/watch", accept=JSON)
    if session.as_json:
        show(session.checked(first), as_json=True)
        return DONE
    listeners = session.read("/listeners")
    # an instance that is older than this command cannot be watched
    counts = _measured(session, json.loads(first.body)) if first.status == 200 else {}
    print(f"goto {escaped(version['version'])} at {session.url}: {escaped(ready.text)}\n", flush=True)
    table(LISTENERS, [_listener(listener, counts.get(port, {})) for port, listener in listeners.items()])
    rules = list(_rules(counts))
    if rules:
        print()
        table(RULES, rules)
    odd = list(_odd(session, listeners, counts, ready=ready.status == 200))
    print()
    table(("odd", "shows more"), odd) if odd else print("nothing is odd")
    return DONE


def _measured(session: Session, first: Mapping[str, Any]) -> dict[str, Any]:
    """The counts of listeners, with rates of a second."""
    page, until = first, time.monotonic() + SPAN
    while (left := until - time.monotonic()) > 0:  # a change ends a wait
        page = session.read("/goto/watch", {"since": page["cursor"], "wait": f"{left:.3f}s"})
    counts: dict[str, Any] = page.get("counts", {})
    return counts


def _listener(listener: Mapping[str, Any], counts: Mapping[str, Any]) -> Row:
    named = ("perSecond", "inFlight", "p50", "p99", "exchanges")
    return [
        *(listener[key] for key in ("port", "label", "protocol", "open")),
        *(counts.get(key) for key in named),
        counts.get("byClass", {}).get("5xx", 0) if counts else None,
    ]


def _rules(counts: Mapping[str, Any]) -> Iterator[Row]:
    for port, of_listener in counts.items():
        for name, rule in of_listener.get("rules", {}).items():
            yield [port, name, *(rule[key] for key in ("state", "matched", "struck", "unable", "holding"))]


def _odd(session: Session, listeners: Mapping[str, Any], counts: Mapping[str, Any], *, ready: bool) -> Iterator[tuple[str, str]]:
    """What a person would want to know of, each with the command that shows more."""
    at = "goto ctl" + (f" --url {session.about['url']}" if "url" in session.about else "")
    ctl = f"goto ctl{session.options}"
    if not ready:
        yield "it is not ready for traffic", f"{ctl} goto ready"
    for port, listener in listeners.items():
        if not listener["open"]:
            yield f"listener {port} is closed", f"{ctl} listeners {port} open"
    for port, of_listener in counts.items():
        for name, rule in of_listener.get("rules", {}).items():
            shows = f"{at} --port {port} response rules {name}"
            if rule["unable"]:
                yield f"rule {name} of {port} was unable to do all it should: {rule['unable']:,}", shows
            if rule["state"] == "spent":
                yield f"rule {name} of {port} is spent", f"{shows} reset"
    for name, limit in session.read("/goto/limits").items():
        if isinstance(limit, dict) and limit.get("hit"):
            yield f"limit {name} was reached {limit['hit']:,} times", f"{ctl} goto limits"
    for peer in session.read("/registry/peers"):
        if peer["missedCount"]:
            yield f"peer {peer['name']} at {peer['address']} has missed {peer['missedCount']:,} pushes", f"{ctl} registry peers"
