"""`goto send` as people and scripts run it: a process, piped and on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT
from support.nginx import Nginx
from support.ports import free_port
from support.upstream import Reply, Upstream
from support.waiting import PATIENCE, eventually

from goto import __version__

SEND = [sys.executable, "-m", "goto", "send"]


def send(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SEND, *words], input=stdin, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)


def test_the_total_is_exact_though_it_cannot_be_divided(nginx: Callable[..., Nginx]):
    server = nginx()
    done = send("-n", "10000", "-c", "32", f"{server.base}/a")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^10,000 requests in .* 0 errors$", done.stdout, re.M)
    assert re.search(r"^200 OK +10,000 +100%$", done.stdout, re.M)
    assert "p99.9" in done.stdout
    assert "\x1b" not in done.stdout
    assert len(eventually(lambda: server.requests, lambda there: len(there) >= 10_000)) == 10_000


def test_a_run_without_an_answer_ends_with_3_unless_a_condition_says_more():
    nobody = f"http://127.0.0.1:{free_port()}/"
    assert send("-n", "3", nobody).returncode == 3
    assert send("-n", "3", "--fail-if", "errors>5", nobody).returncode == 3
    assert send("-n", "3", "--fail-if", "rps<1", nobody).returncode == 1


def test_one_answer_is_enough(upstream: Upstream):
    assert send(f"http://127.0.0.1:{free_port()}/", f"{upstream.base}/").returncode == 0


def test_json_is_as_the_api_shows_results(upstream: Upstream):
    done = send("-n", "7", "-c", "2", "--json", f"{upstream.base}/a,b", f"{upstream.base}/c", f"{upstream.base}/c")
    shown = json.loads(done.stdout)
    assert shown["countsByStatusCodes"] == {"200": 21}
    assert shown["targetInvocationCounts"] == {f"{upstream.base}/a%2Cb": 7, f"{upstream.base}/c": 7, f"{upstream.base}/c (2)": 7}
    assert shown["all"]["latency"]["raw"]["count"] == 21
    assert sorted({received.target for received in upstream.take(21)}) == ["/a,b", "/c"]


def test_options_make_the_request(upstream: Upstream, tmp_path: Path):
    send("-H", "x: 1", "-H", "y:2", "-d", "hello", "--send-id", f"{upstream.base}/p")
    (received,) = upstream.take(1)
    assert (received.method, received.body, received.values("x"), received.values("y")) == ("POST", b"hello", ["1"], ["2"])
    assert received.query[0][0] == "x-request-id"
    (tmp_path / "body").write_text("from a file")
    send("-m", "PUT", "-d", f"@{tmp_path / 'body'}", upstream.base)
    send("-d", "@-", upstream.base, stdin="from a pipe")
    assert [(one.method, one.body) for one in upstream.take(2)] == [("PUT", b"from a file"), ("POST", b"from a pipe")]


def test_requests_are_one_a_replica_unless_said(upstream: Upstream):
    send("-c", "3", upstream.base)
    upstream.take(3)


def test_a_rate_and_a_delay_take_their_time(upstream: Upstream):
    began = time.monotonic()
    done = send("-n", "20", "--rate", "20", upstream.base)
    assert time.monotonic() - began > 0.9
    assert done.returncode == 0
    began = time.monotonic()
    send("-n", "4", "--delay", "200ms", upstream.base)
    assert time.monotonic() - began > 0.6


@pytest.mark.parametrize(
    ("condition", "status"),
    [("status!=2xx", 1), ("errors>0", 0), ("p99>1m", 0), ("max>0", 1), ("rps<0.001", 0), ("requests!=4", 0), ("status==2xx", 0)],
)
def test_fail_if_sets_the_exit_status(upstream: Upstream, condition: str, status: int):
    upstream.on("/", Reply(503))
    done = send("-n", "4", "--fail-if", "errors>50%", "--fail-if", condition, upstream.base)
    assert done.returncode == status
    assert done.stderr.startswith(f"goto: failed: {condition}: ") if status else not done.stderr
    assert "503 Fine" in done.stdout


def test_failures_are_told(upstream: Upstream):
    url = f"http://127.0.0.1:{free_port()}"
    done = send("-n", "3", "--fail-if", "p99>1s", url)
    assert done.returncode == 1
    assert "no answer to measure" in done.stderr
    assert re.search(r"Connection refused +3 +100%$", done.stdout, re.M)
    assert send("-n", "3", url).returncode == 3


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--fail-if", "p99>x", "http://x"], "'x' is not a duration"),
        (["--fail-if", "latency>1s", "http://x"], "unknown measure 'latency'"),
        (["ftp://x"], "url: "),
        (["-n", "0", "http://x"], "-n/--requests: 0 is not a whole number from 1"),
        (["-c", "10001", "http://x"], "goto: -c: "),
        (["-H", "nocolon", "http://x"], "-H: "),
        (["-H", "a b: c", "http://x"], "goto: -H: "),
        (["--rate", "5", "--delay", "1s", "http://x"], "rate: "),
        (["--rate", "nan", "http://x"], "rate: "),
        (["--delay", "soon", "http://x"], "goto: --delay: "),
        (["-d", "@/nowhere/at/all", "http://x"], "goto: -d: /nowhere/at/all: No such file or directory"),
        ([], "URL"),
    ],
)
def test_bad_options_are_one_line_and_status_2(words: list[str], reason: str):
    done = send(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("goto: ")
    assert done.stderr.count("\n") == 1
    assert reason in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_was_measured(nginx: Callable[..., Nginx], number: int):
    server = nginx()
    process = subprocess.Popen(
        [*SEND, "-n", "100000000", "-c", "8", "--json", server.base], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    eventually(lambda: len(server.requests) > 100)
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    counted = json.loads(out)["countsByStatusCodes"]["200"]
    eventually(lambda: len(server.requests), lambda logged: logged >= counted)
    server.stop()
    assert counted == len(server.requests)


def pending(pid: int) -> int:
    """The signals that a process was sent and has not got, as a bit mask (proc(5))."""
    found = re.search(r"^ShdPnd:\s+(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1], 16)


def test_a_second_signal_gives_up_what_is_in_flight(upstream: Upstream):
    upstream.on("/", lambda _: (time.sleep(30), Reply())[1])
    process = subprocess.Popen([*SEND, "--json", upstream.base], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    eventually(lambda: upstream.received)
    # the system makes one of two that it has not handed over yet
    eventually(lambda: not pending(process.pid) & 1 << (signal.SIGINT - 1))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert json.loads(out)["all"]["errors"] == {"stopped": 1}


def test_a_reader_that_leaves_is_no_crash(upstream: Upstream):
    done = subprocess.run(
        f"{' '.join(SEND)} -n 5 {upstream.base} | true; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


class Terminal:
    """A process on a terminal of 100 columns."""

    def __init__(self, *words: str, env: dict[str, str] | None = None) -> None:
        self.fd, theirs = pty.openpty()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        # it has to be the terminal that controls it, or Ctrl-C there would be no signal
        takes = "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"
        command = [sys.executable, "-c", takes, *SEND, *words]
        self.process = subprocess.Popen(
            command, stdin=theirs, cwd=ROOT, env={**os.environ, "TERM": "xterm-256color", **(env or {})}
        )
        os.close(theirs)
        self.shown = ""

    def read(self, until: str | None = None) -> str:
        """What it shows until this text, or until it ends."""
        last = time.monotonic() + PATIENCE
        while (until is None or until not in self.shown) and time.monotonic() < last:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    break
                if not data:
                    break
                self.shown += data.decode("utf-8", "replace")
        return self.shown

    def end(self) -> int:
        self.read()
        os.close(self.fd)
        return self.process.wait(PATIENCE)


def test_on_a_terminal_there_is_a_live_line_and_then_the_summary(nginx: Callable[..., Nginx]):
    terminal = Terminal("-n", "40", "-c", "2", "--delay", "50ms", nginx().base)
    assert re.search(r"of 40 requests  [0-9,]+/s  0 errors", terminal.read(" ms\x1b[K"))
    assert terminal.end() == 0
    assert "40 requests in" in terminal.shown
    assert re.search(r"█.*\r\n\r\nover .*\r\nrate .*█.*\r\np99 +.*█", terminal.shown, re.DOTALL)


def test_ctrl_c_on_a_terminal(nginx: Callable[..., Nginx]):
    terminal = Terminal("-n", "100000000", "-c", "4", nginx().base)
    terminal.read("/s")
    os.write(terminal.fd, b"\x03")
    assert terminal.end() == 130
    assert re.search(r"[0-9,]+ requests in .* 0 errors", terminal.shown)
    assert "Traceback" not in terminal.shown


def test_a_file_of_results_says_what_it_measured(upstream: Upstream):
    done = send("-n", "3", "--check", "status=201", "--fail-if", "checks>0", "-H", "x: 1", "--json", f"{upstream.base}/a")
    run = json.loads(done.stdout)["run"]
    assert (done.returncode, run["exit"], run["requests"], run["version"]) == (1, 1, 3, __version__)
    assert run["targets"] == [
        {
            "name": f"{upstream.base}/a",
            "method": "GET",
            "url": f"{upstream.base}/a",
            "headers": [["x", "1"]],
            "checks": ["status=201"],
        }
    ]


def test_the_series_as_csv(upstream: Upstream, tmp_path: Path):
    head = "target,at,every,requests,errors,bytes,p50_ms,p99_ms,max_ms"
    file = tmp_path / "series.csv"
    done = send("-n", "5", "--csv", str(file), upstream.base)
    lines = file.read_text().splitlines()
    assert lines[0] == head
    assert sum(int(line.split(",")[3]) for line in lines[1:]) == 5
    assert done.stdout.startswith("5 requests in ")
    done = send("-n", "5", "--csv", "-", upstream.base)
    assert done.stdout.startswith(f"{head}\n{upstream.base},0.0,100ms,")
    assert done.stderr.startswith("5 requests in ")
    for words in (["--csv", "-", "--json"], ["--csv", "/nowhere/at/all"]):
        done = send(*words, upstream.base)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith("goto: --csv: ")


def test_a_rate_that_is_not_held_is_said(upstream: Upstream):
    upstream.on("/", lambda _: (time.sleep(0.02), Reply())[1])
    done = send("--rate", "1000", "-n", "30", upstream.base)
    said = r"goto: the rate was not held: wanted 1,000/s, sent \d+(\.\d+)?/s: all 1 connections were busy, give more with -c\n"
    assert re.fullmatch(said, done.stderr)
    assert re.match(r"30 requests in [\d.]+ s: [\d.]+/s of 1,000/s wanted, 0 errors\n", done.stdout)
    sum_of_both = send("--rate", "20", "-n", "4", upstream.base, upstream.base)
    assert " of 40/s wanted, " in sum_of_both.stdout.partition("\n")[0]


def test_a_duration_needs_no_count(upstream: Upstream):
    done = send("--duration", "300ms", "-c", "2", "--json", upstream.base)
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["run"]["requests"]) == (0, None)
    assert shown["all"]["requests"] == len(upstream.take()) > 0
    done = send("--stage", "100ms:rate=100", "--stage", "100ms:rate=100-0", "-c", "8", "--json", upstream.base)
    assert json.loads(done.stdout)["countsByStatusCodes"] == {"200": 15}


def test_checks_are_shown_and_judged(upstream: Upstream):
    done = send("-n", "4", "--check", "body~nothing", "--fail-if", "errors>0", upstream.base)
    assert done.returncode == 1
    assert done.stderr == "goto: failed: errors>0: errors = 4\n"
    assert re.search(r"^body~nothing +4 +100%$", done.stdout, re.M)
    assert (
        send("-n", "4", "--check", "body~hello", "--check", "status=2xx", "--fail-if", "errors>0", upstream.base).returncode == 0
    )


def test_who_closes_the_pipe_changes_neither_the_status_nor_what_is_said(upstream: Upstream):
    words = f"{' '.join(SEND)} -n 5 --fail-if 'requests>1' {upstream.base}"
    script = f"{words} | head -c 0; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (1, "goto: failed: requests>1: requests = 5\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_reads_standard_input(number: int):
    process = subprocess.Popen(
        [*SEND, "-d", "@-", "http://127.0.0.1:1/"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    # it reads once it waits for what is in the pipe
    eventually(lambda: "pipe" in Path(f"/proc/{process.pid}/wchan").read_text(), lambda waits: waits)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (128 + number, b"")


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}])
def test_a_terminal_that_wants_no_colour(upstream: Upstream, env: dict[str, str]):
    terminal = Terminal("-n", "4", upstream.base, env=env)
    assert terminal.end() == 0
    assert "\x1b[1m" not in terminal.shown
    assert "\x1b[36m" not in terminal.shown
    assert ("\x1b" in terminal.shown) == (env["TERM"] != "dumb")
