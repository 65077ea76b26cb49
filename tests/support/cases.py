"""The shared cases: scripts that try goto from outside, each with a verdict. They lie beside the repository."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import ROOT

FOLDER = ROOT.parent / "shared" / "cases"

SECONDS = 320
"""What a case may take; each bounds itself to a little less."""

cases_here = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the shared cases are not at {FOLDER}")


OWN_NETWORK = ("unshare", "-mn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
"""What runs a command with a loopback of its own: cases choose ports at random, and other tests do so at the same time."""


@functools.cache
def own_network() -> bool:
    """Whether this user may have one: root may."""
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run([*OWN_NETWORK, "true"], capture_output=True, check=False).returncode == 0
    return False


def names() -> Iterator[str]:
    """`C01`, `K14`, `S36`: the names of all cases."""
    return (file.stem for file in sorted(FOLDER.glob("[A-Z]*[0-9].py")))


def programs(folder: Path) -> dict[str, str]:
    """The environment of a case, with its programs in a folder: this goto, and those that cases look for beside it."""
    python = f'"{sys.executable}"'
    commands = {"goto": f"{python} -m goto", "python": python, "mitmdump": f'"{Path(sys.executable).parent}/mitmdump"'}
    safe = os.environ.get("PYTHONSAFEPATH", "")
    for name, command in commands.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\n{"" if name == "python" else f"PYTHONSAFEPATH={safe} "}exec {command} "$@"\n')
        program.chmod(0o755)
    # cases import what lies beside them; goto is the one that is tested
    given = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return {**given, "GOTO": str(folder / "goto"), "MITMDUMP": str(folder / "mitmdump")}


SAME_PORT = re.compile("the case itself: .*(Address already in use|is the first listener: write its settings at the top)")
"""A case chose one port at random twice, which it takes for a mistake of goto."""

HELD_SIGNALS = ("env", "--block-signal=HUP,INT,TERM")
"""What runs a command so that these signals wait until it takes them: goto does, from its first line on."""


def run_case(name: str, env: dict[str, str], exempt: str = "", *, held: bool = False) -> bool:
    """Run a case. It fails where the case does, or says nothing, and is skipped where it skips itself. `exempt` is an expression
    for checks that may fail, or for the error that ends the case; whether there was one. `held`: signals that come while goto's
    Python starts wait for goto.
    """
    words = [*(HELD_SIGNALS if held else ()), sys.executable, str(FOLDER / f"{name}.py")]
    if own_network():
        # what some cases do for themselves, but by the name of the file that they import it from
        words, env = [*OWN_NETWORK, *words], {**env, "APART": name}
    elif "apart(" in (FOLDER / f"{name}.py").read_text():
        pytest.skip("needs `unshare -mn` (root)")
    for _ in range(5):
        done = subprocess.run(
            words, env=env, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
        if not SAME_PORT.search(done.stderr):
            break
    verdict = done.stdout.strip().rpartition("\n")[2]
    if done.returncode == 2 and verdict.startswith(f"{name} SKIP"):
        pytest.skip(verdict)
    wrong = [line.strip() for line in done.stderr.splitlines() if line.strip().startswith(("FAIL", "GAP"))]
    if not verdict.startswith(name):
        wrong.append(done.stderr.strip().rpartition("\n")[2] or "the case says nothing")
    exempted = [line for line in wrong if exempt and re.search(exempt, line)]
    assert wrong == exempted, "\n".join([*wrong, verdict, done.stderr[-2000:]])
    assert done.returncode == 0 or exempted, f"exit status {done.returncode}: {verdict}"
    return bool(exempted)
