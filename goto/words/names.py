"""What a word type is, and the types of names and labels.

A word type is a class with `parse(text)`, which raises ValueError with the reason, and `schema`, its JSON Schema. A route names
the type in its signature; the caller of `parse` puts the name of the field before the reason.

A word that may be written in several ways (`100` or `"50%"`, text or an object) has `read(value)` instead of `parse`. It is given
a value of JSON, and `written` says again what it was.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import Any, ClassVar, Protocol

from goto.errors import NotFound
from goto.words.unseen import UNSEEN

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNSEEN = re.compile(f"[{UNSEEN}]")

_IN_NAME = f"[^,{UNSEEN}]"
_ITEM = f"{_IN_NAME}*[^,\\s{UNSEEN}]{_IN_NAME}*"

MOST_BYTES = 1024
"""Bytes of a name or label in UTF-8."""


class Word(Protocol):
    """A word type."""

    schema: ClassVar[dict[str, Any]]

    @classmethod
    def parse(cls, text: str) -> Any: ...


def one_line(text: str) -> str:
    """The text itself. Raises ValueError when it has control characters, above all CR and LF."""
    if _CONTROL.search(text):
        raise ValueError("control characters are not allowed: leave them out")
    return text


def a_name(text: str) -> str:
    """A name or label, stripped of blanks. Raises ValueError where it is empty or too long, or has invisible characters."""
    if _UNSEEN.search(one_line(text)):
        raise ValueError("control characters, line separators and marks of direction are not allowed: leave them out")
    name = text.strip()
    if not name:
        raise ValueError("must not be empty")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise ValueError("is not valid UTF-8") from None  # an argument of the command line may be any bytes
    if size > MOST_BYTES:
        raise ValueError(f"has more than {MOST_BYTES:,} bytes, which is the limit")
    return name


class Name(str):
    """One name: one line, not empty, without a comma, stripped of blanks as it is in a list of names."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": f"^{_ITEM}$",
        "examples": ["t1"],
    }

    @classmethod
    def parse(cls, text: str) -> Name:
        name = a_name(text)
        if "," in name:
            raise ValueError("a name must not contain a comma")
        return cls(name)


class Label(str):
    """A label. It is sent as a header value, so it is one line and not empty."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": f"^[^{UNSEEN}]*[^\\s{UNSEEN}][^{UNSEEN}]*$",
        "examples": ["edge"],
    }

    @classmethod
    def parse(cls, text: str) -> Label:
        return cls(a_name(text))


class Names(tuple[str, ...]):
    """Names separated by commas: stripped of blanks, none of them empty, each kept once."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": f"^{_ITEM}(,{_ITEM})*$", "examples": ["t1,t2"]}

    @classmethod
    def parse(cls, text: str) -> Names:
        words = text.split(",")
        if not all(map(str.strip, words)):
            raise ValueError(f"{text!r} has an empty item: remove the extra comma")
        return cls(dict.fromkeys(map(a_name, words)))


def split_known(names: Iterable[str], known: Container[str], what: str) -> tuple[list[str], str]:
    """The names that are known, and a remark for the answer that lists the others. Raises `NotFound` when none is known."""
    found: list[str] = []
    unknown: list[str] = []
    for name in names:
        (found if name in known else unknown).append(name)
    if not found:
        raise NotFound(f"unknown {what}: {', '.join(unknown)}")
    return found, f" (unknown {what}: {', '.join(unknown)})" if unknown else ""
