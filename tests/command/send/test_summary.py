"""What people read at the end."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.counting import count_answer, count_failure

from goto.client.histogram import Latencies
from goto.client.results import Results
from goto.command.send.summary import ROWS, bins, lines, milliseconds, show, size
from goto.command.send.terminal import Looks, width
from goto.upstream.errors import Broken, TooSlow


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


@pytest.mark.parametrize(("value", "text"), [(0.1234, "0.12"), (1.234, "1.2"), (12.34, "12"), (123.4, "123"), (1234.5, "1,234")])
def test_milliseconds_with_one_digit_less(value: float, text: str):
    assert milliseconds(value, 2) == text


def printed(results: Results, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    show(file, results)
    return raw.getvalue().decode(encoding)


def some() -> Results:
    results = Results()
    for number in range(90):
        count_answer(results.of("http://a/[b]"), due=0.5, now=1.0 + number / 1000, body=1000)
    for _ in range(10):
        count_failure(results.of("dead"), Broken("closed [red]it\x1b[31m"))
    return results


def test_a_summary_says_it_all():
    text = printed(some())
    assert "100 requests in" in text
    assert "10 errors" in text
    assert "900 B sent, 90.0 kB of bodies received" in text
    for word in (
        "200 OK",
        "90%",
        "p99.9",
        "since sent",
        "since due",
        "first byte",
        "of 90 answers; 10 failed without one",
        "http://a/[b]",
        "dead",
        "█",
    ):
        assert word in text, word


def test_text_from_outside_neither_styles_nor_steers():
    text = printed(some())
    assert "\x1b" not in text
    assert "closed [red]it" in text


def test_an_ascii_terminal_gets_ascii():
    results = Results()
    for number in (1, 2, 300):
        count_answer(results.of("t"), now=1.0 + number / 1000)
    text = printed(results, "ascii")
    assert "#" in text
    assert "<= " in text


def test_nothing_answered_draws_nothing():
    results = Results()
    count_failure(results.of("t"), Broken("closed"))
    text = printed(results)
    assert text.startswith("1 request in 1.00 s: 1.0/s, 1 error\n")
    assert "latency" not in text
    assert "0 requests" in printed(Results())


def test_what_was_given_up_has_a_latency_and_a_check_that_failed_is_named():
    results = Results()
    count_answer(results.of("t"), failed=["body~ok"])
    count_failure(results.of("t"), TooSlow("no answer"))
    text = printed(results)
    assert text.startswith("2 requests in 1.00 s: 2.0/s, 2 errors\n")
    assert "latency in ms since due, of 1 answer and 1 given up\n" in text
    assert re.search(r"^body~ok +1 +50%$", text, re.M)


def figures(line: str) -> bool:
    return bool(re.fullmatch(r"[\d., ]+", line)) and bool(line.strip())


@pytest.mark.parametrize("columns", [20, 30, 40, 60, 80, 120])
@pytest.mark.parametrize("blocks", [True, False])
def test_a_terminal_gets_what_fits(columns: int, blocks: bool):
    results = Results()
    for number in range(2000):
        count_answer(results.of("t"), reason=b"A reason that is rather long", sent=number / 500, now=number / 500 + 0.0123)
    count_failure(results.of("t"), Broken("closed the connection without an answer"), sent=5.0, now=5.5)
    shown = lines(Looks(columns, blocks=blocks), results)
    assert max(map(width, shown)) <= columns
    (row,) = filter(figures, shown)
    assert len(row.split()) == (6 if columns >= 30 else 4)
    assert any("≤" in line or "<=" in line for line in shown) == (columns >= 30)
    plotted = [line for line in shown if line.startswith(("rate ", "p99  "))]
    assert len(plotted) == 2
    assert all(line.isascii() for line in shown) or blocks


def test_a_narrow_terminal_has_all_figures_with_a_digit_less():
    results = Results()
    count_answer(results.of("t"), sent=1.0, now=1.000234)
    rows = [next(filter(figures, lines(Looks(columns), results))).split() for columns in (29, 30, 34, 35)]
    assert rows == [["0.234"] * 5, ["0.23"] * 6, ["0.23"] * 6, ["0.234"] * 6]


def test_a_pipe_gets_one_row_a_line():
    results = Results()
    count_answer(results.of("http://" + "a" * 200))
    count_failure(results.of("u"), Broken("closed " * 40))
    shown = printed(results)
    assert "\n" + "http://" + "a" * 200 + "  " in shown
    assert "closed " * 40 in shown


def test_colour_is_for_who_takes_it():
    assert any("\x1b[" in line for line in lines(Looks(80, colour=True), some()))
    assert not any("\x1b[" in line for line in lines(Looks(80), some()))
