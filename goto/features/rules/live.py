"""A rule at work: its counts, its dice, its clock, and what it holds."""

from __future__ import annotations

import secrets
import time
from typing import Final, Literal

import msgspec

from goto.features.rules.dice import MOST_SEED, Dice, Weights
from goto.features.rules.effect import Effect
from goto.features.rules.given import Captures, Unable
from goto.features.rules.rule import Rule
from goto.features.rules.strike import Strike, quoted
from goto.features.rules.turns import Turns
from goto.matching.captures import in_text
from goto.matching.templates import Variable, parse_template
from goto.words import Duration

State = Literal["active", "waiting", "spent", "disabled"]

_NEVER: Final = float("inf")


class LiveRule:
    """A rule at work on one listener."""

    def __init__(self, given: Rule) -> None:
        """Raises `BadInput` where a file of it cannot be read."""
        seed = secrets.randbelow(MOST_SEED + 1) if given.seed is None else given.seed
        self.given = msgspec.structs.replace(given, seed=seed)
        """As it was given, with the seed that it has."""
        self.enabled = given.enabled
        self.at_request = given.at == "request"
        self.rank = 0
        """Its place in the order added."""
        self.quoted = quoted(given.name)
        self.mark = f"rule:{self.quoted}"
        self.releases = 0
        """How often it has let go of all that it held."""
        self.held: set[Strike] = set()
        """Those that hold an exchange now."""
        names = given.when.captured
        own, *entries = [Effect(entry, names) for _, entry in given.entries()]
        self._own = own
        self._entries = entries
        self._weights = None if given.one_of is None else Weights(entry.weight for entry in given.one_of)
        self._per = None if given.per is None else parse_template(given.per)
        self.body_size = sum(effect.held for effect in (own, *entries))
        """Bytes of memory that its bodies take."""
        self.begin()

    def begin(self) -> None:
        """Set counts, dice and clock to their start."""
        given = self.given
        assert given.seed is not None
        self.turns = Turns(given.skip, given.every, self._limit, per=self._per is not None)
        self.unable = 0
        self._dice = Dice(given.seed, given.name)
        self.begins = time.monotonic() + given.after.seconds
        self.ends = _NEVER if given.for_ is None else self.begins + given.for_.seconds
        self._end_told = False

    @property
    def _limit(self) -> int | None:
        """How many strikes there are, in all or for each value of `per`."""
        given = self.given
        ends = [] if given.count is None else [given.count]
        if given.then == "pass" and given.answers is not None:
            ends.append(len(given.answers))
        return min(ends, default=None)

    @property
    def as_it_is(self) -> Rule:
        """As it was given, enabled or not as it is now."""
        return msgspec.structs.replace(self.given, enabled=self.enabled)

    def is_still(self, given: Rule) -> bool:
        """Whether that is what it is already."""
        return given.same(self.as_it_is)

    # ------------------------------------------------------------ whether it looks at traffic
    @property
    def over(self) -> bool:
        """Whether it is disabled or spent, so that it looks at nothing, whatever comes."""
        return not self.enabled or self.turns.spent or time.monotonic() >= self.ends

    def is_active(self, now: float) -> bool:
        return self.enabled and self.begins <= now < self.ends and not self.turns.spent

    def ends_now(self, now: float) -> bool:
        """Whether its time is over, and that has not been told yet."""
        told, self._end_told = self._end_told, now >= self.ends and not self.turns.spent
        return self._end_told and not told

    @property
    def state(self) -> State:
        if not self.enabled:
            return "disabled"
        now = time.monotonic()
        if self.turns.spent or now >= self.ends:
            return "spent"
        return "waiting" if now < self.begins else "active"

    @property
    def left(self) -> int | None:
        """Strikes that are left, where they are counted for all traffic."""
        limit = self._limit
        return None if limit is None or self.given.count is None or self._per is not None else limit - self.turns.struck

    # ------------------------------------------------------------ striking
    def strike(self, captures: Captures) -> Strike | None:
        """Match an exchange; the strike, None where it is not struck or passes."""
        taken = self.turns.take(self._value(captures), self._roll)
        if taken is None:
            return None
        number, nth = taken
        effect = self._effect(number, nth)
        try:
            delay = self._delay(number, effect, captures)
            work = effect.work(captures)
        except Unable:
            return Strike(self, number).give_up()
        if work.passes and delay is None and not self.given.trigger:
            return None
        return Strike(self, number, work, delay)

    def _value(self, captures: Captures) -> str:
        """The value of `per`, in which a missing capture is empty."""
        if self._per is None:
            return ""
        return "".join(
            (in_text(captures[piece.name]) if piece.name in captures else "") if isinstance(piece, Variable) else piece
            for piece in self._per
        )

    def _roll(self, number: int) -> bool:
        chance = self.given.probability
        return chance >= 1 or (chance > 0 and self._dice.throw(number, "strike") < chance)

    def _effect(self, number: int, nth: int) -> Effect:
        """What is done to the n-th strike."""
        if self._weights is not None:
            return self._entries[self._weights.pick(self._dice.throw(number, "outcome"))]
        if not self._entries:
            return self._own
        last = len(self._entries) - 1
        return self._entries[nth % (last + 1) if self.given.then == "again" else min(nth, last)]

    def _delay(self, number: int, effect: Effect, captures: Captures) -> Duration | None:
        """How long it waits: its own delay, and that of an entry. Raises `Unable`."""
        if not (self._own.waits or effect.waits):
            return None
        effects = [self._own] if effect is self._own else [self._own, effect]
        spreads = [spread for one in effects if (spread := one.spread(captures)) is not None]
        u = self._dice.throw(number, "delay")
        return Duration(sum(spread.at(u) for spread in spreads))

    # ------------------------------------------------------------ what it will do
    def plan(self, number: int) -> tuple[bool, Duration | None, int | None]:
        """What the dice say of a matched exchange: whether it is struck, the delay and the outcome where there is one."""
        if not self.turns.rolls(number) or not self._roll(number):
            return False, None, None
        outcome, effect = None, self._own
        if self._weights is not None:
            outcome = self._weights.pick(self._dice.throw(number, "outcome"))
            effect = self._entries[outcome]
        try:
            delay = self._delay(number, effect, {})
        except Unable:
            delay = None  # it depends on a capture
        return True, delay, outcome

    # ------------------------------------------------------------ what it holds
    def release(self) -> None:
        """Let go of all that is held: delays, hangs, paces and stalls end."""
        self.releases += 1
        for strike in list(self.held):
            strike.release()
