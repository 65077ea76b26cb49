"""Names and values of headers."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from goto.http.hops import FRAMING, HOP_BY_HOP
from goto.words.names import _CONTROL, Names

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


_NAMED = r" *[!#$%&'*+.^_`|~0-9A-Za-z-]+ *"


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
