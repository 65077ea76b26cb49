"""Measure goto, row by row; exit status 1 where an "at least" is not met."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.machine import machine
from bench.measure import Plan, measured
from bench.rows import ROWS
from bench.table import aligned, cells, markdown, save


def main() -> int:
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"rows to measure (default: all): {', '.join(names)}")
    parser.add_argument("--rounds", type=int, default=Plan.rounds, help="how often each side is measured (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=Plan.seconds, help="for how long at a time (default: %(default)s)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--save", type=Path, metavar="PAGE", help="put the table into a page, between its marks")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(names):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if options.rounds < 1 or options.seconds < 1:
        parser.error("--rounds and --seconds are at least 1")

    plan, outcomes = Plan(options.rounds, options.seconds), {}
    for row in ROWS:
        if not options.rows or row.name in options.rows:
            print(f"{row.name}: {row.what} ...", file=sys.stderr, flush=True)
            outcomes[row] = measured(row, plan)
    lines = [cells(row, outcome) for row, outcome in outcomes.items()]
    shown = markdown(lines, machine())
    print(shown if options.markdown else f"{aligned(lines)}\n\n{machine()}")
    if options.save:
        save(options.save, shown)
    return int(any(outcome.met == "no" for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
