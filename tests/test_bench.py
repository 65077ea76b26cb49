"""`make bench` and `make profile`: how figures become verdicts, tables and exit statuses. The figures are no matter of tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bench.measure import Limit, Plan, Ratio, measured
from bench.missing import Missing
from bench.profile import top
from bench.rows import ROWS
from bench.table import MARKS, aligned, cells, markdown, save
from support import ROOT
from support.nginx import find_nginx

PLAN = Plan(rounds=3, seconds=1)


def ratio(own: list[float], other: list[float], at_least: float | None = 0.5, aim: float | None = 0.8) -> tuple[Ratio, list[str]]:
    """A row whose sides give these rates after the warm-up, and the order in which they were asked."""
    asked: list[str] = []

    def side(name: str, rates: list[float]):
        left = iter([0.0, *rates])

        def run(seconds: int) -> float:
            asked.append(name)
            return next(left)

        return run

    return Ratio("r", "what", "that", lambda start: (side("A", own), side("B", other)), at_least, aim), asked


@pytest.mark.parametrize(
    ("own", "met", "shown"),
    [([80, 1, 99], "aim", "0.80"), ([50, 1, 99], "yes", "0.50"), ([49, 49, 99], "no", "0.49")],
)
def test_rounds_are_interleaved_and_their_medians_compared(own: list[float], met: str, shown: str) -> None:
    row, asked = ratio(own, [100, 1, 9999])
    outcome = measured(row, PLAN)
    assert (outcome.met, outcome.ratio) == (met, shown)
    assert "".join(asked) == "AB" * 4  # the first ones warm up


def test_what_nothing_is_demanded_of_is_not_judged() -> None:
    row, _ = ratio([1, 1, 1], [100, 100, 100], None, None)
    outcome = measured(row, PLAN)
    assert (outcome.met, outcome.ratio, row.demands) == ("–", "0.01", ("–", "–"))


@pytest.mark.parametrize(
    ("figure", "least", "met"),
    [(40, False, "aim"), (50, False, "yes"), (61, False, "no"), (61, True, "yes"), (39, True, "no"), (99, True, "yes")],
)
def test_limits_hold_from_above_or_from_below(figure: float, least: bool, met: str) -> None:
    row = Limit("l", "what", lambda start, plan: figure, "MB", 60, 100 if least else 45, least=least)
    assert measured(row, PLAN).met == met


def test_what_is_missing_is_said_and_not_judged() -> None:
    def sides(start: object) -> tuple:
        raise Missing("hey is not installed")

    outcome = measured(Ratio("r", "what", "that", sides, 1, 2), PLAN)
    assert (outcome.measured, outcome.met) == ("skipped: hey is not installed", "–")


def test_a_table_says_in_each_row_what_was_measured_and_demanded() -> None:
    row, _ = ratio([60, 60, 60], [100, 100, 100])
    line = cells(row, measured(row, PLAN))
    assert line == ("r", "what; beside that", "60/s, 100/s", "0.60", "0.50 ×", "0.80 ×", "yes")
    assert aligned([line]).splitlines()[1].split("  ")[0] == "r"
    assert markdown([line], "a machine").splitlines()[2:] == [f"| {' | '.join(line)} |", "", "Measured on a machine."]


def test_a_table_is_saved_between_the_marks_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{MARKS[0]}\nold\nold\n{MARKS[1]}\nafter\n")
    save(page, "new \\1")
    assert page.read_text() == f"before\n{MARKS[0]}\nnew \\1\n{MARKS[1]}\nafter\n"
    page.write_text("no marks\n")
    with pytest.raises(ValueError, match="marks"):
        save(page, "new")
    assert page.read_text() == "no marks\n"


def test_a_profile_counts_a_function_once_a_stack() -> None:
    samples = "run (loop.py:1);f (a.py:3);f (a.py:5) 2\nrun (loop.py:1);g (b.py:9) 1\nrun (loop.py:7) 1\n"
    assert [line.split() for line in top(samples).splitlines()[1:]] == [
        ["50.0%", "50.0%", "f", "(a.py)"],
        ["25.0%", "25.0%", "g", "(b.py)"],
        ["25.0%", "100.0%", "run", "(loop.py)"],
    ]


def test_every_row_is_explained() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    table = re.search(f"{MARKS[0]}\n(.*?)\n{MARKS[1]}", page, re.S)
    assert table
    for row in ROWS:
        assert f"| {row.name} | " in table[1], row.name
        assert page.count(f"`{row.name}`") >= 1, row.name


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_an_unknown_row_is_refused_naming_those_there_are() -> None:
    done = bench("nope")
    assert done.returncode == 2
    assert "there is no row nope; there are serve, proxy, " in done.stderr


@pytest.mark.skipif(find_nginx() is None, reason="nginx is not installed (Debian, Ubuntu: nginx-light)")
def test_real_rows_end_with_a_table() -> None:
    done = bench("early", "client", "--rounds", "1", "--seconds", "1", "--markdown")
    rows = {line.split(" | ")[0]: line for line in done.stdout.splitlines() if line.startswith("| ")}
    assert set(rows) == {"| row", "| ---", "| early", "| client"}, done.stderr
    # never early, however busy the machine is
    assert "yes, and the aim" in rows["| early"]
    assert "Measured on" in done.stdout
