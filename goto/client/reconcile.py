"""What a client sent, joined with what a server saw arrive: number by number, as sets, so that tries do not count twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from goto.client.arrived import ArrivedRun, gaps_of, unpacked
from goto.client.histogram import Latencies
from goto.client.sent import Sent
from goto.counting.numbers import Numbers, Set
from goto.http.numbered_id import numbered_id
from goto.words import Duration

EXAMPLES = 5
"""Ids that are shown of a kind."""


class Gaps(TypedDict):
    """Between tries of one id."""

    p50: str
    p90: str
    max: str


class ServerSide(TypedDict):
    """Who saw the requests arrive."""

    incomplete: bool
    """It does not know all that arrived."""
    listeners: list[int]
    """The ports at which they arrived."""
    since: NotRequired[str]
    """From when on it counted (RFC 3339); not there where it does not know the run."""


class Reconciled(TypedDict):
    """What became of the requests to one target."""

    sent: int
    """Requests."""
    answered: int
    """Those with a whole answer, whatever its status."""
    failed: int
    """The others."""
    arrived: int
    """Different ids."""
    arrivals: int
    """Exchanges with an id of the run."""
    tries: dict[str, int]
    """Ids by how often they arrived; 255 stands for more too."""
    duplicated: int
    """Arrivals of ids that had arrived before: retries, hedges, replays on the way."""
    lostOnTheWay: int
    """Sent, not arrived."""
    answeredElsewhere: int
    """Answered, not arrived: something in between answered."""
    lostOnTheWayBack: int
    """Completed at the server, not answered at the client."""
    reordered: NotRequired[int]
    """First arrivals with a lower number than one before; only there where one replica sent."""
    gaps: NotRequired[Gaps]
    """Between tries of one id, where they were wanted."""
    examples: dict[str, list[str]]
    """Ids by kind."""
    server: ServerSide
    incomplete: bool
    """Some requests are not in these numbers, on this side or on the server's."""


@dataclass(frozen=True, slots=True)
class Side:
    """What was sent in a run, as it was at a moment."""

    run: str
    replicas: int
    requests: int
    answers: int
    failures: int
    incomplete: bool
    numbers: Numbers

    @classmethod
    def of(cls, sent: Sent) -> Side:
        numbers = Numbers.from_bytes(sent.to_bytes(), len(sent))
        incomplete = sent.incomplete or sent.lost
        return cls(sent.run, sent.replicas, sent.requests, sent.answers, sent.failures, incomplete, numbers)


def reconciled(runs: Sequence[tuple[Side, ArrivedRun | None]], *, incomplete: bool = False) -> Reconciled:
    """Join the runs of one target with what arrived of each; None for one that the server does not know. Ten million numbers take
    about a second.

    `incomplete`: there were more runs. Raises ValueError for what no server of goto tells.
    """
    kinds: dict[str, list[str]] = {}
    counts = dict.fromkeys(("duplicated", "lostOnTheWay", "answeredElsewhere", "lostOnTheWayBack"), 0)
    tries: dict[int, int] = {}
    gaps, wanted = Latencies(), False
    server: ServerSide = {"incomplete": False, "listeners": []}
    arrived = arrivals = reordered = 0
    for side, told in runs:
        there = Numbers() if told is None else unpacked(told)
        sent, answered = side.numbers.tried_set(), side.numbers.done_set()
        came = there.tried_set()
        sets: dict[str, Set] = {
            "lostOnTheWay": sent - came,
            "answeredElsewhere": answered - came,
            "lostOnTheWayBack": (there.done_set() & sent) - answered,
        }
        for kind, numbers in sets.items():
            counts[kind] += len(numbers)
        sets["duplicated"] = there.tried_set(2)
        for kind, numbers in sets.items():
            shown = kinds.setdefault(kind, [])
            shown.extend(numbered_id(side.run, number) for number in numbers.first(EXAMPLES - len(shown)))
        for count, ids in there.by_tries().items():
            tries[count] = tries.get(count, 0) + ids
        if told is None:
            server["incomplete"] = True
            continue
        arrived += told.arrived
        arrivals += told.arrivals
        counts["duplicated"] += told.arrivals - told.arrived
        reordered += told.reordered
        server["incomplete"] = server["incomplete"] or told.incomplete
        server["listeners"] = sorted({*server["listeners"], *told.listeners})
        server["since"] = max(server.get("since", ""), told.since)
        if (between := gaps_of(told)) is not None:
            wanted = True
            gaps.merge(between)
    found: Reconciled = {
        "sent": sum(side.requests for side, _ in runs),
        "answered": sum(side.answers for side, _ in runs),
        "failed": sum(side.failures for side, _ in runs),
        "arrived": arrived,
        "arrivals": arrivals,
        "tries": {str(count): tries[count] for count in sorted(tries)},
        "duplicated": counts["duplicated"],
        "lostOnTheWay": counts["lostOnTheWay"],
        "answeredElsewhere": counts["answeredElsewhere"],
        "lostOnTheWayBack": counts["lostOnTheWayBack"],
        "examples": {kind: ids for kind, ids in kinds.items() if ids},
        "server": server,
        "incomplete": incomplete or server["incomplete"] or any(side.incomplete for side, _ in runs),
    }
    if all(side.replicas == 1 for side, _ in runs):
        found["reordered"] = reordered
    if wanted:
        p50, p90 = gaps.percentiles([50, 90])
        found["gaps"] = {"p50": _text(p50), "p90": _text(p90), "max": _text(gaps.max)}
    return found


def _text(milliseconds: float) -> str:
    """A duration as people read it: whole milliseconds from ten on, else tenths."""
    digits = 0 if milliseconds >= 10 else 1
    return str(Duration(round(round(milliseconds, digits) * 1e6)))
