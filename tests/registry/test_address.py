"""Addresses: what is one, in which spelling, and how they stand in paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.http.targets import segment
from goto.registry.address import Address
from goto.registry.service import PeerSpec
from goto.words.reading import read_struct


@pytest.mark.parametrize(
    ("text", "shown", "host", "port"),
    [
        ("10.0.0.7:8080", "10.0.0.7:8080", "10.0.0.7", 8080),
        ("[::1]:8080", "[::1]:8080", "::1", 8080),
        ("[2001:DB8:0:0::1]:1", "[2001:db8::1]:1", "2001:db8::1", 1),
        ("::1", "[::1]", "::1", 80),
        ("[::1]", "[::1]", "::1", 80),
        ("10.0.0.7", "10.0.0.7", "10.0.0.7", 80),
        ("worker_1.web.svc.cluster.local.", "worker_1.web.svc.cluster.local.", "worker_1.web.svc.cluster.local.", 80),
        ("w:65535", "w:65535", "w", 65535),
        (" w:80 ", "w:80", "w", 80),
        ("w:080", "w:80", "w", 80),
        ("https://w:8443", "https://w:8443", "w", 8443),
        ("HTTPS://[0::1]", "https://[::1]", "::1", 443),
        ("[fe80:0::1%25eth0]:80", "[fe80::1%eth0]:80", "fe80::1%eth0", 80),
        ("[fe80::1%eth0]", "[fe80::1%eth0]", "fe80::1%eth0", 80),
        ("wörker:80", "wörker:80", "xn--wrker-jua", 80),
    ],
)
def test_an_address_is_read(text: str, shown: str, host: str, port: int):
    address = Address.parse(text)
    assert (address, address.host, address.port) == (shown, host, port)
    assert address.origin == ("https" if text.strip().lower().startswith("https") else "http", host, port, None)
    assert Address.parse(shown) == address
    assert type(address.port) is int, "getaddrinfo takes no other"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "  ",
            ":80",
            "w:",
            "w:0",
            "w:65536",
            "w:http",
            "w:-1",
            "w:8 0",
            "a b:80",
            "w:80/x",
            "u@w:80",
            "http://w:80",
            "https://",
            "https://https://w",
            "https://w/",
            "w?x",
            "-w",
        ),
        *(
            "[::1",
            "[::1]80",
            "[::1]:",
            "[::g]:80",
            "[w]:80",
            "::1:",
            "1:2:3",
            "w\n:80",
            "☃:80",
            "[2001:db8::1%25eth0]:80",
            "fe80::1%eth0",
            "%31:80",
        ),
    ],
)
def test_what_is_none_is_refused(text: str):
    with pytest.raises(ValueError, match=r"."):
        Address.parse(text)


@given(st.text(max_size=20))
def test_every_text_is_an_address_or_refused(text: str):
    try:
        address = Address.parse(text)
    except ValueError:
        return
    assert address.origin.authority
    assert Address.parse(address) == address


def test_a_payload_holds_one():
    spec, unknown = read_struct({"Name": "web", "ADDRESS": "[::1]:80", "pod": 1}, PeerSpec)
    assert (spec.name, spec.address, spec.address.host, unknown) == ("web", "[::1]:80", "::1", ["pod"])


@pytest.mark.parametrize(
    ("text", "encoded"),
    [("10.0.0.7:80", "10.0.0.7:80"), ("[::1]:80", "%5B::1%5D:80"), ("a/b?c#d e%", "a%2Fb%3Fc%23d%20e%25"), ("ü", "%C3%BC")],
)
def test_a_segment_is_percent_encoded(text: str, encoded: str):
    assert segment(text) == encoded
