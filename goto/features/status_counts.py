"""Counts of traffic by the status that was requested, and by the one that was answered."""

from __future__ import annotations

from typing import TypedDict

from goto.counting.by_value import ByStatus
from goto.feature import Feature
from goto.flow import Flow
from goto.routes import get, put
from goto.words import Status


class CountsByStatus(TypedDict):
    """Counts of traffic. Each is a map of status to count."""

    countsByRequestedStatus: dict[str, int]
    """Requests for `/status/{n}`."""
    countsByReportedStatus: dict[str, int]
    """Responses."""
    countsByResponseStatus: dict[str, int]
    """The same as `countsByReportedStatus`, under the name that the original goto uses."""


class CountsOfStatus(TypedDict):
    """The counts of one status."""

    status: int
    requestCount: int
    """Requests for `/status/{n}` with this status."""
    responseCount: int
    """Responses with this status."""


class StatusCounts(Feature):
    """Count traffic by requested status (`/status/{n}`) and by the status of the response."""

    def __init__(self) -> None:
        self.requested: ByStatus = {}
        self.reported: ByStatus = {}
        self._cleared: ByStatus = {}
        """The counts of `reported` up to the last `clear`."""

    def request(self, flow: Flow) -> None:
        status = flow.request.requested_status
        if status is not None:
            self.requested[status] = self.requested.get(status, 0) + 1

    def response(self, flow: Flow) -> None:
        assert flow.response is not None
        status = flow.response.status
        self.reported[status] = self.reported.get(status, 0) + 1
        flow.counted = status

    def forget(self) -> None:
        self.clear()

    def ever_reported(self) -> ByStatus:
        """How often each status was answered, including what was cleared."""
        ever = dict(self._cleared)
        for status, count in self.reported.items():
            ever[status] = ever.get(status, 0) + count
        return ever

    @put("/response/status/counts/clear")
    def clear(self) -> str:
        """Clear the counts of all statuses."""
        self._cleared = self.ever_reported()
        self.requested, self.reported = {}, {}
        return "Status counts cleared"

    @get("/response/status/counts")
    def show(self) -> CountsByStatus:
        """Show how often each status was requested and answered."""
        reported = _sorted(self.reported)
        return {
            "countsByRequestedStatus": _sorted(self.requested),
            "countsByReportedStatus": reported,
            "countsByResponseStatus": reported,
        }

    @get("/response/status/counts/{status}")
    def show_one(self, status: Status) -> CountsOfStatus:
        """Show how often one status was requested and answered."""
        return {
            "status": int(status),
            "requestCount": self.requested.get(status, 0),
            "responseCount": self.reported.get(status, 0),
        }


def _sorted(counts: ByStatus) -> dict[str, int]:
    return {str(status): counts[status] for status in sorted(counts)}
