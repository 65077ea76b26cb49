"""Standard input, output and error that are closed, full, left, or not UTF-8."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT
from support.calls import call
from support.ports import free_port, listens
from support.upstream import Reply, Upstream
from support.waiting import PATIENCE, eventually

FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
ASCII = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}

PRINTING = {
    "schema": 0,
    "openapi": 0,
    "check {good}": 0,
    "check {wrong}": 2,
    "addon": 0,
    "--help": 0,
    "send --help": 0,
    "--version": 0,
}
"""Commands that only print, and their exit statuses."""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    good, wrong = tmp_path / "good.yaml", tmp_path / "größe.yaml"
    good.write_text("response: {status: 503}\n")
    wrong.write_text("label: {x: é}\nrespons: 1\n")
    return {"good": str(good), "wrong": str(wrong)}


def bash(script: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run a script in which `$GOTO` is the command."""
    return subprocess.run(
        ["/bin/bash", "-c", script],
        env={**os.environ, "GOTO": f"{sys.executable} -m goto", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        cwd=ROOT,
    )


@pytest.mark.parametrize("words", PRINTING)
def test_a_reader_that_leaves_is_no_error(words: str, files: dict[str, str]) -> None:
    done = bash(f"exec 3> >(exit); wait $!; $GOTO {words.format(**files)} >&3")
    assert done.returncode == PRINTING[words]
    assert b"Traceback" not in done.stdout + done.stderr
    assert b"BrokenPipe" not in done.stdout + done.stderr


@FULL
@pytest.mark.parametrize("words", [words for words, status in PRINTING.items() if status == 0])
def test_a_full_disk_is_one_line_and_status_2(words: str, files: dict[str, str]) -> None:
    done = bash(f"$GOTO {words.format(**files)} >/dev/full")
    assert (done.returncode, done.stderr) == (2, b"goto: standard output: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", PRINTING)
def test_a_closed_one_changes_nothing(words: str, closed: str, files: dict[str, str]) -> None:
    assert bash(f"$GOTO {words.format(**files)} {closed}").returncode == PRINTING[words]


@FULL
@pytest.mark.parametrize("how", [">&-", "2>&-", "<&-", "<&- >&- 2>&-", ">/dev/full", ">/dev/full 2>/dev/full", "> >(exit)"])
def test_serving_goes_on(how: str) -> None:
    port = free_port()
    script = f"exec {sys.executable} -m goto --port {port} {how}"
    process = subprocess.Popen(["/bin/bash", "-c", script], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: listens(port))
        for _ in range(3):
            assert call(port, "GET", "/x").status == 200
        # the start line and three of exchanges; those that ask for the figures follow
        unwritten = "full" in how or "exit" in how
        eventually(lambda: lost(port), lambda lines: lines >= 4 if unwritten else lines == 0)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()


def lost(port: int) -> int:
    """Lines of the access log that are not in it, as the metric has them."""
    figures = call(port, "GET", "/goto/metrics").body.decode()
    found = re.search(r"^goto_access_log_lost_lines_total (\S+)$", figures, re.M)
    assert found
    return int(float(found[1]))


@pytest.mark.parametrize("words", PRINTING)
def test_an_output_in_ascii_has_escapes(words: str, files: dict[str, str]) -> None:
    done = bash(f"$GOTO {words.format(**files)}", ASCII)
    assert done.returncode == PRINTING[words]
    assert (done.stdout + done.stderr).isascii()
    plain = bash(f"$GOTO {words.format(**files)}")
    if words in ("schema", "openapi"):
        assert json.loads(done.stdout) == json.loads(plain.stdout)
    if "wrong" in words:
        assert b"gr\\u00f6\\u00dfe.yaml:1:8: " in done.stderr


def test_arguments_are_utf8_whatever_the_system_says(upstream: Upstream) -> None:
    upstream.on("/ok", Reply(200))
    done = bash(f"$GOTO send -H 'x: €' -d 'é' --json '{upstream.base}/ok?ü'", ASCII)
    assert (done.returncode, done.stderr) == (0, b"")
    (request,) = upstream.take(1)
    assert request.body == "é".encode()
    assert request.values("x") in (["€"], ["€".encode().decode("latin-1")])
    done = bash(f"$GOTO send $'{upstream.base}/\\xff'")
    assert (done.returncode, done.stderr) == (2, b"goto: argument URL: not UTF-8 (see goto send --help)\n")
    port = free_port()
    done = bash(f"timeout 3 $GOTO --port {port} --label größe", ASCII)
    assert f"serves http://localhost:{port} as gr\\u00f6\\u00dfe; ".encode() in done.stdout


def test_json_in_latin_1_is_ascii() -> None:
    done = bash("$GOTO schema", {"PYTHONIOENCODING": "latin-1"})
    assert done.stdout.isascii()
    assert json.loads(done.stdout) == json.loads(bash("$GOTO schema").stdout)


@FULL
def test_sending(upstream: Upstream) -> None:
    assert bash(f"$GOTO send -n 3 {upstream.base}/ 2>/dev/full").returncode == 0
    done = bash(f"$GOTO send -n 3 {upstream.base}/ >/dev/full")
    assert (done.returncode, done.stderr) == (2, b"goto: standard output: No space left on device\n")
    done = bash(f"$GOTO send -n 3 --fail-if 'requests>2' {upstream.base}/ > >(exit)")
    assert (done.returncode, done.stderr) == (1, b"goto: failed: requests>2: requests = 3\n")
