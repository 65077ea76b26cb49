"""What is new, from all over the process, by one cursor: for pages and tools. Nothing is queued for anybody.

The cursor says which process it is of, and the numbers of the last change and the last entry that were told. Who asks with it is
told what came after. It survives sleep, and any number of other watchers.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, ClassVar, Final, NamedTuple, NotRequired, TypedDict

from goto.api.changes import Changes
from goto.client.feature import Client
from goto.client.series import Point
from goto.errors import NotFound, Unavailable
from goto.exchange.waiting import Wait
from goto.features.rules.feature import Rules
from goto.features.rules.shown import RuleProgress
from goto.features.status_counts import StatusCounts
from goto.journal.entry import Entry
from goto.journal.feature import Journal
from goto.journal.keeping import HEADS
from goto.journal.query import NO_PORT
from goto.journal.service import Recorder
from goto.journal.shown import ShownEntry, shown_entry
from goto.journal.wanted import UpToAMinute
from goto.routes import Later, get
from goto.traffic.listener import Listener
from goto.traffic.listeners import Carrier, Listeners, Load
from goto.words import Flag, Port, one_line

MOST_ENTRIES: Final = 250
"""Entries in one answer."""

FIRST_ENTRIES: Final = 100
"""The newest entries that are told without a cursor."""

WATCHED_SECONDS: Final = 30.0
"""Behind the last call, what was turned on for a watcher is turned off."""

POINT_SECONDS: Final = 0.25
"""How often it is looked whether a run has a new point, while somebody waits for one."""


class Cursor(str):
    """Where a watcher is: what the last answer said, as it was."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["1f2e3d4c.12.1042.0"]}

    @classmethod
    def parse(cls, text: str) -> Cursor:
        return cls(one_line(text))


class At(NamedTuple):
    """What a cursor says."""

    change: int
    """The number of the last change that was told."""
    entry: int
    """That of the last beginning or end of an entry."""
    moment: int
    """When that was, in ms of this process."""


class WatchedJournal(TypedDict):
    """What is new of the journal, heads without bodies."""

    entries: list[ShownEntry]
    next: int
    oldest: int | None
    evicted: int
    open: int


class WatchedCounts(TypedDict):
    """The counts of a listener."""

    exchanges: int
    """Those that are over."""
    perSecond: float
    """Of the last second, while it is watched."""
    byClass: dict[str, int]
    """Exchanges by the class of their status: `2xx`; `none` where they had none."""
    inFlight: int
    p50: float
    """The median of the last second in ms, while it is watched."""
    p99: float
    rules: dict[str, RuleProgress]


class WatchedRun(TypedDict):
    """What has come of a client target."""

    sent: int
    """Requests answered or failed."""
    of: int | None
    """How many one invocation sends; null where a time says when it ends."""
    errors: int
    running: bool
    every: NotRequired[str]
    """What each point covers."""
    points: list[Point]
    """Those of the series that are new, or may have changed."""


class News(TypedDict):
    """What is new."""

    cursor: str
    """To ask with next."""
    restarted: bool
    """The cursor was none of this process: everything is told."""
    more: bool
    """There are more entries: ask again at once."""
    journal: NotRequired[WatchedJournal]
    changed: list[str]
    """The reads whose answer a management call or a file has changed."""
    counts: dict[str, WatchedCounts]
    """By listener."""
    runs: NotRequired[dict[str, dict[str, WatchedRun]]]
    """By listener and client target."""


