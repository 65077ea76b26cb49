"""A listener for one test alone."""

from __future__ import annotations

import re
from typing import Any

from support.calls import Answer, call, raw
from support.client import Client
from support.goto_process import Goto
from support.ports import free_port
from support.waiting import eventually


class Site:
    """A listener of a goto process for one test alone: nothing is configured on it."""

    def __init__(self, goto: Goto) -> None:
        self.goto = goto
        self.port = free_port()
        goto.api("POST", "/listeners/add", {"port": self.port})
        goto.api("PUT", f"/listeners/{self.port}/open")

    def call(self, method: str, path: str, body: Any = None, headers: Any = None) -> Answer:
        return call(self.port, method, path, body, headers)

    def api(self, method: str, path: str, body: Any = None) -> Answer:
        answer = self.call(method, path, body)
        assert answer.status in (200, 202), f"{method} {path}: {answer}"
        return answer

    def raw(self, data: bytes, **how: Any) -> bytes:
        return raw(self.port, data, **how)

    def target(self, port: int, uri: str = "/", *, scheme: str = "http", **fields: Any) -> None:
        """A proxy target named as its URI, to a port of this machine."""
        spec = {"name": uri, "url": f"{scheme}://127.0.0.1:{port}", "match": {"uris": [uri]}, **fields}
        self.api("POST", "/request/proxy/targets/add", spec)

    def client(self, **how: Any) -> Client:
        return Client(self.port, **how)

    @property
    def ends(self) -> dict[str, int]:
        """How exchanges ended, all of them."""
        ends: dict[str, int] = self.api("GET", "/request/timeout/status").json()["all"]
        return ends

    def ended(self, *, closed: int = 0, completed: int = 0, broken: int = 0) -> None:
        """Wait until so many exchanges have ended, and check that each ended one way."""
        ends = eventually(lambda: self.ends, lambda ends: sum(ends.values()) >= closed + completed + broken)
        expected = {"ConnectionClosed": closed, "RequestCompleted": completed}
        assert ends == ({**expected, "Broken": broken} if broken else expected)

    @property
    def reported(self) -> dict[str, int]:
        counts: dict[str, int] = self.api("GET", "/response/status/counts").json()["countsByReportedStatus"]
        return counts

    def log(self) -> list[str]:
        """The log lines of traffic on this listener."""
        lines = re.findall(rf"^\S+Z {self.port} .*$", self.goto.log, re.M)
        return [line for line in lines if not line.endswith(" api")]
