"""Tell robots to stay away."""

from __future__ import annotations

from typing import ClassVar

from goto.feature import Feature, measure
from goto.flow import Flow, Response
from goto.routes import ANYBODY, get


class Robots(Feature):
    """Tell robots to stay away."""

    outside: ClassVar[str] = "status_counts"  # so that what it answers is not in the counts

    def __init__(self) -> None:
        self.sent_away = 0

    def request(self, flow: Flow) -> None:
        if flow.request.path == "/robots.txt":
            self.sent_away += 1
            flow.response = Response.text(200, "User-agent: *\nDisallow: /")

    @get("/goto/robots", who=ANYBODY)  # a number is no secret: a page may show it without the token
    def show(self) -> str:
        """Show how many robots were sent away."""
        return f"Robots sent away: {self.sent_away}"

    @measure("robots_sent_away", "counter")
    def counted(self) -> int:
        """Requests for robots.txt that were told to stay away."""
        return self.sent_away
