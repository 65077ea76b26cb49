"""Who called: requests counted by the values of their headers."""

from __future__ import annotations

from typing import Annotated, TypedDict

import msgspec

from goto.bounded import OTHER, OVERFLOW, TRACKED_LIMIT, VALUE_LENGTH, VALUES_LIMIT, check_tracked
from goto.errors import Conflict, NotFound
from goto.feature import Feature
from goto.flow import Flow, decode
from goto.routes import get, post, put
from goto.settings import setting
from goto.words import HeaderName, HeaderNames, split_known

_OTHER = OTHER.encode()
ByStatus = dict[int, int]
Tracked = Annotated[list[HeaderName], msgspec.Meta(max_length=TRACKED_LIMIT)]


class CountsByValue(TypedDict):
    """The counts of a tracked header, by its values."""

    RequestCountsByHeaderValue: dict[str, int]
    RequestCountsByHeaderValueAndRequestedStatus: dict[str, ByStatus]
    """Of requests for `/status/{n}`."""
    RequestCountsByHeaderValueAndResponseStatus: dict[str, ByStatus]
    """By what was answered."""


class ValueCounts:
    """The counts of one value of a header."""

    __slots__ = ("requested", "requests", "responses")

    def __init__(self) -> None:
        self.requests = 0
        self.requested: ByStatus = {}
        self.responses: ByStatus = {}


class HeaderCounts:
    """The counts of one tracked header, by value as it was sent."""

    __slots__ = ("by_value", "key", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = name.lower().encode()
        self.clear()

    def clear(self) -> None:
        self.by_value: dict[bytes, ValueCounts] = {}

    def fresh(self, value: bytes) -> ValueCounts:
        """The counts of a value that has none yet, which are those of all others past the limit."""
        if len(self.by_value) >= VALUES_LIMIT or len(decode(value)) > VALUE_LENGTH:
            OVERFLOW.values += 1
            value = _OTHER
        return self.by_value.setdefault(value, ValueCounts())

    def show(self) -> CountsByValue:
        shown = {decode(value): counts for value, counts in self.by_value.items()}
        return {
            "RequestCountsByHeaderValue": {value: counts.requests for value, counts in shown.items()},
            "RequestCountsByHeaderValueAndRequestedStatus": {
                value: counts.requested for value, counts in shown.items() if counts.requested
            },
            "RequestCountsByHeaderValueAndResponseStatus": {
                value: counts.responses for value, counts in shown.items() if counts.responses
            },
        }


class Tracking(Feature):
    """Count requests per value of each tracked header: all, by requested status, by the status answered."""

    def __init__(self) -> None:
        self.headers: dict[str, HeaderCounts] = {}
        """Lower-case name to its counts, in the order added."""

    @property
    def active(self) -> bool:
        return bool(self.headers)

    def request(self, flow: Flow) -> None:
        request = flow.request
        requested = request.requested_status
        index = request.headers.index
        seen = []
        for header in self.headers.values():
            fields = index.get(header.key)
            if fields is None:
                continue
            for value in (fields[0][1],) if len(fields) == 1 else dict.fromkeys([value for _, value in fields]):
                counts = header.by_value.get(value) or header.fresh(value)
                counts.requests += 1
                if requested is not None:
                    counts.requested[requested] = counts.requested.get(requested, 0) + 1
                seen.append(counts)
        flow.notes[self] = seen

    def response(self, flow: Flow) -> None:
        assert flow.response is not None
        status = flow.response.status
        for counts in flow.notes.get(self, ()):
            counts.responses[status] = counts.responses.get(status, 0) + 1

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
        """Track a header no more."""
        del self.headers[self._known(header)]
        self.changed()
        return f"Removed tracked header {header}"

    @post("/request/headers/track/clear")
    def clear(self) -> str:
        """Track no headers."""
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
        return self.headers[self._known(header)].show()

    @get("/request/headers/track/counts")
    def show(self) -> dict[str, CountsByValue]:
        """Show the counts of all tracked headers."""
        return {counts.name: counts.show() for counts in self.headers.values()}

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
    def configured(self) -> Tracked:
        """Headers by whose values requests are counted."""
        return [HeaderName(counts.name) for counts in self.headers.values()]

    @configured.setter
    def configure(self, headers: Tracked) -> None:
        for header in self.configured:
            if header not in headers:
                self.remove(header)
        if headers:
            self.add(HeaderNames(headers))
        # in this order from now on
        self.headers = {header.lower(): self.headers[header.lower()] for header in headers}

    def _known(self, header: str) -> str:
        if header.lower() not in self.headers:
            raise NotFound(f"header: {header} is not tracked")
        return header.lower()
