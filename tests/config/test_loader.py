"""Text to nodes: places, mistakes, and documents that are meant to hurt."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.documents import data

from goto.config import loader
from goto.config.errors import ConfigError
from goto.config.loader import load, load_file
from goto.config.node import Mapping, Sequence


def loaded(text: str | bytes) -> Any:
    return data(load(text.encode() if isinstance(text, str) else text, "f"))


def refused(text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    return str(caught.value)


@pytest.fixture(params=["C", "Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers, since it may be built with one alone."""
    if request.param == "C" and not hasattr(yaml, "CLoader"):
        pytest.skip("PyYAML without libyaml")
    monkeypatch.setattr(loader, "_Loader", yaml.CLoader if request.param == "C" else yaml.Loader)


@pytest.mark.usefixtures("parser")
def test_core_scalars_and_quotes():
    text = "{status: 503:2, label: off, quoted: '503', n: 503, d: 2001-12-14, nothing: , yes: !!str 1, f: !!float 1}"
    assert loaded(text) == {
        "status": "503:2",
        "label": "off",
        "quoted": "503",
        "n": 503,
        "d": "2001-12-14",
        "nothing": None,
        "yes": "1",
        "f": 1.0,
    }


@pytest.mark.usefixtures("parser")
def test_every_key_and_value_knows_its_place():
    node = load("# comment\nä: 1\nb:\n  - x\n  -   y: {z: 2}\n".encode(), "f")
    assert isinstance(node, Mapping)
    key, value = node.entries["b"]
    assert (key.line, key.column) == (3, 1)
    assert isinstance(value, Sequence)
    inner = value.items[1]
    assert isinstance(inner, Mapping)
    key, value = inner.entries["y"]
    assert (key.line, key.column, value.line, value.column, value.file) == (5, 7, 5, 10, "f")


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~", "--- {}\n...\n", b"\xef\xbb\xbf"])
def test_nothing_is_an_empty_map(text: str):
    assert loaded(text) == {}


@pytest.mark.usefixtures("parser")
def test_anchors():
    assert loaded("a: &x [1, 2]\nb: *x\nc: {d: *x}") == {"a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]}}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\nb: 4", "f:3:1: the key a is given already, in line 1\nf:4:1: the key b is given already, in line 2"),
        ("'1': a\n1: b", "f:2:1: the key 1 is given already, in line 1"),
        ("a: 1\n--- \nb: 2", "f:2:1: a second document begins here: write one document per file"),
        ("a: *x", "f:1:4: the alias *x is not defined: there is no &x before it"),
        ("a: &x [*x]", "f:1:8: the alias *x refers to something that it is itself a part of"),
        ("{[a]: 1}", "f:1:2: a key must be text, not a list or a map"),
        ("a: !!timestamp 2001-12-14", "f:1:4: the tag tag:yaml.org,2002:timestamp is not known: leave it out"),
        (
            "a: !!python/object/apply:os.system [ls]",
            "f:1:4: the tag tag:yaml.org,2002:python/object/apply:os.system is not known: leave it out",
        ),
        ("a: !!int x", "f:1:4: 'x' is not of the type int: write another value, or leave out the tag"),
        ("a: !!map [x]", "f:1:4: the tag tag:yaml.org,2002:map is not known: leave it out"),
        ("response:   &php8.3 {status: 503}", "f:1:13: anchor &php8.3: only letters, digits, - and _ can be used"),
        ("a: &ä 1", "f:1:4: anchor &ä: only letters, digits, - and _ can be used"),
        ("a: &b 1\n# é\nc: [1, *b.c, 2]", "f:3:8: alias *b.c: only letters, digits, - and _ can be used"),
        (b"a: 1\nb: \xff", "f:2: not UTF-8: save it as UTF-8"),
    ],
)
def test_mistakes(text: str, message: str):
    assert refused(text) == message


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("text", "where"),
    [("a: [1", "f:"), ('a: "\\ud800"', "f:1:"), ("a: b: c", "f:1:5:"), ("a:\n\tb: 1", "f:2:1:"), ("a: @x", "f:1:4:")],
)
def test_what_is_no_yaml(text: str, where: str):
    message = refused(text)
    assert message.startswith(where)
    assert "not YAML: " in message or "half of a surrogate pair" in message
    assert "\n" not in message


@pytest.mark.usefixtures("parser")
def test_a_control_character():
    assert refused("a: 1\nä: \x07").startswith("f:2:4: a control character")


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 1000, "- " * 1000 + "a"])
def test_too_deep(text: str):
    assert "nested too deeply" in refused(text)


@pytest.mark.usefixtures("parser")
def test_a_small_text_that_stands_for_an_endless_document():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    message = refused("\n".join(lines))
    assert "more than 1,000,000 values, counting those behind aliases" in message
    assert message.startswith("f:7:")


def test_too_large():
    assert refused(b"a: " + b"x" * (8 << 20)) == "f: larger than 8 MiB, which is the limit"


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20) | st.sampled_from(
    ["\x7f", "\x85", "\u2028", "\ufeff", "\uffff", "\\u", "😀"]
)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    )
)
def test_json_is_read_as_what_it_says(value: Any):
    for how in ({}, {"indent": "\t"}, {"ensure_ascii": False}):
        text = json.dumps({"a": value}, **how)
        assert loaded(text) == {"a": value}


def test_json_with_tabs_and_characters_beyond_the_basic_ones():
    text = json.dumps({"a": "😀\n", "b": [1]}, indent="\t")
    assert "\t" in text
    assert "\\ud83d" in text
    assert loaded(text) == {"a": "😀\n", "b": [1]}


@given(st.text() | st.text(alphabet=list("{}[]:,-&*!|>'\"#%@`\n\t ab1~?<"), max_size=60))
def test_garbage_raises_nothing_else(text: str):
    with contextlib.suppress(ConfigError):
        load(text.encode("utf-8", "surrogatepass"), "f")


@given(st.binary())
def test_bytes_raise_nothing_else(garbage: bytes):
    with contextlib.suppress(ConfigError):
        load(garbage, "f")


def test_files(tmp_path: Path):
    file = tmp_path / "a.yaml"
    file.write_text("a: 1")
    assert data(load_file(str(file))) == {"a": 1}
    for path, reason in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError) as caught:
            load_file(str(path))
        assert str(caught.value) == f"{path}: {reason}"
