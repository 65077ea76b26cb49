"""Header tracking: requests are counted by the values of their headers."""

from __future__ import annotations

from typing import Annotated, TypedDict

import msgspec

from goto.counting.bounded import TRACKED_LIMIT, check_tracked
from goto.counting.by_value import ByStatus, HeaderCounts, count_request, count_response
from goto.errors import Conflict, NotFound
from goto.feature import Feature
from goto.flow import Flow
from goto.http.shown import shown
from goto.routes import get, post, put
from goto.settings import setting
from goto.words import HeaderName, HeaderNames, split_known

TrackedHeaders = Annotated[list[HeaderName], msgspec.Meta(max_length=TRACKED_LIMIT)]


class CountsByValue(TypedDict):
    """The counts of a tracked header, by its values."""

    RequestCountsByHeaderValue: dict[str, int]
    """All requests."""
    RequestCountsByHeaderValueAndRequestedStatus: dict[str, ByStatus]
    """Requests for `/status/{n}`, by n."""
    RequestCountsByHeaderValueAndResponseStatus: dict[str, ByStatus]
    """Requests by the status of their response."""


class Tracking(Feature):
    """Count requests by the value of each tracked header: all, by requested status, and by the status of the response."""

    def __init__(self) -> None:
        self.headers: dict[str, HeaderCounts] = {}
        """The counts by lower-case name, in the order in which the headers were added."""

    @property
    def active(self) -> bool:
        return bool(self.headers)

    def request(self, flow: Flow) -> None:
        flow.notes[self] = count_request(self.headers, flow.request)

    def response(self, flow: Flow) -> None:
        assert flow.response is not None
        counted = flow.notes.get(self)
        if counted is not None:
            count_response(counted, flow.response.status)

    def forget(self) -> None:
        self.clear_all_counts()

    @put("/request/headers/track/add/{headers}", raises=[Conflict])
    def add(self, headers: HeaderNames) -> str:
        """Track some headers; one that is tracked already keeps its counts."""
        check_tracked({*self.headers, *map(str.lower, headers)})
        for header in headers:
            self.headers.setdefault(header.lower(), HeaderCounts(header))
        self.changed()
        return f"Tracking headers {', '.join(headers)}"

    @put("/request/headers/track/{header}/remove", "/request/headers/track/remove/{header}", raises=[NotFound])
    def remove(self, header: HeaderName) -> str:
        """Stop tracking a header."""
        del self.headers[self._known(header)]
        self.changed()
        return f"Removed tracked header {header}"

    @post("/request/headers/track/clear")
    def clear(self) -> str:
        """Stop tracking all headers."""
        self.headers = {}
        self.changed()
        return "Tracked headers cleared"

    @get("/request/headers/track", "/request/headers/track/list")
    def list(self) -> list[str]:
        """List the tracked headers."""
        return [counts.name for counts in self.headers.values()]

    @get("/request/headers/track/{header}/counts", raises=[NotFound])
    def show_one(self, header: HeaderName) -> CountsByValue:
        """Show the counts of a tracked header."""
        return _shown(self.headers[self._known(header)])

    @get("/request/headers/track/counts")
    def show(self) -> dict[str, CountsByValue]:
        """Show the counts of all tracked headers."""
        return {counts.name: _shown(counts) for counts in self.headers.values()}

    @put("/request/headers/track/counts/clear/{headers}", raises=[NotFound])
    def clear_counts(self, headers: HeaderNames) -> str:
        """Clear the counts of some tracked headers."""
        keys, remark = split_known([header.lower() for header in headers], self.headers, "headers")
        for key in keys:
            self.headers[key].clear()
        return f"Counts cleared for headers {', '.join(keys)}{remark}"

    @put("/request/headers/track/counts/clear")
    def clear_all_counts(self) -> str:
        """Clear the counts of all tracked headers."""
        for counts in self.headers.values():
            counts.clear()
        return "Counts cleared for all tracked headers"

    @setting("request.headers.track")
    def configured(self) -> TrackedHeaders:
        """The headers by whose values requests are counted."""
        return [HeaderName(counts.name) for counts in self.headers.values()]

    @configured.setter
    def configure(self, headers: TrackedHeaders) -> None:
        for header in self.configured:
            if header not in headers:
                self.remove(header)
        if headers:
            self.add(HeaderNames(headers))
        # in this order from now on
        self.headers = {header.lower(): self.headers[header.lower()] for header in headers}

    def _known(self, header: str) -> str:
        if header.lower() not in self.headers:
            raise NotFound(f"header: {header} is not tracked: GET /request/headers/track lists those that are")
        return header.lower()


def _shown(header: HeaderCounts) -> CountsByValue:
    by_value = {shown(value): counts for value, counts in header.by_value.items()}
    return {
        "RequestCountsByHeaderValue": {value: counts.requests for value, counts in by_value.items()},
        "RequestCountsByHeaderValueAndRequestedStatus": {
            value: counts.requested for value, counts in by_value.items() if counts.requested
        },
        "RequestCountsByHeaderValueAndResponseStatus": {
            value: counts.responses for value, counts in by_value.items() if counts.responses
        },
    }
