"""The near misses: of the exchanges that do not fit, those that come nearest to what is asked, and in what they differ."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final, NamedTuple, NotRequired, TypedDict

from goto.http.shown import shown_text
from goto.journal.asked import LATER, LOST, NO, YES, Asked, Judged, plain_text
from goto.journal.entry import Entry
from goto.matching.templates import Variable, fold, parse_template

MOST_NEAREST: Final = 3
"""Near misses that are told."""

MOST_LOOKED_AT: Final = 1_000
"""The newest entries among which they are looked for."""


class Difference(TypedDict):
    """One criterion that an exchange does not fit."""

    criterion: str
    at: NotRequired[str]
    """The place in it: of JSON, `$.item`, or the name of a header or parameter."""
    wanted: Any
    was: Any
    """Null where there is none, or where it is not known."""


class Near(TypedDict):
    """An exchange that nearly fits."""

    seq: int
    method: str
    uri: str
    fits: list[str]
    """The criteria that it fits."""
    differs: list[Difference]
    """Those that it does not fit."""


class Miss(NamedTuple):
    """A near miss."""

    entry: Entry
    judged: list[Judged]

    def shown(self) -> Near:
        fits = [one.criterion for one in self.judged if one.found is YES]
        differs = [_difference(one) for one in self.judged if one.found is not YES]
        entry = self.entry
        return {
            "seq": entry.seq,
            "method": shown_text(entry.method),
            "uri": shown_text(entry.target),
            "fits": list(dict.fromkeys(fits)),
            "differs": differs,
        }

    def text(self) -> str:
        """In what it differs, in a line."""
        return "; ".join(_text(one) for one in self.judged if one.found is not YES)


def nearest(asked: Asked, entries: Iterable[Entry], since: int) -> list[Miss]:
    """The nearest of entries that come newest first: most criteria that fit, then most path segments alike, then newest. What
    another listener than the one asked for got, and fits nothing else, is not near.
    """
    elsewhere = asked.wanted.listener
    found: list[tuple[tuple[int, int, int], Miss]] = []
    for entry in islice(entries, MOST_LOOKED_AT):
        if entry.seq <= since:
            break
        judged = asked.judge(entry)
        fits = sum(one.found is YES for one in judged)
        if fits < len(judged) and (fits or elsewhere is None or elsewhere == entry.listener):
            found.append(((fits, _alike(asked, entry), entry.seq), Miss(entry, judged)))
    return [miss for _, miss in heapq.nlargest(MOST_NEAREST, found, key=_rank)]


def _rank(item: tuple[tuple[int, int, int], Miss]) -> tuple[int, int, int]:
    return item[0]


def _alike(asked: Asked, entry: Entry) -> int:
    """The most segments that its path has in common with one of the templates, each in its place."""
    path = fold(entry.target.partition("?")[0]).split("/")[1:]
    most = 0
    for uri in asked.wanted.uris:
        segments = fold(uri).split("/")[1:]
        most = max(most, sum(_fits(one, other) for one, other in zip(segments, path, strict=False)))
    return most


def _fits(wanted: str, was: str) -> bool:
    if wanted == was:
        return True
    try:
        return "{" in wanted and any(isinstance(piece, Variable) for piece in parse_template(wanted))
    except ValueError:
        return False  # a regular expression with a slash in it


def _difference(judged: Judged) -> Difference:
    made: Difference = {"criterion": judged.criterion, "wanted": judged.wanted, "was": judged.was}
    if judged.at:
        made["at"] = judged.at
    return made


def _text(judged: Judged) -> str:
    place = f"{judged.criterion} {judged.at}" if judged.at else judged.criterion
    if judged.wanted is None and judged.found is NO:
        return f"{place}: wanted, and missing"
    what = f"{place}: wanted {plain_text(judged.wanted)}"
    if judged.found is LOST:
        return f"{what}, was not kept"
    if judged.found is LATER:
        return f"{what}, is not known yet"
    return f"{what}, was {plain_text(judged.was)}"
