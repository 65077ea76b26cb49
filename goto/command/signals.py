"""SIGTERM, SIGINT and SIGHUP, from the first line of goto's own code to its end.

A signal ends the process at once, except where the command has asked to be told of the next one: then the command ends in its own
time, and a further signal ends the process at once.

The handlers are those of Python, not of an event loop, since they are needed before there is a loop. They are also needed as
process 1 of a container, for which the system ignores every signal without a handler.

Before that line Python starts, and a signal then is Python's. Who cannot have that starts goto with these signals blocked, as by
`env --block-signal=TERM`: they wait until the handlers are there.
"""

from __future__ import annotations

# what `signal` is made of: that takes milliseconds to import, in which a signal would be a traceback
import _signal as signal
import os
from collections.abc import Callable

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))
"""The signals that end goto. Windows has no SIGHUP."""

IGNORED = tuple(getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2") if hasattr(signal, name))
"""Signals by which other servers are told to open their logs anew, and which would end one that knows nothing of them."""

INTERRUPTED = 128
"""The exit status of a command that a signal has ended is this plus the number of the signal, as shells have it."""


class _Ends:
    """What the next signal does: it calls `told`, or ends the process."""

    def __init__(self) -> None:
        self.serving = False
        self.told: Callable[[int], object] | None = None

    def signalled(self, number: int, frame: object) -> None:
        told, self.told = self.told, None
        if told is None:
            # not by an exception, which the running code could catch or print
            os._exit(0 if self.serving else INTERRUPTED + number)
        told(number)


_ends = _Ends()


def listen(*, serving: bool) -> None:
    """Let signals end this process: with 0 if it is `serving`, else with 128 plus the number of the signal. One that is serving
    ignores those that mean nothing to it.

    SIGHUP stays ignored where it is: `nohup` starts a process like that. Whichever of them is blocked is so no more.
    """
    _ends.serving = serving
    for number in ENDING:
        hangup = number == getattr(signal, "SIGHUP", None)
        if not (hangup and signal.getsignal(number) == signal.SIG_IGN):
            signal.signal(number, _ends.signalled)
    for number in IGNORED if serving else ():
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):  # Windows blocks none
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def take(told: Callable[[int], object]) -> None:
    """Have the next signal call `told` with its number, in the main thread between two lines, instead of ending the process."""
    _ends.told = told


def release() -> None:
    """Let the next signal end the process again."""
    _ends.told = None
