"""A feature of your own: every n-th exchange fails.

    goto --feature configs/features/flaky.py --config configs/flaky.yaml
    curl -X PUT localhost:8080/response/flaky/set/3

It stands between the response headers and the forced status. So what fails here is tracked, counted, delayed and given the
response headers, and is not sent on.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

from goto.feature import Feature, measure
from goto.flow import Flow, Response
from goto.routes import get, put
from goto.settings import setting
from goto.words import Status, whole_number


class Plan(msgspec.Struct):
    """Which exchanges fail, and how."""

    every: Annotated[int, msgspec.Meta(ge=1)]
    """1 for all, 2 for every second one, and so on."""
    status: Status = Status(503)
    """What those are answered with."""


class Every(int):
    """How many exchanges it takes for one to fail; 0 for none to."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 0}

    @classmethod
    def parse(cls, text: str) -> Every:
        return cls(whole_number(text))


class Flaky(Feature):
    """Let every n-th exchange fail."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.seen = 0
        self.failed = 0

    @property
    def active(self) -> bool:
        return self.plan is not None

    def request(self, flow: Flow) -> None:
        if self.plan is None:  # cleared since this exchange began
            return
        self.seen += 1
        if self.seen % self.plan.every == 0:
            self.failed += 1
            flow.response = Response.text(self.plan.status, f"exchange {self.seen} fails, as every {self.plan.every}. does")

    @put("/response/flaky/set/{every}")
    def set(self, every: Every) -> str:
        """Let every n-th exchange fail with 503; 0 lets none fail."""
        self.configure(Plan(int(every)) if every else None)
        return self.show()

    @get("/response/flaky")
    def show(self) -> str:
        """Show which exchanges fail."""
        return "No exchange fails" if self.plan is None else f"Every {self.plan.every}. exchange fails with {self.plan.status}"

    @setting("features.flaky")
    def configured(self) -> Plan | None:
        """Let every n-th exchange fail."""
        return self.plan

    @configured.setter
    def configure(self, plan: Plan | None) -> None:
        self.plan, self.seen = plan, 0
        self.changed()

    @measure("flaky_failed_exchanges", "counter")
    def counted(self) -> int:
        """Exchanges that failed since every n-th one is to."""
        return self.failed
