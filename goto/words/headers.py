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
            raise ValueError(f"{text!r} is not a legal header name: use letters, digits and !#$%&'*+-.^_`|~")
        return cls(text)


class SentHeaderName(HeaderName):
    """The name of a header that may be added to a message: not hop-by-hop and not `Content-Length`, which the sender sets."""

    @classmethod
    def parse(cls, text: str) -> SentHeaderName:
        name = super().parse(text)
        if name.lower().encode() in HOP_BY_HOP | FRAMING:
            raise ValueError(f"{text!r} belongs to the connection: leave it out")
        return cls(RemovedHeaderName.parse(name))


class RemovedHeaderName(HeaderName):
    """The name of a header that a target may take out: any but that by which loops are found."""

    @classmethod
    def parse(cls, text: str) -> RemovedHeaderName:
        name = super().parse(text)
        if name.lower() == "goto-hops":
            raise ValueError(f"{text!r} is how loops are found: leave it out")
        return cls(name)


class HeaderNames(tuple[str, ...]):
    """Header names separated by commas, each kept once, in its first spelling."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": f"^{_NAMED}(,{_NAMED})*$", "examples": ["x,y"]}

    @classmethod
    def parse(cls, text: str) -> HeaderNames:
        names: dict[str, str] = {}
        for name in Names.parse(text):
            names.setdefault(name.lower(), HeaderName.parse(name))
        return cls(names.values())


class HeaderValue(str):
    """A legal header value, stripped of blanks: no control characters but the tab (RFC 9110, 5.5). UTF-8 is allowed."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": r"^[^\x00-\x08\x0a-\x1f\x7f]*$", "examples": ["x1"]}

    @classmethod
    def parse(cls, text: str) -> HeaderValue:
        if _CONTROL.search(text.replace("\t", " ")):
            raise ValueError("control characters are not allowed in a header value: leave them out")
        return cls(text.strip(" \t"))
