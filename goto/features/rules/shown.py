"""Rules as they are read: what was given, and what has come of it."""

from __future__ import annotations

from typing import Any, ClassVar, NotRequired, TypedDict

import msgspec

from goto.features.rules.fields import Choice
from goto.features.rules.live import LiveRule
from goto.features.rules.rule import Rule
from goto.words import whole_number

MOST_PLANNED = 1_000


class RuleState(Choice):
    """Whether a rule looks at traffic: now, later, no more, or not as long as it is disabled."""

    choices = ("active", "waiting", "spent", "disabled")


class RuleProgress(msgspec.Struct):
    """What has come of a rule."""

    state: RuleState
    """Whether it looks at traffic now."""
    matched: int
    """Exchanges that it fitted while it was active."""
    struck: int
    """Those that chance and counts picked."""
    unable: int
    """Strikes that could not be carried out in full."""
    holding: int
    """Exchanges that it holds now."""

    @classmethod
    def of(cls, rule: LiveRule) -> RuleProgress:
        return cls(RuleState(rule.state), rule.turns.matched, rule.turns.struck, rule.unable, len(rule.held))


class ShownRule(Rule, kw_only=True, omit_defaults=True):
    """A rule as it was given, with what has come of it."""

    enabled: bool
    """Whether it looks at traffic."""
    seed: int
    """What its dice depend on."""
    state: RuleState
    """Whether it looks at traffic now."""
    matched: int
    """Exchanges that it fitted while it was active."""
    struck: int
    """Those that chance and counts picked."""
    unable: int
    """Strikes that could not be carried out in full."""
    holding: int
    """Exchanges that it holds now."""
    left: int | None = None
    """Strikes that are left of its count, where there is one and no `per`."""
    forgotten: int | None = None
    """With `per`: values that were forgotten, since there were too many."""

    example: ClassVar[dict[str, Any]] = {
        **Rule.example,
        "enabled": True,
        "seed": 7,
        "state": "active",
        "matched": 12,
        "struck": 5,
        "unable": 0,
        "holding": 0,
    }

    def check(self) -> None:
        """Nothing is left to check: that was done when the rule was given."""

    @classmethod
    def of(cls, rule: LiveRule) -> ShownRule:
        given = {name: getattr(rule.given, name) for name in Rule.__struct_fields__}
        given["enabled"] = rule.enabled
        return cls(
            **given,
            state=RuleState(rule.state),
            matched=rule.turns.matched,
            struck=rule.turns.struck,
            unable=rule.unable,
            holding=len(rule.held),
            left=rule.left,
            forgotten=None if rule.given.per is None else rule.turns.forgotten,
        )


class Planned(TypedDict):
    """What the dice say of one matched exchange."""

    n: int
    """Its number, from 0."""
    strikes: bool
    delay: NotRequired[str]
    """How long it would wait, where it is struck and that does not depend on a capture."""
    outcome: NotRequired[int]
    """Which entry of `oneOf` it would be."""


def planned(rule: LiveRule, first: int, count: int) -> list[Planned]:
    """What the dice say of so many exchanges, from one on."""
    lines: list[Planned] = []
    for number in range(first, first + count):
        strikes, delay, outcome = rule.plan(number)
        line: Planned = {"n": number, "strikes": strikes}
        if delay is not None:
            line["delay"] = str(delay)
        if outcome is not None:
            line["outcome"] = outcome
        lines.append(line)
    return lines


class First(int):
    """The number of a matched exchange, from 0; by default that of the next one."""

    NEXT: ClassVar[First]
    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 0, "examples": [0]}

    @classmethod
    def parse(cls, text: str) -> First:
        return cls(whole_number(text))


class HowMany(int):
    """How many exchanges are told, from 1 to 1000."""

    USUAL: ClassVar[HowMany]
    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": MOST_PLANNED, "default": 20, "examples": [20]}

    @classmethod
    def parse(cls, text: str) -> HowMany:
        return cls(whole_number(text, 1, MOST_PLANNED))


First.NEXT = First(-1)
HowMany.USUAL = HowMany(20)
