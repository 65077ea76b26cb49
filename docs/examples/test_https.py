"""https: a client checks whom it talks to."""

import ssl
from collections.abc import Callable

import httpx
import pytest

from goto.testing import Goto


@pytest.fixture
def secure(goto_listener: Callable[..., Goto]) -> Goto:
    """A listener that shows a certificate of goto's own CA."""
    return goto_listener(https=True, host="localhost")


def test_it_trusts_the_ca(secure: Goto) -> None:
    trusted = ssl.create_default_context(cafile=secure.ca)
    assert httpx.get(secure.url_for("/a"), verify=trusted).status_code == 200
    assert [seen.path for seen in secure.seen()] == ["/a"]


def test_it_trusts_nobody_else(secure: Goto) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(secure.url_for("/a"))
    assert secure.seen() == []
