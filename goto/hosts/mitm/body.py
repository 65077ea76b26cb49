"""How long a request's body may stand still."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from mitmproxy import http

from goto.hosts.mitm import private
from goto.traffic.limits import LIMITS


class BodyTime:
    """The longest time without a byte of one request's body, the limit `bodyTime`."""

    def __init__(self, flow: http.HTTPFlow, is_late: Callable[[bool], bool]) -> None:
        """`is_late` is called once nothing has come for that long, see `private.stop_waiting`."""
        self._flow = flow
        self._is_late = is_late
        self._moved = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """The time runs from now on, until the body has ended."""
        private.body_moves[self._flow.id] = self._move
        self._moved = time.monotonic()
        self._wait(LIMITS.body_time)

    def stop(self) -> None:
        """Nobody waits for the body any more."""
        private.body_moves.pop(self._flow.id, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _move(self, ended: bool) -> None:
        if ended:
            self.stop()
        else:
            self._moved = time.monotonic()

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        left = self._moved + LIMITS.body_time - time.monotonic()
        if left > 0:
            self._wait(left)
        else:
            private.stop_waiting(self._flow, self._is_late)
