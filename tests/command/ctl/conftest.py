"""`goto ctl` against one goto for each file of tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.ctl import Ran, Run
from support.goto_process import Goto

from goto.command.ctl.command import ctl


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("ctl")


@pytest.fixture
def run(process: Goto, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`run("label", "set", "a")`: what it came to, in a pipe."""
    monkeypatch.setenv("GOTO_URL", process.base)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("GOTO_ADMIN_TOKEN", raising=False)

    def run(*tokens: str) -> Ran:
        capsys.readouterr()
        status = ctl(tokens)
        return Ran(status, *capsys.readouterr())

    return run
