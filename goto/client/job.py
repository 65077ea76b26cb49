"""What the requests to one target of a run are made of, where they go and what they are counted by."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from math import inf

from goto.client.checks import Answer
from goto.client.counts import Counts
from goto.client.message import PreparedRequest
from goto.client.report import Report
from goto.client.sent import Sent
from goto.client.target import ClientTarget
from goto.flow import Field
from goto.upstream.addresses import Addresses
from goto.upstream.pool import CONNECT_SECONDS, FRESH_SECONDS, Pool
from goto.upstream.through import Through


class Job:
    """A passive record, shared by all replicas of the target. It is complete before the first request is sent."""

    __slots__ = (
        "addresses",
        "checks",
        "connect_timeout",
        "counts",
        "delay",
        "idle_limit",
        "index",
        "keep_alive",
        "loop",
        "max_time",
        "origin",
        "per_connection",
        "pool",
        "reads_body",
        "report",
        "request",
        "requests",
        "sent",
        "stopped",
        "target",
        "through",
        "timed",
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
        sent: Sent | None = None,
    ) -> None:
        self.index = index
        """Of the target among those of the run, from 0."""
        self.target = target
        self.sent = sent
        """Which requests were sent, by their numbers, where that is to be reconciled with what arrived."""
        self.request = PreparedRequest(target, "" if sent is None else sent.run)
        self.origin = target.origin
        proxy = target.proxy
        there = target.connect_to or proxy
        host, port = (self.origin.resolvable, self.origin.port) if there is None else (there.host, there.port)
        self.addresses = Addresses(host, port, turns=target.addresses == "all")
        """Where connections are made."""
        self.through = None if proxy is None else Through.of(proxy, self.origin)
        self.timeout = target.timeout
        """Seconds from the last byte of a request to the head of its answer."""
        self.connect_timeout = target.conn_timeout.seconds or CONNECT_SECONDS
        """Seconds."""
        # a connection that the other side may be closing just now is no place for what must not be repeated
        self.idle_limit = min(target.conn_idle_timeout.seconds or inf, inf if self.request.repeatable else FRESH_SECONDS)
        """Seconds that a connection may have been idle and be used again."""
        self.max_time = target.max_time.seconds
        """Seconds from sending a request to the last byte of its answer; 0 for any."""
        self.keep_alive = target.keep_alive
        self.per_connection = target.requests_per_connection or 0
        """Requests of a connection; 0 for any number."""
        self.timed = target.course is not None
        """Requests become due at a time of their own, by a rate."""
        self.checks = list(target.checks)
        self.reads_body = any(check.reads_body for check in self.checks)
        """Some check looks into the body of an answer."""
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

    def failed(self, status: int, fields: list[Field], body: bytes | None, size: int) -> list[str]:
        """The checks that an answer does not pass. `body`: None where it is longer than what is kept for them."""
        answer = Answer(status, fields, body, size)
        return [check for check in self.checks if not check.holds(answer)]
