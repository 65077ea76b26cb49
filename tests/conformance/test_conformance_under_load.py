"""The shared conformance suites while the same process serves and proxies at full load on other listeners.

What the load does is counted on its own listeners to the last request, and shows in no scenario.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import ROOT
from support.conforming import conforms, scenarios, suites_here
from support.goto_process import Goto
from support.ports import free_port
from support.waiting import PATIENCE, eventually

pytestmark = suites_here

SLACK = 20.0
"""Of longest times: the process is busy all along. Shortest times stay as they are."""

SECONDS = 600
"""Longer than all scenarios take; the load is ended with them."""

ENOUGH = 1000
"""Requests without which it was no load."""


class Load:
    """Eight connections that send all the time; by wrk where it is installed, else by goto's own client."""

    def __init__(self, url: str) -> None:
        if shutil.which("wrk"):
            command = ["wrk", "-t1", "-c8", f"-d{SECONDS}", url]
        else:
            command = [sys.executable, "-m", "goto", "send", "--json", "-c", "8", "-n", "100000000", url]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        )

    def stop(self) -> str:
        """End it as Ctrl-C does; what it says of its requests."""
        self._process.send_signal(signal.SIGINT)
        return self._process.communicate(timeout=PATIENCE)[0]


@pytest.fixture(scope="module")
def server(goto: Callable[..., Goto]) -> Iterator[Goto]:
    """One goto for all scenarios, with a listener that proxies to another one, which serves."""
    process = goto(None, "--quiet")
    front, back = free_port(), free_port()
    for port in (front, back):
        process.api("POST", "/listeners/add", {"port": port, "protocol": "http", "label": f"loaded-{port}"})
        process.api("PUT", f"/listeners/{port}/open")
        process.api("PUT", f"/goto/port/{port}/request/headers/track/add/host")
    target = {"name": "back", "url": f"http://127.0.0.1:{back}", "match": {"uris": ["/"]}}
    process.api("POST", f"/goto/port/{front}/request/proxy/targets/add", target)

    def answered(port: int) -> dict[str, int]:
        counts: dict[str, int] = process.api("GET", f"/goto/port/{port}/response/status/counts").json()["countsByReportedStatus"]
        return counts

    load = Load(f"http://127.0.0.1:{front}/load?a=b")
    try:
        eventually(lambda: answered(front).get("200", 0) >= ENOUGH)
        yield process
    finally:
        said = load.stop()
    # what was in flight when the load ended was cut off at the front alone
    counts = answered(front)
    assert list(counts) == ["200"], (counts, said)
    assert list(answered(back)) == ["200"]
    assert 0 <= answered(back)["200"] - counts["200"] <= 8
    tracked = process.api("GET", f"/goto/port/{front}/request/headers/track/host/counts").json()
    assert sum(tracked["RequestCountsByHeaderValue"].values()) - counts["200"] in range(9), json.dumps(tracked)


@pytest.mark.parametrize("scenario", list(scenarios()))
def test_scenario(scenario: dict[str, Any], server: Goto) -> None:
    conforms(server.base, scenario, SLACK)
