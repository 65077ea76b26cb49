"""What a feature can do besides answering: wait, fail, decide by the body, look at what passes."""

from __future__ import annotations

from typing import ClassVar, Literal

from goto.feature import Feature
from goto.flow import Delivery, Flow, Response


class Slow(Feature):
    """Let the client of one path wait."""

    def request(self, flow: Flow) -> None:
        if flow.request.path == "/slow":
            flow.hold(0.5)


class Drop(Feature):
    """Reset the connection instead of answering."""

    def request(self, flow: Flow) -> None:
        if "x-drop" in flow.request.headers:
            flow.delivery = Delivery(end="reset")


class Forbidden(Feature):
    """Refuse a word."""

    def request(self, flow: Flow) -> None:
        if flow.request_body is None:
            flow.wants(65536)
        elif b"forbidden" in flow.request_body.data:
            flow.response = Response.text(403, "no")


class Sizes(Feature):
    """Note the sizes of answers."""

    ends: ClassVar[Literal["taken", "written"]] = "written"

    def __init__(self) -> None:
        self.seen: list[int] = []

    def request(self, flow: Flow) -> None:
        flow.keep(response=0)

    def closed(self, flow: Flow) -> None:
        if flow.response_body is not None:
            self.seen.append(flow.response_body.size)
