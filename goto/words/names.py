"""The words that stand in paths, queries and JSON, each parsed in one place.

A word type has `parse(text)`, which raises ValueError with the reason, and `schema`, its JSON Schema. A route names the
type in its signature; whoever calls it adds the name of the field to the reason.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import Any, ClassVar, Protocol

from goto.errors import NotFound

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_ITEM = r"[^,\x00-\x1f\x7f]*[^,\s\x00-\x1f\x7f][^,\x00-\x1f\x7f]*"


class Word(Protocol):
    schema: ClassVar[dict[str, Any]]

    @classmethod
    def parse(cls, text: str) -> Any: ...


def one_line(text: str) -> str:
    """Text without control characters, CR and LF above all."""
    if _CONTROL.search(text):
        raise ValueError("control characters are not allowed")
    return text


class Name(str):
    """A name in a path: one line, not empty, without a comma, trimmed as it is in a list of names."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": f"^{_ITEM}$",
        "examples": ["t1"],
    }

    @classmethod
    def parse(cls, text: str) -> Name:
        one_line(text)
        if not text.strip():
            raise ValueError("must not be empty")
        if "," in text:
            raise ValueError("a name holds no comma")
        return cls(text.strip())


class Label(str):
    """A label: sent as a header value, so one line and not empty."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
        "examples": ["edge"],
    }

    @classmethod
    def parse(cls, text: str) -> Label:
        one_line(text)
        if not text.strip():
            raise ValueError("must not be empty")
        return cls(text.strip())


class Names(tuple[str, ...]):
    """A comma list of names: trimmed, none of them empty."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": f"^{_ITEM}(,{_ITEM})*$", "examples": ["t1,t2"]}

    @classmethod
    def parse(cls, text: str) -> Names:
        names = [one_line(word).strip() for word in text.split(",")]
        if not all(names):
            raise ValueError(f"{text!r} has an empty item")
        return cls(dict.fromkeys(names))


def split_known(names: Iterable[str], known: Container[str], what: str) -> tuple[list[str], str]:
    """The known ones of several names, and a remark on the others for the answer; `NotFound` when none is known."""
    hits: list[str] = []
    misses: list[str] = []
    for name in names:
        (hits if name in known else misses).append(name)
    if not hits:
        raise NotFound(f"unknown {what}: {', '.join(misses)}")
    return hits, f" (unknown {what}: {', '.join(misses)})" if misses else ""
