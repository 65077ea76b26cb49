"""What people read at the end."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from goto.client.histogram import Latencies
from goto.client.results import Results
from goto.command.send.summary import ROWS, bins, milliseconds, show, size
from goto.upstream.connection import Broken


def counted(values: list[int]) -> Latencies:
    latencies = Latencies()
    latencies.add(value / 1e6 for value in values)
    return latencies


@given(st.lists(st.integers(0, 10**9), max_size=50), st.integers(1, 20))
def test_bins_hold_every_latency_once_and_follow_each_other(values: list[int], rows: int):
    drawn = bins(counted(values), rows)
    assert sum(count for _, _, count in drawn) == len(values)
    assert len(drawn) <= rows
    for (_, to, _), (start, _, _) in pairwise(drawn):
        assert to == pytest.approx(start)
    for start, to, _ in drawn:
        assert start <= to


def test_bins_are_where_the_latencies_are():
    drawn = bins(counted([100] * 5 + [100_000] * 3))
    assert len(drawn) == ROWS
    assert (drawn[0][2], drawn[-1][2]) == (5, 3)
    assert bins(counted([700] * 9)) == [(0.7, 0.7, 9)]
    assert bins(Latencies()) == []


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_960, "1.0 MB"), (1_500_000, "1.5 MB"), (10**16, "10000.0 TB")],
)
def test_sizes(count: int, text: str):
    assert size(count) == text


@pytest.mark.parametrize(("value", "text"), [(0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234")])
def test_milliseconds(value: float, text: str):
    assert milliseconds(value) == text


def printed(results: Results, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    show(Console(file=file, width=100), results)
    return raw.getvalue().decode(encoding)


def some() -> Results:
    results = Results()
    for number in range(90):
        results.of("http://a/[b]").answer(200, b"OK", [], {}, sent=1.0, due=0.5, now=1.0 + number / 1000, size=10, body=1000)
    for _ in range(10):
        results.of("dead").failure(Broken("closed [red]it\x1b[31m"), sent=1.0, now=2.0, size=0, body=0)
    return results


def test_a_summary_says_it_all():
    text = printed(some())
    assert "100 requests in" in text
    assert "10 errors" in text
    assert "900 B sent, 90.0 kB of bodies received" in text
    for word in ("200 OK", "90%", "p99.9", "since sent", "since due", "http://a/[b]", "dead", "█"):
        assert word in text, word


def test_text_from_outside_neither_styles_nor_steers():
    text = printed(some())
    assert "\x1b" not in text
    assert "closed [red]it" in text


def test_an_ascii_terminal_gets_ascii():
    results = Results()
    for number in (1, 2, 300):
        results.of("t").answer(200, b"OK", [], {}, sent=1.0, due=None, now=1.0 + number / 1000, size=1, body=1)
    text = printed(results, "ascii")
    assert "#" in text
    assert "<= " in text


def test_nothing_answered_draws_nothing():
    results = Results()
    results.of("t").failure(Broken("closed"), sent=1.0, now=2.0, size=0, body=0)
    text = printed(results)
    assert text.startswith("1 request in 1.00 s: 1.0/s, 1 error\n")
    assert "latency" not in text
    assert "0 requests" in printed(Results())