class Watch:
    """Tells what is new."""

    def __init__(self, carrier: Carrier, listeners: Listeners, recorder: Recorder, changes: Changes) -> None:
        self._carrier = carrier
        self._listeners = listeners
        self._recorder = recorder
        self._changes = changes
        self._boot = secrets.token_hex(4)
        self._began = time.monotonic()
        self._off: asyncio.TimerHandle | None = None
        self._journal_until = 0.0
        self._until = 0.0
        self._counted: dict[int, WatchedCounts] = {}
        """The counts of listeners by port, while nothing else passes in a turn of the loop."""
        self._loads: dict[Listener, Load] | None = None
        self._passed: tuple[int, ...] = ()

    @get("/goto/watch", raises=[NotFound, Unavailable])
    def watch(
        self,
        since: Cursor = Cursor(""),  # noqa: B008  # a word
        wait: UpToAMinute = UpToAMinute(0),  # noqa: B008  # a number
        journal: Flag = Flag.NO,
        runs: Flag = Flag.NO,
        listener: Port = NO_PORT,
    ) -> News | Later:
        """Tell what is new since a cursor, waiting for it if need be: changes, entries of the journal, counts, client runs."""
        if listener and listener not in self._listeners.by_port:
            raise NotFound(f"listener: there is no listener {listener}: GET /listeners lists those there are")
        port = listener or None
        self._watched(journal=bool(journal))
        at = self._read(since)
        restarted = bool(since) and at is None
        if at is None or not wait or self._is_news(at, port, journal=bool(journal)):
            self._forget()
            return self._news(at, port, restarted=restarted, journal=bool(journal), runs=bool(runs))
        return self._wait(at, port, wait, journal=bool(journal), runs=bool(runs))

    # ------------------------------------------------------------ the cursor
    def _read(self, cursor: str) -> At | None:
        """What a cursor says; None for one that is none of this process."""
        boot, *numbers = cursor.split(".")
        if boot != self._boot or len(numbers) != 3 or not all(word.isascii() and word.isdecimal() for word in numbers):
            return None
        return At(*(int(word[:18]) for word in numbers))

    def _ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)

    # ------------------------------------------------------------ while it is watched
    def _watched(self, *, journal: bool) -> None:
        """Somebody watches: for a while, what that takes is on."""
        loop, now = asyncio.get_running_loop(), time.monotonic()
        self._until = now + WATCHED_SECONDS
        for one in self._listeners.by_port.values():
            if one.has(Journal):
                one.feature(Journal).watched(True)
        if journal:
            self._journal_until = self._until
            if self._recorder.book.keeping is None:
                self._recorder.turn_on(HEADS, set_=False)
        if self._off is None:
            self._off = loop.call_later(WATCHED_SECONDS, self._look_off)

    def _look_off(self) -> None:
        """Turn off what nobody watches any more."""
        self._off, now = None, time.monotonic()
        recorder = self._recorder
        if now >= self._journal_until and not recorder.set and recorder.book.keeping is not None:
            recorder.turn_off()
        if now < self._until:
            self._off = asyncio.get_running_loop().call_later(self._until - now + 0.01, self._look_off)
            return
        for one in self._listeners.by_port.values():
            if one.has(Journal):
                one.feature(Journal).watched(False)

    # ------------------------------------------------------------ waiting
    def _is_news(self, at: At, port: int | None, *, journal: bool) -> bool:
        if self._changes.since(at.change, self._ports(port)):
            return True
        recent = self._recorder.book.recent
        return journal and bool(recent.since(at.entry, port, 1)[0])

    def _wait(self, at: At, port: int | None, wait: UpToAMinute, *, journal: bool, runs: bool) -> Later:
        """Answer as soon as there is something new, at the latest at the end of the time."""
        recorder, changes, loop = self._recorder, self._changes, asyncio.get_running_loop()
        left = recorder.waiting.watch()
        came: Wait[None] = Wait()
        sent = self._sent(port) if runs else 0
        points: asyncio.TimerHandle | None = None

        def come() -> None:
            loop.call_soon(came.come)

        def on_change() -> None:
            if changes.since(at.change, self._ports(port)):
                come()

        def on_touch(entry: Entry) -> None:
            if port is None or entry.listener == port:
                come()

        def look() -> None:
            nonlocal points
            points = loop.call_later(POINT_SECONDS, look)
            if self._sent(port) != sent:
                come()

        ends = loop.call_later(wait.seconds, come)
        if runs:
            points = loop.call_later(POINT_SECONDS, look)
        changes.on_change.append(on_change)
        if journal:
            recorder.book.recent.on_touch.append(on_touch)

        def over() -> None:
            left()
            ends.cancel()
            if points is not None:
                points.cancel()
            changes.on_change.remove(on_change)
            if journal:
                recorder.book.recent.on_touch.remove(on_touch)

        def news(_: None) -> News:
            self._watched(journal=journal)
            return self._news(at, port, restarted=False, journal=journal, runs=runs)

        return Later(came, news, over)

    # ------------------------------------------------------------ what is new
    def _ports(self, port: int | None) -> Sequence[int]:
        return list(self._listeners.by_port) if port is None else [port]

    def _of(self, port: int | None) -> Iterable[Listener]:
        by_port = self._listeners.by_port
        return [by_port[one] for one in self._ports(port) if one in by_port]

    def _news(self, at: At | None, port: int | None, *, restarted: bool, journal: bool, runs: bool) -> News:
        changes, recent = self._changes, self._recorder.book.recent
        ports = self._ports(port)
        entry, more = recent.number, False
        news: News = {
            "cursor": "",
            "restarted": restarted,
            "more": False,
            "changed": changes.all(ports) if at is None else changes.since(at.change, ports),
            "counts": self._counts(port),
        }
        if journal:
            entries: list[Entry]
            if at is None:
                entries = list(islice(self._recorder.book.rings.newest(port), FIRST_ENTRIES))[::-1]
            else:
                entries, entry, more = recent.since(at.entry, port, MOST_ENTRIES)
            news["journal"] = {
                "entries": [shown_entry(one, bodies=False) for one in entries],
                **self._recorder.standing(port),  # type: ignore[typeddict-item]  # its other keys
            }
            news["more"] = more
        elif at is not None:
            entry = at.entry
        if runs:
            news["runs"] = {str(one.port): _runs(one, at, self._ms()) for one in self._of(port)}
        news["cursor"] = f"{self._boot}.{changes.number}.{entry}.{self._ms()}"
        return news

    def _counts(self, port: int | None) -> dict[str, WatchedCounts]:
        """All who wait for the same are answered in one turn of the loop, and what that takes is worked out once for them, unless
        something passes between two of them. Whoever has not waited begins anew.
        """
        passed = (self._recorder.book.recent.number, *(sum(one.ends.values()) for one in self._listeners.by_port.values()))
        if self._loads is None:
            asyncio.get_running_loop().call_soon(self._forget)
        if self._loads is None or passed != self._passed:
            self._loads, self._passed = self._carrier.loads(), passed
            self._counted.clear()
        found: dict[str, WatchedCounts] = {}
        for one in self._of(port):
            if one.port not in self._counted:
                self._counted[one.port] = _counts_of(one, self._loads.get(one, Load()))
            found[str(one.port)] = self._counted[one.port]
        return found

    def _forget(self) -> None:
        """What was worked out may no longer be so, at the latest when the turn of the loop is over."""
        self._loads = None
        self._counted.clear()

    def _sent(self, port: int | None) -> int:
        """Requests that client targets have sent: it rises with each point."""
        return sum(
            counts.requests
            for one in self._of(port)
            if one.has(Client)
            for counts in one.feature(Client).results.targets.values()
        )


