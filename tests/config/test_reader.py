"""Nodes to values of a type, every mistake named."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from goto.client.target import ClientTarget
from goto.config.loader import load
from goto.config.reader import BAD, Reader
from goto.features.proxy.target import ProxyTarget
from goto.words import CountedStatus, Duration, HeaderName, HeaderValue, Label, Port, Status

COUNT = Annotated[int, msgspec.Meta(ge=1, le=9)]
FEW = Annotated[list[str], msgspec.Meta(min_length=1, max_length=2)]
TRACK = Literal["all"] | list[HeaderName]


def read(text: str, kind: Any) -> tuple[Any, list[str]]:
    reader = Reader()
    value = reader.value(load(f"k: {text}".encode(), "").entries["k"][1], kind, "k")
    return value, [f"{problem.column}: {problem.path}: {problem.reason}" for problem in reader.problems]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("x", str, "x"),
        ("8080", str, "8080"),
        ("1.10", Label, "1.10"),
        ("off", Label, "off"),
        ("true", Label, "true"),
        ("503", CountedStatus, CountedStatus(Status(503))),
        ("503:2", CountedStatus, CountedStatus(Status(503), 2)),
        ("'503:2'", CountedStatus, CountedStatus(Status(503), 2)),
        ("0", CountedStatus, CountedStatus(None)),
        ("0x1F90", Port, 8080),
        ("200", Status, 200),
        ("'200'", Status, 200),
        ("200ms", Duration, Duration.parse("200ms")),
        ("0", Duration, Duration(0)),
        ("true", bool, True),
        ("3", int, 3),
        ("3", float, 3.0),
        ("2.5", float, 2.5),
        ("9", COUNT, 9),
        ("[a, 1]", FEW, ["a", "1"]),
        ("all", TRACK, "all"),
        ("[x, all]", TRACK, ["x", "all"]),
        ("~", str | None, None),
        ("[[x, 1], [y, '']]", list[tuple[HeaderName, HeaderValue]], [("x", "1"), ("y", "")]),
        ("{1: [a], b: ~}", dict[Label, list[str]], {"1": ["a"]}),
    ],
)
def test_what_is_right(text: str, kind: Any, value: Any):
    assert read(text, kind) == (value, [])


@pytest.mark.parametrize(
    ("text", "kind", "wrong"),
    [
        ("[]", str, "expected text, got a list"),
        ("~", str, "expected text, got nothing"),
        ("{}", Status, "expected text, got a map"),
        ("99", Status, "99 is not a status from 200 to 599"),
        ("yes", bool, "expected true or false, got text"),
        ("1", bool, "expected true or false, got the number 1"),
        ("true", int, "expected a whole number, got true"),
        ("'3'", int, "expected a whole number, got text"),
        ("1.5", int, "expected a whole number, got the number 1.5"),
        ("x", float, "expected a number, got text"),
        ("0", COUNT, "expected int >= 1"),
        ("10", COUNT, "expected int <= 9"),
        ("[]", FEW, "expected at least 1 items, got 0"),
        ("[a, b, c]", FEW, "expected at most 2 items, got 3"),
        ("some", TRACK, "expected all, got text"),
        ("{}", TRACK, "expected all, got a map"),
        ("x", list[str], "expected a list, got text"),
        ("x", dict[str, str], "expected a map, got text"),
        ("[x]", tuple[str, str], "expected a list of 2, got a list of 1"),
        ("x", tuple[str, str], "expected a list of 2, got text"),
        ("x", None, "expected nothing, got text"),
        ("x", ClientTarget, "expected a map, got text"),
    ],
)
def test_what_is_wrong(text: str, kind: Any, wrong: str):
    assert read(text, kind) == (BAD, [f"4: k: {wrong}"])


def test_of_a_union_the_choice_of_its_own_shape_says_what_is_wrong():
    wrong = "8: k[1]: 'a b' is not a legal header name: use letters, digits and !#$%&'*+-.^_`|~"
    assert read("[x, 'a b']", TRACK) == (BAD, [wrong])


def test_a_struct():
    target, wrong = read("{name: t, method: GET, URL: http://x, sendID: true, body: '', delay: ~, replicas: 2}", ClientTarget)
    assert wrong == []
    assert target == ClientTarget(name="t", method="GET", url="http://x", send_id=True, replicas=2)


def test_all_that_is_wrong_with_a_struct():
    assert read("{name: ~, urll: http://x, url: ftp://x, replicas: many, Replicas: 2, <<: {}}", ClientTarget)[1] == [
        "5: k.name: missing",
        "14: k.urll: unknown key; did you mean url?",
        "35: k.url: 'ftp://x' is not an http or https URL: write it like http://host:8080/path",
        "54: k.replicas: expected a whole number, got text",
        "60: k.Replicas: the same key as replicas: remove one of them",
        "73: k.<<: unknown key; YAML 1.2 has no merge keys: write the keys out",
        "4: k.method: missing",
    ]


def test_what_a_struct_says_itself_points_into_it():
    assert read("{name: t, method: GET, url: http://x, delay: 1s, rate: 5}", ClientTarget)[1] == [
        "59: k.rate: cannot be given together with delay: both say when requests are sent"
    ]
    assert read("{name: t, url: http://x, match: {headers: [[x], ['a b']]}}", ProxyTarget)[1] == [
        "52: k.match.headers[1]: 'a b' is not a legal header name: use letters, digits and !#$%&'*+-.^_`|~"
    ]


def test_one_name_twice():
    assert read("[{name: t, method: GET, url: http://x}, {name: t, method: PUT, url: http://x}]", list[ClientTarget])[1] == [
        "44: k[1]: t is given already, in line 1"
    ]


def test_a_list_goes_on_after_a_mistake():
    assert read("[99, 200, x]", list[Status])[1] == [
        "5: k[0]: 99 is not a status from 200 to 599",
        "14: k[2]: 'x' is not a status from 200 to 599",
    ]
