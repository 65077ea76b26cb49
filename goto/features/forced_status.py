"""The forced status: traffic is answered with it instead of being served or proxied."""

from __future__ import annotations

from dataclasses import replace

from goto.counting.ration import Ration
from goto.feature import Feature
from goto.flow import Flow
from goto.routes import get, put
from goto.settings import setting
from goto.words.values import Statuses

_NONE = Statuses(())


class ForcedStatus(Feature):
    """Force a status on traffic: on all of it, on exactly the next exchanges, or on some by chance.

    The feature counts down and sets `flow.status`. Such a flow is not proxied, and Local answers it with that status.
    """

    def __init__(self) -> None:
        self._given = _NONE
        self.ration = Ration()
        self._next = 0
        """Which of several statuses is the next one's."""

    @property
    def active(self) -> bool:
        return bool(self._given.statuses)

    @property
    def value(self) -> Statuses:
        """What is forced, with what is left of its count."""
        return replace(self._given, dose=replace(self._given.dose, count=self.ration.left))

    def request(self, flow: Flow) -> None:
        statuses = self._given.statuses
        if not statuses or not self.ration.take():
            return  # the count ran out after this exchange began, or chance leaves it out
        flow.status = int(statuses[self._next])
        flow.mark(f"forced:{flow.status}")
        self._next = (self._next + 1) % len(statuses)
        if self.ration.spent:
            self.clear()

    @put("/response/status/set/{status}")
    def set(self, status: Statuses) -> str:
        """Force a status on all traffic, or as `{status}[,{status}…][:{count}][@{percent}%]` on some; 0 forces none."""
        percent = status.dose.percent
        self._given, self._next = status, 0
        self.ration = Ration(status.dose.count, percent.share if percent else 1.0)
        self.changed()
        return self.show()

    @put("/response/status/clear")
    def clear(self) -> str:
        """Force no status any more."""
        self.set(_NONE)
        return "Response status cleared"

    @get("/response/status")
    def show(self) -> str:
        """Show the forced status."""
        value = self.value
        return f"Response status: {value.listed}{value.dose.told()}" if value.statuses else "No forced response status"

    @setting("response.status")
    def configured(self) -> Statuses | None:
        """The status that traffic is answered with: `503`, `503:2` for the next two exchanges, `500,502` in turn, `503@10%` for
        one of ten; `0` forces none.
        """
        return self.value if self._given.statuses else None

    @configured.setter
    def configure(self, status: Statuses | None) -> None:
        self.set(status or _NONE)
