"""The summary of a run, for people: statuses, percentiles, a histogram of latencies, and on a terminal a plot over time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TextIO

from goto.client.counts import Counts
from goto.client.histogram import PERCENTILES, Latencies
from goto.client.results import Results
from goto.command.send.plot import bar, columns_of, moments_of
from goto.command.send.table import table
from goto.command.send.terminal import Looks, width
from goto.words.unseen import escaped
from goto.words.writing import counted

ROWS = 12
"""Rows of the histogram."""

BAR = 40
"""Characters of the longest bar."""

LEAST_BAR = 10
"""A terminal with less room for it gets no histogram."""

PHASES = {"dns": "dns", "connect": "connect", "tls": "tls", "firstByte": "first byte"}


def show(out: TextIO, results: Results) -> None:
    """Print the summary, as wide and as colourful as the output can show it."""
    print(*lines(Looks.of(out), results), sep="\n", file=out)


def lines(looks: Looks, results: Results) -> list[str]:
    """The lines of the summary."""
    total = results.total()
    total.fold()
    blocks = [_first(looks, total)]
    if len(results.targets) > 1:
        blocks.append(_targets(looks, results))
    blocks.append(_statuses(looks, total))
    if total.checks:
        blocks.append(_checks(looks, total))
    if total.corrected.counts:
        blocks += [_latencies(looks, total), _phases(looks, total), _drawn(looks, total.corrected)]
    blocks.append(_over_time(looks, results))
    return [line for number, block in enumerate(filter(None, blocks)) for line in (["", *block] if number else block)]


def bins(latencies: Latencies, rows: int = ROWS) -> list[tuple[float, float, int]]:
    """The bins of a histogram, each with its bounds in milliseconds and its count. Each bound is the same multiple of the last.

    There are no bins without latencies, and a single one where all latencies are equal.
    """
    values = sorted(latencies.counts)
    if not values:
        return []
    low, high = max(values[0], 1), values[-1] + 1
    if rows < 2 or high <= low + 1:
        return [(values[0] / 1000, latencies.max, len(latencies))]
    step = (high / low) ** (1 / rows)
    counts = [0] * rows
    for value in values:
        row = int(math.log(max(value, 1) / low) / math.log(step)) if value > low else 0
        counts[min(row, rows - 1)] += latencies.counts[value]
    return [(low * step**row / 1000, low * step ** (row + 1) / 1000, count) for row, count in enumerate(counts)]


def size(count: int) -> str:
    """Bytes as people read them: `1.2 MB`."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.95 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{count} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def a_second(rate: float) -> str:
    """A rate as people read it: `1,000`, `217.3`, `0.05`."""
    return f"{rate:,.1f}".removesuffix(".0") if rate >= 10 else f"{rate:.4g}"


def milliseconds(value: float, digits: int = 3) -> str:
    """Milliseconds with at least so many digits: `0.123`, `12.3`, `1,234`."""
    whole = 0 if value < 1 else 1 if value < 10 else 2 if value < 100 else 3
    return f"{value:,.{max(digits - whole, 0)}f}"


def _first(looks: Looks, total: Counts) -> list[str]:
    took = (total.end or 0.0) - (total.start or 0.0)
    again = f", {total.resent:,} sent again" if total.resent else ""
    wanted = f" of {a_second(total.rate.figures[0])}/s wanted" if total.rate is not None else ""
    speed = f"{total.per_second:,.1f}/s{wanted}"
    sizes = f"{size(total.bytes_sent)} sent, {size(total.bytes_received)} of bodies received"
    return [
        *looks.folded(f"{counted(total.requests, 'request')} in {took:.2f} s: {speed}, {counted(total.failed, 'error')}{again}"),
        *looks.folded(f"{sizes}, {counted(total.connections, 'connection')}"),
    ]


def _targets(looks: Looks, results: Results) -> list[str]:
    rows = []
    for name, counts in results.targets.items():
        counts.fold()
        percentiles = map(milliseconds, counts.corrected.percentiles([50, 99])) if counts.corrected.counts else ("", "")
        rows.append([escaped(name), f"{counts.requests:,}", f"{counts.per_second:,.1f}", f"{counts.failed:,}", *percentiles])
    return table(looks, ["target", "requests", "/s", "errors", "p50 ms", "p99 ms"], rows)


