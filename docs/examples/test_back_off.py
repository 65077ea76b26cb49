"""A client backs off: each pause is at least as long as it should be, and `Retry-After` is heeded."""

import time
from datetime import datetime
from itertools import pairwise

import httpx

from goto.testing import Exchange, Goto


def fetch(url: str) -> int:
    """The client under test: it waits 50 ms, then 100 ms, or as long as it is told."""
    for pause in (0.05, 0.1, 0.0):
        answer = httpx.get(url)
        if answer.status_code < 500:
            break
        time.sleep(float(answer.headers.get("Retry-After", pause)))
    return answer.status_code


def pauses(seen: list[Exchange]) -> list[float]:
    """Seconds between the requests."""
    times = [datetime.fromisoformat(exchange.entry["time"]) for exchange in seen]
    return [(after - before).total_seconds() for before, after in pairwise(times)]


def test_pauses_grow(goto: Goto) -> None:
    goto.fail(503, times=2)
    assert fetch(goto.url_for("/a")) == 200
    first, second = pauses(goto.seen("/a"))
    assert first >= 0.05
    assert second >= 0.1


def test_the_server_says_how_long(goto: Goto) -> None:
    goto.fail(503, times=1, response_headers={"Retry-After": "0.2"})
    assert fetch(goto.url_for("/a")) == 200
    (pause,) = pauses(goto.seen("/a"))
    assert pause >= 0.2
