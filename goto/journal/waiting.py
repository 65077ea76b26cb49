"""The calls that wait for exchanges, and how many may."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from goto.errors import ApiError, Unavailable
from goto.journal.expectation import Expectation
from goto.journal.live import Live
from goto.journal.verify import Outcome, Verification
from goto.routes import Later

MOST_WAITING: Final = 1_000
"""Calls that may wait at a time."""


class Waiting:
    """The calls that wait: each for an expectation, for the journal, or, as a watcher, for any news."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._calls: dict[Verification, Expectation | None] = {}
        """Each with the expectation that it waits for; None for one that waits for the journal."""
        self._watching = 0

    def __len__(self) -> int:
        return len(self._calls) + self._watching

    def check(self) -> None:
        """One more is about to wait. Raises `Unavailable` where too many do."""
        if len(self) >= MOST_WAITING:
            raise Unavailable(f"waiters: {MOST_WAITING} calls wait already")

    def watch(self) -> Callable[[], None]:
        """A watcher waits, until the function that comes back is called. Raises `Unavailable` where too many do."""
        self.check()
        self._watching += 1
        return self._watched

    def _watched(self) -> None:
        self._watching -= 1

    def later(
        self, verification: Verification, answer: Callable[[Outcome], Any], expectation: Expectation | None = None
    ) -> Later:
        """The call waits. Raises `Unavailable` where too many do."""
        try:
            self.check()
        except Unavailable:
            verification.stop()
            self.unwatch(verification, expectation)
            raise
        self._calls[verification] = expectation
        return Later(verification.answer, answer, partial(self._left, verification, expectation))

    def fail(self, whom: Expectation | None, error: ApiError) -> None:
        """Nothing is to come any more of an expectation; of the journal where it is None."""
        for verification in [verification for verification, of in self._calls.items() if of is whom]:
            verification.fail(error)

    def unwatch(self, verification: Verification, expectation: Expectation | None) -> None:
        """A question that was answered, or given up, looks at no more exchanges."""
        if expectation is None:
            self._live.remove(verification.watcher)
            # the two know each other: the garbage collector, which takes its time, is not to be needed
            verification.watcher.waiters.clear()
        else:
            expectation.watcher.waiters.remove(verification.look)

    def _left(self, verification: Verification, expectation: Expectation | None) -> None:
        """A call waits no more, however that came."""
        self._calls.pop(verification, None)
        verification.stop()
        self.unwatch(verification, expectation)
