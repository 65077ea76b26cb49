"""YAML 1.2's core schema, by its own table."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.config.scalars import construct, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, None) for word in ("null", "Null", "NULL", "~", "")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *(("0", 0), ("0o7", 7), ("0x3A", 58), ("-19", -19), ("+12", 12), ("007", 7)),
        *(("0.", 0.0), ("-0.0", 0.0), (".5", 0.5), ("+12e03", 12000.0), ("-2E+05", -200000.0), ("1e3", 1000.0)),
        *((".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf)),
    ],
)
def test_what_is_no_text(text: str, value: object):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "no", "on", "off", "Off", "y", "n", "nUll", "tRue", "NaN"),
        *("503:2", "1:30", "190:20:30", "1_000", "0b11", "0o8", "0xg", "1e", "e3", "-", "+", "."),
        *("2001-12-14", "2001-12-14t21:59:43.10-05:00", "=", "<<", "200ms", " 1", "1\n"),
    ],
)
def test_what_is_text(text: str):
    assert resolve(text) == text


def test_not_a_number():
    assert math.isnan(resolve(".nan"))


@given(st.text())
def test_anything_is_something(text: str):
    resolve(text)


def test_a_number_too_long_to_read_is_text():
    assert resolve("9" * 10_000) == "9" * 10_000


def test_of_a_type_that_is_named():
    assert construct("int", "12") == 12
    assert construct("float", "12") == 12.0
    with pytest.raises(ValueError, match="'x' is not of the type int"):
        construct("int", "x")
    with pytest.raises(KeyError):
        construct("timestamp", "2001-12-14")
