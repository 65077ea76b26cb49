"""The summary of a run, for people: statuses, percentiles, and a histogram of latencies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from goto.client.counts import Counts
from goto.client.histogram import PERCENTILES, Latencies
from goto.client.results import Results
from goto.words.unseen import escaped
from goto.words.writing import counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

ROWS = 12
"""Rows of the histogram."""

BAR = 40
"""Characters of the longest bar."""


def show(console: Console, results: Results) -> None:
    """Print the summary."""
    total = results.total()
    total.fold()
    took = (total.end or 0.0) - (total.start or 0.0)
    errors = total.codes.get(0, 0)
    again = f", {total.resent:,} sent again" if total.resent else ""
    requests = counted(total.requests, "request")
    console.print(f"{requests} in {took:.2f} s: {total.rate:,.1f}/s, {counted(errors, 'error')}{again}", highlight=False)
    console.print(f"{size(total.bytes_sent)} sent, {size(total.bytes_received)} of bodies received\n", highlight=False)
    if len(results.targets) > 1:
        console.print(_targets(results), "")
    console.print(_statuses(total))
    if total.raw.counts:
        console.print("", _latencies(total), "", _drawn(total.corrected, "utf" in console.encoding.lower()))


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


def milliseconds(value: float) -> str:
    """Milliseconds with at least three digits: `0.123`, `12.3`, `1,234`."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table


def _targets(results: Results) -> Table:
    table = _table("target", "requests", "/s", "errors", "p50 ms", "p99 ms")
    for name, counts in results.targets.items():
        percentiles = map(milliseconds, counts.corrected.percentiles([50, 99])) if counts.corrected.counts else ("", "")
        row = (f"{counts.requests:,}", f"{counts.rate:,.1f}", f"{counts.codes.get(0, 0):,}")
        table.add_row(_harmless(name), *row, *percentiles)
    return table


def _statuses(counts: Counts) -> Table:
    table = _table("status", "requests", "share")
    for text, count in sorted(counts.texts.items(), key=lambda item: -item[1]):
        table.add_row(_harmless(text), f"{count:,}", f"{100 * count / counts.requests:.4g}%")
    return table


def _latencies(counts: Counts) -> Table:
    table = _table("latency in ms", *(f"p{percentile:g}" for percentile in PERCENTILES), "max", "mean")
    rows = {"since sent": counts.raw, "since due": counts.corrected}
    if counts.raw.counts == counts.corrected.counts:
        rows = {"": counts.raw}
    for name, latencies in rows.items():
        values = [*latencies.percentiles(PERCENTILES), latencies.max, latencies.mean]
        table.add_row(name, *map(milliseconds, values))
    return table


def _drawn(latencies: Latencies, unicode: bool) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for justify in ("right", "left", "right"):
        table.add_column(justify=justify, no_wrap=True)
    drawn = bins(latencies)
    largest = max(count for _, _, count in drawn)
    block = "█" if unicode else "#"
    for _, to, count in drawn:
        bar = block * max(round(BAR * count / largest), 1 if count else 0)
        table.add_row(f"{'≤' if unicode else '<='} {milliseconds(to)} ms", f"[cyan]{bar}[/]", f"{count:,}" if count else "")
    return table


def _harmless(text: str) -> str:
    """Text from outside, escaped so that it can neither style nor control the terminal."""
    from rich.markup import escape

    return escape(escaped(text))