def _counts_of(listener: Listener, load: Load) -> WatchedCounts:
    by_class: dict[str, int] = {}
    if listener.has(StatusCounts):
        for status, count in listener.feature(StatusCounts).ever_reported().items():
            over = max(count - load.counted.get(status, 0), 0)
            if over:
                name = f"{status // 100}xx"
                by_class[name] = by_class.get(name, 0) + over
    none = sum(count for (status, _), count in listener.ends.items() if not status)
    if none:
        by_class["none"] = none
    meter = listener.feature(Journal).meter if listener.has(Journal) else None
    rate, p50, p99 = meter.last_second() if meter is not None else (0.0, 0.0, 0.0)
    return {
        "exchanges": sum(by_class.values()),
        "perSecond": rate,
        "byClass": dict(sorted(by_class.items())),
        "inFlight": load.exchanges,
        "p50": p50,
        "p99": p99,
        "rules": listener.feature(Rules).progress() if listener.has(Rules) else {},
    }


def _runs(listener: Listener, at: At | None, now: int) -> dict[str, WatchedRun]:
    """What has come of the client targets of a listener."""
    if not listener.has(Client):
        return {}
    client = listener.feature(Client)
    running = client.running
    made: dict[str, WatchedRun] = {}
    for name, counts in client.results.targets.items():
        counts.fold()
        target = client.targets.get(name)
        run: WatchedRun = {
            "sent": counts.requests,
            "of": target.replicas * target.request_count or None if target is not None else counts.requests,
            "errors": sum(counts.errors.values()),
            "running": name in running,
            "points": [],
        }
        if counts.recorder is not None:
            series = counts.recorder.show()
            run["every"] = series["every"]
            run["points"] = _new_points(series["points"], None if at is None else (now - at.moment) / 1000)
        made[name] = run
    return made


def _new_points(points: list[Point], seconds: float | None) -> list[Point]:
    """Those of the last so many seconds, and the one before them, which may have changed; all with None."""
    if seconds is None or len(points) < 3:
        return points
    every = points[1]["at"] - points[0]["at"]
    return points[-2 - int(seconds / every) :]
