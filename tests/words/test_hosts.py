"""Hosts: letters past ASCII, zones, brackets, interfaces."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.words.hosts import Interface, bracketed, host_without_zone, lookup_host, missing_interface

LOOKED_UP = {
    # UTS 46, not transitional
    "faß.test": "xn--fa-hia.test",
    "βόλος.com": "xn--nxasmm1c.com",
    "bücher.example": "xn--bcher-kva.example",
    "BÜCHER.example": "xn--bcher-kva.example",
    "ｆｕｌｌ.test": "full.test",
    "a。ü": "a.xn--tda",
    "ü.test.": "xn--tda.test.",
    # labels in ASCII stay, whatever they are
    "my_svc.faß.test": "my_svc.xn--fa-hia.test",
    "xn--n3h.ü": "xn--n3h.xn--tda",
    "-a-.localhost.": "-a-.localhost.",
    "10.0.0.1": "10.0.0.1",
    # addresses and zones
    "::1": "::1",
    "fe80::1%25eth0": "fe80::1%eth0",
    "fe80::1%eth0": "fe80::1%eth0",
    "fe80::1%25": "fe80::1%25",
    "fe80::1%252": "fe80::1%2",
    "febf::1%25a%2Db": "febf::1%a-b",
}


@pytest.mark.parametrize("host", LOOKED_UP)
def test_a_host_as_it_is_looked_up(host: str) -> None:
    assert lookup_host(host) == LOOKED_UP[host]


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("☃.test", "write it as xn--…"),
        ("ü" * 64, "write it as xn--…"),
        ("a\u200db.test", "write it as xn--…"),
        ("::1%eth0", "is not link-local"),
        ("2001:db8::1%25eth0", "is not link-local"),
        ("::ffff:169.254.1.1%eth0", "is not link-local"),
        ("fe80::1%", "names no interface"),
        ("fe80::1%a b", "names no interface"),
        ("fe80::x%eth0", "is not a valid IPv6 address"),
        ("1:2", "is not a valid IPv6 address"),
    ],
)
def test_a_host_that_cannot_be_looked_up(host: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        lookup_host(host)


@given(st.text(st.characters(min_codepoint=0xC0, max_codepoint=0x2FFF), min_size=1, max_size=8))
def test_letters_become_ascii_or_are_refused(label: str) -> None:
    try:
        found = lookup_host(f"{label}.test")
    except ValueError as error:
        found = str(error).partition("write it as ")[2].replace("…", "ok")
    assert found.isascii()
    assert found
    assert lookup_host(found) == found


@pytest.mark.parametrize(
    ("host", "without", "in_url"),
    [("a.test", "a.test", "a.test"), ("::1", "::1", "[::1]"), ("fe80::1%eth0", "fe80::1", "[fe80::1%25eth0]")],
)
def test_a_host_as_others_see_it(host: str, without: str, in_url: str) -> None:
    assert (host_without_zone(host), bracketed(host)) == (without, in_url)


def test_interfaces_that_there_are_not() -> None:
    there = socket.if_nameindex()[0][1]
    assert missing_interface("fe80::1%nope") == "nope"
    assert [missing_interface(host) for host in (f"fe80::1%{there}", "fe80::1%1", "fe80::1", "localhost")] == [""] * 4


def test_an_interface_to_listen_on() -> None:
    for given_as, address in {" ::1 ": "::1", "[::1]": "::1", "localhost": "localhost", "[fe80::1%25lo]": "fe80::1%lo"}.items():
        assert Interface.parse(given_as) == address
    for wrong in ("", " ", "::1%lo", "a\nb", "☃"):
        with pytest.raises(ValueError, match=r"\w"):
            Interface.parse(wrong)
