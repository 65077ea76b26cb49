"""The access log: one line per exchange, collected and written in batches."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import Literal

import msgspec

FLUSH_SECONDS = 0.1
HELD_LINES = 20_000
"""Lines held before they are written whether it is time or not."""

Format = Literal["text", "json"]


class AccessLog:
    """Lines to a file descriptor: time, listener, client, method, target, status, time taken, where it went.

    A status of 0 stands for an exchange whose client left before it was answered; text shows `-`.
    """

    def __init__(self, fd: int = 1, form: Format = "text", *, enabled: bool = True) -> None:
        self.enabled = enabled
        self._fd = fd
        self._json = form == "json"
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._ms, self._time = -1, ""
        self._second, self._date = -1, ""

    def exchange(self, listener: int, client: str, method: str, target: str, status: int, seconds: float, went: str) -> None:
        """Note an exchange that is over. `seconds` is from its head to its end; `went` is `local`, `api` or targets."""
        if not self.enabled:
            return
        ms = int(time.time() * 1000)
        if ms != self._ms:
            self._ms, self._time = ms, self._stamp(ms)
        if self._json:
            line = msgspec.json.encode(
                {
                    "time": self._time,
                    "listener": listener,
                    "client": client,
                    "method": method,
                    "target": target.encode("utf-8", "backslashreplace").decode(),
                    "status": status,
                    "ms": round(seconds * 1000, 3),
                    "went": went,
                }
            )
        else:
            text = f"{self._time} {listener} {client} {method} {target} {status or '-'} {seconds * 1000:.1f}ms {went}"
            line = text.encode("utf-8", "backslashreplace")
        self._lines.append(line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        elif len(self._lines) >= HELD_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what is held. A reader that has gone must not end the process."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines:
            data = b"\n".join(self._lines) + b"\n"
            self._lines.clear()
            with contextlib.suppress(OSError):
                while data:
                    data = data[os.write(self._fd, data) :]

    def _stamp(self, ms: int) -> str:
        second, ms = divmod(ms, 1000)
        if second != self._second:
            self._second, self._date = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._date}.{ms:03}Z"
