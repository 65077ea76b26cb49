"""Queries and path segments of request targets. Parameters are compared and captured decoded, and sent on byte for byte."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from urllib.parse import quote, unquote_to_bytes

from goto.http.fields import decode, encode


def percent_decoded(text: str) -> str:
    """The name or value of a parameter without its percent-encoding; `+` is a space."""
    if "+" in text:
        text = text.replace("+", " ")
    return decode(unquote_to_bytes(encode(text))) if "%" in text else text


def percent_encoded(text: str) -> str:
    """Any text as the name or value of a parameter, or as a path segment: nothing in it can end its place."""
    return quote(encode(text), safe="")


def ascii_only(text: str) -> str:
    """A request target as it is written, but for what is no ASCII: that is percent-encoded in UTF-8 (RFC 3987, 3.1)."""
    return text if text.isascii() else _PAST_ASCII.sub(lambda found: percent_encoded(found[0]), text)


_PAST_ASCII = re.compile(r"[^\x00-\x7f]+")


def without_parameters(query: str, names: Container[str]) -> str:
    """A query without the parameters that have one of these names; the others stay as they are, in order."""
    return "&".join([pair for pair in query.split("&") if percent_decoded(pair.partition("=")[0]) not in names])


def has_parameter(query: str, name: str) -> bool:
    """Whether a query has a parameter of this name."""
    return bool(query) and any(percent_decoded(pair.partition("=")[0]) == name for pair in query.split("&"))


def query_value(query: str, name: str) -> str | None:
    """The first value of a parameter, decoded; None where there is none of this name."""
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if percent_decoded(key) == name:
            return percent_decoded(value)
    return None


def joined_queries(queries: Iterable[str]) -> str:
    """Several queries joined to one; empty ones are left out."""
    return "&".join([query for query in queries if query])


def segment(text: str) -> str:
    """A label, a name or an address as one segment of a path, where a colon needs no encoding (RFC 3986, 3.3)."""
    return quote(text, safe=":", errors="surrogateescape")
