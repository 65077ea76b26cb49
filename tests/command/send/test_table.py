"""Tables of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.command.send.table import table
from goto.command.send.terminal import Looks, width

ROWS = [["200 OK", "1,000", "99.9%"], ["好 " * 20, "1", "0.1%"]]


def test_a_pipe_gets_all_of_it():
    assert table(Looks(), ["status", "requests", "share"], ROWS) == [
        "status" + " " * 54 + "  requests  share",
        "200 OK" + " " * 54 + "     1,000  99.9%",
        "好 " * 20 + "         1   0.1%",
    ]


def test_figures_alone_need_no_words():
    assert table(Looks(10), ["", "p50", "p99", "max"], [["", "1.00", "12.3", "1,234"]]) == [" p50  p99", "1.00 12.3"]


@pytest.mark.parametrize("columns", [20, 30, 60])
def test_on_a_terminal_words_are_cut_first_and_then_columns_are_left_out(columns: int):
    shown = table(Looks(columns), ["status", "requests", "share"], ROWS)
    assert max(map(width, shown)) <= columns
    assert shown[1].startswith("200 OK ")
    assert "1,000" in shown[1]
    assert ("99.9%" in shown[1]) == (columns > 20)
    assert "…" in shown[2]


cells = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), min_size=1, max_size=30)


@given(st.lists(st.tuples(cells, st.integers(0, 10**6).map(str), st.integers(0, 99).map(str)), max_size=5), st.integers(20, 100))
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_split(rows: list[tuple[str, str, str]], columns: int):
    shown = table(Looks(columns), ["word", "a", "b"], rows)
    assert max(map(width, shown)) <= columns
    for row, line in zip(rows, shown[1:], strict=True):
        assert line.split()[1:] == list(row[1:])


def test_the_head_is_bold_where_there_is_colour():
    assert table(Looks(80, colour=True), ["a", "b"], [["x", "1"]])[0] == "\x1b[1ma  b\x1b[0m"
