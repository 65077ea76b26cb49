"""Delays: responses are held back for a set time."""

from __future__ import annotations

from goto.feature import Feature, Summary, measure
from goto.flow import Flow
from goto.routes import get, put
from goto.settings import setting
from goto.words import CountedDuration, Duration


class Delay(Feature):
    """Hold every response back for a set time, before its first byte."""

    def __init__(self) -> None:
        self.delay = Duration.ZERO
        self._mark = ""
        self.left: int | None = None
        """Exchanges still to be delayed; None for all."""
        self._delayed = 0
        """Exchanges that were delayed so far."""
        self._seconds = 0.0
        """The sum of their delays."""

    @property
    def active(self) -> bool:
        return bool(self.delay)

    def response(self, flow: Flow) -> None:
        delay = self.delay
        if not delay:
            return  # the count ran out after this exchange began
        if self.left is not None:
            self.left -= 1
            if not self.left:
                self.clear()
        flow.hold(delay.seconds, self._waited)
        flow.mark(self._mark)

    def _waited(self, seconds: float) -> None:
        """Count an exchange that was held back for this long."""
        self._delayed += 1
        self._seconds += seconds

    @put("/response/delay/set/{delay}")
    def set(self, delay: CountedDuration) -> str:
        """Set the delay of all responses, or as `{delay}:{count}` of the next ones."""
        self.delay, self.left = delay.duration, delay.count
        self._mark = f"delay:{self.delay}"
        self.changed()
        return self.show()

    @put("/response/delay/clear")
    def clear(self) -> str:
        """Remove the delay."""
        self.delay, self.left = Duration.ZERO, None
        self.changed()
        return "Response delay cleared"

    @get("/response/delay")
    def show(self) -> str:
        """Show the delay."""
        if not self.delay:
            return "No response delay"
        return f"Response delay: {self.delay}" + (f" for the next {self.left}" if self.left is not None else "")

    @setting("response.delay")
    def configured(self) -> CountedDuration | None:
        """How long every response is held back: `200ms`, or `200ms:3` for the next three exchanges."""
        return CountedDuration(self.delay, self.left) if self.delay else None

    @configured.setter
    def configure(self, delay: CountedDuration | None) -> None:
        self.set(delay or CountedDuration(Duration.ZERO))

    @measure("goto_response_delay_seconds", "summary")
    def waited(self) -> Summary:
        """Delays of responses, as long as they lasted."""
        return Summary(self._delayed, self._seconds)
