"""The words that stand in paths, queries and JSON, each parsed in one place.

A word type has `parse(text)`, which raises ValueError with the reason, and `schema`, its JSON Schema. A route names the
type in its signature; whoever calls it adds the name of the field to the reason.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from goto.duration import Duration
from goto.errors import NotFound
from goto.hops import FRAMING, HOP_BY_HOP

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# for schemas, in the regular expressions that JSON Schema has
_COUNT = "(:[1-9][0-9]{0,17})?"
_ITEM = r"[^,\x00-\x1f\x7f]*[^,\s\x00-\x1f\x7f][^,\x00-\x1f\x7f]*"
_NAMED = r" *[!#$%&'*+.^_`|~0-9A-Za-z-]+ *"


class Word(Protocol):
    schema: ClassVar[dict[str, Any]]

    @classmethod
    def parse(cls, text: str) -> Any: ...


def _whole(text: str) -> int:
    """A whole number in ASCII digits; int() alone would take `1_0`, ` 1` and other alphabets' digits."""
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def one_line(text: str) -> str:
    """Text without control characters, CR and LF above all."""
    if _CONTROL.search(text):
        raise ValueError("control characters are not allowed")
    return text


class Status(int):
    """A status that can be answered: 200..599."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 200, "maximum": 599, "examples": [503]}

    @classmethod
    def parse(cls, text: str) -> Status:
        status = _whole(text)
        if len(text) != 3 or not 200 <= status <= 599:
            raise ValueError(f"{status} is not a status from 200 to 599")
        return cls(status)


class Port(int):
    """A TCP port: 1..65535."""

    schema: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": 65535, "examples": [8081]}

    @classmethod
    def parse(cls, text: str) -> Port:
        port = _whole(text)
        if not 1 <= port <= 65535:
            raise ValueError(f"{port} is not a port from 1 to 65535")
        return cls(port)


def _counted(text: str) -> tuple[str, int | None]:
    word, colon, count = text.partition(":")
    if not colon:
        return word, None
    number = _whole(count)
    if number < 1:
        raise ValueError("the count after the colon must be at least 1")
    return word, number


@dataclass(frozen=True, slots=True)
class CountedStatus:
    """`503`, or `503:2` for the next two exchanges. `0` stands for none."""

    status: Status | None
    count: int | None = None

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": f"^(0|[2-5][0-9][0-9]){_COUNT}$",
        "examples": ["503", "503:2"],
    }

    @classmethod
    def parse(cls, text: str) -> CountedStatus:
        word, count = _counted(text)
        return cls(None if word == "0" else Status.parse(word), count)

    def __str__(self) -> str:
        return f"{self.status or 0}" if self.count is None else f"{self.status or 0}:{self.count}"


@dataclass(frozen=True, slots=True)
class CountedDuration:
    """`200ms`, or `200ms:3` for the next three exchanges."""

    duration: Duration
    count: int | None = None

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": Duration.schema["pattern"].removesuffix("$") + f"{_COUNT}$",
        "examples": ["200ms", "1.5s:3"],
    }

    @classmethod
    def parse(cls, text: str) -> CountedDuration:
        word, count = _counted(text)
        return cls(Duration.parse(word), count)

    def __str__(self) -> str:
        return str(self.duration) if self.count is None else f"{self.duration}:{self.count}"


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


class HeaderName(str):
    """A legal header name (RFC 9110, 5.6.2)."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", "examples": ["x"]}

    @classmethod
    def parse(cls, text: str) -> HeaderName:
        if not _TOKEN.fullmatch(text):
            raise ValueError(f"{text!r} is not a legal header name")
        return cls(text)


class SentHeaderName(HeaderName):
    """A header that may be added to a message: neither hop-by-hop nor a length, which belong to the connection."""

    @classmethod
    def parse(cls, text: str) -> SentHeaderName:
        name = super().parse(text)
        if name.lower().encode() in HOP_BY_HOP | FRAMING:
            raise ValueError(f"{text!r} belongs to the connection and cannot be set")
        return cls(name)


class HeaderNames(tuple[str, ...]):
    """A comma list of header names, each once; the first spelling stays."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": f"^{_NAMED}(,{_NAMED})*$", "examples": ["x,y"]}

    @classmethod
    def parse(cls, text: str) -> HeaderNames:
        names: dict[str, str] = {}
        for name in Names.parse(text):
            names.setdefault(name.lower(), HeaderName.parse(name))
        return cls(names.values())


class HeaderValue(str):
    """A legal header value: no control characters but tab, nothing around it (RFC 9110, 5.5). UTF-8 is fine."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": r"^[^\x00-\x08\x0a-\x1f\x7f]*$", "examples": ["x1"]}

    @classmethod
    def parse(cls, text: str) -> HeaderValue:
        if _CONTROL.search(text.replace("\t", " ")):
            raise ValueError("control characters are not allowed in a header value")
        return cls(text.strip(" \t"))


class Flag(int):
    """`y`, `yes`, `true`, `1` or `n`, `no`, `false`, `0`, in any case."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "string",
        "enum": ["y", "yes", "true", "1", "n", "no", "false", "0"],
        "examples": ["y"],
    }

    @classmethod
    def parse(cls, text: str) -> Flag:
        word = text.lower()
        if word in ("y", "yes", "true", "1"):
            return cls(1)
        if word in ("n", "no", "false", "0"):
            return cls(0)
        raise ValueError(f"{text!r} is neither yes nor no: use y or n")


def http_url(text: str) -> str:
    """An absolute http or https URL with a host, on one line and without spaces. ValueError says what is wrong."""
    one_line(text)
    if re.search(r"\s", text):
        raise ValueError("a URL holds no space")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{text!r} is not an http or https URL")
    if not parts.hostname:
        raise ValueError(f"{text!r} has no host")
    if parts.username is not None:
        raise ValueError("a URL with a user name is not supported: set an Authorization header")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"{text!r} has no port from 1 to 65535")
    return text


class TargetUrl(str):
    """An http or https URL, with a path and a query where wanted, without a fragment."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "format": "uri", "examples": ["http://somewhere:8080/some/path?a=1"]}

    @classmethod
    def parse(cls, text: str) -> TargetUrl:
        http_url(text)
        if "#" in text:
            raise ValueError("a fragment is never sent: leave it out")
        host = urlsplit(text).hostname
        assert host
        if not host.isascii():
            host.encode("idna")  # raises for what no host can be
        return cls(text)


def split_known(names: Iterable[str], known: Container[str], what: str) -> tuple[list[str], str]:
    """The known ones of several names, and a remark on the others for the answer; `NotFound` when none is known."""
    hits: list[str] = []
    misses: list[str] = []
    for name in names:
        (hits if name in known else misses).append(name)
    if not hits:
        raise NotFound(f"unknown {what}: {', '.join(misses)}")
    return hits, f" (unknown {what}: {', '.join(misses)})" if misses else ""
