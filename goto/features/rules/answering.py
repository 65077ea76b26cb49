"""Answers of rules that name no status, made behind the forced status, so that they have it while there is one."""

from __future__ import annotations

from goto.feature import Feature
from goto.flow import Flow


class RuleAnswers(Feature):
    """Answer with what a rule has left, with the forced status or 200. It has neither routes nor state."""

    ends = "written"

    @property
    def active(self) -> bool:
        rules = self.sibling("rules")
        return rules is None or rules.active

    def request(self, flow: Flow) -> None:
        work = flow.notes.pop(RuleAnswers, None)
        if work is not None:
            flow.response = work.response(flow.status or 200)
