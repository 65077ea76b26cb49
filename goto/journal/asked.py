"""Whether an exchange fits what is asked, as far as that is known.

    NO      it does not fit, whatever else becomes known
    YES     it fits
    LATER   that is not known yet
    LOST    that will never be known: the body was cut when it was kept, or the value of a header is masked

One criterion that does not fit is enough for NO, whatever is unknown of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final, NamedTuple

from goto.http.fields import Field, Headers
from goto.http.messages import Request
from goto.http.record import Copy
from goto.http.shown import shown, shown_text
from goto.http.targets import percent_decoded
from goto.journal.entry import Entry
from goto.journal.wanted import Wanted
from goto.matching.criteria import Criteria
from goto.matching.index import MatchIndex
from goto.matching.templates import ANY_VALUE, Template
from goto.matching.when import BODY_LIMIT, Body, BodyTest, When

SHOWN_VALUE: Final = 200
"""Characters of a value that is said beside what was wanted."""


class Found(IntEnum):
    """Whether it fits, see above."""

    NO = 0
    YES = 1
    LATER = 2
    LOST = 3


NO, YES, LATER, LOST = Found.NO, Found.YES, Found.LATER, Found.LOST


class Judged(NamedTuple):
    """One criterion, and what an exchange has of it."""

    criterion: str
    found: Found
    at: str
    """The place in the value, as `$.item`; the name of a header or parameter; empty where there is no other place."""
    wanted: Any
    was: Any
    """None where it has none, or where that is not known."""


class Head(NamedTuple):
    """What is known of an exchange from the head of its request on."""

    request: Request
    listener: int
    reused: bool
    id: str | None
    masked: frozenset[bytes]
    """The headers whose values are hidden, in lower case."""


class Asked:
    """What is asked, worked out."""

    __slots__ = ("_index", "_late", "_names", "_pairs", "_rest", "wanted")

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._names = [(pair[0].lower().encode(), _is_any(pair)) for pair in wanted.headers]
        """The headers asked for, each with whether any value will do."""
        criteria: list[Criteria] = []
        if wanted.uris:
            criteria.append(Criteria(uris=wanted.uris))
        criteria += [Criteria(query=[pair]) for pair in wanted.query]
        criteria += [Criteria(headers=[pair]) for pair in wanted.headers]
        self._pairs = len(criteria)
        self._index: MatchIndex[int] | None = MatchIndex(enumerate(criteria), remembers=False) if criteria else None
        rest = (wanted.body, wanted.status, wanted.target, wanted.rule, wanted.end, wanted.took)
        self._rest = any(item is not None for item in rest)
        """Something is asked that the head of the request does not tell."""
        self._late = wanted.took is not None or wanted.end not in (None, "open")
        """Something is asked that only the end of the exchange tells."""

    @property
    def at_once(self) -> When:
        """What an index of heads can tell: whoever does not fit this does not fit. Values of headers are left out of it, since
        some are masked.
        """
        wanted = self.wanted
        names = [[pair[0]] for pair in wanted.headers]
        return When(methods=wanted.methods, uris=wanted.uris, headers=names, query=wanted.query, reused=wanted.reused)

    # ------------------------------------------------------------ whether it fits
    def of(self, entry: Entry) -> Found:
        """Whether an entry fits."""
        found = self.head(head_of(entry, headers=bool(self.wanted.headers)))
        if found is NO or not self._rest:
            return found
        return worse(found, self.rest(entry))

    def head(self, head: Head) -> Found:
        """Whether it fits as far as the head of the request tells: never LATER."""
        wanted, request = self.wanted, head.request
        if wanted.listener is not None and wanted.listener != head.listener:
            return NO
        if wanted.methods and request.method not in wanted.methods:
            return NO
        if wanted.reused is not None and wanted.reused is not head.reused:
            return NO
        if wanted.id is not None and wanted.id != head.id:
            return NO
        if self._index is None:
            return YES
        holds = self._holds(request)
        found = YES
        first_header = self._pairs - len(self._names)
        for number in range(self._pairs):
            if number in holds:
                continue
            if number < first_header:
                return NO
            name, any_value = self._names[number - first_header]
            if any_value or name not in head.masked:
                return NO
            found = LOST
        if head.masked and found is YES:
            # a value that stands for a hidden one says nothing
            hidden = any(name in head.masked and not any_value for name, any_value in self._names)
            return LOST if hidden else YES
        return found

    def rest(self, entry: Entry, body: Found | None = None) -> Found:
        """Whether it fits as far as what comes behind the head of the request. `body`: what was found of the body."""
        if self._late and entry.end is None:
            return LATER  # it may be clear by now that it does not fit, which is soon enough then
        found = YES if body is None else body
        for judged in self._judge_rest(entry, body is None):
            if judged.found is NO:
                return NO
            found = worse(found, judged.found)
        return found

    def body(self, entry: Entry) -> Found:
        """Whether the body of the request fits."""
        test = self.wanted.body
        return YES if test is None else judged_body(test, entry.request_body).found

    # ------------------------------------------------------------ why
    def judge(self, entry: Entry) -> list[Judged]:
        """Each criterion by itself."""
        wanted, head = self.wanted, head_of(entry)
        request = head.request
        made: list[Judged] = []
        if wanted.listener is not None:
            made.append(_judged("listener", wanted.listener == entry.listener, int(wanted.listener), entry.listener))
        if wanted.methods:
            methods = [str(method) for method in wanted.methods]
            made.append(_judged("methods", request.method in methods, _one(methods), shown_text(request.method)))
        holds = self._holds(request)
        if wanted.uris:
            made.append(_judged("uris", 0 in holds, _one([str(uri) for uri in wanted.uris]), shown_text(request.path)))
        for number, pair in enumerate(wanted.query, 1 if wanted.uris else 0):
            values = [percent_decoded(value) for name, value in _parameters(request.query) if name == pair[0]]
            made.append(_judged("query", number in holds, _value(pair), _one(list(map(shown_text, values))), pair[0]))
        for number, pair in enumerate(wanted.headers, self._pairs - len(self._names)):
            made.append(_judged_header(pair, head, number in holds))
        if wanted.reused is not None:
            made.append(_judged("reused", wanted.reused is head.reused, wanted.reused, head.reused))
        if wanted.id is not None:
            made.append(_judged("id", wanted.id == entry.id, str(wanted.id), entry.id))
        made += self._judge_rest(entry)
        return made

    def _holds(self, request: Request) -> set[int]:
        """Which of the criteria on path, query and headers hold, by their numbers in this order."""
        return set() if self._index is None else {hit[0].target for hit in self._index.hits(request)}

    def _judge_rest(self, entry: Entry, body: bool = True) -> Iterator[Judged]:
        wanted, over = self.wanted, entry.end is not None
        if wanted.status is not None:
            status = entry.status
            found = LATER if status is None else YES if wanted.status.fits(status) else NO
            yield Judged("status", found, "", wanted.status.written, status)
        if wanted.target is not None:
            targets = list(dict.fromkeys(call.target for call in entry.calls))
            found = YES if wanted.target in targets else NO if over else LATER
            yield Judged("target", found, "", str(wanted.target), _one(targets))
        if wanted.rule is not None:
            rules = entry.rules
            found = YES if wanted.rule in rules else NO if over else LATER
            yield Judged("rule", found, "", str(wanted.rule), _one(rules))
        if wanted.end is not None:
            end = entry.end
            later = LATER if end is None and wanted.end != "open" else NO
            found = YES if wanted.end == (end or "open") else later
            yield Judged("end", found, "", str(wanted.end), end or "open")
        if wanted.took is not None:
            took = entry.took
            found = LATER if took is None else YES if wanted.took.fits(took) else NO
            yield Judged("took", found, "", str(wanted.took), None if took is None else f"{took * 1000:.1f}ms")
        if body and wanted.body is not None:
            yield judged_body(wanted.body, entry.request_body)


def head_of(entry: Entry, *, headers: bool = True) -> Head:
    """The head of an entry; without its headers that costs less."""
    fields: list[Field] = entry.fields if headers else []
    request = Request(entry.method, entry.target, Headers(fields))
    return Head(request, entry.listener, entry.on_connection > 1, entry.id, entry.masked)


def worse(one: Found, other: Found) -> Found:
    """What two criteria come to together: the worse of both, in the order NO, LATER, LOST, YES."""
    if one is NO or other is NO:
        return NO
    if one is LATER or other is LATER:
        return LATER
    return LOST if one is LOST or other is LOST else YES


def judged_body(test: BodyTest, body: Copy) -> Judged:
    """What a body has of a criterion. One over 1 MiB does not fit, as with rules."""
    criterion = f"body.{test.how}"
    if not body.over:
        return Judged(criterion, LATER, "", test.value, None)
    data, cut = body.data, body.cut
    if test.fits(Body(data, not cut or test.how == "contains")) and (body.ended or test.how == "contains"):
        return Judged(criterion, YES, "", test.value, None)
    if cut and body.size > 0 and len(data) < BODY_LIMIT:
        return Judged(criterion, LOST, "", test.value, None)
    if test.how == "json":
        at, wanted, was = difference(test.value, data)
        return Judged(criterion, NO, at, wanted, was)
    return Judged(criterion, NO, "", test.value, shown(data[:SHOWN_VALUE]))


def difference(part: Any, data: bytes) -> tuple[str, Any, Any]:
    """Where JSON differs first from a part of it that was wanted: the place, what was wanted there, and what was."""
    try:
        whole = Body(data, True).json
    except ValueError:
        return "", part, shown(data[:SHOWN_VALUE])
    return _difference(part, whole, "$") or ("$", part, whole)


def _difference(part: Any, whole: Any, at: str) -> tuple[str, Any, Any] | None:
    if isinstance(part, dict) and isinstance(whole, dict):
        for key, value in part.items():
            place = f"{at}.{key}"
            if key not in whole:
                return place, value, None
            found = _difference(value, whole[key], place)
            if found is not None:
                return found
        return None
    if isinstance(part, list) and isinstance(whole, list) and len(part) == len(whole):
        for number, (one, other) in enumerate(zip(part, whole, strict=True)):
            found = _difference(one, other, f"{at}[{number}]")
            if found is not None:
                return found
        return None
    alike = isinstance(part, bool) == isinstance(whole, bool) and part == whole
    return None if alike else (at, part, whole)


def _judged_header(pair: list[str], head: Head, fits: bool) -> Judged:
    name = pair[0].lower().encode()
    values = [shown(value) for _, value in head.request.headers.index.get(name, ())]
    if name in head.masked and not _is_any(pair):
        return Judged("headers", LOST, pair[0], _value(pair), _one(values))
    return _judged("headers", fits, _value(pair), _one(values), pair[0])


def _judged(criterion: str, fits: bool, wanted: Any, was: Any, at: str = "") -> Judged:
    return Judged(criterion, YES if fits else NO, at, wanted, was)


def _one(values: list[str]) -> Any:
    """Several values as a list, one by itself, none as None."""
    return None if not values else values[0] if len(values) == 1 else values


def _value(pair: list[str]) -> str | None:
    return pair[1] if len(pair) > 1 and pair[1] else None


def _is_any(pair: list[str]) -> bool:
    """Whether a header fits whatever its value is."""
    return len(pair) == 1 or not pair[1] or Template.parse(pair[1], ANY_VALUE).matches_everything


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        yield percent_decoded(name), value


def text_of(wanted: Wanted) -> str:
    """What is asked, in a line."""
    words: list[str] = []
    if wanted.methods:
        words.append("|".join(wanted.methods))
    if wanted.uris:
        words.append("|".join(wanted.uris))
    line = [" ".join(words)] if words else []
    if wanted.listener is not None:
        line.append(f"listener {wanted.listener}")
    line += [f"header {pair[0]}" + (f": {value}" if (value := _value(pair)) else "") for pair in wanted.headers]
    line += [f"query {pair[0]}" + (f"={value}" if (value := _value(pair)) else "") for pair in wanted.query]
    if wanted.reused is not None:
        line.append("reused" if wanted.reused else "not reused")
    for name in ("id", "target", "rule", "end", "took"):
        other = getattr(wanted, name)
        if other is not None:
            line.append(f"{name} {other}")
    if wanted.status is not None:
        line.append(f"status {wanted.status.text}")
    if wanted.body is not None:
        line.append(f"body {_SIGNS[wanted.body.how]} {json_text(wanted.body.value)}")
    return "  ".join(line) or "any exchange"


_SIGNS: Final = {"contains": "∋", "equals": "=", "json": "⊇"}


def json_text(value: Any) -> str:
    """A value as JSON in a line, cut where it is long."""
    import json  # here, since only an answer that does not fit is told in words

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}…"


def plain_text(value: Any) -> str:
    """A value as it is said beside what was wanted: text as it is, anything else as JSON."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return value if len(value) <= SHOWN_VALUE else f"{value[:SHOWN_VALUE]}…"
    return json_text(value)
