"""YAML 1.2's core schema: the value of a plain scalar (https://yaml.org/spec/1.2.2/#103-core-schema).

PyYAML's own resolver is YAML 1.1's, which reads `503:2` as 30182 and `off` as false.
"""

from __future__ import annotations

import re
from typing import Any

PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("null", re.compile(r"null|Null|NULL|~|")),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("int", re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")),
    (
        "float",
        re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN"),
    ),
)
"""The types, each with the form of its scalars. Anything else is text."""

FIRST = {"null": "nN~", "bool": "tTfF", "int": "-+0123456789", "float": "-+.0123456789"}
"""The characters that a scalar of each type can begin with, to find text that has to be quoted."""

MOST_DIGITS = 400
"""Characters that a number may have; longer ones are read as text, since converting them takes quadratic time."""


def resolve(text: str) -> Any:
    """The value of a plain scalar."""
    for kind, pattern in PATTERNS:
        if pattern.fullmatch(text):
            return construct(kind, text)
    return text


def construct(kind: str, text: str) -> Any:
    """The value of a scalar of a known type. Raises ValueError when the text does not have the form of the type."""
    pattern = dict(PATTERNS)[kind]
    if not pattern.fullmatch(text):
        raise ValueError(f"{text!r} is not of the type {kind}: write another value, or leave out the tag")
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if len(text) > MOST_DIGITS:
        return text
    if kind == "int":
        base = {"0o": 8, "0x": 16}.get(text[:2])
        return int(text[2:], base) if base else int(text)
    if text.lower().lstrip("+-") in (".inf", ".nan"):
        return float(text.replace(".", ""))
    return float(text)
