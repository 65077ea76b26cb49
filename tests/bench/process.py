"""How soon a goto process answers, and how much memory it has."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from support import ROOT
from support.ports import free_port
from support.waiting import PATIENCE

IDLE_SECONDS = 0.5
"""Between the first answer and a look at the memory."""


class Started(NamedTuple):
    """A goto that was started, asked once, left alone and ended."""

    seconds: float
    """From exec to its first answer."""
    megabytes: float
    """Resident when it was idle."""


def starts(count: int) -> Iterator[Started]:
    """Start goto so many times; the first one, which may find nothing in the page cache, does not count."""
    for number in range(count + 1):
        started = _start()
        if number:
            yield started


def megabytes(pid: int) -> float:
    """The resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def _start() -> Started:
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "goto", "--port", str(port)], stdout=subprocess.DEVNULL, cwd=ROOT)
    try:
        while not _answers(port):
            assert process.poll() is None, f"goto ended with exit status {process.returncode}"
            time.sleep(0.001)
        seconds = time.perf_counter() - began
        time.sleep(IDLE_SECONDS)
        return Started(seconds, megabytes(process.pid))
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answers(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as client:
        try:
            client.request("GET", "/")
        except ConnectionError:
            return False
        return client.getresponse().status == 200
