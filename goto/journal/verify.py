"""One question of how many exchanges fit, and its answer: at once where that is known, else as soon as it is.

    state       means                                        goes to
    WAITING     there are too few                            SETTLING once there are enough; OVER at `timeout`
    SETTLING    there are enough, and may be too many yet    OVER at the end of `settle`
    OVER        it is answered                               nothing

In both, one too many is the end at once. Without an upper bound nothing settles, and `atMost n` has enough from the beginning.

Where something was lost since it is looked at, only what is there proves anything: that there are enough where there may be any
number, and that there are too many.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from goto.errors import ApiError
from goto.exchange.waiting import Wait
from goto.journal.live import Watcher
from goto.words import Duration


class State(Enum):
    """See above."""

    WAITING = auto()
    SETTLING = auto()
    OVER = auto()


class Outcome(NamedTuple):
    """What came of a question."""

    holds: bool
    incomplete: bool
    """It does not hold since something was lost; it may have been so all the same."""
    waited: Duration
    seen: int
    entries: list[int]
    """The numbers of exchanges that fit, at most 100."""


class Verification:
    """A question that waits for its answer."""

    def __init__(self, watcher: Watcher, timeout: Duration, settle: Duration | None, lost: Callable[[], bool]) -> None:
        """`lost`: whether something is lost that may have counted."""
        self.watcher = watcher
        self.answer: Wait[Outcome] = Wait()
        """Comes with what came of it. Fails with an `ApiError` where it can no longer be told."""
        self._seen = watcher.seen
        self._timeout = timeout
        # to have none at all is settled at the end of the time that is given for it
        self._settle = settle if settle is not None else timeout if not getattr(watcher.seen, "least", 1) else Duration.ZERO
        self._lost = lost
        self._state = State.WAITING
        self._began = time.monotonic()
        self._ends = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.outcome: Outcome | None = None

    def begin(self) -> None:
        """What there is was looked at: answer, or wait for more."""
        self.look()
        if self._state is State.WAITING:
            self._at(self._began + self._timeout.seconds)

    def look(self) -> None:
        """What was seen has changed."""
        seen = self._seen
        if self._state is State.OVER:
            return
        if seen.exceeded:
            self._over(holds=False)
        elif self._lost() and seen.bounded:
            self._over(holds=False, incomplete=True)
        elif self._state is State.WAITING and seen.reached:
            if seen.bounded and self._settle:
                self._state = State.SETTLING
                self._at(time.monotonic() + self._settle.seconds)
            else:
                self._over(holds=True)

    def stop(self) -> None:
        """Nobody waits for the answer any more."""
        self._state = State.OVER
        self._cancel()

    def fail(self, error: ApiError) -> None:
        """End it with an error, since the answer can no longer be told."""
        if self._state is not State.OVER:
            self.stop()
            asyncio.get_running_loop().call_soon(self.answer.fail, error)

    def _at(self, when: float) -> None:
        self._cancel()
        self._ends = when
        self._tick()

    def _tick(self) -> None:
        left = self._ends - time.monotonic()
        if left > 0:
            # the clock has the last word: a timer may fire a little early
            self._timer = asyncio.get_running_loop().call_later(left + 0.001, self._tick)
            return
        self._timer = None
        self.look()
        if self._state is State.SETTLING:
            self._over(holds=True)
        elif self._state is State.WAITING:
            self._over(holds=False, incomplete=self._lost())

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _over(self, *, holds: bool, incomplete: bool = False) -> None:
        waited = Duration(int((time.monotonic() - self._began) * 1000) * 1_000_000)
        at_timeout = self._state is State.WAITING and waited >= self._timeout and not holds
        self.stop()
        self.outcome = Outcome(
            holds, incomplete, self._timeout if at_timeout else waited, self._seen.seen, list(self._seen.entries)
        )
        # whoever waits is stepped by its own turn of the loop, and not within the exchange that has decided it
        asyncio.get_running_loop().call_soon(self.answer.come, self.outcome)
