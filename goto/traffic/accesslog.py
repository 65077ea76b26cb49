"""The access log: one line per exchange, collected and written in batches."""

from __future__ import annotations

import asyncio
import os
import select
import stat
import time
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final, Literal
from urllib.parse import unquote

import msgspec

from goto.http.shown import shown_text
from goto.words import escapes
from goto.words.unseen import escaped

_RULE: Final = "rule:"

FLUSH_SECONDS: Final = 0.1
"""How long lines are held before they are written."""

HELD_LINES: Final = 20_000
"""Lines that are held at most: they are then written at once. Where that is not possible they are lost, and the log says so."""

HELD_CHARACTERS = 16_000_000
"""Characters that are held at most, checked at each write, since a line is as long as what its client asked for."""

TIMES_LIMIT = 4096
"""Durations whose text is cached."""

PATIENCE_SECONDS = 2.0
"""How long goto waits for a reader of its log when it ends."""

Format = Literal["text", "json"]


class AccessLog:
    """Writes lines to a file descriptor: time, listener, client, method, target, status, time taken, and where the request went.

    A status of 0 stands for an exchange whose client left before it was answered; it is `-` in text.
    """

    def __init__(self, fd: int = 1, form: Format = "text", *, enabled: bool = True, encoding: str = "utf-8") -> None:
        self.enabled = enabled
        self._fd = fd
        self._json = form == "json"
        self._encoding = encoding
        self._errors = escapes.JSON if self._json and not escapes.is_utf8(encoding) else escapes.TEXT
        self._lines: list[str] = []
        self._rest = b""
        """Bytes of earlier lines that were not written yet."""
        self._unreported = 0
        """Lines that were given up, and that the log does not mention yet."""
        self._given_up = 0
        self._refused = False
        """Whether the last write failed, for example since the disk is full."""
        self._write_bytes = _bytes_per_write(fd)
        self._timer: asyncio.TimerHandle | None = None
        self._ms, self._time = -1, ""
        self._second, self._date = -1, ""

    def exchange(
        self,
        listener: int,
        client: str,
        method: str,
        target: str,
        status: int,
        seconds: float,
        went: str,
        marks: Sequence[str] = (),
        *,
        aborted: bool = False,
    ) -> None:
        """Note an exchange that is over, in one line whatever is in it. `seconds` is from its head to its end; `went` is `local`,
        `api` or targets, with the marks behind it. JSON has `marks` as a list too. `aborted`: goto ended it on purpose, which its
        end says; without an answer its status is 0 then.
        """
        if not self.enabled:
            return
        ms = int(time.time() * 1000)
        if ms != self._ms:
            self._ms, self._time = ms, self._stamp(ms)
        if aborted:
            went += " aborted"
        if "\\" in target or not target.isascii():
            target = shown_text(target)
        if self._json:
            line = msgspec.json.encode(
                {
                    "time": self._time,
                    "listener": listener,
                    "client": client,
                    "method": method,
                    "target": target,
                    "status": int(status),  # a word is no number to msgspec
                    "ms": round(seconds * 1000, 3),
                    "went": str(went),
                    **({"marks": list(map(str, marks))} if marks else {}),
                    **({"rules": rules} if (rules := _rules(marks)) else {}),
                }
            ).decode()
        else:
            took = _tenths(int(seconds * 10_000 + 0.5))
            shown = "0" if aborted and not status else _number(status)
            line = " ".join((self._time, _number(listener), client, method, target, shown, took, went))
        self._lines.append(line if line.isprintable() else escaped(line))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._on_time)
        elif len(self._lines) >= HELD_LINES:
            self._write(0)
            self._drop_excess()

    def say(self, line: str) -> None:
        """Write a line of goto itself at once, after the lines that are held."""
        self._lines.append(escaped(line))
        self._write(0)
        self._write_later()

    @property
    def lost(self) -> int:
        """Lines that are not in the log: those that were given up, and those that are held since they could not be written."""
        return self._given_up + (self._rest.count(b"\n") + len(self._lines) if self._refused else 0)

    def flush(self) -> None:
        """Write the lines that are held, and wait a limited time for their reader."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._write(PATIENCE_SECONDS)

    def _on_time(self) -> None:
        self._timer = None
        self._write(0)
        self._write_later()

    def _write_later(self) -> None:
        """Plan another write where lines are still held, whether or not another line comes."""
        if self._rest or self._lines:
            self._drop_excess()
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._on_time)

    def _drop_excess(self) -> None:
        """Give up lines past the bounds, and count them."""
        if len(self._lines) >= HELD_LINES or sum(map(len, self._lines)) > HELD_CHARACTERS:
            self._unreported += len(self._lines)
            self._given_up += len(self._lines)
            self._lines.clear()

    def _write(self, patience: float) -> None:
        """Write as much as the reader takes within `patience` seconds. A write never blocks: traffic does not wait for the log.

        Lines that a full disk refuses are kept. A reader that has left never comes back, so its lines are given up.
        """
        if self._lines and not self._rest:
            self._lines.append("")  # ends the last one
            if self._unreported:
                were = "1 line of this log was" if self._unreported == 1 else f"{self._unreported} lines of this log were"
                self._lines.insert(0, f"goto: {were} lost, since nobody read it")
                self._unreported = 0
            self._rest = "\n".join(self._lines).encode(self._encoding, self._errors)
            self._lines.clear()
        try:
            while self._rest and select.select((), (self._fd,), (), patience)[1]:
                self._rest = self._rest[os.write(self._fd, self._rest[: self._write_bytes]) :]
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
    """A port or a status as text. There are at most 65,536 of them, so the cache is bounded."""
    return str(number or "-")


@lru_cache(TIMES_LIMIT)
def _tenths(tenths: int) -> str:
    """Tenths of a millisecond as text, cached since formatting a float takes longer than the rest of a line."""
    return f"{tenths // 10}.{tenths % 10}ms"


def _rules(marks: Sequence[str]) -> list[str]:
    """The names of the rules among the marks of an exchange."""
    return [unquote(mark[len(_RULE) :].removesuffix("!")) for mark in marks if mark.startswith(_RULE)]


def _bytes_per_write(fd: int) -> int:
    """Bytes that can be written without blocking once a descriptor is ready: a pipe may have no more room than this."""
    try:
        is_file = stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError:
        is_file = False
    return 1 << 20 if is_file else select.PIPE_BUF


def address_of(peername: object) -> str:
    """`host:port` of a client, from the address of its socket; `-` where that is not an IP address."""
    if not isinstance(peername, tuple):
        return "-"
    host, port = peername[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
