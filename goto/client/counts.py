"""Counts of answers and failures: of the requests to one target, or of several targets together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from math import inf
from typing import ClassVar, Final

from goto.client.buckets import Noted
from goto.client.histogram import Latencies
from goto.client.rate import Pursuit, Rate
from goto.client.series import Recorder
from goto.counting.bounded import slot
from goto.flow import Field
from goto.http.shown import shown
from goto.upstream.errors import UpstreamError

TEXTS_LIMIT = 1000
"""Distinct status lines and error texts counted apart."""

HEADERS_LIMIT = 1000
"""Headers whose values are counted apart: those tracked now, and those tracked before."""

KINDS_LIMIT = 100
"""Kinds of errors counted apart. Goto has seven; results that are merged from other instances may have others."""

CHECK: Final = "check"
"""The kind of an answer that did not pass a check."""

CHECKS_LIMIT = 1000
"""Checks counted apart: those of a target now, and those of targets of its name before."""

FIRST_BYTE: Final = "firstByte"

PHASES: Final = ("dns", "connect", "tls", FIRST_BYTE)
"""What is measured beside the latency of a request."""

GIVEN_UP: Final = ("timeout", "connectTimeout", "stopped")
"""Kinds of errors of requests that took at least as long as they were waited for; others that failed have no latency."""

_FOLD: Final = 4096
"""Answers that are noted before they are counted in one go, which costs a fraction of counting each by itself."""

_WALL = time.time() - time.perf_counter()
"""Added to a time of `perf_counter`, it makes seconds since 1970. Taken once, so that a moment is shown the same each time."""


class Stopped(UpstreamError):
    """The request was given up, because its run was stopped."""

    kind: ClassVar[str] = "stopped"


class NotConnected(UpstreamError):
    """No connection was made within the time set."""

    kind: ClassVar[str] = "connectTimeout"


class _Taken:
    """Latencies that were noted, by their buckets."""

    __slots__ = ("at_once", "corrected", "first", "raw")

    def __init__(self, at_once: dict[int, int], raw: dict[int, int], corrected: dict[int, int], first: dict[int, int]) -> None:
        self.at_once = at_once
        """Of answers that came at once to requests that were sent when they were due: these are raw, corrected and first byte."""
        self.raw = raw
        self.corrected = corrected
        self.first = first


class Totals:
    """The counts of a target since its first request. Clearing its results does not clear these."""

    __slots__ = ("bytes_received", "bytes_sent", "codes", "errors")

    def __init__(self) -> None:
        self.codes: dict[int, int] = {}
        self.errors: dict[str, int] = {}
        self.bytes_sent = 0
        self.bytes_received = 0

    def add(self, other: Totals | Counts) -> None:
        for code, count in other.codes.items():
            self.codes[code] = self.codes.get(code, 0) + count
        _add(self.errors, other.errors, KINDS_LIMIT)
        self.bytes_sent += other.bytes_sent
        self.bytes_received += other.bytes_received


class Counts:
    """Counters and histograms. Read them after `fold`."""

    __slots__ = (
        "_alike",
        "_answers",
        "_corrected",
        "_first",
        "_in_point",
        "_last",
        "_on_time",
        "_passed",
        "_point_bytes",
        "_point_errors",
        "_raw",
        "_reason",
        "_status",
        "_turn_at",
        "bytes_received",
        "bytes_sent",
        "checks",
        "codes",
        "connections",
        "corrected",
        "end",
        "errors",
        "headers",
        "phases",
        "rate",
        "raw",
        "recorder",
        "resent",
        "start",
        "texts",
        "users",
        "values",
        "whole",
    )

    def __init__(self, *, recorded: bool = False) -> None:
        """`recorded`: a series is kept too."""
        self.users = 0
        """Runs that count here now."""
        self.recorder = Recorder() if recorded else None
        """What keeps the series."""
        self.rate: Rate | None = None
        """How far the rate was held, where there is one."""
        self.whole: Counts | None = None
        """What counts here counts there too, with that of other runs; at the next `fold` of this one at the latest."""
        self.clear()

    def clear(self) -> None:
        """Set all counts back to nothing."""
        self.texts: dict[str, int] = {}
        """By status line, `418 I'm a teapot`, or by the text of an error."""
        self.codes: dict[int, int] = {}
        """By status code, 0 for an error."""
        self.headers: dict[str, int] = {}
        """Answers that had a tracked header, by its name in lower case."""
        self.values: dict[str, dict[str, int]] = {}
        """The same by the value of the header too."""
        self.errors: dict[str, int] = {}
        """By kind: connect, connectTimeout, timeout, broken, stopped, other; check for answers that did not pass."""
        self.checks: dict[str, int] = {}
        """Answers for which a check did not hold, by the check."""
        self.connections = 0
        """Connections made."""
        self.resent = 0
        """Requests that were sent again, on a new connection. Each counts once among the others."""
        self.bytes_sent = 0
        """Of requests, heads included; of both tries, where one was sent again."""
        self.bytes_received = 0
        """Of the bodies of answers."""
        self.start: float | None = None
        """When the first run began, since a `clear` when the request answered first was sent; seconds since 1970."""
        self.end: float | None = None
        """When the last answer was complete, or its request had failed; seconds since 1970."""
        self.raw = Latencies()
        """From when a request was sent to the last byte of its answer, or to when it was given up."""
        self.corrected = Latencies()
        """The same from when it was due: at a time by a rate, else as soon as its replica was free to send it."""
        self.phases: dict[str, Latencies] = {phase: Latencies() for phase in PHASES}
        """What it took to make connections, and from when requests were sent to the first byte of their answers."""
        if self.rate is not None:
            self.rate = self.rate.anew() if self.users else None
        if self.recorder is not None:
            self.recorder = self.recorder.anew()
        self._answers: dict[tuple[int, bytes], int] = {}
        """By status and reason, but for the latest ones."""
        self._status = 0
        self._reason = b""
        self._alike = 0
        """Answers since the last one of another status or reason."""
        self._on_time = Noted()
        """Latencies of answers that came at once to requests that were sent when they were due."""
        self._raw = Noted()
        self._corrected = Noted()
        self._first = Noted()
        self._in_point = 0
        """Requests that have ended, and are not folded yet."""
        self._point_errors = 0
        self._point_bytes = 0
        self._turn_at = 0.0
        """When the present point of the series ends."""
        self._last = 0.0
        self._passed = 0
        """Of `bytes_sent`, those that `whole` knows of."""

    def use(self) -> None:
        """A run counts here from now on."""
        self.users += 1
        if self.whole is not None:
            self.whole.use()

    def release(self) -> None:
        """A run counts here no more."""
        self.fold()
        self.users -= 1
        if not self.users:
            for noted in (self._on_time, self._raw, self._corrected, self._first):
                noted.shrink()
        if self.whole is not None:
            self.whole.release()

    def begin(self, now: float) -> None:
        """A run begins to send."""
        if self.start is None:
            self._start(now)
        if self.whole is not None:
            self.whole.begin(now)

    def follow(self, pursuit: Pursuit) -> None:
        """A run begins whose requests become due at a rate."""
        if self.rate is None:
            self.rate = Rate()
        self.rate.pursuit = pursuit
        if self.recorder is not None:
            self.recorder.follow(pursuit)
        if self.whole is not None:
            self.whole.follow(pursuit)

    def connected(self, opening: tuple[float, float, float]) -> None:
        """Count a connection, with the seconds that looking its host up, connecting and the handshake took; 0 for what was not to
        be done.
        """
        self.connections += 1
        for phase, seconds in zip(PHASES, opening, strict=False):
            if seconds:
                self.phases[phase].add((seconds,))
        if self.whole is not None:
            self.whole.connected(opening)

    def late(self) -> None:
        """A request is sent late."""
        if self.rate is not None:
            self.rate.late += 1
        if self.whole is not None:
            self.whole.late()

    def sent_again(self) -> None:
        """A request is sent again, on a new connection."""
        self.resent += 1
        if self.whole is not None:
            self.whole.sent_again()

    def answer(
        self,
        status: int,
        reason: bytes,
        fields: list[Field],
        tracked: Mapping[bytes, str],
        due: float,
        sent: float,
        first: float,
        now: float,
        size: int,
        body: int,
        failed: list[str] | None = None,
    ) -> None:
        """Count an answer that is complete. `failed`: the checks that it did not pass.

        Times as `time.perf_counter` has them, `first` of its first byte; `size` of the request and `body` of the answer in bytes.
        """
        if now >= self._turn_at:
            self._turn(now, sent)
        if reason is not self._reason or status != self._status:
            self._tell_apart()
            self._status = status
            self._reason = reason
        self._alike += 1
        if due == sent and first == now:
            self._on_time.add(now - sent)
        else:
            self._raw.add(now - sent)
            self._corrected.add(now - due)
            self._first.add(first - sent)
        self.bytes_sent += size
        self.bytes_received += body
        self._point_bytes += body
        self._last = now
        if tracked:
            self._count_headers(fields, tracked)
        if failed:
            self._point_errors += 1
            self._count_checks(failed)
        self._in_point += 1
        if self._in_point >= _FOLD:
            self.fold()

    def failure(self, error: UpstreamError, *, due: float, sent: float, now: float, size: int, body: int) -> None:
        """Count a request that got no answer, or not the whole of it."""
        if now >= self._turn_at:
            self._turn(now, sent)
        self._count_error(error)
        if error.kind in GIVEN_UP:
            self._raw.add(now - sent)
            self._corrected.add(now - due)
        self.bytes_sent += size
        self.bytes_received += body
        self._point_bytes += body
        self._last = now
        self._in_point += 1
        self._point_errors += 1
        if self._in_point >= _FOLD:
            self.fold()

    def fold(self) -> None:
        """Count what was noted."""
        if not self._in_point:
            return
        self._tell_apart()
        taken = _Taken(self._on_time.take(), self._raw.take(), self._corrected.take(), self._first.take())
        self._add(self, taken)
        if self.whole is not None:
            self.whole.bytes_received += self._point_bytes
            self.whole.bytes_sent += self.bytes_sent - self._passed
            self._passed = self.bytes_sent
            if self.whole.recorder is not None:
                self.whole.recorder.turn(self._last)
            self.whole._add(self, taken)
        self._answers.clear()
        self._in_point = self._point_errors = self._point_bytes = 0

    def _tell_apart(self) -> None:
        """Another answer than the latest ones may follow."""
        if self._alike:
            key = (self._status, self._reason)
            self._answers[key] = self._answers.get(key, 0) + self._alike
            self._alike = 0

    def _add(self, part: Counts, taken: _Taken) -> None:
        """Count what a part, or this itself, has noted since its last `fold`, all of it within one point of the series."""
        for (status, reason), count in part._answers.items():
            line = slot(self.texts, f"{status} {shown(reason)}".rstrip(), TEXTS_LIMIT)
            self.texts[line] = self.texts.get(line, 0) + count
            self.codes[status] = self.codes.get(status, 0) + count
        self.raw.count(taken.at_once)
        self.raw.count(taken.raw)
        self.corrected.count(taken.at_once)
        self.corrected.count(taken.corrected)
        first = self.phases[FIRST_BYTE]
        first.count(taken.at_once)
        first.count(taken.first)
        if self.recorder is not None:
            self.recorder.add(part._in_point, part._point_errors, part._point_bytes, (taken.at_once, taken.corrected))
        self.end = max(self.end or 0.0, _WALL + part._last)

    def flush(self) -> None:
        """What follows is not to be noted along with what was before: `whole` is about to be cleared."""
        self.fold()
        self._turn_at = 0.0

    def _turn(self, now: float, sent: float) -> None:
        """The present point of the series is over: what was noted belongs to it, and what follows to another."""
        self.fold()
        if self.start is None:
            self._start(sent)
        self._turn_at = inf if self.recorder is None else self.recorder.turn(now)
        if self.whole is not None:
            self.whole._turn(now, sent)
            self._turn_at = min(self._turn_at, self.whole._turn_at)

    def _start(self, now: float) -> None:
        self.start = _WALL + now
        if self.recorder is not None:
            self.recorder.begin(now)

    def merge(self, other: Counts) -> None:
        """Add what another has counted."""
        self.fold()
        other.fold()
        for text, count in other.texts.items():
            text = slot(self.texts, text, TEXTS_LIMIT)
            self.texts[text] = self.texts.get(text, 0) + count
        for code, count in other.codes.items():
            self.codes[code] = self.codes.get(code, 0) + count
        _add(self.headers, other.headers, HEADERS_LIMIT)
        _add(self.errors, other.errors, KINDS_LIMIT)
        for header, theirs in other.values.items():
            values = self.values.setdefault(slot(self.values, header, HEADERS_LIMIT), {})
            for value, count in theirs.items():
                value = slot(values, value)
                values[value] = values.get(value, 0) + count
        _add(self.checks, other.checks, CHECKS_LIMIT)
        self.connections += other.connections
        for phase, latencies in other.phases.items():
            self.phases.setdefault(slot(self.phases, phase, len(PHASES)), Latencies()).merge(latencies)
        if other.rate is not None:
            if self.rate is None:
                self.rate = Rate()
            self.rate.merge(other.rate)
        self.resent += other.resent
        self.bytes_sent += other.bytes_sent
        self.bytes_received += other.bytes_received
        self.raw.merge(other.raw)
        self.corrected.merge(other.corrected)
        self.start = min((time for time in (self.start, other.start) if time is not None), default=None)
        self.end = max((time for time in (self.end, other.end) if time is not None), default=None)

    @property
    def requests(self) -> int:
        """Answers and failures."""
        return sum(self.codes.values())

    @property
    def failed(self) -> int:
        """Requests without a whole answer, and those whose answer did not pass a check."""
        return self.codes.get(0, 0) + self.errors.get(CHECK, 0)

    @property
    def without_latency(self) -> int:
        """Requests that failed before they took as long as they were waited for."""
        return self.requests - len(self.corrected)

    @property
    def per_second(self) -> float:
        """Requests a second between `start` and `end`."""
        return self.requests / self._seconds if self._seconds else 0.0

    @property
    def answers_per_second(self) -> float:
        """The same of those that were answered."""
        return (self.requests - self.codes.get(0, 0)) / self._seconds if self._seconds else 0.0

    @property
    def _seconds(self) -> float:
        """Between `start` and `end`; 0 where there is no such time."""
        return max(self.end - self.start, 0.0) if self.start is not None and self.end is not None else 0.0

    def _count_error(self, error: UpstreamError) -> None:
        text = slot(self.texts, error.same or str(error), TEXTS_LIMIT)
        self.texts[text] = self.texts.get(text, 0) + 1
        self.codes[0] = self.codes.get(0, 0) + 1
        self.errors[error.kind] = self.errors.get(error.kind, 0) + 1
        if self.whole is not None:
            self.whole._count_error(error)

    def _count_checks(self, failed: list[str]) -> None:
        self.errors[CHECK] = self.errors.get(CHECK, 0) + 1
        for check in failed:
            check = slot(self.checks, check, CHECKS_LIMIT)
            self.checks[check] = self.checks.get(check, 0) + 1
        if self.whole is not None:
            self.whole._count_checks(failed)

    def _count_headers(self, fields: list[Field], tracked: Mapping[bytes, str]) -> None:
        if self.whole is not None:
            self.whole._count_headers(fields, tracked)
        seen: set[tuple[str, bytes | None]] = set()
        for name, sent in fields:
            header = tracked.get(name.lower())
            if header is None or (header, sent) in seen:
                continue
            seen.add((header, sent))
            values = self.values.get(header)
            if values is None:
                values = self.values.setdefault(slot(self.values, header, HEADERS_LIMIT), {})
            value = slot(values, shown(sent))
            values[value] = values.get(value, 0) + 1
            if (header, None) not in seen:
                seen.add((header, None))
                header = slot(self.headers, header, HEADERS_LIMIT)
                self.headers[header] = self.headers.get(header, 0) + 1


def _add(counts: dict[str, int], more: Mapping[str, int], limit: int) -> None:
    for key, count in more.items():
        key = slot(counts, key, limit)
        counts[key] = counts.get(key, 0) + count
