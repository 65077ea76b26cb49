"""What is printed, in a pipe; on a terminal see test_command."""

from __future__ import annotations

from typing import Any

import pytest

from goto.command.ctl.screen import bare, cell, columns_of, flat, show, show_value
from goto.testing.asking import Answer

Out = pytest.CaptureFixture[str]


def test_text_is_printed_as_it_is_but_for_what_a_terminal_acts_on(capsys: Out):
    show(Answer(200, {"content-type": "text/plain"}, "größe\x1b[2J\na\n".encode()))
    assert capsys.readouterr().out == "größe\\u001b[2J\na\n"
    show(Answer(200, {"content-type": "text/plain"}, b""))
    assert capsys.readouterr().out == ""


def test_json_byte_for_byte(capsys: Out):
    show(Answer(200, {"content-type": "application/json"}, b'{"a":  1}\n'), as_json=True)
    assert capsys.readouterr().out == '{"a":  1}\n'


@pytest.mark.parametrize(
    ("value", "out"),
    [
        ({"b": {"x": 1, "y": None}, "c": {"x": 2}}, "name\tx\nb\t1\nc\t2\n"),
        ([{"name": "b", "x": True}, {"name": "c", "z": ["a"]}], 'name\tx\tz\nb\tyes\t\nc\t\t["a"]\n'),
        ({"a": 1, "b": {"c": {"d": "e\tf"}}, "g": [{"h": 1}]}, "name\tvalue\na\t1\nb.c.d\te\\u0009f\ng[0].h\t1\n"),
        (["x", "y"], "x\ny\n"),
        (5, "5\n"),
        ({}, "nothing\n"),
        ({"a": {"b": []}}, "nothing\n"),
    ],
)
def test_json_is_printed_as_rows(value: Any, out: str, capsys: Out):
    show_value(value)
    assert capsys.readouterr().out == out


def test_what_has_too_many_columns_has_a_row_for_each_value():
    assert columns_of({"a": {str(n): n for n in range(20)}}) is None
    assert len(list(flat({"a": {str(n): n for n in range(20)}}))) == 20


def test_cells():
    assert [cell(value) for value in (None, True, False, 1.5, "a\n", {"ü": 1})] == [
        "",
        "yes",
        "no",
        "1.5",
        "a\\u000a",
        '{"ü": 1}',
    ]


def test_what_says_nothing_is_left_out():
    assert bare({"a": None, "b": [], "c": {"d": ""}, "e": 0, "f": False, "g": [None]}) == {"e": 0, "f": False, "g": [None]}
