"""A client tries again: exactly the next two requests fail, the third one is answered."""

import httpx

from goto.testing import Goto


def order(url: str, tries: int = 3) -> int:
    """The client under test: it tries again after a 5xx."""
    for _ in range(tries):
        status = httpx.get(url).status_code
        if status < 500:
            break
    return status


def test_the_third_try_is_answered(goto: Goto) -> None:
    goto.fail(503, times=2, to="/orders")
    assert order(goto.url_for("/orders")) == 200
    assert [seen.status for seen in goto.seen("/orders")] == [503, 503, 200]


def test_it_does_not_try_for_ever(goto: Goto) -> None:
    goto.fail(503, to="/orders")
    goto.expect("/orders", times=3)
    assert order(goto.url_for("/orders")) == 503
