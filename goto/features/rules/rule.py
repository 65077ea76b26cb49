"""A rule as it is given, with all that is wrong with it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar

import msgspec

from goto.features.rules.dice import MOST_SEED
from goto.features.rules.fields import Abort, At, Base64, Bytes, Chance, CutBy, GarbleGiven, Json, ShortTime, Then
from goto.features.rules.given import CutGiven, Given, RateGiven, SizeGiven, SpreadGiven, StatusGiven, TimeGiven
from goto.matching.criteria import HeaderText
from goto.matching.templates import Variable, parse_template
from goto.matching.when import When
from goto.words import Duration, Name, SentHeaderName

ANSWER = ("status", "body", "json", "base64", "size", "file")
BODIES = ANSWER[1:]
FAULTS = ("abort", "garble")
SLOWED = ("truncate", "pace", "stall")
"""What is done to an answer on its way."""


class Truncate(msgspec.Struct, omit_defaults=True):
    """A part of the body is sent, then the end."""

    after: CutGiven
    """So many bytes, `100`, or a share of the body, `"50%"`; 0 for the head alone."""
    by: CutBy = CutBy("close")
    """How the connection ends: `close` or `reset`."""


class Pace(msgspec.Struct, omit_defaults=True):
    """How fast the answer goes out."""

    rate: RateGiven | None = None
    """Bytes a second."""
    over: TimeGiven | None = None
    """So long for the whole body."""
    head: bool = False
    """The head drips too."""

    def __post_init__(self) -> None:
        if (self.rate is None) == (self.over is None):
            raise ValueError("give either rate or over")


class Stall(msgspec.Struct):
    """The answer stands still once."""

    after: Bytes
    """After so many bytes of the body."""
    for_: ShortTime = msgspec.field(name="for")
    """For so long."""


class Entry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What happens to an exchange."""

    status: StatusGiven | None = None
    """The status of an answer of goto's own. Without one it is the forced status, else 200; without a body it has the line that
    `/status/{n}` has."""
    body: str | None = None
    """Its body, text."""
    json: Json | None = None
    """Its body, any JSON."""
    base64: Base64 | None = None
    """Its body, bytes in base64."""
    size: SizeGiven | None = None
    """Its body, so many bytes of `0123456789abcdef` over and over."""
    file: str | None = None
    """Its body, the content of a file, read when the rule is added. Only files of `--config` may name one."""
    headers: list[tuple[SentHeaderName, HeaderText]] = msgspec.field(default_factory=list)
    """Headers of the answer, in the place of those of the same name; `Set-Cookie` is added. In a rule without an answer, headers
    that are changed."""
    abort: Abort | None = None
    """No answer: `close` (FIN), `reset` (RST), or `hang` until the client leaves or the rule goes."""
    garble: GarbleGiven | None = None
    """Bytes that are no HTTP in place of an answer, then the end of the connection: a kind, `{"raw": text}` or
    `{"base64": text}`."""
    delay: SpreadGiven | None = None
    """How long it waits first, never shorter than drawn: `200ms`, `100ms-300ms`, `{"p50", "p99", "most"}` or
    `{"mean", "spread"}`."""
    truncate: Truncate | None = None
    """Only a part of the body is sent, then the end of the connection: `{"after": 100, "by": "reset"}`; `after` is a number of
    bytes or a share, `"50%"`, and `by` is `close` if it is not given. `Content-Length` stays that of the whole."""
    pace: Pace | None = None
    """The answer goes out slowly: `{"rate": "1KiB"}`, bytes a second, or `{"over": "5s"}`, for the whole body; with
    `"head": true` the head too."""
    stall: Stall | None = None
    """The answer stands still once, after so many bytes of its body: `{"after": 1000, "for": "5s"}`."""

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Raises ValueError for fields that exclude each other."""
        given = set(self.given())
        for first, second in _pairs(BODIES):
            _exclude(given, first, second)
        for fault in FAULTS:
            for other in ANSWER:
                _exclude(given, fault, other)
        _exclude(given, *FAULTS)
        for fault in FAULTS:
            for other in SLOWED:
                _exclude(given, fault, other)

    def given(self) -> list[str]:
        """The keys of what it is to do."""
        given = [key for key in (*ANSWER, *FAULTS, "delay", *SLOWED) if getattr(self, key) is not None]
        return [*given, *(["headers"] if self.headers else [])]

    def fields(self) -> Iterator[tuple[str, frozenset[str]]]:
        """The fields that captures are put into and that need each of their variables captured, with these."""
        pace, truncate = self.pace, self.truncate
        found: dict[str, Given[Any] | None] = {"status": self.status, "size": self.size, "delay": self.delay}
        found["pace.rate"], found["pace.over"] = (None, None) if pace is None else (pace.rate, pace.over)
        found["truncate.after"] = None if truncate is None else truncate.after
        for key, value in found.items():
            if value is not None:
                yield key, value.names
        for index, (_, text) in enumerate(self.headers):
            yield f"headers[{index}]", names_in(text)


class Weighted(Entry, kw_only=True, omit_defaults=True):
    """One of several, of which one is drawn for each strike. One with nothing but a weight passes."""

    weight: Annotated[int, msgspec.Meta(ge=1, le=MOST_SEED)] = 1
    """How often it is drawn, beside the others."""


class Rule(Entry):
    """What happens to traffic that fits."""

    name: Name
    """Another rule of this name is replaced, in its place."""
    when: When = msgspec.field(default_factory=When)
    """What it looks at; without any, all traffic."""
    unless: When | None = None
    """What is not its own, though `when` fits."""
    enabled: bool = True
    """Whether it looks at traffic."""
    at: At = At("request")
    """Whether an outcome, a delay and a trigger come instead of serving, or once the head of the answer is known."""
    probability: Chance = Chance(1)
    """The chance of each exchange that is rolled."""
    seed: Annotated[int, msgspec.Meta(ge=0, le=MOST_SEED)] | None = None
    """What its dice depend on. It is chosen and shown where it is not given."""
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0
    """So many matched exchanges are passed by first."""
    every: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Then each n-th is rolled."""
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """The rule is spent after so many strikes."""
    per: str | None = None
    """Text with captures. Skip, every, count and the place in `answers` hold for each value of it."""
    after: Duration = Duration.ZERO
    """It begins so long after it was added, replaced or reset."""
    for_: Duration | None = msgspec.field(name="for", default=None)
    """It lasts so long, then it is spent."""
    probes: bool = False
    """Whether it strikes requests whose User-Agent begins with kube-probe/ too."""
    receipt: bool = True
    """Whether the answer says what was done, in `Goto-Rule`."""
    answers: Annotated[list[Entry], msgspec.Meta(min_length=1, max_length=100)] | None = None
    """The n-th strike is treated as the n-th entry says; `{}` passes."""
    then: Then | None = None
    """Behind the last entry: repeat it, `last`, start over, `again`, or strike no more, `pass`."""
    one_of: Annotated[list[Weighted], msgspec.Meta(min_length=2, max_length=20)] | None = msgspec.field(
        name="oneOf", default=None
    )
    """One is drawn for each strike, by weight."""
    trigger: list[Name] = msgspec.field(default_factory=list)
    """Client targets that are invoked together; nobody waits for them."""

    example: ClassVar[dict[str, Any]] = {
        "name": "flaky",
        "when": {"uris": ["/orders/{id}"]},
        "probability": 0.1,
        "status": 503,
        "json": {"order": "{id}"},
    }

    def check(self) -> None:
        given = set(self.given())
        several = [key for key, value in (("answers", self.answers), ("oneOf", self.one_of)) if value is not None]
        if len(several) == 2:
            raise ValueError("answers: cannot be given together with oneOf")
        for key in several:
            for before in (*ANSWER, "headers"):
                _exclude(given | {key}, before, key)
            for behind in (*FAULTS, *SLOWED):
                _exclude(given | {key}, key, behind)
        if self.then is not None and self.answers is None:
            raise ValueError("then: stands beside answers alone")
        super().check()
        if not (given or several or self.trigger):
            raise ValueError("rule: it does nothing: give it an answer, a fault or a delay")
        if self.unless is not None and not self.unless:
            raise ValueError("unless: nothing would be left: give it a criterion")
        known = self.when.captured
        _captured(known, "", self.fields())
        for key, entries in (("answers", self.answers), ("oneOf", self.one_of)):
            for index, entry in enumerate(entries or ()):
                _captured(known, f"{key}[{index}].", entry.fields())
        if self.per is not None:
            try:
                names = names_in(self.per)
            except ValueError as error:
                raise ValueError(f"per: {error}") from None
            _captured(known, "", [("per", names)])

    def entries(self) -> list[tuple[str, Entry]]:
        """Itself, and the entries within, each with the place before the names of its fields."""
        within = [(f"answers[{index}].", entry) for index, entry in enumerate(self.answers or ())]
        within += [(f"oneOf[{index}].", entry) for index, entry in enumerate(self.one_of or ())]
        return [("", self), *within]

    def same(self, other: Rule) -> bool:
        """Whether it says the same as another. One given without a seed says the same whatever the seed of the other is."""
        return (self if self.seed is not None else msgspec.structs.replace(self, seed=other.seed)) == other


def names_in(text: str) -> frozenset[str]:
    """The variables in a text. ValueError says what is wrong with it."""
    return frozenset(piece.name for piece in parse_template(text) if isinstance(piece, Variable))


def _pairs(keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for index, first in enumerate(keys):
        for second in keys[index + 1 :]:
            yield first, second


def _exclude(given: set[str], first: str, second: str) -> None:
    if first in given and second in given:
        raise ValueError(f"{first}: cannot be given together with {second}")


def _captured(known: frozenset[str], where: str, fields: Iterable[tuple[str, frozenset[str]]]) -> None:
    """Every variable has to be captured by something."""
    for key, names in fields:
        for name in sorted(names - known):
            raise ValueError(f"{where}{key}: {{{name}}} is captured by nothing in when")
