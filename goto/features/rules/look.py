"""Rules at work on the traffic of a listener: which of them strike an exchange, and how often each did what."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from goto.counting.bounded import OTHER
from goto.features.rules.acts import Acts, Struck
from goto.features.rules.live import LiveRule
from goto.features.rules.shelf import Shelf
from goto.features.rules.strike import Strike
from goto.flow import Flow
from goto.matching.fitting import Fit
from goto.matching.when import BODY_LIMIT, Body

MOST_NAMED: Final = 200
"""Rules of a listener that the metrics tell apart."""

_PROBE: Final = b"kube-probe/"
_ASKED: Final = object()
"""The note of an exchange whose body was asked for."""


class Look:
    """The hooks of the rules of a listener."""

    def __init__(self, shelf: Shelf, acts: Acts, on_idle: Callable[[], None]) -> None:
        """`on_idle()` is called once all rules are spent."""
        self.counts: dict[tuple[str, str], int] = {}
        """Strikes by the name of the rule and the first word of what was done."""
        self.named: set[str] = set()
        """The rules in these counts."""
        self._gone: dict[str, None] = {}
        """Of these the ones that were removed, in order. Metrics go on, so they stay as long as there is room."""
        self.most_named = MOST_NAMED
        self._shelf = shelf
        self._acts = acts
        self._on_idle = on_idle

    def forget(self, name: str) -> None:
        """A rule is gone."""
        if name in self.named:
            self._gone[name] = None

    def request(self, flow: Flow) -> None:
        fits = self._shelf.fits(flow.request, reused=flow.peer.requests > 1)
        if not fits:
            return
        now, probe = time.monotonic(), _is_probe(flow)
        active: list[Fit[LiveRule]] = []
        asks = False
        for fit in fits:
            if fit.item.is_active(now) and (not probe or fit.item.given.probes):
                active.append(fit)
                asks = asks or fit.asks
        if len(active) < len(fits):
            self._pass_over(fits, now)
        if not active:
            return
        fits = active
        body: Body | None = None
        if asks:
            kept = flow.request_body
            if kept is None or (not kept.whole and len(kept.data) < BODY_LIMIT and flow.notes.get(self) is not _ASKED):
                flow.notes[self] = _ASKED
                flow.wants(BODY_LIMIT)
                return
            body = Body(kept.data, kept.whole)
        if len(fits) > 1:
            fits.sort(key=_rank)
        self._strike(flow, fits, body)

    def _pass_over(self, fits: list[Fit[LiveRule]], now: float) -> None:
        """Look no more at rules whose time has ended."""
        for fit in fits:
            if fit.item.ends_now(now):
                self._spent()

    def _spent(self) -> None:
        """A rule strikes no more."""
        self._shelf.spent()
        if self._shelf.idle:
            self._on_idle()

    def _strike(self, flow: Flow, fits: list[Fit[LiveRule]], body: Body | None) -> None:
        """Let the rules that an exchange fits strike it, in their order, until one ends the look."""
        struck: Struck | None = None
        for fit in fits:
            if body is not None and not fit.holds(body):
                continue
            rule = fit.item
            strike = rule.strike(fit.captures)
            if rule.turns.spent:
                self._spent()
            if strike is None:
                continue
            if struck is None:
                struck = flow.notes[self] = Struck(flow)
            self._acts.begin(struck, strike)
            if strike.work.outcome:
                break
        if struck is not None:
            self._acts.decide(struck)
            if flow.silent:
                self._count(struck)

    def response(self, flow: Flow) -> None:
        if not flow.notes:
            return
        struck = flow.notes.get(self)
        if not isinstance(struck, Struck):
            return
        assert flow.response is not None
        self._acts.reply(struck, flow.response)
        if flow.delivery is None:
            self._count(struck)

    def closed(self, flow: Flow) -> None:
        if not flow.notes:
            return
        struck = flow.notes.pop(self, None)  # it leads back to the flow
        if isinstance(struck, Struck):
            if struck.holding:
                self._acts.free(struck, struck.strikes, wholly=True)
            self._count(struck)

    def _count(self, struck: Struck) -> None:
        """Count what was done, once it is certain."""
        if not struck.counted:
            struck.counted = True
            for strike in struck.strikes:
                self._count_one(strike)

    def _count_one(self, strike: Strike) -> None:
        name, words = str(strike.rule.given.name), strike.words
        if not words:
            return
        if name not in self.named:
            if not self._has_room():
                self._add(OTHER, words[0])
                return
            self.named.add(name)
            if self._shelf.get(name) is None:
                self._gone[name] = None
        self._add(name, words[0])

    def _has_room(self) -> bool:
        """Whether one more rule can be counted apart, if need be in the place of one that is gone."""
        if len(self.named) < self.most_named:
            return True
        while self._gone:
            name = next(iter(self._gone))
            del self._gone[name]
            if self._shelf.get(name) is None:  # it may have been added again
                self.named.discard(name)
                self.counts = {key: count for key, count in self.counts.items() if key[0] != name}
                return True
        return False

    def _add(self, name: str, word: str) -> None:
        key = (name, word)
        self.counts[key] = self.counts.get(key, 0) + 1


def _rank(fit: Fit[LiveRule]) -> int:
    return fit.item.rank


def _is_probe(flow: Flow) -> bool:
    for _, value in flow.request.headers.index.get(b"user-agent", ()):  # noqa: SIM110  # any() would make a generator each time
        if value.startswith(_PROBE):
            return True
    return False
