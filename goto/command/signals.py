"""SIGTERM, SIGINT and SIGHUP, from the first line of goto's own code to its end.

A signal ends the process at once, except while the command has asked to be told of the next one: then the command hears of that
one and ends in its own time, and what comes behind it ends the process at once.

Handlers are Python's own, not those of an event loop: they have to be there before a loop is. As process 1 of a container too,
for which the system ignores every signal without a handler.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))
"""Windows has no SIGHUP."""

INTERRUPTED = 128
"""Plus the number of the signal: the exit status of a command that a signal has ended, as shells have it."""


class _Ends:
    """What the next signal does."""

    def __init__(self) -> None:
        self.serving = False
        self.told: Callable[[int], object] | None = None

    def signalled(self, number: int, frame: object) -> None:
        told, self.told = self.told, None
        if told is None:
            # not by an exception, which whoever runs now would catch or show
            os._exit(0 if self.serving else INTERRUPTED + number)
        told(number)


_ends = _Ends()


def listen(*, serving: bool) -> None:
    """Let signals end this process: with 0 if it is `serving`, else with 128 and the number of the signal.

    SIGHUP that is ignored stays so: that is how `nohup` starts a process.
    """
    _ends.serving = serving
    for number in ENDING:
        hangup = number == getattr(signal, "SIGHUP", None)
        if not (hangup and signal.getsignal(number) is signal.SIG_IGN):
            signal.signal(number, _ends.signalled)


def take(told: Callable[[int], object]) -> None:
    """Have the next signal told by its number, in the main thread between any two lines, instead of ending the process."""
    _ends.told = told


def release() -> None:
    """Let the next signal end the process again."""
    _ends.told = None
