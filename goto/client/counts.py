"""Counts of answers and failures: of the requests to one target, or of several targets together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import ClassVar, Final

from goto.client.histogram import Latencies
from goto.counting.bounded import slot
from goto.flow import Field
from goto.http.shown import shown
from goto.upstream.connection import UpstreamError

TEXTS_LIMIT = 1000
"""Distinct status lines and error texts counted apart."""

HEADERS_LIMIT = 1000
"""Headers whose values are counted apart: those tracked now, and those tracked before."""

KINDS_LIMIT = 100
"""Kinds of errors counted apart. Goto has six; results that are merged from other instances may have others."""

_FOLD: Final = 256
"""Answers that are noted before they are counted in one go, which costs a fraction of counting each by itself."""

_WALL = time.time() - time.perf_counter()
"""Added to a time of `perf_counter`, it makes seconds since 1970. Taken once, so that a moment is shown the same each time."""


class Stopped(UpstreamError):
    """The request was given up, because its run was stopped."""

    kind: ClassVar[str] = "stopped"


class NotConnected(UpstreamError):
    """No connection was made within the time set."""

    kind: ClassVar[str] = "connectTimeout"


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
        "_answers",
        "_corrected",
        "_last",
        "_on_time",
        "_raw",
        "_unfolded",
        "bytes_received",
        "bytes_sent",
        "codes",
        "corrected",
        "end",
        "errors",
        "headers",
        "raw",
        "resent",
        "start",
        "texts",
        "users",
        "values",
    )

    def __init__(self) -> None:
        self.users = 0
        """Runs that count here now."""
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
        """By kind: connect, connectTimeout, timeout, broken, stopped, other."""
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
        """Of answers, from when their request was sent to their last byte."""
        self.corrected = Latencies()
        """Of answers, from when their request was due; the same as raw where there is no rate."""
        self._answers: dict[tuple[int, bytes], int] = {}
        self._on_time: list[float] = []
        self._raw: list[float] = []
        self._corrected: list[float] = []
        self._unfolded = 0
        self._last = 0.0

    def begin(self, now: float) -> None:
        """A run begins to send."""
        if self.start is None:
            self.start = _WALL + now

    def answer(
        self,
        status: int,
        reason: bytes,
        fields: list[Field],
        tracked: Mapping[bytes, str],
        sent: float,
        due: float | None,
        now: float,
        size: int,
        body: int,
    ) -> None:
        """Count an answer that is complete.

        Times as `time.perf_counter` has them; `size` of the request and `body` of the answer in bytes.
        """
        key = (status, reason)
        try:
            self._answers[key] += 1
        except KeyError:
            self._answers[key] = 1
        if due is None:
            self._on_time.append(now - sent)
        else:
            self._raw.append(now - sent)
            self._corrected.append(now - due)
        self.bytes_sent += size
        self.bytes_received += body
        self._last = now
        if self.start is None:
            self.start = _WALL + sent
        if tracked:
            self._count_headers(fields, tracked)
        self._unfolded += 1
        if self._unfolded >= _FOLD:
            self.fold()

    def failure(self, error: UpstreamError, *, sent: float, now: float, size: int, body: int) -> None:
        """Count a request that got no answer, or not the whole of it."""
        text = slot(self.texts, error.same or str(error), TEXTS_LIMIT)
        self.texts[text] = self.texts.get(text, 0) + 1
        self.codes[0] = self.codes.get(0, 0) + 1
        self.errors[error.kind] = self.errors.get(error.kind, 0) + 1
        self.bytes_sent += size
        self.bytes_received += body
        self._last = now
        if self.start is None:
            self.start = _WALL + sent

    def fold(self) -> None:
        """Count the answers that were noted."""
        if not self._unfolded and not self._last:
            return
        for (status, reason), count in self._answers.items():
            line = slot(self.texts, f"{status} {shown(reason)}".rstrip(), TEXTS_LIMIT)
            self.texts[line] = self.texts.get(line, 0) + count
            self.codes[status] = self.codes.get(status, 0) + count
        self._answers.clear()
        self.raw.add(self._on_time)
        self.corrected.add(self._on_time)
        self.raw.add(self._raw)
        self.corrected.add(self._corrected)
        self._on_time.clear()
        self._raw.clear()
        self._corrected.clear()
        self._unfolded = 0
        if self._last:
            self.end = max(self.end or 0.0, _WALL + self._last)
            self._last = 0.0

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
    def rate(self) -> float:
        """Requests a second between `start` and `end`."""
        return self.requests / self._seconds if self._seconds else 0.0

    @property
    def answer_rate(self) -> float:
        """The same of those that were answered."""
        return (self.requests - self.codes.get(0, 0)) / self._seconds if self._seconds else 0.0

    @property
    def _seconds(self) -> float:
        """Between `start` and `end`; 0 where there is no such time."""
        return max(self.end - self.start, 0.0) if self.start is not None and self.end is not None else 0.0

    def _count_headers(self, fields: list[Field], tracked: Mapping[bytes, str]) -> None:
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
