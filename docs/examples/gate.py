"""Refuse traffic while the gate is shut."""

from __future__ import annotations

from goto.feature import Feature, measure
from goto.flow import Flow, Response
from goto.routes import get, put
from goto.words import CountedStatus


class Gate(Feature):
    """Refuse traffic while the gate is shut."""

    def __init__(self) -> None:
        self.refusal = CountedStatus(None)
        self.count = 0

    @property
    def active(self) -> bool:
        return self.refusal.status is not None

    def request(self, flow: Flow) -> None:
        status, left = self.refusal.status, self.refusal.count
        if status is None:  # opened since this exchange began
            return
        if left is not None:
            self.refusal = CountedStatus(status, left - 1) if left > 1 else CountedStatus(None)
            self.changed()
        self.count += 1
        flow.response = Response.text(status, "the gate is shut")

    @put("/request/gate/set/{status}")
    def shut(self, status: CountedStatus) -> str:
        """Refuse traffic with a status, `503`, or `503:2` for the next two exchanges; `0` opens the gate."""
        self.refusal = status
        self.changed()
        return f"Gate: {status}"

    @get("/request/gate")
    def show(self) -> str:
        """Show what the gate refuses traffic with."""
        return f"Gate: {self.refusal}"

    @measure("gate_refused_requests", "counter")
    def refused(self) -> int:
        """Requests that were refused while the gate was shut."""
        return self.count
