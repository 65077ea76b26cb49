"""An expectation: it counts exchanges that fit from the moment it is added, whether the journal is on or not."""

from __future__ import annotations

import time
from typing import Annotated, Any, ClassVar, NotRequired, TypedDict

import msgspec

from goto.journal.asked import Asked
from goto.journal.entry import stamp
from goto.journal.live import Watcher
from goto.journal.seen import InOrder, Seen
from goto.journal.wanted import AT_LEAST_ONE, MOST_IN_ORDER, Count, Wanted
from goto.words import Name
from goto.words.writing import as_json

MOST_EXPECTATIONS = 1_000

Ordered = Annotated[list[Wanted], msgspec.Meta(max_length=MOST_IN_ORDER)]


class GivenExpectation(msgspec.Struct):
    """What is expected: how many exchanges that fit, or some in order."""

    name: Name
    """What it is called; a known one begins anew."""
    when: Wanted | None = None
    """What an exchange must have to count."""
    in_order: Ordered = msgspec.field(default_factory=list, name="inOrder")
    """Instead of `when`: what is to be seen one after another, whatever is between."""
    count: Count | None = None
    """How many; at least 1 if not given."""

    example: ClassVar[dict[str, Any]] = {"name": "orders", "when": Wanted.example, "count": {"exactly": 2}}

    def __post_init__(self) -> None:
        check(self.when, self.in_order, self.count)


def check(when: Wanted | None, in_order: list[Wanted], count: Count | None) -> None:
    """Raises ValueError where it is not one of both that is asked for."""
    if when is None and not in_order:
        raise ValueError("when: give it, or inOrder")
    if in_order and when is not None:
        raise ValueError("when: cannot be given together with inOrder")
    if in_order and count is not None:
        raise ValueError("count: cannot be given together with inOrder")


class ShownExpectation(TypedDict):
    """An expectation, and what has come of it."""

    name: str
    when: NotRequired[dict[str, Any]]
    inOrder: NotRequired[list[dict[str, Any]]]
    count: NotRequired[dict[str, int]]
    seen: int
    """Exchanges that fit; with `inOrder` those that led this far."""
    reached: NotRequired[int]
    """With `inOrder`: how far it has come."""
    of: NotRequired[int]
    """With `inOrder`: how many there are to come."""
    holds: bool
    """Whether it is so now."""
    since: str
    """When it was added, in RFC 3339."""


class Expectation:
    """An expectation that counts."""

    def __init__(self, given: GivenExpectation, after: int) -> None:
        self.given = given
        self.after = after
        """The number of the last exchange that it does not count."""
        self.since = time.time_ns()
        seen: Seen | InOrder
        if given.when is not None:
            asked = [Asked(given.when)]
            seen = Seen(given.count or AT_LEAST_ONE)
        else:
            asked = [Asked(wanted) for wanted in given.in_order]
            seen = InOrder(len(asked))
        self.watcher = Watcher(asked, seen, unmasked=True)

    def shown(self) -> ShownExpectation:
        seen, given = self.watcher.seen, self.given
        shown: ShownExpectation = {"name": str(given.name), "seen": seen.seen, "holds": seen.holds, "since": stamp(self.since)}
        if given.when is not None:
            shown["when"] = as_json(given.when)
        if isinstance(seen, InOrder):
            shown["inOrder"] = [as_json(wanted) for wanted in given.in_order]
            shown["reached"], shown["of"] = seen.seen, seen.length
        else:
            shown["count"] = seen.count.written
        return shown
