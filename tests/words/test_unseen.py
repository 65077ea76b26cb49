"""Characters that no log shows as they are."""

from __future__ import annotations

import logging
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.words.unseen import UNSEEN, OneLine, escaped, escaped_lines

RISKY = "\x00\t\n\x1b\x7f\x85\x9b\u061c\u200e\u2028\u2029\u202e\u2066\ufeffé"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é\ufeff\xa0", "plain é\ufeff\xa0"),
        ("\u202etxt", r"\u202etxt"),
        ("\x1b[2J\x9b2J\x7f", r"\u001b[2J\u009b2J\u007f"),
        ("a\nb\u2028c", r"a\u000ab\u2028c"),
    ],
)
def test_what_is_escaped(text: str, shown: str) -> None:
    assert escaped(text) == shown


@given(st.text(st.characters() | st.sampled_from(RISKY), max_size=8))
def test_nothing_is_left_of_them(text: str) -> None:
    shown = escaped(text)
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(character) == "Cc" for character in shown)
    assert not re.search(f"[{UNSEEN}]", shown)
    assert re.sub(r"\\u[0-9a-f]{4}", "", shown) == re.sub(r"\\u[0-9a-f]{4}", "", re.sub(f"[{UNSEEN}]", "", text))


def test_several_lines() -> None:
    assert escaped_lines("a\n\tb\r\u2028") == "a\n\tb\\u000d\\u2028"


def test_a_logger_that_is_told_more_than_text(caplog: pytest.LogCaptureFixture) -> None:
    log, one_line = logging.getLogger("goto.test"), OneLine()
    log.addFilter(one_line)
    try:
        log.warning("%s: %d", "a\u202eb\nc", 7)
    finally:
        log.removeFilter(one_line)
    assert caplog.messages == [r"a\u202eb\u000ac: 7"]
