"""What an entry of a rule does, and what that comes to for one exchange."""

from __future__ import annotations

from typing import Literal

from goto.features.rules.answers import TEXT, Fixed, HeaderMaker, body_of, line_of
from goto.features.rules.fields import GarbleGiven
from goto.features.rules.given import Captures, Cut
from goto.features.rules.rule import ANSWER, Entry
from goto.flow import Field, Headers, Response
from goto.http.wire import NO_BODY
from goto.words.spread import Spread

Word = Literal["unable", "answer", "close", "reset", "hang", "garble", "truncate", "stall", "pace", "delay", "headers", "trigger"]

WORDS: tuple[Word, ...] = (
    "unable",
    "answer",
    "close",
    "reset",
    "hang",
    "garble",
    "truncate",
    "stall",
    "pace",
    "delay",
    "headers",
    "trigger",
)
"""What may have been done, in the order in which it is told."""

_WITHOUT_CONTENT = NO_BODY | {205}
"""Statuses whose answers have no body (RFC 9110, 15.3.5, 15.3.6 and 15.4.5)."""

_OF_THE_OLD_BODY = ("content-type", "content-encoding", "etag", "last-modified")


class Work:
    """What an entry comes to for one exchange. It is not changed, since many exchanges may share it."""

    def __init__(self) -> None:
        self.answers = False
        """It has a status, a body, or both."""
        self.status: int | None = None
        self.body: bytes | None = None
        self.kind = TEXT
        """The content type of the body."""
        self.headers: list[Field] = []
        self.abort: Literal["", "close", "reset", "hang"] = ""
        self.garble: GarbleGiven | None = None
        self.truncate: Cut | None = None
        self.truncate_by: Literal["close", "reset"] = "close"
        self.rate = 0.0
        self.over = 0.0
        self.paced_head = False
        self.stall = 0.0
        self.stall_at = 0

    @property
    def outcome(self) -> bool:
        """Whether it ends the exchange."""
        return self.answers or bool(self.abort) or self.garble is not None

    @property
    def paces(self) -> bool:
        return self.rate > 0 or self.over > 0

    @property
    def slows(self) -> bool:
        """Whether it is done to an answer on its way."""
        return self.truncate is not None or self.paces or self.stall > 0

    @property
    def passes(self) -> bool:
        """Whether it does nothing."""
        return not (self.outcome or self.slows or self.headers)

    def response(self, status: int) -> Response:
        """An answer of goto's own."""
        if status in _WITHOUT_CONTENT:
            return Response(status)
        body = line_of(status) if self.body is None else self.body
        return Response(status, body, Headers([(b"Content-Type", self.kind)]))

    def change(self, response: Response) -> bool:
        """Let what the answer names take the place of what was answered; what it does not name stays.

        False, and nothing is changed, where it names a body alone and there is a tunnel.
        """
        if self.status is None and response.status == 101:
            return False
        if self.status is not None:
            if response.status in _WITHOUT_CONTENT or response.status == 101:
                response.body, response.stream = b"", None  # there was none to stay
            response.status, response.reason = self.status, None
        if response.status in _WITHOUT_CONTENT:
            response.body, response.stream = b"", None
        elif self.body is not None:
            response.body, response.stream = self.body, None
            response.headers.remove(*_OF_THE_OLD_BODY)
            response.headers.extend([(b"Content-Type", self.kind)])
        return True

    def put_headers(self, response: Response) -> None:
        """Let the headers take the place of those of the same name; cookies are added."""
        if self.headers:
            named = {name.lower() for name, _ in self.headers} - {b"set-cookie"}
            kept = [field for field in response.headers.fields if field[0].lower() not in named]
            response.headers = Headers([*kept, *self.headers])


class Effect:
    """An entry, worked out as far as it can be before there is an exchange."""

    def __init__(self, entry: Entry, names: frozenset[str]) -> None:
        """`names` are those that may be captured. Raises `BadInput` where a file cannot be read."""
        self._entry = entry
        self._body = body_of(entry, names)
        self._headers = HeaderMaker(entry.headers)
        self._answers = any(getattr(entry, key) is not None for key in ANSWER)
        self.waits = entry.delay is not None
        """Whether it has a delay."""
        varies = self._headers.varies or any(names for _, names in entry.fields())
        self._same = None if varies or not isinstance(self._body, Fixed | None) else self._work({})
        """What it comes to each time, where no capture is put into it."""

    @property
    def held(self) -> int:
        """Bytes of memory that its body takes."""
        return 0 if self._body is None else self._body.held

    @property
    def outcome(self) -> bool:
        return self._answers or self._entry.abort is not None or self._entry.garble is not None

    def spread(self, captures: Captures) -> Spread | None:
        """How long it waits. Raises `Unable`."""
        delay = self._entry.delay
        return None if delay is None else delay.of(captures)

    def work(self, captures: Captures) -> Work:
        """What it comes to with the captures of an exchange. Raises `Unable`."""
        return self._same or self._work(captures)

    def _work(self, captures: Captures) -> Work:
        work, entry = Work(), self._entry
        if self._answers:
            work.answers = True
            if entry.status is not None:
                work.status = entry.status.of(captures)
            if self._body is not None:
                work.body, work.kind = self._body.of(captures), self._body.kind
        work.headers = self._headers.of(captures)
        match entry.abort:
            case "close" | "reset" | "hang" as abort:
                work.abort = abort  # type: ignore[assignment]  # a word of three
        work.garble = entry.garble
        if entry.truncate is not None:
            work.truncate = entry.truncate.after.of(captures)
            work.truncate_by = "reset" if entry.truncate.by == "reset" else "close"
        if entry.pace is not None:
            work.rate = 0.0 if entry.pace.rate is None else entry.pace.rate.of(captures)
            work.over = 0.0 if entry.pace.over is None else entry.pace.over.of(captures).seconds
            work.paced_head = entry.pace.head
        if entry.stall is not None:
            work.stall, work.stall_at = entry.stall.for_.seconds, int(entry.stall.after)
        return work
