"""The instance that tests share, and the listeners that each has for itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from goto.testing.awaited import AsyncGoto
from goto.testing.calls import Calls
from goto.testing.documents import for_listener
from goto.testing.failures import ApiFailure, Conflict
from goto.testing.instance import InProcess, InThread
from goto.testing.plain import Goto
from goto.words.hosts import bracketed

ATTEMPTS = 50
"""The system may choose a port that a test of this run has had; then it chooses again."""


class Instance:
    """An instance: in a thread, in a process, or one that runs already. Its journal is on as long as this lives."""

    def __init__(self, url: str | None = None, token: str | None = None, *, process: bool = False) -> None:
        """Raises `ApiFailure` where it cannot be used."""
        self._own = None if url else InProcess() if process else InThread()
        self.url = url.rstrip("/") if url else self._own.url if self._own else ""
        self.token = token
        self.calls = Calls(self.url, token)
        self._had: set[int] = set()
        """Ports that tests of this run have had: somebody may still send to one."""
        self._listeners: dict[int, Goto] = {}
        try:
            self._journal = self._configured_journal()
            self.calls.goto.journal.set(True)
        except BaseException:
            self.stop()
            raise

    def _configured_journal(self) -> Any:
        """What is configured of the journal; None where it is off."""
        return self.calls.goto.config().get("journal")

    def listener(
        self,
        label: str = "",
        *,
        https: bool = False,
        host: str | None = None,
        config: str | bytes | Mapping[str, Any] | None = None,
        name: str = "config",
    ) -> Goto:
        """A listener of its own, which `remove` removes, as the end of the run does. `host` is what its URL has.

        `config` is a document that is applied to it, and `name` what errors in it are said of.
        """
        port = self._fresh_port(label, "https" if https else "http")
        self._had.add(port)
        host = bracketed(host or urlsplit(self.url).hostname or "127.0.0.1")
        goto = Goto(f"{'https' if https else 'http'}://{host}:{port}", self.token, port=port, instance=self.url)
        self._listeners[port] = goto
        if config is not None:
            try:
                goto.calls.goto.config(body=for_listener(config, port, name))
            except BaseException:
                self.remove(goto)
                raise
        return goto

    def _fresh_port(self, label: str, protocol: str) -> int:
        """Add a listener on a port that no test of this run has had. Others are held meanwhile, so that none comes again."""
        given: dict[str, Any] = {"label": label} if label else {}
        known: list[int] = []
        try:
            for _ in range(ATTEMPTS):
                said = self.calls.listeners.add(port=0, open=True, protocol=protocol, **given)
                port = int(said.rpartition(" ")[2])
                if port not in self._had:
                    return port
                known.append(port)
        finally:
            for port in known:
                self.calls.listeners.remove(port)
        raise Conflict(f"port: none was free in {ATTEMPTS} attempts that no test had before")

    def remove(self, goto: Goto) -> None:
        """Remove a listener. One that is gone already is no error."""
        self._listeners.pop(goto.port, None)
        with suppress(ApiFailure):
            self.calls.listeners.remove(goto.port)
        goto.end()

    def awaited(self, goto: Goto) -> AsyncGoto:
        """The same listener, awaited."""
        return AsyncGoto(goto.url, self.token, port=goto.port, instance=self.url)

    def keep(self, journal: Mapping[str, Any]) -> None:
        """Have the journal keep something else."""
        self.calls.goto.config(body={"journal": {**journal}})

    def keep_as_usual(self) -> None:
        """Have it keep again what it kept at first."""
        self.calls.goto.journal.set(False)
        self.calls.goto.journal.set(True)
        if self._journal:
            self.keep(self._journal)

    def stop(self) -> None:
        """End what this began: listeners, the journal, and the instance itself where it is none that ran already."""
        for goto in list(self._listeners.values()):
            self.remove(goto)
        if self._own is not None:
            self.calls.close()
            self._own.stop()
            return
        if getattr(self, "_journal", True) is None:
            with suppress(ApiFailure):
                self.calls.goto.journal.set(False)
        self.calls.close()
