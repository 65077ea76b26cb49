"""What came of a rule that has struck an exchange: what was done, what is held, and the receipt of it."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol
from urllib.parse import quote

from goto.features.rules.effect import WORDS, Word, Work
from goto.features.rules.rule import Rule
from goto.flow import Control, Flow, Hold
from goto.words import Duration

_NOTHING = Work()

_BITS: Final[dict[Word, int]] = {word: 1 << number for number, word in enumerate(WORDS)}
_UNABLE: Final = _BITS["unable"]

_in_order: Final[dict[int, tuple[Word, ...]]] = {}
"""The words of some bits, and below what a receipt says of them: rules do few things, and the same ones each time."""
_told: Final[dict[int, str]] = {}


def _words(done: int) -> tuple[Word, ...]:
    words = _in_order.get(done)
    if words is None:
        words = _in_order[done] = tuple([word for word in WORDS if done & _BITS[word]])
        _told[done] = f";did={'+'.join(words)}"
    return words


class Striker(Protocol):
    """The rule that a strike is of."""

    given: Rule
    at_request: bool
    """It does what it does instead of serving or sending on."""
    quoted: str
    """Its name as it stands in a header."""
    mark: str
    """What it leaves on an exchange."""
    releases: int
    """How often it has let go of all that it held."""
    unable: int
    """Strikes that could not be carried out in full."""
    held: set[Strike]
    """Those that hold an exchange now."""
    ends: float
    """When it is over, in seconds of the monotonic clock."""


class Strike:
    """One strike of a rule. What it holds goes on when the rule lets it go."""

    __slots__ = (
        "_done",
        "_flow",
        "_mark",
        "_releases",
        "_timer",
        "at_request",
        "control",
        "delay",
        "held",
        "holds",
        "number",
        "rule",
        "work",
    )

    def __init__(self, rule: Striker, number: int, work: Work = _NOTHING, delay: Duration | None = None) -> None:
        self.rule = rule
        self.number = number
        """Of the matched exchange."""
        self.work: Work = work
        self.delay: Duration | None = delay
        self.at_request = rule.at_request
        self.holds: list[Hold] = []
        self.control: Control | None = None
        self.held = 0
        """How many things it holds the exchange by now: a wait, and a slow way out."""
        self._done = 0
        """The bits of what was done."""
        self._releases = rule.releases
        self._mark = ""
        self._flow: Flow | None = None
        self._timer: asyncio.TimerHandle | None = None

    def did(self, word: Word) -> None:
        """This was done."""
        self._done |= _BITS[word]

    def not_done(self, *words: Word) -> None:
        """This turned out not to be possible."""
        done = self._done
        for word in words:
            self._done &= ~_BITS[word]
        self._done |= _UNABLE
        if not done & _UNABLE:
            self.rule.unable += 1
            if self._mark and self._flow is not None:
                marks = [f"{mark}!" if mark == self._mark else mark for mark in self._flow.marks]
                self._flow.marks = marks

    def give_up(self) -> Strike:
        """It cannot be worked out, so nothing is done."""
        self.work, self.delay = _NOTHING, None
        self.not_done()
        return self

    @property
    def words(self) -> tuple[Word, ...]:
        """What was done, in the order in which it is told."""
        return _words(self._done)

    def receipt(self) -> str:
        """The value of `Goto-Rule`."""
        _words(self._done)
        return f"{self.rule.quoted};n={self.number}{_told[self._done]}"

    def mark(self, flow: Flow) -> None:
        """Leave the mark of it on the exchange."""
        self._flow = flow
        self._mark = self.rule.mark
        flow.mark(f"{self._mark}!" if self._done & _UNABLE else self._mark)

    @property
    def gave_up(self) -> bool:
        """Whether nothing is done."""
        return self.work is _NOTHING

    @property
    def waits(self) -> bool:
        """Whether it holds the exchange before a byte is sent."""
        return self.delay is not None or self.work.abort == "hang"

    @property
    def may_hold(self) -> bool:
        """Whether it may hold the exchange."""
        return self.waits or self.work.paces or self.work.stall > 0

    @property
    def let_go(self) -> bool:
        """Whether the rule holds nothing any more of what it struck before."""
        return self.rule.releases != self._releases

    def release(self) -> None:
        """Let all that it holds go on at once."""
        for hold in self.holds:
            hold.release()
        if self.control is not None:
            self.control.let_go()

    def let_go_at_its_end(self, control: Control) -> None:
        """Let go once the rule is over, for what has no time of its own."""
        if self.rule.ends < float("inf"):
            left = max(self.rule.ends - time.monotonic(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(left, control.let_go)

    def settle(self) -> None:
        """Nothing is held any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def quoted(name: str) -> str:
    """A name as it stands in a header and in a mark."""
    return quote(name, safe="-._~", errors="surrogateescape")
