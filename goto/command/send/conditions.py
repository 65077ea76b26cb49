"""The conditions of `--fail-if`: `p99>200ms`, `status!=2xx`, `errors>0`, `checks>0`, `rps<100`.

latency   p50 p99 p99.9 … max mean, with > >= < <= and a duration; measured from when a request was due. One on pX also holds
          where more than 100 − X percent of all requests have no latency, as they failed at once; one on max where any has none
counts    errors checks requests, with > >= < <= == != and a number; the first two also with a percentage: errors>1%
rate      rps, answers a second, with > >= < <= and a number
arrivals  sent answered failed arrived arrivals duplicated lostOnTheWay answeredElsewhere lostOnTheWayBack reordered, as counts;
          gaps.p50 gaps.p90 gaps.max, as latencies: of all targets together, with `--reconcile`
status    status == or != a code or a class; holds if it does for any request; a failed request has status 0
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from goto.client.counts import CHECK, Counts
from goto.client.histogram import more_without
from goto.client.reconcile import Reconciled
from goto.command.send.reconciling import GAPS, NUMBERS, total_of
from goto.words import Duration
from goto.words.writing import counted

_FORM = re.compile(r"\s*(?P<what>[a-z][A-Za-z0-9.]*)\s*(?P<sign>>=|<=|==|!=|=|>|<)\s*(?P<value>\S+)\s*")
_PERCENTILE = re.compile(r"p(?P<number>[0-9]{1,3}(?:\.[0-9]{1,6})?)")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_STATUS = re.compile(r"0|[1-9][0-9]{2}|[1-9]xx")

_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_ORDER = (">", ">=", "<", "<=")

Check = Callable[[Any], str]
"""Returns why a condition holds for `Counts`, or for what was reconciled, by target; an empty text when it does not."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of `--fail-if`."""

    text: str
    check: Check
    joined: bool = False
    """It is about what was reconciled."""

    usage: ClassVar[str] = "write it like p99>200ms, status!=2xx, errors>0, errors>1%, checks>0 or rps<100"

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Raises ValueError with the reason."""
        form = _FORM.fullmatch(text)
        if form is None:
            raise ValueError(f"{text!r} is not a condition: {cls.usage}")
        sign = "==" if form["sign"] == "=" else form["sign"]
        what, value = form["what"], form["value"]
        if what in NUMBERS:
            return cls(text.strip(), _arrivals(text, what, sign, value), joined=True)
        if what.startswith("gaps."):
            return cls(text.strip(), _gaps(text, what, sign, value), joined=True)
        return cls(text.strip(), _check(text, what, sign, value))


def _check(text: str, what: str, sign: str, value: str) -> Check:
    if what == "status":
        return _status(text, sign, value)
    if what in ("errors", "checks", "requests", "rps"):
        return _count(text, what, sign, value)
    percentile = _PERCENTILE.fullmatch(what)
    if percentile is not None and not 0 < float(percentile["number"]) <= 100:
        raise ValueError(f"{text!r}: a percentile must be over 0 and at most 100")
    if percentile is None and what not in ("max", "mean"):
        raise ValueError(f"{text!r}: unknown measure {what!r}: {Condition.usage}")
    return _latency(text, what, sign, value)


def _latency(text: str, what: str, sign: str, value: str) -> Check:
    if sign not in _ORDER:
        raise ValueError(f"{text!r}: compare a latency with {' '.join(_ORDER)}")
    limit = Duration.parse(value)
    holds = _SIGNS[sign]

    def check(counts: Counts) -> str:
        latencies = counts.corrected
        if not latencies.counts:
            # without any answer the condition holds, so that a run in which nothing was answered fails
            return "there was no answer to measure"
        # a request that failed at once may have taken any time, had it not
        share = 100.0 if what == "max" else float(what[1:]) if what != "mean" else None
        if share is not None and more_without(counts.without_latency, counts.requests, share):
            return f"{counted(counts.without_latency, 'request')} of {counts.requests:,} failed without a latency"
        if what == "max":
            found = latencies.max
        elif what == "mean":
            found = latencies.mean
        else:
            found = latencies.percentiles([float(what[1:])])[0]
        return f"{what} = {found:.3f}ms" if holds(found, limit / 1e6) else ""

    return check


def _count(text: str, what: str, sign: str, value: str) -> Check:
    share = what in ("errors", "checks") and value.endswith("%")
    if not _NUMBER.fullmatch(value.removesuffix("%") if share else value):
        raise ValueError(f"{text!r}: {value!r} is not a number: write it like 100 or 0.5")
    if what == "rps" and sign not in _ORDER:
        raise ValueError(f"{text!r}: compare a rate with {' '.join(_ORDER)}")
    limit = float(value.removesuffix("%"))
    holds = _SIGNS[sign]

    def check(counts: Counts) -> str:
        number = counts.requests if what == "requests" else counts.failed if what == "errors" else counts.errors.get(CHECK, 0)
        if what == "rps":
            found, shown = counts.answers_per_second, f"{counts.answers_per_second:,.1f}"
        elif share:
            found = 100 * number / counts.requests if counts.requests else 0.0
            shown = f"{found:.3g}%"
        else:
            found = number
            shown = f"{found:,}"
        return f"{what} = {shown}" if holds(found, limit) else ""

    return check


def _status(text: str, sign: str, value: str) -> Check:
    if sign not in ("==", "!="):
        raise ValueError(f"{text!r}: compare a status with == or !=")
    if not _STATUS.fullmatch(value):
        raise ValueError(f"{text!r}: {value!r} is neither a status nor a class like 2xx")

    def check(counts: Counts) -> str:
        hit = sum(count for code, count in counts.codes.items() if _is(code, value) == (sign == "=="))
        return f"true for {hit:,} of {counted(counts.requests, 'request')}" if hit else ""

    return check


def _arrivals(text: str, what: str, sign: str, value: str) -> Check:
    if not _NUMBER.fullmatch(value):
        raise ValueError(f"{text!r}: {value!r} is not a number: write it like 100")
    limit = float(value)
    holds = _SIGNS[sign]

    def check(found: Mapping[str, Reconciled]) -> str:
        number = total_of(found, what)
        if number is None:
            return f"{what} is not known, since several connections send"
        return f"{what} = {number:,}" if holds(number, limit) else ""

    return check


def _gaps(text: str, what: str, sign: str, value: str) -> Check:
    key = what.removeprefix("gaps.")
    if key not in GAPS:
        raise ValueError(f"{text!r}: unknown measure {what!r}: write it like gaps.p50, gaps.p90 or gaps.max")
    if sign not in _ORDER:
        raise ValueError(f"{text!r}: compare a time with {' '.join(_ORDER)}")
    limit = Duration.parse(value)
    holds = _SIGNS[sign]

    def check(found: Mapping[str, Reconciled]) -> str:
        known: list[Mapping[str, object]] = [gaps for one in found.values() if (gaps := one.get("gaps")) is not None]
        times = [Duration.parse(str(gaps[key])) for gaps in known]
        if not times:
            return "gaps are not known: give --gaps"
        longest = max(times)
        return f"{what} = {longest}" if holds(longest, limit) else ""

    return check


def _is(code: int, wanted: str) -> bool:
    return f"{code // 100}xx" == wanted if wanted.endswith("xx") else str(code) == wanted
