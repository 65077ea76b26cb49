"""Origins and calls."""

from __future__ import annotations

import pytest

from goto.call import DEFAULT_TIMEOUT, Call, Origin
from goto.tls.client import client_tls


@pytest.mark.parametrize(
    ("origin", "authority"),
    [
        (Origin("http", "a.example", 80), "a.example"),
        (Origin("http", "a.example", 8080), "a.example:8080"),
        (Origin("http", "a.example", 443), "a.example:443"),
        (Origin("https", "a.example", 443), "a.example"),
        (Origin("https", "a.example", 80), "a.example:80"),
        (Origin("http", "::1", 80), "[::1]"),
        (Origin("http", "::1", 9000), "[::1]:9000"),
    ],
)
def test_an_origin_is_named_without_its_schemes_own_port(origin: Origin, authority: str) -> None:
    assert origin.authority == authority


def test_connections_are_not_shared_with_an_origin_whose_certificate_is_not_checked() -> None:
    assert Origin("https", "a", 443) == Origin("https", "a", 443, None)
    assert Origin("https", "a", 443) != Origin("https", "a", 443, client_tls(verify=False))


def test_a_call_has_its_own_headers() -> None:
    one, two = (Call("t", Origin("http", "a", 80), "GET", "/") for _ in range(2))
    one.headers.append((b"a", b"b"))
    assert two.headers == []
    assert one.timeout == DEFAULT_TIMEOUT
