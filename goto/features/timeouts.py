"""Who gave up waiting: exchanges that completed, and those whose client went away first."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

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
ALL: Literal["all"] = "all"
"""Among header names it stands for all requests."""

Names = Annotated[list[HeaderName], msgspec.Meta(max_length=TRACKED_LIMIT + 1)]
"""Of tracked headers, and ALL."""


class Ends(TypedDict):
    """How requests ended."""

    ConnectionClosed: int
    """The client went away first."""
    RequestCompleted: int
    """The whole response was handed to the client."""


class TimeoutReport(TypedDict):
    """How tracked requests ended."""

    all: Ends | None
    """Of all requests; null where these are not tracked."""
    headers: dict[str, dict[str, Ends]]
    """By tracked header and its value."""


def _no_ends() -> Ends:
    return {"ConnectionClosed": 0, "RequestCompleted": 0}


class Timeouts(Feature):
    """Count how exchanges end, for all requests and by the values of tracked headers."""

    def __init__(self) -> None:
        self.all: Ends | None = None
        self.headers: dict[str, dict[str, Ends]] = {}
        """Header name as it was added, to value, to ends."""
        self._names: list[tuple[bytes, dict[str, Ends]]] = []

    @property
    def active(self) -> bool:
        return self.all is not None or bool(self.headers)

    def request(self, flow: Flow) -> None:
        ends = [] if self.all is None else [self.all]
        index = flow.request.headers.index
        for name, values in self._names:
            for value in dict.fromkeys([value for _, value in index.get(name, ())]):
                key = slot(values, shown(value))
                ends.append(values.setdefault(key, _no_ends()))
        flow.notes[self] = ends

    def closed(self, flow: Flow) -> None:
        how = COMPLETED if flow.completed else CLOSED
        for ends in flow.notes.get(self, ()):
            ends[how] += 1

    @put("/request/timeout/track/all", "/request/timeout/track/headers/all")
    def track_all(self) -> str:
        """Track how all requests end."""
        if self.all is None:
            self.all = _no_ends()
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
        self._names = [(name.lower().encode(), values) for name, values in self.headers.items()]
        self.changed()
        return f"Tracking timeouts by headers {', '.join(headers)}"

    @post("/request/timeout/track/clear")
    def clear(self) -> str:
        """Stop tracking timeouts and forget what was counted."""
        self.all, self.headers, self._names = None, {}, []
        self.changed()
        return "Timeout tracking cleared"

    @setting("request.timeout.track")
    def configured(self) -> Literal["all"] | Names:
        """Whose ends are counted: `all` requests, or those with some headers, by value; `all` may be among these."""
        names = [HeaderName(name) for name in self.headers]
        if self.all is None:
            return names
        return [HeaderName(ALL), *names] if names else ALL

    @configured.setter
    def configure(self, track: Literal["all"] | Names) -> None:
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
        """Report how tracked requests ended so far."""
        return {"all": self.all, "headers": self.headers}
