"""Timeout tracking: exchanges that completed, those whose client left before, and those whose upstream broke off."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

import msgspec

from goto.counting.bounded import TRACKED_LIMIT, check_tracked, slot
from goto.errors import Conflict
from goto.feature import Feature
from goto.flow import Flow
from goto.http.shown import shown
from goto.routes import get, post, put
from goto.settings import setting
from goto.words import HeaderName, HeaderNames

COMPLETED: Literal["RequestCompleted"] = "RequestCompleted"
CLOSED: Literal["ConnectionClosed"] = "ConnectionClosed"
BROKEN: Literal["Broken"] = "Broken"
ABORTED: Literal["Aborted"] = "Aborted"
ALL: Literal["all"] = "all"
"""In place of a header name it stands for all requests."""

TimeoutHeaders = Annotated[list[HeaderName], msgspec.Meta(max_length=TRACKED_LIMIT + 1)]
"""The names of tracked headers, and ALL."""


class EndCounts(TypedDict):
    """How many requests ended in each way."""

    ConnectionClosed: int
    """The client left before it had the whole response."""
    RequestCompleted: int
    """The client was handed the whole response."""
    Broken: NotRequired[int]
    """The upstream ended in the middle of its answer; not there as long as none did."""
    Aborted: NotRequired[int]
    """goto ended the exchange itself, on purpose. The key is missing while the number is 0."""


class TimeoutReport(TypedDict):
    """How tracked requests ended."""

    all: EndCounts | None
    """The counts of all requests; null where these are not tracked."""
    headers: dict[str, dict[str, EndCounts]]
    """The counts by tracked header and its value."""


def _no_counts() -> EndCounts:
    return {"ConnectionClosed": 0, "RequestCompleted": 0}


class Timeouts(Feature):
    """Count how exchanges end, for all requests and by the values of tracked headers."""

    def __init__(self) -> None:
        self.all: EndCounts | None = None
        self.headers: dict[str, dict[str, EndCounts]] = {}
        """The counts by header, in the spelling in which it was added, and by value."""
        self._tracked: list[tuple[bytes, dict[str, EndCounts]]] = []

    @property
    def active(self) -> bool:
        return self.all is not None or bool(self.headers)

    def request(self, flow: Flow) -> None:
        ends = [] if self.all is None else [self.all]
        index = flow.request.headers.index
        for name, values in self._tracked:
            for value in dict.fromkeys([value for _, value in index.get(name, ())]):
                key = slot(values, shown(value))
                ends.append(values.setdefault(key, _no_counts()))
        flow.notes[self] = ends

    def closed(self, flow: Flow) -> None:
        ends: EndCounts
        for ends in flow.notes.get(self, ()):
            if flow.aborted:
                ends[ABORTED] = ends.get(ABORTED, 0) + 1
            elif flow.broken:
                ends[BROKEN] = ends.get(BROKEN, 0) + 1
            else:
                ends[COMPLETED if flow.completed else CLOSED] += 1

    def forget(self) -> None:
        track = self.configured
        self.clear()
        self.configure(track)

    @put("/request/timeout/track/all", "/request/timeout/track/headers/all")
    def track_all(self) -> str:
        """Track how all requests end."""
        if self.all is None:
            self.all = _no_counts()
            self.changed()
        return "Tracking timeouts of all requests"

    @put("/request/timeout/track/headers/{headers}", raises=[Conflict])
    def track_headers(self, headers: HeaderNames) -> str:
        """Track how requests end by the values of some headers."""
        known = {name.lower() for name in self.headers}
        check_tracked(known.union(map(str.lower, headers)) - {ALL})
        for header in headers:
            if header.lower() == ALL:
                self.track_all()
            elif header.lower() not in known:
                self.headers[header] = {}
        self._tracked = [(name.lower().encode(), values) for name, values in self.headers.items()]
        self.changed()
        return f"Tracking timeouts by headers {', '.join(headers)}"

    @post("/request/timeout/track/clear")
    def clear(self) -> str:
        """Stop tracking timeouts and forget what was counted."""
        self.all, self.headers, self._tracked = None, {}, []
        self.changed()
        return "Timeout tracking cleared"

    @setting("request.timeout.track")
    def configured(self) -> Literal["all"] | TimeoutHeaders:
        """The requests whose ends are counted: `all`, or those with some headers, by value; `all` may be one of the list."""
        names = [HeaderName(name) for name in self.headers]
        if self.all is None:
            return names
        return [HeaderName(ALL), *names] if names else ALL

    @configured.setter
    def configure(self, track: Literal["all"] | TimeoutHeaders) -> None:
        names = [HeaderName(ALL)] if track == ALL else [HeaderName(name) for name in track]
        check_tracked({name.lower() for name in names} - {ALL})
        ends, counts = self.all, self.headers
        self.clear()
        if any(name.lower() == ALL for name in names):
            self.all = ends
        self.headers = {name: counts[name] for name in names if name in counts}
        self.track_headers(HeaderNames(names))

    @get("/request/timeout/status")
    @post("/request/timeout/status")
    def status(self) -> TimeoutReport:
        """Report how tracked requests have ended so far."""
        return {"all": self.all, "headers": self.headers}
