"""Failure on demand: a status that traffic is answered with instead of being served or proxied."""

from __future__ import annotations

from goto.feature import Feature
from goto.flow import Flow
from goto.routes import get, put
from goto.settings import setting
from goto.words import CountedStatus, Status


class ForcedStatus(Feature):
    """Force a status on traffic, on all of it or on exactly the next exchanges.

    It does not answer: it takes its count and sets `flow.status`, which Proxy leaves alone and Local answers with.
    """

    def __init__(self) -> None:
        self.status: Status | None = None
        self.left: int | None = None
        """Exchanges still to be forced; None for all."""

    @property
    def active(self) -> bool:
        return self.status is not None

    def request(self, flow: Flow) -> None:
        if self.status is None:
            return  # an exchange that began before the count ran out
        flow.status = int(self.status)
        flow.mark(f"forced:{flow.status}")
        if self.left is not None:
            self.left -= 1
            if not self.left:
                self.clear()

    @put("/response/status/set/{status}")
    def set(self, status: CountedStatus) -> str:
        """Force a status on all traffic, or as `{status}:{count}` on the next exchanges; 0 forces none."""
        self.status, self.left = status.status, status.count
        self.changed()
        return self.show()

    @put("/response/status/clear")
    def clear(self) -> str:
        """Force no status any more."""
        self.status, self.left = None, None
        self.changed()
        return "Response status cleared"

    @get("/response/status")
    def show(self) -> str:
        """Show the forced status."""
        if self.status is None:
            return "No forced response status"
        return f"Response status: {self.status}" + (f" for the next {self.left}" if self.left is not None else "")

    @setting("response.status")
    def configured(self) -> CountedStatus | None:
        """The status that traffic is answered with: `503`, or `503:2` for the next two exchanges; `0` forces none."""
        return CountedStatus(self.status, self.left) if self.status else None

    @configured.setter
    def configure(self, status: CountedStatus | None) -> None:
        self.set(status or CountedStatus(None))
