"""Listeners as modes; how they come and go under traffic is in test_mitm."""

from __future__ import annotations

import pytest

pytest.importorskip("mitmproxy", reason="mitmproxy is not installed in this Python")

from goto.hosts.mitm.modes import pattern_of
from goto.hosts.mitm.private import Mode


@pytest.mark.parametrize(
    ("mode", "pattern"),
    [
        ("regular", "regular@"),
        ("regular@8080", "regular@"),
        ("reverse:http://host:1@8080", "reverse:http://host:1@"),
        ("reverse:http://a@127.0.0.1:8080", "reverse:http://a@127.0.0.1:"),
        ("upstream:http://parent:3128@[::1]:8080", "upstream:http://parent:3128@[::1]:"),
    ],
)
def test_a_pattern_is_a_mode_without_its_port(mode: str, pattern: str) -> None:
    assert pattern_of(Mode.parse(mode)) == pattern
    again = Mode.parse(f"{pattern}9000")
    assert (again.data, again.listen_port(1)) == (Mode.parse(mode).data, 9000)
