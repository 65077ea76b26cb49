"""A client has time-outs: for an answer that is late, and for one that stops in the middle."""

import pytest
import requests

from goto.testing import Goto


def fetch(url: str) -> bytes:
    """The client under test: it waits a fifth of a second for each piece of an answer."""
    return requests.get(url, timeout=0.2).content


def test_an_answer_that_is_late(goto: Goto) -> None:
    goto.delay("10s", to="/report")
    with pytest.raises(requests.Timeout):
        fetch(goto.url_for("/report"))


def test_an_answer_that_stops_in_the_middle(goto: Goto) -> None:
    goto.rule(when={"uris": ["/report"]}, body="x" * 1000, stall={"after": 500, "for": "10s"})
    with pytest.raises(requests.ConnectionError, match="timed out"):
        fetch(goto.url_for("/report"))


def test_one_that_is_slow_and_comes(goto: Goto) -> None:
    goto.rule(when={"uris": ["/report"]}, body="x" * 100, pace={"over": "100ms"})
    assert fetch(goto.url_for("/report")) == b"x" * 100
