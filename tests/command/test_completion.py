"""Tab, pressed in the real shells."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import ROOT
from support.goto_process import Goto
from support.shell import Shell
from support.waiting import eventually

from goto.command.arguments import _parser
from goto.command.completion import Below, completion, script, tree

SHELLS = ("bash", "zsh", "fish")


class Typed:
    """A shell that completes goto, whose commands are written down instead of run."""

    def __init__(self, shell: Shell, log: Path) -> None:
        self.shell = shell
        self.log = log

    def line(self, *pieces: str) -> list[list[str]]:
        """Type pieces, and end the line: the words of each goto that was started. `a|b` is typed `a`, Tab, until `b` is shown."""
        self.log.unlink(missing_ok=True)
        for piece in pieces:
            typed, tab, shown = piece.partition("|")
            self.shell.type(typed + ("\t" if tab else ""))
            if tab:
                # an echo begins with what was typed last
                self.shell.read(shown)
        self.shell.type("\n")
        self.shell.read("ready> ")
        text = eventually(lambda: self.log.read_text() if self.log.exists() else "")
        return [command.split("\n")[:-1] for command in text.split("\0\n")[:-1]]


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    server = goto("completion")
    server.api("POST", "/response/rules/add", {"name": "flaky", "status": 503})
    return server


@pytest.fixture(scope="module", params=SHELLS)
def typed(request: pytest.FixtureRequest, process: Goto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typed]:
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed (Debian, Ubuntu: {name})")
    folder: Path = tmp_path_factory.mktemp(name)
    (folder / "goto.yaml").write_text("label: a\n")
    log, command = folder / "log", folder / "bin" / "goto"
    command.parent.mkdir()
    real = f"PYTHONPATH={ROOT} exec {sys.executable} -m goto"
    command.write_text(
        "#!/bin/sh\n"
        f'case "$1" in completion) {real} "$@" ;; esac\n'
        f"{{ printf '%s\\n' \"$@\"; printf '\\0\\n'; }} >> {log}\n"
        f'case "$2" in --names) {real} "$@" ;; esac\n'
    )
    command.chmod(0o755)
    env = {"PATH": f"{command.parent}:{os.environ['PATH']}", "GOTO_URL": process.base}
    with Shell(name, folder, env) as shell:
        shell.run("goto completion fish | source" if name == "fish" else f"source <(goto completion {name})")
        yield Typed(shell, log)


def test_words_of_the_path_start_no_process(typed: Typed):
    assert typed.line("goto ct|l", "resp|onse", "del|ay", "se|t", "200ms") == [["ctl", "response", "delay", "set", "200ms"]]


def test_options_of_a_route_and_of_the_instance(typed: Typed):
    assert typed.line("goto ctl --ur|l", "http://127.0.0.1:1 registry peers a|dd", "--na|me", "x") == [
        ["ctl", "--url", "http://127.0.0.1:1", "registry", "peers", "add", "--name", "x"]
    ]


def test_short_words_and_their_options(typed: Typed):
    assert typed.line("goto ctl fai|l", "503 --proba|bility", "0.5") == [["ctl", "fail", "503", "--probability", "0.5"]]


def test_names_are_asked_for(typed: Typed):
    asked, ran = typed.line("goto ctl response rules fl|aky", "rem|ove")
    assert asked == ["ctl", "--names", "rules"]
    assert ran == ["ctl", "response", "rules", "flaky", "remove"]


def test_names_are_those_of_the_instance_that_is_named(typed: Typed, process: Goto):
    asked, ran = typed.line(f"goto ctl --url {process.base} response rules fl|aky")
    assert asked == ["ctl", "--names", "rules", "--url", process.base]
    assert ran[-1] == "flaky"


def test_files(typed: Typed):
    assert typed.line("goto check got|o.yaml") == [["check", "goto.yaml"]]
    assert typed.line("goto ctl config d|iff", "got|o.yaml") == [["ctl", "config", "diff", "goto.yaml"]]
    assert typed.line("goto ctl goto config -f got|o.yaml") == [["ctl", "goto", "config", "-f", "goto.yaml"]]


def test_the_other_commands_have_theirs(typed: Typed):
    assert typed.line("goto hea|lth", "--inse|cure") == [["health", "--insecure"]]
    assert typed.line("goto sen|d", "--time|out", "5s http://127.0.0.1:1") == [["send", "--timeout", "5s", "http://127.0.0.1:1"]]
    assert typed.line("goto --qui|et") == [["--quiet"]]


def test_the_tree():
    places = tree(_parser())
    assert {"serve", "send", "ctl", "completion"} <= set(places[""].words)
    assert places["ctl/response"].words == ["delay", "status", "headers", "rules"]
    assert places["ctl/response/rules"].kind == "rules"
    assert "--name=" in places["ctl/response/rules/add"].options
    assert {"--url=", "--json", "-f="} <= set(places["ctl/response/delay"].options)
    assert places["ctl/fail"].kind == "any"
    assert "--times=" in places["ctl/fail/*"].options
    assert places["check"].kind == "files"
    assert places["completion"].words == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_the_same_each_time(shell: str, capsys: pytest.CaptureFixture[str]):
    assert completion(shell, _parser()) == 0
    printed = capsys.readouterr().out
    assert printed == script(shell, tree(_parser()))
    assert "@CASES@" not in printed
    with pytest.raises(AssertionError):
        script(shell, {"a'b": Below()})
