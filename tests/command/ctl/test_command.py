"""`goto ctl` as a user has it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from support import ROOT
from support.ctl import Run
from support.goto_process import Goto
from support.waiting import PATIENCE


def test_the_words_are_the_path(run: Run, process: Goto):
    assert run("response", "delay", "set", "200ms") == (0, "Response delay: 200ms\n", "")
    assert run("response", "delay").out == "Response delay: 200ms\n"
    run("response", "delay", "clear")
    assert run("label", "set", "a/b ü%").out == f"Port {process.port} is labelled a/b ü%\n"
    assert run("response", "headers", "set", "x", "1").out == "Set response header x: 1\n"
    assert run("response", "headers", "set").rows == [["name", "value"], ["x", "1"]]
    run("response", "headers", "clear")


def test_options_are_fields_and_parameters(run: Run, process: Goto):
    add = ("response", "rules", "add", "--name", "a", "--when", '{"uris": ["/a/{x:.*}"]}', "--json", '{"a": [1]}', "--seed", "7")
    assert run(*add).out == "Added rule a\n"
    assert run("response", "rules", "a", "plan", "--from", "3", "--count", "2").rows == [
        ["n", "strikes"],
        ["3", "yes"],
        ["4", "yes"],
    ]
    assert process.call("GET", "/a/b").json() == {"a": [1]}
    assert run("request", "uri", "bypass", "add", "--uri", "/b?c=d").status == 0
    assert run("request", "uri", "bypass", "counts", "--uri", "/b?c=d").out == "0\n"
    run("request", "uri", "bypass", "clear")
    run("response", "rules", "clear")


def test_a_whole_body(run: Run, process: Goto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "a.json"
    file.write_text('{"name": "whole", "status": 503}')
    assert run("response", "rules", "add", "-f", str(file)).out == "Added rule whole\n"
    file.write_text("label: from a file\n")
    assert run("goto", "config", "-f", str(file)).out == "Configuration applied: label\n"
    with file.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert run("goto", "config", "-f", "-").out == "The configuration is like this already\n"
    assert run("label", "-f", str(file)).error == "goto: -f: GET /label takes no body\n"
    assert run("response", "rules", "add", "-f", "/nowhere").error == "goto: -f: /nowhere: No such file or directory\n"
    both = run("response", "rules", "add", "-f", str(file), "--name", "a")
    assert both.error == "goto: -f: cannot be given together with fields of the body\n"
    run("response", "rules", "clear")


def test_the_answer_of_the_api_byte_for_byte(run: Run, process: Goto):
    for words in (["listeners"], ["goto", "version"], ["label"]):
        raw = process.call("GET", "/" + "/".join(words), headers={"Accept": "application/json"})
        assert run(*words, "--json").out.encode() == raw.body
        assert run("--json", *words).out.encode() == raw.body


@pytest.mark.parametrize(
    ("tokens", "status", "error"),
    [
        (["respons", "delay"], 2, "unknown word respons; did you mean response?"),
        (["response", "dealy"], 2, "unknown word dealy; did you mean delay?"),
        (["response", "delay", "set"], 2, "response delay set: one of these has to follow: {delay}"),
        (["response", "delay", "set", "1s", "2s"], 2, "2s is one word too many behind response delay set 1s"),
        (["response", "delay", "set", "soon"], 3, "delay: 'soon' is not a duration: write it like 300ms, 1.5s or 1m30s"),
        (["response", "rules", "nobody"], 3, "unknown rule: nobody"),
        (["--url", "http://127.0.0.1:1", "label"], 4, "http://127.0.0.1:1: Connection refused"),
        (["--port", "1", "label"], 3, "port: there is no listener 1"),
        (["label", "--tokn", "x"], 2, "unknown option --tokn; did you mean --token?"),
    ],
)
def test_errors_are_one_line_and_a_status(tokens: list[str], status: int, error: str, run: Run):
    ran = run(*tokens)
    assert (ran.status, ran.out) == (status, "")
    assert ran.error.startswith(f"goto: {error}")
    assert ran.error.count("\n") == 1
    as_json = run(*tokens, "--json")
    assert (as_json.status, as_json.out) == (status, "")
    assert json.loads(as_json.error)["error"].startswith(error)


def test_help(run: Run):
    whole = run("--help").out
    assert run().out == whole
    assert "fail STATUS\tAnswer traffic with a status of your own.\n" in whole
    assert "response delay set {delay}\tSet the delay of all responses" in whole
    below = run("response", "delay", "-h").rows
    assert [row[0] for row in below] == ["words", "response delay set {delay}", "response delay clear", "response delay"]
    assert "--request-timeout\ttext\n" in run("client", "targets", "add", "--help").out
    assert "--times\ta number\n" in run("fail", "--help").out
    assert run("respons", "--help").status == 2


GOTO = [sys.executable, "-m", "goto", "ctl"]


def test_in_a_process_of_its_own(process: Goto):
    env = {**os.environ, "GOTO_URL": process.base}
    ran = subprocess.run([*GOTO, "goto", "health"], capture_output=True, text=True, env=env, cwd=ROOT, check=True)
    assert ran.stdout.endswith("is healthy\n")
    heavy = "import sys; from goto.command.ctl.command import ctl; ctl(['label']); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, env=env, cwd=ROOT, check=True)
    loaded = {name.split(".")[0] for name in ran.stdout.split()}
    assert loaded & {"aiohttp", "msgspec", "rich", "yaml", "uvloop", "argparse"} == set()


def on_terminal(*words: str, url: str) -> str:
    """What a terminal of 100 columns shows."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    env = {**os.environ, "GOTO_URL": url, "TERM": "xterm"}
    process = subprocess.Popen([*GOTO, *words], stdin=slave, stdout=slave, stderr=slave, env=env, cwd=ROOT)
    os.close(slave)
    shown = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # the terminal's other side is closed
            break
        if not data:
            break
        shown += data
    assert process.wait(PATIENCE) == 0
    os.close(master)
    return shown.decode()


def test_on_a_terminal_there_are_tables(process: Goto):
    shown = on_terminal("listeners", url=process.base)
    assert "\t" not in shown
    assert "protocol" in shown
    assert str(process.port) in shown
    assert on_terminal("label", url=process.base).startswith("Label: ")
