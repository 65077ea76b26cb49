"""`make soak`: prints what was seen, and fails when something does not add up."""

from __future__ import annotations

import argparse
import sys
import time

from soak.run import soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000_000)
    options = parser.parse_args()
    print(f"Soaking for {options.seconds:g} s, seed {options.seed}", flush=True)
    outcome = soak(options.seconds, options.seed)
    print("| what | seen |\n|---|---|")
    for what, seen in outcome.rows():
        print(f"| {what} | {seen} |")
    for problem in outcome.problems:
        print(f"goto soak: {problem}", file=sys.stderr)
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
