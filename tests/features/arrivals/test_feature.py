"""Requests with ids of runs, as they come to a listener."""

from __future__ import annotations

from goto.features.arrivals.feature import Arrivals
from goto.features.arrivals.service import ArrivedRuns
from goto.features.bypass import Bypass, BypassUri
from goto.flow import Headers, Request
from goto.http.numbered_id import fresh_run, numbered_id
from goto.testing import run as through


def test_requests_with_an_id_count_by_run_whichever_listener_they_come_to() -> None:
    runs, one, other = ArrivedRuns(), Arrivals(), Arrivals()
    one.count_in(runs, 8080)
    other.count_in(runs, 8081)
    name = fresh_run()
    through(one, Request("GET", f"/a?x-request-id={numbered_id(name, 0)}"))
    through(other, Request("GET", "/a", Headers([(b"X-Request-Id", numbered_id(name, 1).encode())])))
    through(other, Request("GET", f"/a?b=1&x-request-id={numbered_id(name, 0)}"))
    through(one, Request("GET", "/a?x-request-id=17"))
    through(one, Request("GET", "/a"))
    arrived = runs.shelf.runs[name]
    assert (arrived.arrivals, arrived.arrived, arrived.completed) == (3, 2, 2)
    assert list(arrived.ports) == [8080, 8081]
    assert list(runs.shelf.runs) == [name]


def test_what_is_bypassed_does_not_arrive() -> None:
    bypass, arrivals = Bypass(), Arrivals()
    bypass.configure_uris([BypassUri.parse("/live")])
    name = fresh_run()
    through([bypass, arrivals], Request("GET", f"/live?x-request-id={numbered_id(name, 0)}"))
    assert not arrivals._runs.shelf.runs
