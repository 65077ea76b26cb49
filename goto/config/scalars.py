"""YAML 1.2's core schema: what a plain scalar stands for (https://yaml.org/spec/1.2.2/#103-core-schema).

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
"""What has the form of which type; anything else is text."""

FIRST = {"null": "nN~", "bool": "tTfF", "int": "-+0123456789", "float": "-+.0123456789"}
"""What each can begin with, for whoever has to quote text that looks like one."""

MOST_DIGITS = 400
"""Characters of a number; longer ones are text, since reading them costs time squared."""


def resolve(text: str) -> Any:
    """The value of a plain scalar."""
    for kind, pattern in PATTERNS:
        if pattern.fullmatch(text):
            return construct(kind, text)
    return text


def construct(kind: str, text: str) -> Any:
    """The value of a scalar of a known type. ValueError when it does not have its form."""
    pattern = dict(PATTERNS)[kind]
    if not pattern.fullmatch(text):
        raise ValueError(f"{text!r} is no {kind}")
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
