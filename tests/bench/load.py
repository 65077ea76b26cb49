"""What puts load on a server, each as a `Side`: wrk, hey, and goto's own client."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from support.goto_process import Goto

from bench.measure import Side, Start
from bench.missing import find

CONNECTIONS = 32

DISTINCT = r"""
local sent = 0
local form = "GET /item/%d HTTP/1.1\r\nHost: bench\r\nX-Request: id-%d\r\nUser: user-%d\r\nVersion: v%d\r\n\r\n"
request = function()
  sent = sent + 1
  return form:format(sent, sent, sent % 100, sent % 3)
end
"""
"""For wrk: every request has a path and an id of its own, from one of 100 users who have three versions."""

POSTED = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "text/plain"
wrk.body = string.rep("x", 1024)
"""
"""For wrk: a body of 1 KiB."""

CHUNKED = r"""
local chunk = "400\r\n" .. string.rep("x", 1024) .. "\r\n0\r\n\r\n"
local text = "POST / HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" .. chunk
request = function() return text end
"""
"""For wrk: the same in chunks."""

PIPELINED = """
init = function()
  local requests = {}
  for n = 1, 16 do requests[n] = wrk.format() end
  text = table.concat(requests)
end
request = function() return text end
"""
"""For wrk: sixteen requests at a time."""

MISSED = (
    "/shop/7/orders/12?page=3&sort=name",
    "Accept: text/html",
    "User: ann",
    "Version: v1",
)
"""A request with a path, parameters and headers that many targets look at and none wants."""


def script(start: Start, text: str) -> Path:
    """A Lua script for wrk, in a file."""
    file = Path(start(TemporaryDirectory(prefix="bench-"))) / "requests.lua"
    file.write_text(text)
    return file


def wrk_command(url: str, seconds: int, *, connections: int = CONNECTIONS, lua: Path | None = None) -> list[str]:
    """One thread of wrk, as it is used throughout."""
    return [find("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", *(("-s", str(lua)) if lua else ()), url]


def wrk(base: str, *fields: str, path: str = "/", connections: int = CONNECTIONS, lua: Path | None = None) -> Side:
    """Requests a second that wrk gets answered; `fields` are header lines."""
    headers = [word for field in fields for word in ("-H", field)]

    def run(seconds: int) -> float:
        return _rate([*wrk_command(base + path, seconds, connections=connections, lua=lua), *headers])

    return run


def wrk_late(base: str, connections: int) -> Side:
    """Milliseconds within which 99 of 100 requests are answered."""

    def run(seconds: int) -> float:
        command = [*wrk_command(f"{base}/", seconds, connections=connections), "--latency"]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        found = re.search(r"99%\s+([\d.]+)(us|ms|s)", ran.stdout)
        assert found, ran.stdout
        return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]

    return run


def hey(base: str) -> Side:
    """Requests a second that hey gets answered."""
    command = find("hey")
    return lambda seconds: _rate([command, "-z", f"{seconds}s", "-c", str(CONNECTIONS), f"{base}/"])


def goto_client(goto: Goto, base: str, **more: Any) -> Side:
    """Requests a second by the results of goto's client: as many replicas as connections, no delay, an id in each request. `more`
    fields of the target may be given.
    """
    target = {"name": "load", "method": "GET", "url": f"{base}/", "replicas": CONNECTIONS, "requestCount": 10**9, "sendId": True}
    target |= more
    goto.api("POST", "/client/targets/add", target)

    def run(seconds: int) -> float:
        goto.api("POST", "/client/targets/load/invoke")
        time.sleep(seconds)
        goto.api("POST", "/client/targets/load/stop")
        results = goto.api("GET", "/client/results").json()
        goto.api("POST", "/client/results/clear")
        assert list(results["countsByStatusCodes"]) == ["200"], results
        assert not results["all"]["errors"].get("check"), results
        rate: float = results["all"]["requestsPerSecond"]
        return rate

    return run


def _rate(command: list[str]) -> float:
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", ran.stdout)
    # what fails is fast, and would only make the rate look better
    assert rate, ran.stdout
    assert not re.search("Non-2xx|Socket errors|Error distribution", ran.stdout), ran.stdout
    return float(rate[1])
