"""Query strings as text: parameters are compared and captured decoded, and sent on byte for byte."""

from __future__ import annotations

from collections.abc import Container, Iterable
from urllib.parse import quote, unquote_to_bytes

from goto.http.fields import decode, encode


def decoded(text: str) -> str:
    """A name or value without its percent-encoding; `+` is a space."""
    if "+" in text:
        text = text.replace("+", " ")
    return decode(unquote_to_bytes(encode(text))) if "%" in text else text


def encoded(text: str) -> str:
    """Any text as a name or value: nothing in it can end a parameter."""
    return quote(encode(text), safe="")


def without(query: str, names: Container[str]) -> str:
    """A query less the parameters that bear one of these names; the others stay as they are, in order."""
    return "&".join([pair for pair in query.split("&") if decoded(pair.partition("=")[0]) not in names])


def has_parameter(query: str, name: str) -> bool:
    return bool(query) and any(decoded(pair.partition("=")[0]) == name for pair in query.split("&"))


def joined(queries: Iterable[str]) -> str:
    """Several queries as one."""
    return "&".join([query for query in queries if query])


def segment(text: str) -> str:
    """A label, a name or an address as one segment of a path. A colon may stand there as it is (RFC 3986, 3.3)."""
    return quote(text, safe=":", errors="surrogateescape")
