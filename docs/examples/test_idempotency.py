"""A request that is not idempotent is not sent again when nobody knows whether it was carried out."""

import httpx
import pytest

from goto.testing import Goto


def submit(client: httpx.Client, method: str, url: str) -> httpx.Response:
    """The client under test: it sends again what may be sent twice (RFC 9110, 9.2.2)."""
    try:
        return client.request(method, url)
    except httpx.TransportError:
        if method not in ("GET", "HEAD", "PUT", "DELETE"):
            raise
        return client.request(method, url)


def test_put_is_sent_again(goto: Goto) -> None:
    goto.reset(to="/orders/1", times=1)
    with httpx.Client() as client:
        assert submit(client, "PUT", goto.url_for("/orders/1")).status_code == 200
    assert len(goto.seen("/orders/1")) == 2


def test_post_is_not(goto: Goto) -> None:
    goto.reset(to="/orders", times=1)
    goto.expect("/orders", times=1)
    with httpx.Client() as client, pytest.raises(httpx.TransportError):
        submit(client, "POST", goto.url_for("/orders"))
