"""JSON of answers."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.words import Duration
from goto.words.writing import json_bytes


class Point(msgspec.Struct):
    name: str
    at: int = msgspec.field(name="At", default=1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"b":1,"a":[true,null]}'),
        (Point("x"), '{"name":"x","At":1}'),
        ({"t": Point("ü")}, '{"t":{"name":"ü","At":1}}'),
        ({200: 1}, '{"200":1}'),
        (7, "7"),
        ([], "[]"),
    ],
)
def test_a_line_of_json(value: Any, text: str) -> None:
    assert json_bytes(value) == text.encode() + b"\n"


def test_what_json_does_not_know_is_shown_as_it_prints() -> None:
    assert json_bytes({"d": Duration.parse("90s")}) == b'{"d":"1m30s"}\n'


def test_bytes_that_are_no_utf8_are_shown_escaped() -> None:
    assert json_bytes({"a\udcff": ["\udcfe", Point("\udcff")]}).decode() == '{"a\\\\xff":["\\\\xfe",{"name":"\\\\xff","At":1}]}\n'


def test_no_entry_is_lost() -> None:
    assert sum(json.loads(json_bytes(dict.fromkeys(("\udcff", "\udcfe"), 1))).values()) == 2


@given(
    st.dictionaries(st.text(max_size=4), st.lists(st.integers(-5, 5) | st.text(max_size=4) | st.none(), max_size=3), max_size=4)
)
def test_it_reads_back(value: dict[str, Any]) -> None:
    assert json.loads(json_bytes(value)) == value
