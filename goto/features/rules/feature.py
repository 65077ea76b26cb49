"""Rules: their routes, and the hooks that find which rules strike an exchange."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from goto.client.feature import Client
from goto.errors import BadInput, Conflict, NotFound
from goto.feature import Feature, measure
from goto.features.rules.acts import Acts
from goto.features.rules.live import LiveRule
from goto.features.rules.look import Look
from goto.features.rules.rule import Rule
from goto.features.rules.shelf import MOST_RULES, Shelf
from goto.features.rules.shown import First, HowMany, Planned, RuleProgress, ShownRule, planned
from goto.flow import Flow
from goto.matching.remarks import about_uri, in_brackets
from goto.routes import get, post, put
from goto.settings import setting
from goto.words import Name


class Rules(Feature):
    """Let rules strike traffic that fits them: an answer, a fault, or an answer that is late, slow, cut or changed."""

    ends = "written"

    def __init__(self) -> None:
        self._shelf = Shelf()
        self._acts = Acts(self._client, lambda: self.place.identity)
        self._look = Look(self._shelf, self._acts, lambda: self.changed())

    @property
    def active(self) -> bool:
        return any(not rule.over for rule in self._shelf)

    def _client(self) -> Client | None:
        client = self.sibling(Client.name)
        return client if isinstance(client, Client) else None

    # ------------------------------------------------------------ hooks
    def request(self, flow: Flow) -> None:
        self._look.request(flow)

    def response(self, flow: Flow) -> None:
        self._look.response(flow)

    def closed(self, flow: Flow) -> None:
        self._look.closed(flow)

    # ------------------------------------------------------------ routes
    @post("/response/rules/add", raises=[Conflict])
    def add(self, rule: Rule) -> str:
        """Add a rule; one that bears a known name replaces that one in its place, and begins anew."""
        self.refuse_files([rule])
        old = self._shelf.put(self._live(rule))
        if old is not None:
            old.release()
        self.changed()
        return f"{'Added' if old is None else 'Replaced'} rule {rule.name}{in_brackets(_about(rule))}"

    @put("/response/rules/{rule}/remove", raises=[NotFound])
    def remove(self, rule: Name) -> str:
        """Remove a rule. What it holds goes on at once."""
        known = self._shelf.known(rule)
        self._shelf.remove(known)
        self._forget(known)
        self.changed()
        return f"Removed rule {rule}"

    @put("/response/rules/enable/all")
    def enable_all(self) -> str:
        """Enable each rule there is."""
        self._switch(list(self._shelf), True)
        return "Enabled all rules"

    @put("/response/rules/disable/all")
    def disable_all(self) -> str:
        """Disable each rule there is. What they hold goes on at once."""
        self._switch(list(self._shelf), False)
        return "Disabled all rules"

    @put("/response/rules/{rule}/enable", raises=[NotFound])
    def enable(self, rule: Name) -> str:
        """Let a rule look at traffic; its counts are what they were."""
        self._switch([self._shelf.known(rule)], True)
        return f"Enabled rule {rule}"

    @put("/response/rules/{rule}/disable", raises=[NotFound])
    def disable(self, rule: Name) -> str:
        """Keep a rule from looking at traffic. What it holds goes on at once; its counts stay, and its clock goes on."""
        self._switch([self._shelf.known(rule)], False)
        return f"Disabled rule {rule}"

    @put("/response/rules/{rule}/reset", raises=[NotFound])
    def reset(self, rule: Name) -> str:
        """Set counts, dice and clock of a rule to their start. What it holds stays held."""
        self._shelf.known(rule).begin()
        self._shelf.changed()
        self.changed()
        return f"Reset rule {rule}"

    @put("/response/rules/clear")
    def clear(self) -> str:
        """Remove all rules. What they hold goes on at once."""
        self.configure([])
        return "Cleared rules"

    @get("/response/rules")
    def rules(self) -> dict[str, ShownRule]:
        """Show the rules in the order added, each as it was given, with what has come of it."""
        return {rule.given.name: ShownRule.of(rule) for rule in self._shelf}

    def progress(self) -> dict[str, RuleProgress]:
        """What has come of each rule."""
        return {rule.given.name: RuleProgress.of(rule) for rule in self._shelf}

    @get("/response/rules/{rule}", raises=[NotFound])
    def show(self, rule: Name) -> ShownRule:
        """Show a rule as it was given, with what has come of it."""
        return ShownRule.of(self._shelf.known(rule))

    @get("/response/rules/{rule}/plan", raises=[NotFound])
    def plan(self, rule: Name, from_: First = First.NEXT, count: HowMany = HowMany.USUAL) -> list[Planned]:
        """Tell what the dice say of matched exchanges, from the next one on or from one of a number."""
        known = self._shelf.known(rule)
        return planned(known, known.turns.matched if from_ is First.NEXT else from_, count)

    # ------------------------------------------------------------ changes
    def _live(self, given: Rule) -> LiveRule:
        """A rule that can be put in force. Raises `ApiError` where it cannot."""
        live = LiveRule(given)
        for _, entry in given.entries():
            self.need(*(key for key in ("pace", "stall") if getattr(entry, key) is not None))
        return live

    def _is_there(self, rule: Rule) -> bool:
        known = self._shelf.get(rule.name)
        return known is not None and known.is_still(rule)

    def _switch(self, rules: list[LiveRule], enabled: bool) -> None:
        for rule in rules:
            rule.enabled = enabled
            if not enabled:
                rule.release()
        self._shelf.changed()
        self.changed()

    def _forget(self, rule: LiveRule) -> None:
        """A rule is gone."""
        rule.release()
        self._look.forget(rule.given.name)

    def forget(self) -> None:
        for rule in self._shelf:
            rule.begin()
            rule.release()
        self._shelf.changed()
        self.changed()

    def stop(self) -> None:
        for rule in self._shelf:
            rule.release()

    def remarks(self) -> Iterator[tuple[str, str]]:
        for rule in self._shelf:
            for said in _about(rule.given):
                yield "response.rules", f"{rule.given.name}: {said}"

    # ------------------------------------------------------------ file
    @setting("response.rules")
    def configured(self) -> Annotated[list[Rule], msgspec.Meta(max_length=MOST_RULES)]:
        """What happens to traffic that fits: answers, faults and delays."""
        return [rule.as_it_is for rule in self._shelf]

    @configured.setter
    def configure(self, rules: list[Rule]) -> None:
        old = {rule.given.name: rule for rule in self._shelf}
        new: list[LiveRule] = []
        for given in rules:
            known = old.get(given.name)
            new.append(known if known is not None and known.is_still(given) else self._live(given))
        self._shelf.replace_all(new)
        stay = {rule.given.name: rule for rule in new}
        for name, rule in old.items():
            if name not in stay:
                self._forget(rule)
            elif stay[name] is not rule:
                rule.release()
        self.changed()

    @configured.sent
    def refuse_files(self, rules: list[Rule]) -> None:
        """What a call may not say, unless that very rule is there already."""
        for rule in rules:
            if any(entry.file is not None for _, entry in rule.entries()) and not self._is_there(rule):
                raise BadInput("file: only a file of --config may name one")

    # ------------------------------------------------------------ metrics
    @measure("goto_rule_strikes", "counter", labels=["rule", "did"])
    def strikes(self) -> dict[tuple[str, str], int]:
        """Strikes of rules, by what was done; "unable" where it could not be carried out in full."""
        return dict(self._look.counts)

    @measure("goto_held_exchanges", "gauge")
    def held(self) -> int:
        """Exchanges that rules hold now, in a delay, a hang, a pace or a stall."""
        return self._acts.held


def _about(rule: Rule) -> list[str]:
    """What of a rule may be meant otherwise: URIs that match less than it seems."""
    return [said for uri in rule.when.uris if (said := about_uri(uri))]
