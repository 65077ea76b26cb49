"""Requests with ids of runs, as they come to a listener."""

from __future__ import annotations

from typing import ClassVar, Literal

from goto.feature import Feature
from goto.features.arrivals.service import ArrivedRuns
from goto.flow import Flow
from goto.http.numbered_id import id_in
from goto.http.request_id import REQUEST_ID

_PARAMETER = REQUEST_ID + "="
_HEADER = REQUEST_ID.encode()


class Arrivals(Feature):
    """Count which requests of the runs of clients arrive, by their ids."""

    ends: ClassVar[Literal["taken", "written"]] = "written"

    def __init__(self) -> None:
        self.count_in(ArrivedRuns(), 0)

    def count_in(self, runs: ArrivedRuns, port: int) -> None:
        """For the instance: where all listeners of the process count, and which of them this is."""
        self._runs = runs
        self._port = port

    def request(self, flow: Flow) -> None:
        request = flow.request
        if _HEADER in request.headers.index or _PARAMETER in request.query:
            found = id_in(request.query, request.headers)
            run = None if found is None else self._runs.of(found)
            if found is not None and run is not None:
                flow.notes[self] = run, found.number
                run.arrive(found.number, self._port, self._runs.shelf)

    def closed(self, flow: Flow) -> None:
        if flow.notes and (noted := flow.notes.get(self)) is not None:
            run, number = noted
            run.leave(number, completed=flow.completed)
