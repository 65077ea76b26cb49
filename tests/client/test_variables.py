"""Variables: what they are filled with, and what stays as it is."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.client.variables import MOST_LETTERS, Template


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a{n}b", "a7b"),
        ("{replica}-{n}", "3-7"),
        ("{uuid}", "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("{random:1-3}", "[123]"),
        ("{random:5-5}", "5"),
        ("{random:-2--1}", "-[12]"),
        ("{random:a|b c|}", "a|b c|"),
        ("{random:8}", "[A-Za-z0-9]{8}"),
        ('{"n": {n}}', '{"n": 7}'),
    ],
)
def test_a_variable_has_a_value_for_each_request(text: str, pattern: str):
    template = Template(text)
    assert template.variable
    for _ in range(50):
        assert re.fullmatch(pattern, template.fill(7, 3).decode())


def test_both_ends_and_all_choices_come():
    assert {Template("{random:1-3}").fill(1, 1) for _ in range(500)} == {b"1", b"2", b"3"}
    assert {Template("{random:x|yy|é}").fill(1, 1) for _ in range(500)} == {b"x", b"yy", "é".encode()}
    assert len({Template("{uuid}{random:20}").fill(1, 1) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "text", ["{}", "{N}", "{ n }", "{m}", "{random}", "{random:}", "{random:a}", "{random:a-b}", "{{m}}", "{n", "n}", '{"a": {}}']
)
def test_other_braces_are_literal(text: str):
    template = Template(text)
    assert (template.variable, template.literal) == (False, text.encode())


@given(st.text())
def test_without_variables_all_is_literal(text: str):
    if "\ud800" <= max(text, default="") <= "\udfff":
        return
    template = Template(text + "{n}", variables=False)
    assert (template.variable, template.literal) == (False, (text + "{n}").encode())


def test_in_a_url_what_is_written_stays_and_values_are_encoded():
    template = Template("/a%2Fb/é/{random:a/b|a?b}?x={random:1-1}", in_url=True)
    filled = template.fill(1, 1).decode()
    assert filled.startswith("/a%2Fb/%C3%A9/a%")
    assert re.fullmatch("/a/b/é/a[/?]b[?]x=1", unquote(filled))


@pytest.mark.parametrize("text", ["{random:3-1}", "{random:0}", f"{{random:{MOST_LETTERS + 1}}}"])
def test_what_can_have_no_value_is_refused(text: str):
    with pytest.raises(ValueError, match=re.escape(text)):
        Template(text)
