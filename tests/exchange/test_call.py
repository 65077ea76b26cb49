"""Origins and calls."""

from __future__ import annotations

import pytest

from goto.exchange.call import DEFAULT_TIMEOUT, Call, Origin
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
        (Origin("http", "fe80::1%eth0", 80), "[fe80::1]"),
        (Origin("http", "a.example.", 80), "a.example."),
    ],
)
def test_an_origin_is_named_without_its_schemes_own_port(origin: Origin, authority: str) -> None:
    assert origin.authority == authority


@pytest.mark.parametrize(
    ("url", "host", "authority", "server_name", "resolvable"),
    [
        ("https://A.Example.:8443/x", "a.example.", "a.example.:8443", "a.example", "a.example."),
        ("http://localhost.", "localhost.", "localhost.", "localhost", "localhost"),
        ("https://[fe80::1%25eth0]/", "fe80::1%eth0", "[fe80::1]", "fe80::1", "fe80::1%eth0"),
        ("https://[fe80::1%eth0]/", "fe80::1%eth0", "[fe80::1]", "fe80::1", "fe80::1%eth0"),
        ("https://faß.test/", "xn--fa-hia.test", "xn--fa-hia.test", "xn--fa-hia.test", "xn--fa-hia.test"),
    ],
)
def test_a_host_is_looked_up_named_and_secured_each_in_its_own_form(
    url: str, host: str, authority: str, server_name: str, resolvable: str
) -> None:
    origin = Origin.of(url)
    assert (origin.host, origin.authority, origin.server_name, origin.resolvable) == (host, authority, server_name, resolvable)


def test_a_server_name_that_is_given_takes_the_place_of_the_host() -> None:
    assert Origin.of("https://a.", client_tls(server_name="b")).server_name == "b"


def test_connections_are_not_shared_with_an_origin_whose_certificate_is_not_checked() -> None:
    assert Origin("https", "a", 443) == Origin("https", "a", 443, None)
    assert Origin("https", "a", 443) != Origin("https", "a", 443, client_tls(verify=False))


def test_a_call_has_its_own_headers() -> None:
    one, two = (Call("t", Origin("http", "a", 80), "GET", "/") for _ in range(2))
    one.headers.append((b"a", b"b"))
    assert two.headers == []
    assert one.timeout == DEFAULT_TIMEOUT
