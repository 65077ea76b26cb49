"""What a Prometheus server reads of this process."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from goto.api.access import Access
from goto.flow import Headers, Request, Response
from goto.registry.service import Registry
from goto.routes import get
from goto.traffic.listeners import Carrier, Listeners
from goto.upstream.answer import Upstream

if TYPE_CHECKING:
    from goto.instance.figures import Process

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Metrics:
    """Figures for a Prometheus server. They are read from what features count; nothing is counted for them alone on the way
    of an exchange that is answered here.
    """

    def __init__(self, carrier: Carrier, listeners: Listeners, registry: Registry, upstream: Upstream, access: Access) -> None:
        self._carrier = carrier
        self._listeners = listeners
        self._registry = registry
        self._upstream = upstream
        self._access = access
        self._process: Process | None = None

    @get("/goto/metrics", answers={200: {"text/plain": str, "application/openmetrics-text": str}})
    async def scrape(self, request: Request) -> Response:
        """Show the metrics of this process, as Prometheus reads them or as OpenMetrics."""
        if self._process is None:
            self._process = await asyncio.to_thread(_load)
        due = time.monotonic()
        await asyncio.sleep(0)
        lag = time.monotonic() - due

        from goto.instance.figures import State, exposition, families

        is_open = self._access.exposed(self._access.interface, managed=self._listeners.managed)
        tasks = len(asyncio.all_tasks())
        state = State(self._carrier, self._listeners, self._registry, self._upstream, lag, tasks, is_open)
        # read in one go, so that the figures fit together; written beside the traffic
        read, process, openmetrics = families(state), self._process, wants_openmetrics(request.headers)
        text = await asyncio.to_thread(lambda: exposition([*read, *process.collect()], openmetrics=openmetrics))
        response = Response(200, text)
        response.headers.add("Content-Type", OPENMETRICS if openmetrics else TEXT)
        response.headers.add("Vary", "Accept")
        return response


def _load() -> Process:
    from goto.instance.figures import Process  # with prometheus_client, which a start does not need

    return Process()


def wants_openmetrics(headers: Headers) -> bool:
    """Whether a client would rather have OpenMetrics than the text format (RFC 9110, 12.5.1). By default it is text."""
    best = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for value in headers.get_all("accept"):
        for item in value.lower().split(","):
            media, *parameters = (word.strip() for word in item.split(";"))
            if media not in best:
                continue
            given = dict(parameter.partition("=")[::2] for parameter in parameters)
            version = given.get("version", "").strip('"')
            if media != "text/plain" and version not in ("", "1.0.0", "0.0.1"):
                continue
            best[media] = max(best[media], _quality(given.get("q", "1")))
    # a scraper that takes both the same is one that knows both
    return best["application/openmetrics-text"] > 0 and best["application/openmetrics-text"] >= best["text/plain"]


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
