"""Calls come in an order: who logs in first may order, and what was begun is ended."""

import requests

from goto.testing import Goto


def buy(url: str) -> None:
    """The code under test."""
    with requests.Session() as session:
        token = session.post(f"{url}/login", timeout=5).json()["token"]
        session.headers["Authorization"] = f"Bearer {token}"
        for item in ("1", "2"):
            session.put(f"{url}/cart/{item}", timeout=5)
        session.post(f"{url}/orders", timeout=5)


def test_one_after_another(goto: Goto) -> None:
    goto.answer("/login", json={"token": "t"})
    goto.expect_order("/login", {"to": "/cart/1", "method": "PUT"}, "/cart/2", "/orders")
    goto.expect("/cart/{item}", times=2, headers={"authorization": None})
    buy(goto.url)
