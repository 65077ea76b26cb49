"""Signals, at any moment of a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT
from support.goto_process import Goto
from support.waiting import PATIENCE, eventually

from goto.command import signals

PREPARED = "from goto.command import signals; signals.listen(serving={serving}); "


def python(script: str, *, serving: bool = False) -> subprocess.Popen[str]:
    """A process that has prepared itself for signals and then runs a script; its output shows how far it is."""
    return subprocess.Popen(
        [sys.executable, "-c", PREPARED.format(serving=serving) + script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize("number", signals.ENDING)
@pytest.mark.parametrize("serving", [True, False])
def test_a_signal_ends_it_without_a_word(number: signal.Signals, serving: bool) -> None:
    process = python("print('there', flush=True); input()", serving=serving)
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    process.send_signal(number)
    out, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, error) == (0 if serving else 128 + number, "", "")


def test_the_next_one_is_told_and_the_one_behind_it_ends_it() -> None:
    script = "signals.take(lambda number: print('heard', number, flush=True)); print('there', flush=True); input()"
    process = python(script)
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "heard 2\n"
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=PATIENCE) == ("", "")
    assert process.returncode == 143


def test_one_that_is_no_longer_told_ends_it() -> None:
    process = python("signals.take(print); signals.release(); print('there', flush=True); input()")
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGHUP)
    assert process.communicate(timeout=PATIENCE) == ("", "")
    assert process.returncode == 129


def test_a_hangup_that_was_ignored_stays_so() -> None:
    script = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); signals.listen(serving=False);"
        "print('there', flush=True); input(); print('on')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", "from goto.command import signals; " + script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGHUP)
    assert process.communicate("\n", timeout=PATIENCE)[0] == "on\n"
    assert process.returncode == 0


def test_nohup() -> None:
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "goto", "send", "-d", "@-", "http://127.0.0.1:1/"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    # it waits for its input, all handlers there
    eventually(lambda: _caught(process.pid, signal.SIGTERM))
    assert not _caught(process.pid, signal.SIGHUP)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 143


def _caught(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal, as Linux tells."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(mask >> (number - 1) & 1)


@pytest.mark.parametrize("number", signals.ENDING)
def test_a_start_that_waits_for_a_file_is_ended(number: signal.Signals, tmp_path: Path) -> None:
    pipe = tmp_path / "goto.yaml"
    os.mkfifo(pipe)
    words = [sys.executable, "-m", "goto", "--config", str(pipe)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
    with pipe.open("wb"):  # which returns once goto reads
        process.send_signal(number)
        assert process.communicate(timeout=PATIENCE)[0] == b""
    assert process.returncode == 0


def test_exchanges_are_logged_before_a_hangup_ends_it() -> None:
    process = Goto("hangup")
    process.call("GET", "/last")
    assert " GET /last 200 " in process.stop(signal.SIGHUP)


@pytest.mark.parametrize("number", signals.ENDING)
@pytest.mark.parametrize(("words", "status"), [(["--port", "0"], 0), (["send", "http://127.0.0.1:1/"], 128)])
def test_one_that_was_blocked_while_python_started_ends_it(number: signal.Signals, words: list[str], status: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "goto", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [number]),
    )
    process.send_signal(number)
    assert process.communicate(timeout=PATIENCE)[0] == b""
    assert process.returncode == (status and status + number)


def test_serving_ignores_what_means_nothing_to_it() -> None:
    process = python("print('there', flush=True); print(input(), flush=True)", serving=True)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "there\n"
    for number in signals.IGNORED:
        process.send_signal(number)
    process.stdin.write("still\n")
    assert process.communicate(timeout=PATIENCE) == ("still\n", "")
    assert process.returncode == 0
