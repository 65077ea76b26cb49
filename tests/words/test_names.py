"""What every kind of word promises; names, labels and lists of names."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto import words
from goto.errors import NotFound
from goto.words import (
    Label,
    Name,
    Names,
    one_line,
    split_known,
)
from goto.words.names import MOST_BYTES
from goto.words.unseen import UNSEEN

UNSEEN_ONES = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
]

WORDS = [kind for kind in vars(words).values() if isinstance(kind, type) and hasattr(kind, "parse") and hasattr(kind, "schema")]


@pytest.mark.parametrize("kind", WORDS)
@given(text=st.text() | st.text(alphabet="0123456789:smhyn,.- \r\n\x00", max_size=12))
def test_a_word_is_parsed_or_a_value_error(kind: Any, text: str):
    with contextlib.suppress(ValueError):
        parsed = kind.parse(text)
        items = parsed if isinstance(parsed, tuple) else [str(parsed)]
        assert not any("\r" in item or "\n" in item or "\x00" in item for item in items)


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b"])
def test_no_word_holds_a_line_break(kind: Any, text: str):
    with pytest.raises(ValueError, match=r"\w"):
        kind.parse(text)


@pytest.mark.parametrize("kind", WORDS)
def test_every_word_has_a_schema(kind: Any):
    assert kind.schema["type"] in ("string", "integer")


def test_name():
    assert Name.parse("t 1/ü") == "t 1/ü"
    assert Name.parse(" t1 ") == Names.parse(" t1 ")[0]  # or it could be added and never invoked
    for text in ("", "  ", "a,b"):
        with pytest.raises(ValueError, match=r"empty|comma"):
            Name.parse(text)


@pytest.mark.parametrize("kind", [Name, Label, Names])
@pytest.mark.parametrize("character", UNSEEN_ONES)
def test_what_makes_a_line_look_like_another_is_in_no_name(kind: Any, character: str):
    assert re.search(f"[{UNSEEN}]", character)
    for text in (f"a{character}b", f"a{character}"):
        with pytest.raises(ValueError, match="control characters"):
            kind.parse(text)
        assert not re.fullmatch(kind.schema["pattern"].strip("^$"), text)


@pytest.mark.parametrize("kind", [Name, Label, Names])
def test_names_have_a_length(kind: Any):
    assert kind.parse("a" * MOST_BYTES + " ")
    assert kind.parse("é" * (MOST_BYTES // 2))
    with pytest.raises(ValueError, match="not valid UTF-8"):
        kind.parse("a\udcff")
    for text in ("a" * (MOST_BYTES + 1), "é" * (MOST_BYTES // 2) + "a"):
        with pytest.raises(ValueError, match="more than 1,024 bytes"):
            kind.parse(text)


def test_label_is_trimmed():
    assert Label.parse(" Edge, 1 ") == "Edge, 1"
    with pytest.raises(ValueError, match="empty"):
        Label.parse(" ")


def test_names_are_trimmed_and_each_there_once():
    assert Names.parse(" a, b ,a,c") == ("a", "b", "c")
    for text in ("", ",", "a,", ",a", "a,,b", "a, ,b"):
        with pytest.raises(ValueError, match="empty"):
            Names.parse(text)


def test_one_line():
    assert one_line("grüße, 1") == "grüße, 1"
    assert one_line("") == ""
    for text in ("\r", "\n", "\t", "\x00", "\x1f", "\x7f"):
        with pytest.raises(ValueError, match="control characters"):
            one_line(f"a{text}b")


def test_known_names_are_acted_on_and_unknown_ones_named():
    assert split_known(["a", "b"], {"a", "b"}, "targets") == (["a", "b"], "")
    assert split_known(["x", "a", "y"], {"a"}, "targets") == (["a"], " (unknown targets: x, y)")
    with pytest.raises(NotFound, match=re.escape("unknown targets: x, y")):
        split_known(["x", "y"], {"a"}, "targets")
