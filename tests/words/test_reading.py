"""JSON bodies: what is read, and what is said about what cannot be."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goto.errors import BadInput
from goto.words import Duration, Label, Port
from goto.words.reading import json_type, read_json, read_struct
from goto.words.writing import as_json, json_bytes

DEEP = b'{"a":' * 20000


class Inner(msgspec.Struct, kw_only=True):
    uris: list[str] = []
    size: int = 0


class Outer(msgspec.Struct, kw_only=True, rename="camel"):
    name: str
    send_id: bool = False
    replicas: int = 1
    wait: Duration = Duration.ZERO
    port: Port = Port(80)
    label: Label | None = None
    pairs: list[list[str]] = []
    inner: Inner = msgspec.field(default_factory=Inner)


class Picky(msgspec.Struct):
    pick: Literal["turn", "random"] = "turn"
    inner: Inner = msgspec.field(default_factory=Inner)


def test_what_is_none_of_some_words_is_told_which_there_are():
    with pytest.raises(BadInput, match=r"^pick: Invalid enum value 'some': write one of turn, random$"):
        read_struct({"PICK": "some"}, Picky)
    with pytest.raises(BadInput, match=r"^inner.size: expected a whole number, got a string$"):
        read_struct({"inner": {"size": "x"}}, Picky)


def read(document: Any) -> tuple[Outer, list[str]]:
    return read_struct(document, Outer)


@pytest.mark.parametrize(
    "body",
    [b"", b"  \n", b"{", b"none", b"{'a': 1}", b'{"a": 1} x', b"\xff\xfe", b'"\xff"', DEEP, b"[" * 100_000],
)
def test_what_is_no_json_is_bad_input(body: bytes):
    with pytest.raises(BadInput, match=r"^body: "):
        read_json(body)


def test_json_is_read():
    assert read_json(' {"a": [1, "ü", null]} '.encode()) == {"a": [1, "ü", None]}


@given(st.binary(max_size=60))
def test_bytes_are_json_or_bad_input(body: bytes):
    with contextlib.suppress(BadInput):
        assert isinstance(read(read_json(body))[0], Outer)


@pytest.mark.parametrize(
    ("document", "kind"),
    [([], "a list"), ("x", "a string"), (1, "a number"), (1.5, "a number"), (None, "null"), (True, "a boolean")],
)
def test_a_body_that_is_no_object_says_what_it_is(document: Any, kind: str):
    with pytest.raises(BadInput, match=f"^body: expected a JSON object, got {kind}$"):
        read(document)


def test_keys_are_read_in_any_case():
    value, unknown = read({"NAME": "n", "sendID": True, "Replicas": 3, "INNER": {"URIs": ["/a"]}})
    assert (value.name, value.send_id, value.replicas, value.inner.uris) == ("n", True, 3, ["/a"])
    assert unknown == []


def test_unknown_keys_are_accepted_and_named():
    value, unknown = read({"name": "n", "colour": 1, "inner": {"size": 2, "depth": 3}})
    assert value.inner.size == 2
    assert unknown == ["colour", "inner.depth"]


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_empty_mean_not_given(nothing: Any):
    every = ("sendId", "replicas", "wait", "port", "label", "pairs", "inner")
    value, unknown = read({"name": "n", **dict.fromkeys(every, nothing)})
    assert value == Outer(name="n")
    assert unknown == []


def test_null_is_no_name():
    with pytest.raises(BadInput, match=r"^name: "):
        read({"name": None})


def test_words_are_parsed():
    value, _ = read({"name": "n", "wait": "1m30s", "port": 8080, "label": " x "})
    assert value.wait == 90_000_000_000
    assert isinstance(value.wait, Duration)
    assert (value.port, value.label) == (8080, "x")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "name: missing"),
        ({"name": 1}, "name: expected a string, got a number"),
        ({"name": "n", "replicas": "2"}, "replicas: expected a whole number, got a string"),
        ({"name": "n", "replicas": True}, "replicas: expected a whole number, got a boolean"),
        ({"name": "n", "sendId": 1}, "sendId: expected true or false, got a number"),
        ({"name": "n", "inner": {"size": "x"}}, "inner.size: expected a whole number, got a string"),
        ({"name": "n", "inner": {"uris": ["/a", 2]}}, "inner.uris[1]: expected a string, got a number"),
        ({"name": "n", "inner": []}, "inner: expected an object, got a list"),
        ({"name": "n", "pairs": [["a"], "b"]}, "pairs[1]: expected a list, got a string"),
        ({"name": "n", "port": 0}, "port: 0 is not a port from 1 to 65535"),
        ({"name": "n", "port": 70000}, "port: 70000 is not a port from 1 to 65535"),
        ({"name": "n", "port": 1.5}, "port: expected a whole number, got a number"),
        ({"name": "n", "port": "80"}, "port: expected a whole number, got a string"),
        ({"name": "n", "port": True}, "port: expected a whole number, got a boolean"),
        ({"name": "n", "label": 5}, "label: expected a string, got a number"),
        ({"name": "n", "wait": "-1s"}, "wait: '-1s' is not a duration: write it like 300ms, 1.5s or 1m30s"),
        ({"name": "n", "label": "a\nb"}, "label: control characters are not allowed: leave them out"),
    ],
)
def test_a_wrong_field_is_named_with_the_reason(document: Any, message: str):
    with pytest.raises(BadInput) as caught:
        read(document)
    assert caught.value.message == message


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["name", "sendID", "replicas", "wait", "port", "label", "pairs", "inner", "x"]), json))
def test_a_document_is_read_or_bad_input(document: dict[str, Any]):
    with contextlib.suppress(BadInput):
        value, unknown = read(document)
        assert value.name == document["name"]
        assert "x" not in document or "x" in unknown


class Either:
    """A number, or text."""

    schema: ClassVar[dict[str, Any]] = {"type": ["integer", "string"]}

    def __init__(self, written: Any) -> None:
        self.written = written

    @classmethod
    def read(cls, value: Any) -> Either:
        if type(value) not in (int, str):
            raise ValueError(f"expected a number or text, got {json_type(value)}")
        return cls(value)


class Part(msgspec.Struct, kw_only=True):
    size: Either | None = None
    wait: Duration = Duration.ZERO

    def __post_init__(self) -> None:
        if self.wait > 1_000_000_000:
            raise ValueError("wait: too long")


class Closed(msgspec.Struct):
    closed: ClassVar[bool] = True
    uris: list[str] = []


class Many(msgspec.Struct, kw_only=True):
    parts: Annotated[list[Part], msgspec.Meta(max_length=2)] | None = None
    part: Part | None = None
    closed_one: Closed | None = msgspec.field(name="closedOne", default=None)


def test_lists_of_objects_are_read_as_objects_are():
    value, unknown = read_struct({"PARTS": [{"SIZE": 5, "x": 1}, {"size": "5", "wait": None}]}, Many)
    assert value.parts is not None
    assert [part.size.written for part in value.parts if part.size] == [5, "5"]
    assert unknown == ["PARTS[0].x"]
    assert as_json(value) == {"parts": [{"size": 5}, {"size": "5"}]}
    assert json_bytes(value.parts[0]) == b'{"size":5,"wait":"0s"}\n'


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"parts": [{"size": True}]}, "parts[0].size: expected a number or text, got a boolean"),
        ({"parts": [{}, {"wait": "2s"}]}, "parts[1].wait: too long"),
        ({"part": {"wait": "2s"}}, "part.wait: too long"),
        ({"closedOne": {"uri": []}}, "closedOne.uri: unknown key; known here: uris"),
        ({"parts": [{}, {}, {}]}, "parts: expected a list of length 2 at most"),
    ],
)
def test_what_is_wrong_within_is_named_with_its_place(document: Any, message: str):
    with pytest.raises(BadInput) as caught:
        read_struct(document, Many)
    assert caught.value.message == message
