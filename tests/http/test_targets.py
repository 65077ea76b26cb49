"""Query strings: compared decoded, sent on byte for byte."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.flow import decode
from goto.http.targets import has_parameter, joined_queries, percent_decoded, percent_encoded, without_parameters

QUERIES = st.text(alphabet="ab&=%612+;B", max_size=20)


@given(st.binary(max_size=20).map(decode))
def test_any_text_survives_encoding_and_ends_nothing(text: str) -> None:
    word = percent_encoded(text)
    assert percent_decoded(word) == text
    assert word.isascii()
    assert not set(word) & set("&=+#/? \r\n\0")


@pytest.mark.parametrize(
    ("word", "wanted"),
    [("a", "a"), ("a+b", "a b"), ("a%2Bb", "a+b"), ("%c3%a9", "é"), ("%zz%4", "%zz%4"), ("%FF", "\udcff"), ("é", "é")],
)
def test_a_word_is_decoded(word: str, wanted: str) -> None:
    assert percent_decoded(word) == wanted


@pytest.mark.parametrize(
    ("query", "names", "wanted"),
    [
        ("p=1&p=2&q=3&r=4&P=5", {"p", "q"}, "r=4&P=5"),
        ("%70=1&r=%2f", {"p"}, "r=%2f"),
        ("p", {"p"}, ""),
        ("p+q=1&p%20q&x", {"p q"}, "x"),
        ("a&&b=&=c&+", {"z"}, "a&&b=&=c&+"),
    ],
)
def test_removal_leaves_the_others_as_they_are(query: str, names: set[str], wanted: str) -> None:
    assert without_parameters(query, names) == wanted


@given(QUERIES, st.sets(st.sampled_from(["a", "b", "ab", ""])))
def test_what_is_left_is_what_was_not_named(query: str, names: set[str]) -> None:
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    left = parse_qsl(without_parameters(query, names), keep_blank_values=True, errors="surrogateescape")
    assert left == [pair for pair in pairs if pair[0] not in names]


@given(QUERIES, st.sampled_from(["a", "b", "ab"]))
def test_a_parameter_is_there_unless_removal_changes_nothing(query: str, name: str) -> None:
    assert has_parameter(query, name) == (without_parameters(query, {name}) != query)


def test_queries_join_without_the_empty_ones() -> None:
    assert joined_queries(("a=1", "", "b&&c", "")) == "a=1&b&&c"
    assert joined_queries(("", "")) == ""
