"""Words of the command line as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from goto.command.ctl.values import value_of


@pytest.mark.parametrize(
    ("text", "kinds", "value"),
    [
        ("503", "s", "503"),
        ("503", "ns", 503),
        ("{n}", "ns", "{n}"),
        ("0.5", "n", 0.5),
        ("half", "n", "half"),  # the instance says what is wrong
        ("y", "b", True),
        ("No", "b", False),
        ("true", "b", True),
        ("maybe", "b", "maybe"),
        ("a,b", "l", ["a", "b"]),
        ('["a"]', "l", ["a"]),
        ("1", "l", ["1"]),
        ('{"a": 1}', "j", {"a": 1}),
        ("[[1]]", "j", [[1]]),
        ("{", "j", "{"),
        ('{"a": 1}', "snbj", {"a": 1}),
        ("hello", "snbj", "hello"),
        ("true", "snbj", True),
        ("null", "s", "null"),
        ("null", "sj", "null"),
    ],
)
def test_values(text: str, kinds: str, value: Any):
    found = value_of(text, kinds)
    assert found == value
    assert type(found) is type(value)
