"""Which values of `Host` are one."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.http.authority import is_authority, is_host

NAMES = st.text(string.ascii_letters + string.digits + "-._~!$&'()*+;=", min_size=1)
PORTS = st.one_of(st.just(""), st.integers(0, 65535).map(lambda port: f":{port}"), st.just(":"), st.just(":00080"))


@given(st.one_of(NAMES, st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(lambda address: f"[{address}]")), PORTS)
def test_a_host_with_a_port_or_without(host: str, port: str) -> None:
    assert is_authority((host + port).encode())
    assert is_host((host + port).encode())


@given(NAMES, st.sampled_from(',/?#@[]\\<>"{}|^` \t\x00\x7f\xe9'), NAMES)
def test_one_other_byte_is_enough(before: str, byte: str, behind: str) -> None:
    assert not is_host((before + byte + behind).encode("latin-1"))


@pytest.mark.parametrize(
    "value",
    [
        "::1",
        "h:x",
        "h:80:80",
        "h:-1",
        "h:+1",
        "h:65536",
        "h:99999999999",
        ":80",
        ":",
        "[::1",
        "[v1]",
        "[v1.a]",
        "[fe80::1%25e]",
        "[fe80::1%e]",
        "[]",
        "[::1]x",
        "[1.2.3.4]",
        "h%zz",
        "h%4",
        "h\r",
        "h\n",
        "[::1\n]",
        "h:8\n",
    ],
)
def test_what_is_no_host(value: str) -> None:
    assert not is_host(value.encode())


def test_nothing_is_a_value_of_host_and_no_authority() -> None:
    assert is_host(b"")
    assert not is_authority(b"")
    assert is_host(b"a%20b:8")