def _statuses(looks: Looks, counts: Counts) -> list[str]:
    return _shares(looks, "status", counts.texts, counts.requests)


def _checks(looks: Looks, counts: Counts) -> list[str]:
    return _shares(looks, "check failed", counts.checks, counts.requests)


def _shares(looks: Looks, what: str, counts: dict[str, int], total: int) -> list[str]:
    rows = [[escaped(text), f"{count:,}", f"{100 * count / total:.4g}%"] for text, count in _largest_first(counts)]
    return table(looks, [what, "requests", "share"], rows)


def _largest_first(counts: dict[str, int]) -> Iterable[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: -item[1])


def _latencies(looks: Looks, counts: Counts) -> list[str]:
    answers = counts.requests - counts.codes.get(0, 0)
    given_up = len(counts.corrected) - answers
    of = f"of {counted(answers, 'answer')}"
    if given_up > 0:
        of += f" and {given_up:,} given up"
    if counts.without_latency > 0:
        of += f"; {counts.without_latency:,} failed without one"
    return [*looks.folded(f"latency in ms since due, {of}"), *_figures(looks, counts.corrected)]


def _figures(looks: Looks, latencies: Latencies) -> list[str]:
    """The percentiles of a run, on a narrow terminal with one digit less where all of them fit then."""
    head = ["", *(f"p{percentile:g}" for percentile in PERCENTILES), "max", "mean"]
    figures = [*latencies.percentiles(PERCENTILES), latencies.max, latencies.mean]
    wide, narrow = (table(looks, head, [["", *(milliseconds(figure, digits) for figure in figures)]]) for digits in (3, 2))
    return narrow if len(narrow[1].split()) == len(figures) > len(wide[1].split()) else wide


def _phases(looks: Looks, counts: Counts) -> list[str]:
    measured = {"since sent": counts.raw, **{PHASES[phase]: counts.phases[phase] for phase in PHASES}}
    rows = []
    for name, latencies in measured.items():
        if latencies.counts:
            percentiles = map(milliseconds, [*latencies.percentiles([50, 99]), latencies.max])
            rows.append([name, f"{len(latencies):,}", *percentiles])
    return table(looks, ["in ms", "count", "p50", "p99", "max"], rows)


def _drawn(looks: Looks, latencies: Latencies) -> list[str]:
    drawn = bins(latencies)
    largest = max(count for _, _, count in drawn)
    bounds = [f"{'≤' if looks.blocks else '<='} {milliseconds(to)} ms" for _, to, _ in drawn]
    counts = [f"{count:,}" if count else "" for _, _, count in drawn]
    most = BAR
    if looks.columns is not None:
        most = min(most, looks.columns - max(map(width, bounds)) - max(map(width, counts)) - 2)
        if most < LEAST_BAR:
            return []
    block = "█" if looks.blocks else "#"
    rows = []
    for bound, shown, (_, _, count) in zip(bounds, counts, drawn, strict=True):
        length = max(round(most * count / largest), 1 if count else 0)
        before = " " * (max(map(width, bounds)) - width(bound))
        after = " " * (most - length + max(map(width, counts)) - width(shown) + 1)
        rows.append(f"{before}{bound} {looks.cyan(block * length)}{after}{shown}".rstrip())
    return rows


def _over_time(looks: Looks, results: Results) -> list[str]:
    """The rate and p99 over time, as wide as there is room."""
    if looks.columns is None:
        return []
    recorders = [counts.recorder for counts in results.targets.values() if counts.recorder is not None]
    moments, every = moments_of([recorder.show() for recorder in recorders])
    rates, slow = columns_of(moments, every, looks.columns - len("rate "))
    if len(rates) < 2:
        return []
    highest = f"up to {max(rates):,.0f}/s, p99 up to {milliseconds(max(slow))} ms"
    return [
        *looks.folded(f"over {len(moments) * every:.4g} s: {highest}"),
        f"rate {looks.cyan(bar(rates, blocks=looks.blocks))}".rstrip(),
        f"p99  {looks.cyan(bar(slow, blocks=looks.blocks))}".rstrip(),
    ]
