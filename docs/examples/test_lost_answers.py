"""The work is done and its answer is lost: a client that pays again must not pay twice."""

from collections.abc import Callable

import requests

from goto.testing import Goto


def pay(url: str, key: str) -> int:
    """The client under test: it tries again, with the key of the first try."""
    for _ in range(3):
        try:
            return requests.post(url, headers={"Idempotency-Key": key}, timeout=5).status_code
        except requests.ConnectionError:
            continue
    raise RuntimeError("not paid")


def test_the_same_key_again(goto: Goto, goto_listener: Callable[..., Goto]) -> None:
    payments = goto_listener(label="payments")
    payments.answer("/pay", status=201)
    goto.forward("/pay", to=payments.url)
    goto.reset(to="/pay", at="response", times=1)
    assert pay(goto.url_for("/pay"), "order-1") == 201
    # the service has seen both, and can tell that they are one
    assert [seen.headers["idempotency-key"] for seen in payments.seen("/pay")] == ["order-1", "order-1"]
