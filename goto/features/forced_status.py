"""The forced status: traffic is answered with it instead of being served or proxied."""

from __future__ import annotations

from goto.feature import Feature
from goto.flow import Flow
from goto.routes import get, put
from goto.settings import setting
from goto.words import CountedStatus, Status


class ForcedStatus(Feature):
    """Force a status on all traffic, or on exactly the next exchanges.

    The feature counts down and sets `flow.status`. Such a flow is not proxied, and Local answers it with that status.
    """

    def __init__(self) -> None:
        self.status: Status | None = None
        self.left: int | None = None
        """Exchanges that the status is still forced on; None for all."""

    @property
    def active(self) -> bool:
        return self.status is not None

    def request(self, flow: Flow) -> None:
        if self.status is None:
            return  # the count ran out after this exchange began
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
