"""Schemas of types: they say of values what goto says."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

import jsonschema
import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from goto.client.target import ClientTarget, Method
from goto.errors import BadInput
from goto.features.bypass import BypassUri
from goto.features.proxy.target import ProxyTarget
from goto.instance.wiring import route_table
from goto.registry.service import PeerSpec
from goto.traffic.listeners import ListenerSpec
from goto.words import (
    CountedDuration,
    CountedStatus,
    Duration,
    Flag,
    HeaderName,
    HeaderNames,
    HeaderValue,
    Label,
    Name,
    Names,
    Port,
    Status,
)
from goto.words.reading import read_struct
from goto.words.schema import Types


class Inner(msgspec.Struct):
    """What is inside.

    And more of it.
    """

    size: Annotated[int, msgspec.Meta(ge=1)]
    """How large."""
    label: Label = Label("")
    inner: Inner | None = None


class Base(TypedDict):
    a: int
    """An a."""


class Derived(Base):
    """An answer."""

    b: NotRequired[str | None]


def of(kind: Any) -> Any:
    return Types().of(kind)


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (int, {"type": "integer"}),
        (str, {"type": "string"}),
        (Any, {}),
        (None, {"type": ["string", "null"], "maxLength": 0}),
        (Literal[False], {"type": "boolean"}),
        (list[bool], {"type": "array", "items": {"type": "boolean"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (Literal["all"], {"enum": ["all"]}),
        (str | None, {"type": ["string", "null"]}),
        (str | int, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (Annotated[list[int], msgspec.Meta(max_length=3)], {"type": "array", "items": {"type": "integer"}, "maxItems": 3}),
    ],
)
def test_plain_types(kind: Any, schema: Any) -> None:
    assert of(kind) == schema


def test_structs_and_typed_dicts_are_referred_to() -> None:
    types = Types()
    assert types.of(list[Inner]) == {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}}
    assert types.of(Derived) == {"$ref": "#/components/schemas/Derived"}
    inner, derived = types.defs["Inner"], types.defs["Derived"]
    assert (inner["description"], inner["required"]) == ("What is inside.", ["size"])
    assert inner["properties"]["size"] == {"type": "integer", "minimum": 1, "description": "How large."}
    assert types.of(Inner | None) == {**inner, "type": ["object", "null"]}
    assert "additionalProperties" not in inner  # unknown keys are taken, and named
    assert derived["properties"] == {"a": {"type": "integer", "description": "An a."}, "b": {"type": ["string", "null"]}}
    assert derived["required"] == ["a"]


# ---------------------------------------------------------------- words
WORDS = [Status, Port, CountedStatus, CountedDuration, Duration, Name, Names, Label, HeaderName, HeaderNames, HeaderValue, Flag]
WORDS += [Method, BypassUri]


def wire(kind: Any, text: str) -> Any:
    """A word as it stands in JSON."""
    return int(text) if kind.schema["type"] == "integer" and text.isascii() and text.isdecimal() else text


@pytest.mark.parametrize("kind", [parameter.kind for route in route_table().routes for parameter in route.parameters])
def test_examples_are_taken(kind: Any) -> None:
    for example in getattr(kind, "schema", {}).get("examples", ()):
        kind.parse(str(example))
        jsonschema.Draft202012Validator(kind.schema).validate(example)


@pytest.mark.parametrize("kind", WORDS)
@given(data=st.data())
def test_what_a_schema_allows_is_taken(kind: Any, data: st.DataObject) -> None:
    schema = kind.schema
    if "enum" in schema:
        word: Any = data.draw(st.sampled_from(schema["enum"]))
    elif "pattern" in schema:
        word = data.draw(st.from_regex(schema["pattern"].removesuffix("$") + r"\Z"))
    else:
        word = data.draw(st.integers(schema["minimum"], schema["maximum"]))
    try:
        kind.parse(str(word))
    except ValueError as error:
        # a pattern can say neither how long a sum of times is, nor whether a template is one
        if "longer than a duration" not in str(error) and kind is not BypassUri:
            raise


@pytest.mark.parametrize("kind", WORDS)
@given(text=st.text(st.sampled_from('059:,.smhµ+-/{} axyY\n\t\x7f"é'), max_size=8))
def test_what_is_taken_a_schema_allows(kind: Any, text: str) -> None:
    try:
        kind.parse(text)
    except ValueError:
        return
    if kind is Flag:
        text = text.lower()  # any case is taken, and not worth an enum three times as long
    assume(":0" not in text)  # nor are counts with zeros in front worth a pattern that nobody can read
    jsonschema.Draft202012Validator(kind.schema).validate(wire(kind, text))


# ---------------------------------------------------------------- payloads
PAYLOADS: list[Any] = [ListenerSpec, ProxyTarget, ClientTarget, PeerSpec]


@pytest.mark.parametrize("kind", PAYLOADS)
def test_the_example_of_a_payload_is_taken(kind: Any) -> None:
    types = Types()
    schema = {**types.of(kind), "components": {"schemas": types.defs}}
    read_struct(dict(kind.example), kind)
    jsonschema.Draft202012Validator(schema).validate(kind.example)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (ListenerSpec, {"port": 65536}),
        (ListenerSpec, {"label": "a\nb"}),
        (ProxyTarget, {"name": ","}),
        (ProxyTarget, {"replicas": 0}),
        (ProxyTarget, {"match": {"uris": ["x"]}}),
        (ClientTarget, {"delay": "5x"}),
        (ClientTarget, {"headers": [["x"]]}),
        (ClientTarget, {"rate": 0}),
        (PeerSpec, {"address": 5}),
    ],
)
def test_what_a_payload_may_not_be_its_schema_does_not_allow(kind: Any, changes: dict[str, Any]) -> None:
    types = Types()
    schema = {**types.of(kind), "components": {"schemas": types.defs}}
    document = {**kind.example, **changes}
    with pytest.raises(BadInput):
        read_struct(document, kind)
    assert not jsonschema.Draft202012Validator(schema).is_valid(document)
