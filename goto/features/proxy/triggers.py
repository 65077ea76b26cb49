"""Which targets a request triggers: by `match`, any of whose criteria holds, or by `when`, all of whose criteria hold."""

from __future__ import annotations

from collections.abc import Iterable

from goto.features.proxy.rewrite import Rewrite
from goto.flow import Flow
from goto.matching.captures import Capture
from goto.matching.fitting import FitIndex
from goto.matching.index import MatchIndex
from goto.matching.when import BODY_LIMIT, Body

Triggered = list[tuple[Rewrite, dict[str, Capture]]]
"""Targets in the order added, each with its captures."""


class Triggers:
    """Targets that traffic can trigger, added in their order."""

    def __init__(self, rewrites: Iterable[Rewrite] = ()) -> None:
        self._by_any: MatchIndex[Rewrite] = MatchIndex()
        self._by_all: FitIndex[Rewrite] | None = None
        self._fallbacks = False
        """Some are only for what triggers no other target."""
        self._size = 0
        for rewrite in rewrites:
            self.add(rewrite)

    def add(self, rewrite: Rewrite) -> None:
        """Add a target after all others."""
        target = rewrite.target
        self._size += 1
        rewrite.rank = self._size
        self._fallbacks = self._fallbacks or target.fallback
        if target.when is None:
            self._by_any.add(rewrite, target.match)
        else:
            if self._by_all is None:
                self._by_all = FitIndex()
            self._by_all.add(rewrite, target.when, target.unless)

    def find(self, flow: Flow) -> Triggered | None:
        """The targets that a request triggers; None where it waits for its body first. The list is not to be changed."""
        found = self._by_any.match(flow.request)
        if self._by_all is not None:
            fits = self._by_all.find(flow.request, flow.peer.requests > 1)
            if fits:
                body = Body(b"", whole=True)
                if any(fit.asks for fit in fits):
                    kept = flow.request_body
                    if kept is None or (not kept.whole and len(kept.data) < BODY_LIMIT and self not in flow.notes):
                        flow.notes[self] = True
                        flow.wants(BODY_LIMIT)
                        return None
                    body = Body(kept.data, kept.whole)
                more = [(fit.item, fit.captures) for fit in fits if fit.holds(body)]
                found = sorted([*found, *more], key=_rank)
        if self._fallbacks and len(found) > 1:
            return [one for one in found if not one[0].target.fallback] or found
        return found


def _rank(found: tuple[Rewrite, dict[str, Capture]]) -> int:
    return found[0].rank
