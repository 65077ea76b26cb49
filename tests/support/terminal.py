"""A terminal that a page is tried in: bash in a fresh folder, with ports of its own and a `goto` that serves in the background.

A reader has a second terminal for what a server is asked. Here `goto` and `mitmdump` return as soon as they serve, and end with
the page, or when another one is started on the same port. What a command prints is kept by the line that it stands in.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from support import ROOT
from support.pages import Block
from support.ports import free_port
from support.waiting import eventually

BLOCK_SECONDS = 30.0
"""For one block."""

PORT = re.compile(r"\b(?:808\d|900\d|909\d|8443|8444|9443|9444)\b")
"""What is a port in a page, and gets another number."""

FIRST = "8080"

SERVER = r"""#!/usr/bin/env bash
# Start a server in the background, and return once it serves.
serves() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
serve() {
  port=$1; shift
  if [ -f "$PAGE/$port.pid" ]; then
    kill "$(cat "$PAGE/$port.pid")" 2>/dev/null
    while serves; do sleep 0.02; done
  fi
  "$@" </dev/null >>"$PAGE/$port.$KIND" 2>&1 &
  echo $! >"$PAGE/$port.pid"
  until serves; do
    if ! kill -0 $! 2>/dev/null; then cat "$PAGE/$port.$KIND" >&2; rm "$PAGE/$port.pid"; wait $!; exit; fi
    sleep 0.05
  done
}
"""

GOTO = (
    SERVER
    + r"""
