"""The runs whose arrivals are counted, and their routes: one list for the process, whichever listener is called."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from time import time
from typing import Any, ClassVar

import msgspec

from goto.client.arrived import ArrivedRun, ArrivedSummary, packed
from goto.counting.numbers import MOST_RUNS, Shelf
from goto.errors import NotFound
from goto.features.arrivals.arrived import Arrived
from goto.http.numbered_id import Numbered, RunName
from goto.routes import get, post, put

IDLE_SECONDS = 1.0
"""How long numbers wait for exchanges that are under way, so that they say what became of them."""


class NewRun(msgspec.Struct):
    """What `POST /goto/arrivals/add` takes."""

    run: RunName
    """The name of a run: what follows the number in its ids. A whole id will do."""

    example: ClassVar[dict[str, Any]] = {"run": "5f3a-8c21-90be-77d0c4a1e52b"}


class ArrivedRuns:
    """What arrived of the runs of clients."""

    def __init__(self) -> None:
        self.shelf: Shelf[Arrived] = Shelf()
        self._since = time()

    def of(self, found: Numbered) -> Arrived | None:
        """The run of an id that arrived. The first id of one that nobody knows registers it, if there is room."""
        known = self.shelf.runs.get(found.run)
        if known is not None or not found.opens:
            return known
        if len(self.shelf.runs) >= MOST_RUNS:
            self.shelf.missed(found.run)
            return None
        return self._register(found.run)

    def _register(self, run: str) -> Arrived:
        arrived = Arrived(run, incomplete=self.shelf.has_missed(run))
        self.shelf.add(run, arrived)
        return arrived

    @post("/goto/arrivals/add")
    def add(self, new: NewRun) -> str:
        """Count which requests of a run arrive, from now on; the oldest run is given up where there are too many."""
        if new.run not in self.shelf.runs:
            self._register(str(new.run))
        return f"Counting arrivals of run {new.run}"

    @get("/goto/arrivals")
    def show(self) -> dict[str, ArrivedSummary]:
        """Show what arrived of each run that is known, without its numbers, the oldest first."""
        return {run: ArrivedSummary(**_figures(arrived)) for run, arrived in self.shelf.runs.items()}

    @get("/goto/arrivals/{run}", raises=[NotFound])
    async def show_one(self, run: RunName) -> ArrivedRun:
        """Show what arrived of a run, with its numbers; exchanges that are under way are waited for, at most a second."""
        arrived = self._known(run)
        await arrived.idle(IDLE_SECONDS)
        # all of one moment
        shown = _told(arrived, "")
        shown.numbers = await asyncio.to_thread(packed, arrived.to_bytes())
        return shown

    @put("/goto/arrivals/{run}/remove", raises=[NotFound])
    def remove(self, run: RunName) -> str:
        """Forget a run."""
        self._known(run)
        self.shelf.remove(run)
        return f"Removed run {run}"

    @put("/goto/arrivals/clear")
    def clear(self) -> str:
        """Forget all runs."""
        for run in list(self.shelf.runs):
            self.shelf.remove(run)
        return "Arrivals cleared"

    # ------------------------------------------------------------ as the client's side asks
    async def count(self, run: str) -> None:
        """Count what arrives of a run from now on, as `add` does; a run that is known goes on."""
        if run not in self.shelf.runs:
            self._register(run)

    async def told(self, run: str) -> ArrivedRun | None:
        """What has arrived of a run, as `show_one` tells it; None where that cannot be known.

        The first id of a run registers it. So nothing has arrived of one that is not known, unless ids of it were missed.
        """
        if run in self.shelf.runs:
            return await self.show_one(RunName(run))
        if self.shelf.has_missed(run):
            return None
        nothing = Arrived(run, incomplete=False)
        nothing.since = self._since
        return _told(nothing, packed(b""))

    def _known(self, run: str) -> Arrived:
        arrived = self.shelf.runs.get(run)
        if arrived is None:
            raise NotFound(f"run: {run} is not known: GET /goto/arrivals lists those that are")
        return arrived


def _told(arrived: Arrived, numbers: str) -> ArrivedRun:
    gaps = None if arrived.times is None else arrived.gaps.encoded()
    return ArrivedRun(**_figures(arrived), count=len(arrived), numbers=numbers, gaps=gaps)


def _figures(arrived: Arrived) -> dict[str, Any]:
    """The fields of `ArrivedSummary`."""
    return {
        "since": datetime.fromtimestamp(arrived.since, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "listeners": sorted(arrived.ports),
        "arrived": arrived.arrived,
        "arrivals": arrived.arrivals,
        "completed": arrived.completed,
        "reordered": arrived.reordered,
        "incomplete": arrived.incomplete,
    }
