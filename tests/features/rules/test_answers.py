"""Bodies and headers of answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rules import made

from goto.errors import BadInput
from goto.features.rules.answers import Body, Filled, Fixed, HeaderMaker, Pattern, body_of, line_of, pattern
from goto.features.rules.given import Captures, Unable
from goto.matching.captures import Capture

CAPTURES: Captures = {"id": Capture('a%22"b\\\n', "uri"), "n": Capture("7", "query"), "raw": Capture("\udcff", "header")}


def body(**fields: Any) -> Body:
    when = {"uris": ["/{id}"], "query": [["n", "{n}"]], "headers": [["raw", "{raw}"], ["gone", "{gone}"]]}
    rule = made(when=when, **fields)
    found = body_of(rule, rule.when.captured)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fields", "expected", "kind"),
    [
        ({"body": "hé"}, "hé".encode(), b"text/plain; charset=utf-8"),
        ({"body": "<{n}> {nobody} {n:x} {id"}, b"<7> {nobody} {n:x} {id", b"text/plain; charset=utf-8"),
        ({"body": "{gone}{n}{raw}"}, b"7\xff", b"text/plain; charset=utf-8"),
        ({"body": "{id}"}, b'a""b\\\n', b"text/plain; charset=utf-8"),
        ({"json": {"a": [1, None, 2.5, True, "x"], "b": {}, "c": []}}, None, b"application/json"),
        ({"base64": "aGVsbG8="}, b"hello", b"application/octet-stream"),
        ({"size": 20}, b"0123456789abcdef0123", b"text/plain; charset=utf-8"),
        ({"size": "{n}"}, b"0123456", b"text/plain; charset=utf-8"),
        ({"size": 0}, b"", b"text/plain; charset=utf-8"),
    ],
)
def test_each_kind(fields: dict[str, Any], expected: bytes | None, kind: bytes) -> None:
    found = body(**fields)
    if expected is None:
        assert json.loads(found.of(CAPTURES)) == fields["json"]
    else:
        assert found.of(CAPTURES) == expected
    assert found.kind == kind


@pytest.mark.parametrize("value", [0, False, [], {}, "{n}", 1.5])
def test_json_is_any_value(value: Any) -> None:
    assert json.loads(body(json=value).of(CAPTURES)) == ("7" if value == "{n}" else value)


def test_json_escapes_what_is_put_in_and_keeps_its_keys() -> None:
    made_of = body(json={"{n}": "{id}", "deep": [{"x": "<{n}|{gone}|{nobody}>"}], "raw": "{raw}"}).of(CAPTURES)
    assert json.loads(made_of) == {"{n}": 'a""b\\\n', "deep": [{"x": "<7||{nobody}>"}], "raw": "\\xff"}


@given(st.text(), st.text())
def test_no_capture_ends_the_string_that_it_is_put_in(before: str, captured: str) -> None:
    text = before.replace("{", "(") + "{n}"
    shown = captured.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    found = body(json={"a": text}).of({"n": Capture(shown, "query")})
    assert json.loads(found)["a"].startswith(before.replace("{", "("))


def test_memory_is_counted() -> None:
    assert body(size="1MiB").held == 1 << 20
    assert (body(size="{n}").held, body(body="abc").held, body(json=[1]).held) == (0, 3, 3)
    assert isinstance(body(body="{nobody}"), Fixed)
    assert isinstance(body(body="{n}"), Filled)
    assert isinstance(body(size="{n}"), Pattern)


def test_a_size_that_will_not_do() -> None:
    with pytest.raises(Unable):
        body(size="{n}").of({"n": Capture("x", "query")})


@given(st.integers(0, 1000))
def test_the_pattern_goes_on(size: int) -> None:
    found = pattern(size)
    assert len(found) == size
    assert (b"0123456789abcdef" * 63).startswith(found)


def test_a_file_is_read_when_the_rule_is_added(tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"\0\1")
    found = body(file=str(file))
    file.write_bytes(b"other")
    assert (found.of({}), found.kind) == (b"\0\1", b"application/octet-stream")
    with pytest.raises(BadInput, match=r"^file: .*: No such file or directory$"):
        body(file=str(tmp_path / "none"))
    with pytest.raises(BadInput, match=r"^file: "):
        body(file=str(tmp_path))


def test_a_file_may_not_be_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"12345")
    monkeypatch.setattr("goto.features.rules.answers.MOST_BODY", 4)
    with pytest.raises(BadInput, match="is larger than"):
        body(file=str(file))


def test_a_status_alone() -> None:
    assert (line_of(418), line_of(599)) == (b"418 I'm a teapot\n", b"599\n")


def test_headers() -> None:
    maker = HeaderMaker([("x", "<{id}>"), ("y", "{gone}"), ("z", "plain")])
    assert maker.varies
    assert maker.of(CAPTURES) == [(b"x", b'<a""b\\%0a>'), (b"z", b"plain")]
    assert not HeaderMaker([("z", "plain")]).varies