KIND=log
case "${1-}" in
  -h|--help|--version) ;;
  ""|-*|serve)
    port=$(printf '%s\n' "$@" | sed -n '/^--port$/{n;p}; s/^--port=//p' | tail -n 1)
    [ -n "$port" ] || { port=$FIRST_PORT; set -- "$@" --port "$port"; }
    serve "$port" @goto@ "$@"
    exit ;;
  health) [ $# -gt 1 ] || set -- health "http://127.0.0.1:$FIRST_PORT" ;;
esac
exec @goto@ "$@"
"""
)

MITMDUMP = (
    SERVER
    + r"""
KIND=mitm
port=$(printf '%s\n' "$@" | sed -n 's/^[a-z].*@\([0-9]*\)$/\1/p' | tail -n 1)
serve "$port" "$REAL_MITMDUMP" --set confdir="$PAGE/mitmproxy" "$@"
"""
)

# The traps stand in the first line of each block, so that numbers of lines are those of the page.
TRAPS = r"""trap 'printf "\036%s\036" "$LINENO" >&1' DEBUG; trap 'echo "$LINENO $?" >&4' ERR; """

MAIN = r"""
for number in "$@"; do
  echo "begin $number" >&3
  exec >>"$PAGE/$number.out" 2>>"$PAGE/$number.err" 4>>"$PAGE/$number.failed"
  source "$PAGE/$number.sh"
  trap - DEBUG ERR
  echo "end $number" >&3
done
"""


class Failed(AssertionError):
    """A block does not do what its page says."""


@dataclass
class Ran:
    """A block that was run."""

    block: Block
    outputs: list[tuple[int, str]]
    """What the commands printed, each with the line of the block that it begins in, from 1."""
    errors: str
    failed: list[tuple[int, int]]
    """Lines, and the exit status there."""

    @property
    def output(self) -> str:
        return "".join(text for _, text in self.outputs)

    def of_line(self, line: int) -> str:
        """What was printed by the command that stands in a line of the block, or begins above it."""
        begins = [begin for begin, _ in self.outputs if begin <= line]
        return "".join(text for begin, text in self.outputs if begins and begin == max(begins))

    def where(self, line: int) -> str:
        return f"{self.block.page.relative_to(ROOT)}:{self.block.line + line - 1}"


class Terminal:
    """Blocks of a page are run in it, in order. What was started ends with it."""

    def __init__(self, folder: Path, goto: Sequence[str] = (sys.executable, "-m", "goto")) -> None:
        """`goto` is what the command `goto` runs."""
        self.folder = folder
        self.ports: dict[str, int] = {}
        self._own = folder / ".terminal"
        bin = self._own / "bin"
        bin.mkdir(parents=True)
        self._tool(bin / "goto", GOTO.replace("@goto@", shlex.join(goto)))
        self.mitmdump = shutil.which("mitmdump", path=sysconfig.get_path("scripts"))
        if self.mitmdump:
            self._tool(bin / "mitmdump", MITMDUMP)
        (self._own / ".curlrc").write_text("silent\nshow-error\n")
        for name in ("configs", "addons", "docs", "deploy"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for file in (folder / "configs").glob("*.yaml"):
            file.write_text(self.given(file.read_text()))
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GOTO_")},
            "PATH": f"{bin}:{sysconfig.get_path('scripts')}:{os.environ['PATH']}",
            "PAGE": str(self._own),
            "CURL_HOME": str(self._own),
            "HOME": str(folder),
            "FIRST_PORT": str(self.port(FIRST)),
            "GOTO_URL": f"http://127.0.0.1:{self.port(FIRST)}",
            "REAL_MITMDUMP": self.mitmdump or "",
        }

    @staticmethod
    def _tool(file: Path, text: str) -> None:
        file.write_text(text)
        file.chmod(0o755)

    def port(self, written: str) -> int:
        """The port that stands for one that a page writes."""
        if written not in self.ports:
            self.ports[written] = free_port()
        return self.ports[written]

    def given(self, text: str) -> str:
        """A text with the ports of this terminal."""
        return PORT.sub(lambda found: str(self.port(found[0])), text)

    def shown(self, text: str) -> str:
        """What was printed, with the ports of the page."""
        back = {str(port): written for written, port in self.ports.items()}
        return re.sub(rf"\b({'|'.join(back)})\b", lambda found: back[found[0]], text).replace("\r", "")

    def serve(self) -> None:
        """Start a plain goto on the first port, for pages that say what to ask one."""
        subprocess.run(["goto"], env=self.env, cwd=self.folder, check=True, timeout=BLOCK_SECONDS)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(self.given(text))

    def run(self, given: Sequence[tuple[Block, str]]) -> list[Ran]:
        """Run these texts one after the other in one shell, each as the block that it is of."""
        for number, (_, text) in enumerate(given):
            text = re.sub(r"^((?:goto|mitmdump)\b[^#\n]*?)\s*&(?=\s*(?:#.*)?$)", r"\1", text, flags=re.M)
            (self._own / f"{number}.sh").write_text(TRAPS + self.given(text))
        read, write = os.pipe()
        with subprocess.Popen(
            ["bash", "-c", f"exec 3>&{write}\n{MAIN}", "bash", *map(str, range(len(given)))],
            env=self.env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(write,),
        ) as shell:
            os.close(write)
            ended = self._follow(read, len(given))
            if ended < len(given):
                shell.kill()
        ran = [self._ran(number, block) for number, (block, _) in enumerate(given[: ended + 1])]
        if ended < len(given):
            raise Failed(f"{given[ended][0].where}: not over within {BLOCK_SECONDS:g} s, or the shell ended:\n{ran[-1]}")
        return ran

    @staticmethod
    def _follow(pipe: int, blocks: int) -> int:
        """How many blocks came to their end in time."""
        ended, text, until = 0, b"", time.monotonic() + BLOCK_SECONDS
        with open(pipe, "rb", buffering=0) as progress:
            while ended < blocks and select.select([progress], [], [], max(0, until - time.monotonic()))[0]:
                more = progress.read(1024)
                if not more:
                    break
                text += more
                if text.count(b"end ") > ended:
                    ended, until = text.count(b"end "), time.monotonic() + BLOCK_SECONDS
        return ended

    def _ran(self, number: int, block: Block) -> Ran:
        def read(name: str) -> str:
            file = self._own / f"{number}.{name}"
            return self.shown(file.read_text(errors="replace")) if file.exists() else ""

        pieces = read("out").split("\x1e")
        outputs = [(int(line), text) for line, text in zip(pieces[1::2], pieces[2::2], strict=True)]
        failed = [(int(line), int(status)) for line, status in (one.split() for one in read("failed").splitlines())]
        return Ran(block, outputs, read("err"), failed)

    def logs(self) -> str:
        """What the servers of goto have logged."""
        return "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')}" for file in sorted(self._own.glob("*.log")))

    def close(self) -> None:
        """End what was started. It must end, and have logged no traceback."""
        pids = [int(file.read_text()) for file in self._own.glob("*.pid")]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        try:
            eventually(lambda: not any(map(_alive, pids)))
        finally:
            for pid in filter(_alive, pids):
                os.kill(pid, signal.SIGKILL)
        assert "Traceback" not in self.logs(), self.logs()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _alive(pid: int) -> bool:
    """Whether it runs; one that has ended and is waited for by nobody does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


# ---------------------------------------------------------------- what a page shows, beside what was printed
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?"
_VARIES = (
    _TIME,
    r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    r"\b\d+(?:\.\d+)? ?(?:µs|ms|s|m)\b",
    r"\b\d+\.\d+\.\d+(?: \(compiled\))?(?![\d.])",
    r"127\.0\.0\.1:\d{5}\b",
    r"(?<=Goto-Host: )\S+",
)
"""Times, dates, ids, versions and ports of clients: they differ from run to run, so any other of the kind will do."""
_ANY = re.compile(r"…|\.\.\.|" + "|".join(f"({one})" for one in _VARIES))


def like(shown: str) -> re.Pattern[str]:
    """What an output has to be like."""
    made, end = "", 0
    for found in _ANY.finditer(shown):
        made += re.escape(shown[end : found.start()])
        end = found.end()
        made += ".*" if found.lastindex is None else f"(?:{_VARIES[found.lastindex - 1]})"
    return re.compile(made + re.escape(shown[end:]), re.S)


def fits(shown: str, output: str) -> bool:
    return like(shown.strip()).fullmatch(output.strip()) is not None


def has_line(shown: str, output: str) -> bool:
    return any(fits(shown, line) for line in output.splitlines())
