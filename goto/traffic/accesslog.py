"""The access log: one line per exchange, collected and written in batches."""

from __future__ import annotations

import asyncio
import os
import select
import stat
import time
from functools import cache, lru_cache
from typing import Final, Literal

import msgspec

from goto.http.shown import shown_text
from goto.words import escapes
from goto.words.unseen import escaped

FLUSH_SECONDS: Final = 0.1
HELD_LINES: Final = 20_000
"""Lines held before they are written whether it is time or not. If they cannot be, they are lost, which the log then says."""

HELD_CHARACTERS = 16_000_000
"""The same for their characters, looked at when it is time: a line is as long as what its client asked for."""

TIMES_LIMIT = 4096
"""Times taken that are remembered with their text."""

PATIENCE_SECONDS = 2.0
"""How long the end of the process waits for a reader of its log."""

Format = Literal["text", "json"]


class AccessLog:
    """Lines to a file descriptor: time, listener, client, method, target, status, time taken, where it went.

    A status of 0 stands for an exchange whose client left before it was answered; text shows `-`.
    """

    def __init__(self, fd: int = 1, form: Format = "text", *, enabled: bool = True, encoding: str = "utf-8") -> None:
        self.enabled = enabled
        self._fd = fd
        self._json = form == "json"
        self._encoding = encoding
        self._errors = escapes.JSON if self._json and not escapes.is_utf8(encoding) else escapes.TEXT
        self._lines: list[str] = []
        self._rest = b""
        """What was not taken yet of the lines before."""
        self._lost = 0
        """Lines given up that the log does not tell of yet."""
        self._given_up = 0
        self._refused = False
        """The last write failed: the disk is full, for one."""
        self._piece = _piece(fd)
        self._timer: asyncio.TimerHandle | None = None
        self._ms, self._time = -1, ""
        self._second, self._date = -1, ""

    def exchange(self, listener: int, client: str, method: str, target: str, status: int, seconds: float, went: str) -> None:
        """Note an exchange that is over, in one line whatever is in it. `seconds` is from its head to its end; `went` is `local`,
        `api` or targets.
        """
        if not self.enabled:
            return
        ms = int(time.time() * 1000)
        if ms != self._ms:
            self._ms, self._time = ms, self._stamp(ms)
        method, target = shown_text(method), shown_text(target)
        if self._json:
            line = msgspec.json.encode(
                {
                    "time": self._time,
                    "listener": listener,
                    "client": client,
                    "method": method,
                    "target": target,
                    "status": status,
                    "ms": round(seconds * 1000, 3),
                    "went": went,
                }
            ).decode()
        else:
            took = _tenths(int(seconds * 10_000 + 0.5))
            line = " ".join((self._time, _number(listener), client, method, target, _number(status), took, went))
        self._lines.append(line if line.isprintable() else escaped(line))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._on_time)
        elif len(self._lines) >= HELD_LINES:
            self._write(0)
            self._bound()

    def say(self, line: str) -> None:
        """Write a line of goto itself at once, behind what is held."""
        self._lines.append(escaped(line))
        self._write(0)
        self._again()

    @property
    def lost(self) -> int:
        """Lines that are not in the log: those given up, and those that are held since they could not be written."""
        return self._given_up + (self._rest.count(b"\n") + len(self._lines) if self._refused else 0)

    def flush(self) -> None:
        """Write what is held, waiting for its reader for a while at the most."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._write(PATIENCE_SECONDS)

    def _on_time(self) -> None:
        self._timer = None
        self._write(0)
        self._again()

    def _again(self) -> None:
        """What is still held is written as soon as it is taken, whether or not another line comes."""
        if self._rest or self._lines:
            self._bound()
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._on_time)

    def _bound(self) -> None:
        """Lines that nobody takes are given up, and counted."""
        if len(self._lines) >= HELD_LINES or sum(map(len, self._lines)) > HELD_CHARACTERS:
            self._lost += len(self._lines)
            self._given_up += len(self._lines)
            self._lines.clear()

    def _write(self, patience: float) -> None:
        """Write as much as is taken within so many seconds, without ever blocking: traffic does not wait for a log's reader.

        What a full disk refuses stays held. A reader that has left never comes back: what was for it is given up.
        """
        if self._lines and not self._rest:
            self._lines.append("")  # ends the last one
            if self._lost:
                what = "1 line of this log was lost" if self._lost == 1 else f"{self._lost} lines of this log were lost"
                self._lines.insert(0, f"goto: {what}: it is not read")
                self._lost = 0
            self._rest = "\n".join(self._lines).encode(self._encoding, self._errors)
            self._lines.clear()
        try:
            while self._rest and select.select((), (self._fd,), (), patience)[1]:
                self._rest = self._rest[os.write(self._fd, self._rest[: self._piece]) :]
                self._refused = False
        except BrokenPipeError:
            self._given_up += self._rest.count(b"\n")
            self._rest = b""
        except (OSError, ValueError):
            self._refused = True

    def _stamp(self, ms: int) -> str:
        second, ms = divmod(ms, 1000)
        if second != self._second:
            self._second, self._date = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._date}.{ms:03}Z"


@cache
def _number(number: int) -> str:
    """A port or a status; there are no more than 65,536 of them."""
    return str(number or "-")


@lru_cache(TIMES_LIMIT)
def _tenths(tenths: int) -> str:
    """Tenths of a millisecond; formatting a float takes longer than all else that is done for a line."""
    return f"{tenths // 10}.{tenths % 10}ms"


def _piece(fd: int) -> int:
    """Bytes that a write takes without blocking, once a descriptor is ready: a pipe may have no more room than this."""
    try:
        is_file = stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError:
        is_file = False
    return 1 << 20 if is_file else select.PIPE_BUF


def address_of(peername: object) -> str:
    """`host:port` of a client, from what its socket says; `-` where that is no address."""
    if not isinstance(peername, tuple):
        return "-"
    host, port = peername[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
