"""What is asked by `verify`, and how its answer is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NotRequired, TypedDict

import msgspec

from goto.http.shown import shown_text
from goto.journal.asked import Asked, text_of
from goto.journal.entry import Entry
from goto.journal.expectation import Ordered
from goto.journal.near import Miss, Near
from goto.journal.seen import InOrder, Seen
from goto.journal.verify import Outcome
from goto.journal.wanted import Count, UpToAMinute, Wanted
from goto.words import Name
from goto.words.writing import counted

MOST_LINES = 10
"""Entries that fit in the text of an answer."""

_WIDTH = 48
"""Characters of a method and a path before a line gets wider than the others."""


class Question(msgspec.Struct):
    """What is asked: how many exchanges fit, whether some came in order, or what came of an expectation."""

    when: Wanted | None = None
    """What an exchange must have to count."""
    in_order: Ordered | None = msgspec.field(default=None, name="inOrder")
    """Instead of `when`: what is to be seen one after another, whatever is between."""
    expectation: Name | None = None
    """Instead of `when`: the name of an expectation."""
    count: Count | None = None
    """How many; at least 1 if not given."""
    timeout: UpToAMinute = UpToAMinute(0)
    """How long to wait for enough of them, at most 60s."""
    settle: UpToAMinute | None = None
    """Where there may be too many: how long to wait for more once there are enough. 0s if not given, and `timeout` where none
    have to come."""
    since: int = 0
    """Only entries with a higher number count."""

    example: ClassVar[dict[str, Any]] = {
        "when": {"methods": ["POST"], "uris": ["/orders"], "status": "2xx"},
        "count": {"exactly": 2},
        "timeout": "5s",
    }

    def __post_init__(self) -> None:
        given = [
            name
            for name, value in (("when", self.when), ("inOrder", self.in_order), ("expectation", self.expectation))
            if value is not None
        ]
        if not given:
            raise ValueError("when: give it, or inOrder, or expectation")
        if len(given) > 1:
            raise ValueError(f"{given[0]}: cannot be given together with {given[1]}")
        if self.in_order is not None and not self.in_order:
            raise ValueError("inOrder: give 1 to 100")
        if self.count is not None and self.when is None:
            raise ValueError(f"count: cannot be given together with {given[0]}")
        if self.since and self.expectation is not None:
            raise ValueError("since: cannot be given together with expectation, which counts since it was added")
        if self.since < 0:
            raise ValueError(f"since: {self.since} is not a whole number from 0")


class Verdict(TypedDict):
    """The answer: whether it holds, and what came nearest where it does not."""

    holds: bool
    seen: int
    """Exchanges that fit; with `inOrder` those that led this far."""
    wanted: NotRequired[dict[str, int]]
    """How many there have to be."""
    reached: NotRequired[int]
    """With `inOrder`: how far it has come."""
    of: NotRequired[int]
    """With `inOrder`: how many there are to come."""
    incomplete: bool
    """Something was lost since, so that it may hold all the same."""
    waited: str
    entries: list[int]
    """The numbers of those that fit, at most 100."""
    nearest: NotRequired[list[Near]]
    """Where it does not hold: what came nearest."""
    text: str
    """The same for people."""


class Answer:
    """The answer to one question."""

    def __init__(
        self,
        asked: Sequence[Asked],
        seen: Seen | InOrder,
        outcome: Outcome,
        fits: Sequence[tuple[int, Entry | None]],
        misses: Sequence[Miss],
        lost: str,
    ) -> None:
        """`fits`: the numbers of those that fit, each with its entry where it is still there. `lost`: what was lost."""
        self._asked = asked
        self._seen = seen
        self._outcome = outcome
        self._fits = fits
        self._misses = misses
        self._lost = lost

    @property
    def status(self) -> int:
        return 200 if self._outcome.holds else 417

    def shown(self) -> Verdict:
        outcome, seen = self._outcome, self._seen
        verdict: Verdict = {
            "holds": outcome.holds,
            "seen": outcome.seen,
            "incomplete": outcome.incomplete,
            "waited": str(outcome.waited),
            "entries": outcome.entries,
            "text": self.text(),
        }
        if isinstance(seen, InOrder):
            verdict["reached"], verdict["of"] = outcome.seen, seen.length
        else:
            verdict["wanted"] = seen.count.written
        if not outcome.holds:
            verdict["nearest"] = [miss.shown() for miss in self._misses]
        return verdict

    def text(self) -> str:
        outcome, seen = self._outcome, self._seen
        if isinstance(seen, InOrder):
            lines = [f"wanted {seen.length} in order, came to {outcome.seen} within {outcome.waited}:"]
            for number, asked in enumerate(self._asked):
                mark = "seen" if number < outcome.seen else "next" if number == outcome.seen else "then"
                lines.append(f"  {mark}     {text_of(asked.wanted)}")
        else:
            wanted = text_of(self._asked[0].wanted)
            lines = [f"wanted {seen.count}, saw {outcome.seen} within {outcome.waited}:  {wanted}"]
        if outcome.incomplete:
            lines.append(f"incomplete {self._lost}")
        entries = [entry for _, entry in self._fits[:MOST_LINES] if entry is not None]
        shown = [*entries, *[miss.entry for miss in self._misses]]
        width = min(max((len(_request(entry)) for entry in shown), default=0), _WIDTH)
        for seq, entry in self._fits[:MOST_LINES]:
            lines.append(f"  fits     #{seq}" if entry is None else f"  fits     {_line(entry, width)}   {entry.stamp[11:23]}")
        if outcome.seen > MOST_LINES:
            lines.append(f"           and {outcome.seen - MOST_LINES:,} more")
        if not outcome.holds:
            for number, miss in enumerate(self._misses):
                lines.append(f"{'nearest' if not number else '':7}    {_line(miss.entry, width)}   {miss.text()}")
        return "\n".join(lines)


def _request(entry: Entry) -> str:
    return f"{shown_text(entry.method)} {shown_text(entry.target)}"


def _line(entry: Entry, width: int) -> str:
    status = "-" if entry.status is None else str(entry.status)
    return f"#{entry.seq}  {_request(entry):{width}}  {status:>3}"


def lost_text(evicted: int, unknown: int) -> str:
    """What was lost, and how that is kept from happening again."""
    if evicted:
        were = "was" if evicted == 1 else "were"
        return f"{counted(evicted, 'exchange')} {were} evicted since: raise journal.entries, or add an expectation first"
    if unknown:
        what = f"of {counted(unknown, 'exchange')} what is asked for was not kept"
        return f"{what}: raise journal.bodies, take the header off journal.mask, or add an expectation first"
    return ""


def unknown_expectation(name: str, names: Sequence[str]) -> str:
    """Why there is no such expectation."""
    from difflib import get_close_matches  # here, since calls without mistakes do not need it

    close = get_close_matches(name, names, 1)
    return f"unknown expectation: {name}" + (f"; did you mean {close[0]}?" if close else "")
