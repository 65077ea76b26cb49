"""goto under the loads that are measured and profiled."""

from __future__ import annotations

from typing import Any, NamedTuple

from support.goto_process import Goto

from bench.load import DISTINCT, goto_client, script, wrk
from bench.measure import Side, Start
from bench.servers import Nginx, answering, serving


class Loaded(NamedTuple):
    """A goto, and what puts load on it."""

    goto: Goto
    side: Side


def all_to(upstream: Nginx) -> dict[str, Any]:
    """A proxy target for all traffic."""
    return {"name": "all", "url": upstream.base, "match": {"uris": ["/"]}, "verifyTLS": False}


def echoing(start: Start) -> Loaded:
    """Answers with what it got, tracks two headers, writes its access log; every request is another one."""
    goto = serving(start, tracked="user,version")
    return Loaded(goto, wrk(goto.base, lua=script(start, DISTINCT)))


def proxying(start: Start, upstream: Nginx) -> Loaded:
    """Sends everything on to one upstream."""
    goto = serving(start, targets=[all_to(upstream)])
    return Loaded(goto, wrk(goto.base))


def sending(start: Start, server: Nginx) -> Loaded:
    """Sends requests of its own, one after the other over each of its connections."""
    goto = serving(start)
    return Loaded(goto, goto_client(goto, server.base))


LOADS = {
    "serve": echoing,
    "proxy": lambda start: proxying(start, answering(start)),
    "client": lambda start: sending(start, answering(start)),
}
"""By the name of their row."""
