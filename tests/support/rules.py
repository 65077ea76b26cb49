"""Rules by hand."""

from __future__ import annotations

from typing import Any

from goto.client.feature import Client
from goto.feature import ABILITIES, Feature, Place
from goto.features.rules.answering import RuleAnswers
from goto.features.rules.feature import Rules
from goto.features.rules.live import LiveRule
from goto.features.rules.rule import Rule
from goto.flow import Flow
from goto.words.reading import read_struct
from support.flows import flow, passed


def made(name: str = "r", **fields: Any) -> Rule:
    """A rule as a call gives it; a name that Python has, with an underscore: `for_="1s"`."""
    rule, unknown = read_struct({"name": name, **{key.removesuffix("_"): value for key, value in fields.items()}}, Rule)
    assert not unknown
    return rule


def live(name: str = "r", **fields: Any) -> LiveRule:
    return LiveRule(made(name, **fields))


class Stand(Place):
    """Some features beside each other."""

    host = "narrow"
    identity = b"Via-Goto: me\r\n"

    def __init__(self, *features: Feature, abilities: frozenset[str] = ABILITIES) -> None:
        self.features = features
        self.abilities = abilities
        for feature in features:
            feature.bind(lambda: None, self)

    def sibling(self, name: str) -> Feature | None:
        return next((feature for feature in self.features if feature.name == name), None)


class Onion:
    """Rules and what belongs to them, in their places; other features stand between them or behind."""

    def __init__(self, *rules: Rule, between: list[Feature] | None = None, behind: list[Feature] | None = None) -> None:
        self.rules = Rules()
        self.client = Client()
        self.features: list[Feature] = [self.rules, *(between or []), RuleAnswers(), *(behind or []), self.client]
        Stand(*self.features)
        for rule in rules:
            self.rules.add(rule)


def receipts(flow: Flow) -> list[str]:
    """What the answer says of rules."""
    assert flow.response is not None
    return flow.response.headers.get_all("Goto-Rule")


def status(onion: Onion, one: Flow | None = None, **how: Any) -> int:
    """What an exchange is answered; 200 where no rule says otherwise."""
    response = passed(onion.features, one or flow(), **how).response
    assert response is not None
    return response.status
