"""Durations as Go writes them: `300ms`, `1.5s`, `1m30s`, `2h`, `500µs`, and a bare `0`; never negative (docs/behaviour.md)."""

from __future__ import annotations

import re
from typing import Any, ClassVar

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, the micro sign
    "μs": 1_000,  # U+03BC, the Greek letter
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_LONGEST = 2**63 - 1  # as in Go: about 292 years


class Duration(int):
    """A time span in whole nanoseconds."""

    ZERO: ClassVar[Duration]
    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": r"^\+?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$",
        "examples": ["300ms", "1.5s", "1m30s"],
    }

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read a duration. Raises ValueError with the reason."""
        word = text.removeprefix("+")
        if word == "0":
            return cls(0)
        total, at = 0, 0
        while at < len(word):
            part = _PART.match(word, at)
            if part is None:
                break
            whole, _, fraction = part[1].partition(".")
            unit = _UNITS[part[2]]
            # digits far below a nanosecond change nothing, and long numbers take quadratic time to read
            total += int(whole[:30] or "0") * unit if len(whole) <= 30 else _LONGEST + 1
            fraction = fraction[:18]
            total += int(fraction or "0") * unit // 10 ** len(fraction)
            at = part.end()
        if not word or at < len(word):
            raise ValueError(f"{text!r} is not a duration: write it like 300ms, 1.5s or 1m30s")
        if total > _LONGEST:
            raise ValueError(f"{text!r} is longer than a duration can be: write at most 2562047h")
        return cls(total)

    @property
    def seconds(self) -> float:
        return self / 1_000_000_000

    def __str__(self) -> str:
        """The duration as Go prints it: `1m30s`, `1.5s`, `500µs`, `0s`."""
        if self == 0:
            return "0s"
        for unit in ("ns", "µs", "ms"):
            if self < _UNITS[unit] * 1000:
                return f"{_decimal(int(self), _UNITS[unit])}{unit}"
        minutes, rest = divmod(int(self), _UNITS["m"])
        seconds = f"{_decimal(rest, _UNITS['s'])}s"
        if not minutes:
            return seconds
        hours, minutes = divmod(minutes, 60)
        return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}"

    __repr__ = __str__


Duration.ZERO = Duration(0)


def duration_text(seconds: float) -> str:
    """A number of seconds, printed as a duration: `1.5s`."""
    return str(Duration(round(seconds * 1_000_000_000)))


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}}".rstrip("0") if rest else str(whole)
