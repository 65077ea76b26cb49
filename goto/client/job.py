"""What the requests to one target of a run are made of, where they go and what they are counted by."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from math import inf

from goto.client.counts import Counts
from goto.client.message import PreparedRequest
from goto.client.report import Report
from goto.client.target import ClientTarget
from goto.upstream.addresses import Addresses
from goto.upstream.pool import CONNECT_SECONDS, FRESH_SECONDS, Pool


class Job:
    """A passive record, shared by all replicas of the target. It is complete before the first request is sent."""

    __slots__ = (
        "addresses",
        "connect_timeout",
        "counts",
        "delay",
        "idle_limit",
        "index",
        "loop",
        "origin",
        "pool",
        "report",
        "request",
        "requests",
        "stopped",
        "target",
        "timeout",
        "tracked",
    )

    def __init__(
        self,
        index: int,
        target: ClientTarget,
        counts: Counts,
        tracked: Mapping[bytes, str],
        report: Report | None,
        pool: Pool,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.index = index
        """Of the target among those of the run, from 0."""
        self.target = target
        self.request = PreparedRequest(target)
        self.origin = target.origin
        self.addresses = Addresses(self.origin.resolvable, self.origin.port, turns=target.addresses == "all")
        """Where connections are made."""
        self.timeout = target.timeout
        """Seconds from the last byte of a request to the head of its answer."""
        self.connect_timeout = target.conn_timeout.seconds or CONNECT_SECONDS
        """Seconds."""
        # a connection that the other side may be closing just now is no place for what must not be repeated
        self.idle_limit = min(target.conn_idle_timeout.seconds or inf, inf if self.request.repeatable else FRESH_SECONDS)
        """Seconds that a connection may have been idle and be used again."""
        self.delay = target.delay.seconds
        """Seconds between rounds."""
        self.counts = counts
        self.tracked = tracked
        """The headers that are counted, as `Results.tracked` has them; it may change meanwhile."""
        self.report = report
        """Where answers are kept for whoever invoked the target; None where he does not want them."""
        self.pool = pool
        self.loop = loop
        self.requests = 0
        """Begun so far; only counted where there is a report."""
        self.stopped = False
        """Nothing more is to be sent."""
