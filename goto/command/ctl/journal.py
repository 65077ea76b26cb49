"""`goto ctl journal`: what went through, and with `-f` what goes through."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from goto.command import signals
from goto.command.ctl.failures import DONE, bad_use
from goto.command.ctl.screen import show
from goto.command.ctl.session import JSON, Session
from goto.words.unseen import escaped

PATH = "/goto/journal"

WAIT = "30s"
"""How long one call waits while it follows."""

WAIT_OPEN = "1s"
"""The same while exchanges are under way: an end wakes nobody."""

MOST_OPEN = 100
"""Exchanges whose end is waited for. Of more than that the oldest are shown as they are."""


def journal(session: Session, words: Sequence[str], given: Mapping[str, Any]) -> int:
    """Raises `Ended`."""
    query = {name: str(value) for name, value in given.items() if name not in ("follow", "har")}
    if given.get("har"):
        if given.get("follow"):
            raise bad_use("--har: not with -f")
        query["format"] = "har"
    if given.get("follow"):
        return follow(session, query)
    if not session.as_json and "format" not in query:
        query["format"] = "text"
    answer = session.checked(session.answer("GET", PATH, query))
    if session.as_json or query.get("format") in ("har", "ndjson"):
        show(answer, as_json=True)
    else:
        show(answer)
    return DONE


def follow(session: Session, query: Mapping[str, str]) -> int:
    """Print each exchange when it has ended, until Ctrl-C, and then how many there were."""
    followed = Followed(session, query)
    signals.take(_interrupt)
    try:
        while True:
            followed.look()
    except KeyboardInterrupt:
        print(followed.sum, file=sys.stderr)
    finally:
        signals.release()
    return DONE


def _interrupt(number: int) -> None:
    raise KeyboardInterrupt


class Followed:
    def __init__(self, session: Session, query: Mapping[str, str]) -> None:
        self._session = session
        self._query = {"format": "json", **query}
        self._since: str | None = query.get("since")
        self._open: dict[int, dict[str, Any]] = {}
        self._counts: Counter[str] = Counter()

    def look(self) -> None:
        """Wait for what is new, and print what has ended."""
        waits = WAIT_OPEN if self._open else WAIT
        query = {**self._query, "wait": waits}
        if self._since is not None:
            query["since"] = self._since
        page = json.loads(self._session.checked(self._session.answer("GET", PATH, query, accept=JSON)).body)
        self._since = str(page["next"])
        for seq in list(self._open):
            answer = self._session.answer("GET", f"{PATH}/{seq}", accept=JSON)
            entry = json.loads(answer.body) if answer.status == 200 else {**self._open[seq], "end": "evicted"}
            if entry["end"] is not None:
                del self._open[seq]
                self._print(entry)
        for entry in page["entries"]:
            if entry["end"] is not None:
                self._print(entry)
                continue
            self._open[entry["seq"]] = entry
            if len(self._open) > MOST_OPEN:
                self._print(self._open.pop(min(self._open)))
        sys.stdout.flush()

    def _print(self, entry: dict[str, Any]) -> None:
        status = entry["status"]
        self._counts[f"{status // 100}xx" if status else "without an answer"] += 1
        if self._session.as_json:
            print(json.dumps(entry, ensure_ascii=False))
        else:
            print(line(entry))

    @property
    def sum(self) -> str:
        """How many exchanges were printed, by class of status."""
        classes = ", ".join(f"{count:,} {name}" for name, count in sorted(self._counts.items()))
        total = self._counts.total()
        return f"{total:,} exchange{'' if total == 1 else 's'}{': ' + classes if classes else ''}"


def line(entry: Mapping[str, Any]) -> str:
    """An exchange on one line, columns with tabs between them in a pipe."""
    took = entry["ms"]["end"]
    cells = [
        entry["time"].partition("T")[2][:12],
        str(entry["listener"]),
        str(entry["status"] or "-"),
        "-" if took is None else f"{took:.1f}ms",
        entry["method"],
        entry["uri"],
        " ".join([*entry.get("by", ()), *([] if entry["end"] in ("completed", None) else [entry["end"]])]),
    ]
    if not sys.stdout.isatty():
        return "\t".join(map(escaped, cells))
    time, listener, status, ms, method, uri, by = map(escaped, cells)
    return f"{time}  {listener:>5}  {status:>3}  {ms:>10}  {method:<6} {uri}  {by}".rstrip()
