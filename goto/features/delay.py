"""Delays: responses are held back for a time."""

from __future__ import annotations

from dataclasses import replace

from goto.counting.ration import Ration
from goto.feature import Feature, Summary, measure
from goto.flow import Flow
from goto.routes import get, put
from goto.settings import setting
from goto.words import Duration
from goto.words.spread import Between
from goto.words.values import Delays

_NONE = Delays(Between(Duration.ZERO, Duration.ZERO))


class Delay(Feature):
    """Hold every response back for a time, before its first byte: all of them, the next ones, or some by chance."""

    def __init__(self) -> None:
        self._given = _NONE
        self._mark = ""
        """The mark of what is delayed, where it is the same each time."""
        self.ration = Ration()
        self._delayed = 0
        """Exchanges that were delayed so far."""
        self._seconds = 0.0
        """The sum of their delays."""

    @property
    def active(self) -> bool:
        return bool(self._given)

    @property
    def value(self) -> Delays:
        """What is set, with what is left of its count."""
        return replace(self._given, dose=replace(self._given.dose, count=self.ration.left))

    def response(self, flow: Flow) -> None:
        given = self._given
        if not given or not self.ration.take():
            return  # the count ran out after this exchange began, or chance leaves it out
        delay = given.delay.at(self.ration.draw())
        flow.hold(delay.seconds, self._waited)
        flow.mark(self._mark or f"delay:{delay}")
        if self.ration.spent:
            self.clear()

    def _waited(self, seconds: float) -> None:
        """Count an exchange that was held back for this long."""
        self._delayed += 1
        self._seconds += seconds

    @put("/response/delay/set/{delay}")
    def set(self, delay: Delays) -> str:
        """Set the delay of all responses, or as `{delay}[-{delay}][:{count}][@{percent}%]` of some, each within that range."""
        percent = delay.dose.percent
        self._given = delay
        self._mark = f"delay:{delay.delay}" if delay.delay.low == delay.delay.high else ""
        self.ration = Ration(delay.dose.count, percent.share if percent else 1.0)
        self.changed()
        return self.show()

    @put("/response/delay/clear")
    def clear(self) -> str:
        """Remove the delay."""
        self.set(_NONE)
        return "Response delay cleared"

    @get("/response/delay")
    def show(self) -> str:
        """Show the delay."""
        value = self.value
        return f"Response delay: {value.delay}{value.dose.told()}" if value else "No response delay"

    @setting("response.delay")
    def configured(self) -> Delays | None:
        """How long every response is held back: `200ms`, `200ms:3` for the next three exchanges, `100ms-300ms` for each its own
        time within that range, `1s@10%` for one of ten.
        """
        return self.value if self._given else None

    @configured.setter
    def configure(self, delay: Delays | None) -> None:
        self.set(delay or _NONE)

    @measure("goto_response_delay_seconds", "summary")
    def waited(self) -> Summary:
        """Delays of responses, as long as they lasted."""
        return Summary(self._delayed, self._seconds)
