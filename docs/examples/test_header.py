"""A header must be sent: with every request, and with the value that it should have."""

import httpx

from goto.testing import Goto


def client(goto: Goto) -> httpx.Client:
    """The client under test: all its requests say who it is, and belong to a trace."""
    return httpx.Client(base_url=goto.url, headers={"User-Agent": "shop/1.0", "X-Trace": "abc"})


def test_every_request_has_it(goto: Goto) -> None:
    goto.expect_nothing("/{path:.*}", headers={"user-agent": "python-httpx/{version}"})
    goto.expect(times=2, headers={"user-agent": "shop/1.0", "x-trace": None})
    with client(goto) as shop:
        shop.get("/items")
        shop.post("/orders", json={"item": 1})


def test_what_is_in_the_body(goto: Goto) -> None:
    with client(goto) as shop:
        shop.post("/orders", json={"item": 1, "count": 2})
    (seen,) = goto.seen("/orders", method="POST", body={"item": 1})
    assert seen.json()["count"] == 2
