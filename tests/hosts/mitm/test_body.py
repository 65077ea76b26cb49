"""How long a request's body may stand still, apart from mitmproxy, which is asked through `private.stop_waiting`."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("mitmproxy", reason="mitmproxy is not installed in this Python")

from mitmproxy.test.tflow import tflow

from goto.hosts.mitm import body, private
from goto.hosts.mitm.body import BodyTime
from goto.traffic.limits import LIMITS


def test_the_time_runs_from_the_last_byte_to_the_end_of_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stopped = [100.0], []
    monkeypatch.setattr(LIMITS, "body_time", 5.0)
    monkeypatch.setattr(body.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(private, "stop_waiting", lambda flow, is_late: stopped.append(flow))

    async def test() -> None:
        flow = tflow()
        waiting = BodyTime(flow, lambda waits: True)
        waiting.begin()
        clock[0] = 104.0
        private.body_moves[flow.id](False)
        clock[0] = 108.9
        waiting._look()
        assert stopped == []
        clock[0] = 109.0
        waiting._look()
        assert stopped == [flow]
        private.body_moves[flow.id](True)
        assert flow.id not in private.body_moves

    asyncio.run(test())
