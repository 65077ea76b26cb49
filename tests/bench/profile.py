"""Show in which functions goto spends its time under load.

py-spy reads the stack of an unmodified process a thousand times a second without stopping it. Time in C, system calls
included, counts for the function of Python that called it.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from support import ROOT

from bench.loads import LOADS
from bench.missing import Missing

SHOWN = 25
"""Functions shown, those with most time of their own."""

SAMPLES = 1000
"""Looks a second."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="profile", description=__doc__)
    parser.add_argument("loads", nargs="*", metavar="LOAD", help=f"default: serve proxy; there are {', '.join(LOADS)}")
    parser.add_argument("--seconds", type=int, default=5, help="how long to look (default: %(default)s)")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build", help="where the samples go, for flame graphs (default: build)"
    )
    options = parser.parse_args()
    if unknown := set(options.loads) - set(LOADS):
        parser.error(f"there is no load {', '.join(sorted(unknown))}; there are {', '.join(LOADS)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.loads or ("serve", "proxy"):
        file = options.folder / f"profile-{name}.txt"
        try:
            rate = sample(name, file, options.seconds)
        except (Missing, subprocess.CalledProcessError) as error:
            print(f"profile: {name}: {error}", file=sys.stderr)
            return 1
        print(f"{name}: {rate:,.0f} requests a second; samples in {file}\n\n{top(file.read_text())}\n")
    return 0


def sample(name: str, file: Path, seconds: int) -> float:
    """Write the stacks of goto under a load into a file; the rate at which it worked meanwhile."""
    spy = Path(sys.executable).with_name("py-spy")
    if not spy.exists():
        raise Missing("py-spy is not installed in this environment (pip install '.[bench]')")
    rates: list[float] = []
    with contextlib.ExitStack() as stack:
        goto, side = LOADS[name](stack.enter_context)
        side(1)
        load = threading.Thread(target=lambda: rates.append(side(seconds + 1)))
        load.start()
        command = [str(spy), "record", "--nonblocking", "-r", str(SAMPLES), "-d", str(seconds), "-f", "raw", "-o", str(file)]
        try:
            # it says itself where it lacks a right: to be root, or CAP_SYS_PTRACE in a container
            subprocess.run([*command, "-p", str(goto.process.pid)], check=True, stdout=subprocess.DEVNULL)
        finally:
            load.join()
    return rates[0]


def top(samples: str) -> str:
    """The functions with most time of their own, from stacks as py-spy writes them: `outer;inner (file:line) count`."""
    own: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for line in samples.splitlines():
        stack, _, count = line.rpartition(" ")
        functions = [frame.rpartition(":")[0] + ")" for frame in stack.split(";") if ":" in frame]
        if functions:
            own[functions[-1]] += int(count)
            within.update(dict.fromkeys(functions, int(count)))
    total = own.total()
    rows = [f"{count / total:6.1%}  {within[function] / total:6.1%}  {function}" for function, count in own.most_common(SHOWN)]
    return "\n".join(["   own  within  function", *rows])


if __name__ == "__main__":
    sys.exit(main())
