"""A goto process, as users start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

from support import ROOT
from support.calls import Answer, Pairs, call, raw
from support.ports import free_port, listens
from support.waiting import PATIENCE, eventually


class Goto:
    """A goto process of its own, serving on its ports when the constructor returns. Ends by SIGTERM and must then exit with 0."""

    def __init__(
        self,
        label: str | None = "goto",
        *args: str,
        port: int | None = None,
        env: dict[str, str] | None = None,
        expect_errors: bool = False,
    ) -> None:
        self.label = label
        self.port = port or free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.expect_errors = expect_errors
        """Whether a traceback in the log is what the test provokes."""
        self._log = tempfile.NamedTemporaryFile(prefix=f"goto-{self.port}-", suffix=".log")  # noqa: SIM115  # closed by stop
        self.process = subprocess.Popen(
            [sys.executable, "-m", "goto", "--port", str(self.port), *(("--label", label) if label else ()), *args],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=ROOT,
        )
        # listeners that are configured are open before the first one is, and the admin port is afterwards
        admin = int(args[args.index("--admin-port") + 1]) if "--admin-port" in args else None
        try:
            eventually(lambda: self._serves() and (admin is None or listens(admin)))
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"goto does not listen on {self.port} within {PATIENCE:g} s:\n{self.log}") from None

    def _serves(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"goto ended with exit status {self.process.returncode}:\n{self.log}")
        return listens(self.port)

    @property
    def log(self) -> str:
        """All it has written so far, standard output and error together."""
        return Path(self._log.name).read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def call(
        self,
        method: str,
        path: str,
        body: bytes | str | dict[str, Any] | list[Any] | None = None,
        headers: dict[str, str] | Pairs | None = None,
        timeout: float = PATIENCE,
    ) -> Answer:
        """One request to this goto, see `call`."""
        return call(self.port, method, path, body, headers, timeout)

    def api(self, method: str, path: str, body: bytes | str | dict[str, Any] | list[Any] | None = None) -> Answer:
        """A management call that must succeed, and be answered by management."""
        answer = self.call(method, path, body)
        assert answer.status in (200, 202), f"{method} {path}: {answer}"
        assert b'"RequestURI"' not in answer.body, f"{method} {path} was answered as traffic"
        return answer

    def raw(self, data: bytes, **how: Any) -> bytes:
        """Bytes to this goto, see `raw`."""
        return raw(self.port, data, **how)

    def stop(self, sig: int = signal.SIGTERM) -> str:
        """End it by a signal; its whole log. It must exit with 0 and have logged no traceback that was not expected."""
        if self._log.closed:
            return ""
        if self.running:
            self.process.send_signal(sig)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"goto does not end on {signal.Signals(sig).name}") from None
        log = self.log
        self._log.close()
        assert self.process.returncode == 0, f"exit status {self.process.returncode}:\n{log}"
        assert self.expect_errors or "Traceback" not in log, log
        return log

    def kill(self) -> None:
        """End it as a crash would; nothing is expected of it."""
        self.process.kill()
        self.process.wait()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def run_goto(*args: str) -> tuple[int, str, str]:
    """Run a goto command that ends by itself: exit status, standard output, standard error."""
    command = [sys.executable, "-m", "goto", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr
