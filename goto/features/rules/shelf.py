"""The rules of a listener: by name, in the order added, and those among them that a request fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from goto.errors import Conflict, NotFound
from goto.features.rules.live import LiveRule
from goto.http.messages import Request
from goto.matching.fitting import Fit, FitIndex

MOST_RULES: Final = 10_000

MOST_BODIES: Final = 256 << 20
"""Bytes of the bodies of all rules of a listener."""

_FEW: Final = 64
"""So many rules that look at nothing any more may stay in the index, whatever their share."""


class Shelf:
    """Rules by name, and their index.

    The index is made at the first request after a change, and grows with rules that are added. One that is spent stays in it
    until these are half of it, so that thousands that are spent one by one stay cheap.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, LiveRule] = {}
        self._index: FitIndex[LiveRule] | None = None
        self._size = 0
        """Rules in the index."""
        self._spent = 0
        """Those of them that are spent."""
        self._next = 0
        """The rank of the next rule."""
        self.most_rules = MOST_RULES
        self.most_bodies = MOST_BODIES
        self.few = _FEW

    def __iter__(self) -> Iterator[LiveRule]:
        """In the order added."""
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> LiveRule | None:
        return self._by_name.get(name)

    def known(self, name: str) -> LiveRule:
        """Raises `NotFound`, with a name that is much like it."""
        rule = self._by_name.get(name)
        if rule is None:
            close = get_close_matches(name, self._by_name, 1)
            raise NotFound(f"unknown rule: {name}" + (f"; did you mean {close[0]}?" if close else ""))
        return rule

    # ------------------------------------------------------------ changes
    def put(self, rule: LiveRule) -> LiveRule | None:
        """Add a rule, or put it in the place of the one of its name; that one. Raises `Conflict` past the limits."""
        name = rule.given.name
        old = self._by_name.get(name)
        self.check([*(other for other in self if other is not old), rule])
        self._by_name[name] = rule
        if old is not None:
            rule.rank = old.rank
            self._index = None
        else:
            self._next += 1
            rule.rank = self._next
            if self._index is not None and not rule.over:
                self._add(self._index, rule)
        return old

    def remove(self, rule: LiveRule) -> None:
        del self._by_name[rule.given.name]
        self._index = None

    def replace_all(self, rules: Iterable[LiveRule]) -> None:
        """Have these, in this order. Raises `Conflict` past the limits, and changes nothing then."""
        several = list(rules)
        self.check(several)
        self._by_name = {rule.given.name: rule for rule in several}
        for self._next, rule in enumerate(several, 1):
            rule.rank = self._next
        self._index = None

    def check(self, rules: list[LiveRule]) -> None:
        """Raises `Conflict` where these are too many, or too large."""
        if len(rules) > self.most_rules:
            raise Conflict(f"rules: {self.most_rules} rules are the limit: remove some first")
        if sum(rule.body_size for rule in rules) > self.most_bodies:
            raise Conflict(f"rules: their bodies together are over {self.most_bodies >> 20}MiB: remove some first")

    def changed(self) -> None:
        """Rules were enabled, disabled or reset."""
        self._index = None

    # ------------------------------------------------------------ looking
    def fits(self, request: Request, *, reused: bool) -> list[Fit[LiveRule]]:
        """What a request fits as far as its head tells, in no order; some of it may be spent."""
        return (self._index or self._made()).find(request, reused)

    def spent(self) -> None:
        """A rule in the index is spent."""
        self._spent += 1
        if self._spent > self.few and self._spent * 2 > self._size:
            self._index = None

    @property
    def idle(self) -> bool:
        """Whether all rules in the index are spent."""
        return self._index is not None and self._spent >= self._size

    def _made(self) -> FitIndex[LiveRule]:
        index: FitIndex[LiveRule] = FitIndex()
        self._size = self._spent = 0
        for rule in self:
            if not rule.over:
                self._add(index, rule)
        self._index = index
        return index

    def _add(self, index: FitIndex[LiveRule], rule: LiveRule) -> None:
        self._size += 1
        index.add(rule, rule.given.when, rule.given.unless)
