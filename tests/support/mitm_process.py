"""A mitmdump with goto in it, as tests of the mitmproxy host use it. Skips where mitmproxy is not installed."""

from __future__ import annotations

import functools
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from support import ROOT
from support.calls import call
from support.goto_process import Goto
from support.ports import free_port
from support.waiting import PATIENCE, eventually

pytest.importorskip("mitmproxy", reason="mitmproxy is not installed in this Python")

ADDON = ROOT / "addons" / "goto_addon.py"

START_PATIENCE = 3 * PATIENCE
"""Seconds after which a start is given up: mitmproxy is large, and several start at a time."""


@functools.cache
def confdir() -> Path:
    """Where mitmproxy keeps its CA; made once a run, since making keys takes its time."""
    import atexit

    folder = tempfile.mkdtemp(prefix="mitmproxy-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def command(tool: str, *args: str) -> list[str]:
    """A tool of the mitmproxy that belongs to this Python."""
    return [sys.executable, "-c", f"from mitmproxy.tools.main import {tool} as main; main()", *args]


class Mitmdump(Goto):
    """A mitmdump process, serving when the constructor returns. Ends by SIGTERM and must then exit with 0.

    `mode` lacks the port. It must log nothing that -q lets through, unless `expect_errors` says so.
    """

    def __init__(
        self,
        mode: str,
        *args: str,
        port: int | None = None,
        env: dict[str, str] | None = None,
        expect_errors: bool = False,
        addon: Path | None = ADDON,
        tool: str = "mitmdump",
    ) -> None:
        self.label = ""
        self.port = port or free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.expect_errors = expect_errors
        self._log = tempfile.NamedTemporaryFile(prefix=f"mitmdump-{self.port}-", suffix=".log")  # noqa: SIM115  # closed by stop
        self._asked = addon is not None and mode.startswith("reverse:") and not any("goto_admin_host" in word for word in args)
        options = ["-q", "--set", f"confdir={confdir()}", "--mode", f"{mode}@{self.port}", *args]
        if addon is not None:
            options += ["-s", str(addon)]
        self.process = subprocess.Popen(
            command(tool, *options),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=ROOT,
        )
        try:
            eventually(self._serves, seconds=START_PATIENCE)
        except AssertionError:
            self.process.kill()
            raise AssertionError(f"mitmdump does not listen on {self.port}:\n{self.log}") from None

    def _serves(self) -> bool:
        """mitmproxy listens before its addons run: wait for goto's answer where there is to be one."""
        if not super()._serves():
            return False
        try:
            return not self._asked or bool(call(self.port, "GET", "/goto/ready", timeout=2).status)
        except (OSError, http.client.HTTPException):
            return False

    def stop(self, *args: Any) -> str:
        """As a goto; besides, whatever is logged is an error."""
        log = super().stop(*args)
        assert self.expect_errors or not log.strip(), log
        return log


def starts_not(*args: str, env: dict[str, str] | None = None) -> str:
    """Start a mitmdump that has to refuse; what it says. It must exit with 1."""
    ran = subprocess.run(
        command("mitmdump", "-q", "--set", f"confdir={confdir()}", "-s", str(ADDON), *args),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(env or {})},
        text=True,
        timeout=START_PATIENCE,
        cwd=ROOT,
        check=False,
    )
    assert ran.returncode == 1, f"exit status {ran.returncode}:\n{ran.stdout}"
    assert "Traceback" not in ran.stdout, ran.stdout
    return ran.stdout
