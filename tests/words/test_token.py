"""A secret that is shown to others on purpose only."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.flow import Headers
from goto.words.token import HIDDEN, Token, TokenOption, bearer_token
from goto.words.writing import as_json

SECRET = "s3cr3t-._~+/=="
tokens = st.from_regex(r"[A-Za-z0-9._~+/-]{4,40}={0,2}", fullmatch=True)


@given(tokens)
def test_it_does_not_show_itself(secret: str):
    token = Token.parse(secret)
    texts = [str(token), repr(token), f"{token}", f"{token!r:>60}", "%s" % token, str([token]), str({"a": token})]  # noqa: UP031  # that way too
    texts += [str(ValueError(token)), json.dumps(as_json(token)), str(copy.deepcopy(token))]
    assert not [text for text in texts if secret in text]
    with pytest.raises(TypeError):
        msgspec.json.encode(token)


def test_it_is_shown_to_whom_it_is_for():
    assert Token.parse(f" {SECRET}\n").field() == (b"Authorization", f"Bearer {SECRET}".encode())


@pytest.mark.parametrize("text", ["", " ", "a b", "a\nb", "é", "=a", 'a"', "a" * 4097, "a,b"])
def test_what_is_none(text: str):
    with pytest.raises(ValueError, match=r"^a token ") as raised:
        Token.parse(text)
    assert not text.strip() or len(text) < 3 or text not in str(raised.value)


def test_what_is_the_same():
    token = Token.parse(SECRET)
    assert token == Token.parse(SECRET)
    assert hash(token) == hash(Token.parse(SECRET))
    assert token != Token.parse("other")
    assert token != SECRET
    assert token.matches(SECRET.encode())
    assert [other for other in (b"", SECRET.encode()[:-1], SECRET.encode() + b"=", b"\xff") if token.matches(other)] == []


def test_what_others_say_is_told_without_it():
    assert Token.parse("abcd").hide("you sent abcd, and abcd again") == f"you sent {HIDDEN}, and {HIDDEN} again"


@pytest.mark.parametrize(
    ("values", "token"),
    [
        ([], None),
        (["Bearer abc"], b"abc"),
        (["bearer   abc "], b"abc"),
        (["BEARER abc=="], b"abc=="),
        (["Bearer"], None),
        (["Bearer "], None),
        (["Bearer a b"], None),
        (["Basic abc"], None),
        (["abc"], None),
        (["Bearer abc", "Bearer abc"], None),
        (["Bearer \xff"], "\xff".encode()),
    ],
)
def test_what_a_request_shows(values: list[str], token: bytes | None):
    assert bearer_token(Headers((b"authorization", value.encode()) for value in values)) == token


def test_it_may_stand_in_a_file(tmp_path: Path):
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    assert TokenOption.parse(f"@{file}") == Token.parse(SECRET)
    assert TokenOption.parse(SECRET) == Token.parse(SECRET)


@pytest.mark.parametrize("name", ["s3cr3t", "s3cr3t\0", "", "s" * 5000])
def test_a_file_that_cannot_be_read_is_not_named_since_it_may_be_a_token(name: str):
    with pytest.raises(ValueError, match=r"the file after @|the name of the file") as raised:
        TokenOption.parse(f"@{name}")
    assert "s3cr3t" not in str(raised.value)


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    option = Token.parse("option")
    monkeypatch.delenv("SOME_TOKEN", raising=False)
    assert TokenOption.of(None, "SOME_TOKEN") is None
    monkeypatch.setenv("SOME_TOKEN", "environment")
    assert TokenOption.of(None, "SOME_TOKEN") == Token.parse("environment")
    assert TokenOption.of(option, "SOME_TOKEN") is option


@pytest.mark.parametrize("text", ["", "s3cr3t with blanks"])
def test_an_empty_variable_does_not_leave_it_open(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOME_TOKEN", text)
    with pytest.raises(ValueError, match=r"^SOME_TOKEN: a token ") as raised:
        TokenOption.of(None, "SOME_TOKEN")
    assert "s3cr3t" not in str(raised.value)
