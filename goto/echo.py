"""The answer that shows a request: `/echo`, and what the standalone host says to a request nobody else answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

import msgspec

from goto.flow import Field, Flow, Headers, Response
from goto.hops import HOP_BY_HOP, connection_words

SHOWN_BYTES = 1 << 20
"""Bytes of a body that are shown; the rest is read, counted and dropped."""

_UNREPEATED = HOP_BY_HOP | {b"host", b"set-cookie"}
_encode = msgspec.json.Encoder().encode


def echo(flow: Flow, body: bytes, size: int) -> Response:
    """JSON that shows the request, with the request's headers repeated, but for those that would break this answer."""
    request = flow.request
    shown: dict[str, Any] = {
        "RequestURI": _text(request.target),
        "RequestHeaders": _shown_headers(request.headers.fields),
        "RequestQuery": _parameters(request.query) if request.query else {},
        "RequestBody": body.decode("utf-8", "replace"),
    }
    if size > len(body):
        shown["RequestBodySize"] = size
        shown["RequestBodyTruncated"] = True
    fields: list[Field] = [(b"Content-Type", b"application/json")]
    fields += _repeated(request.headers.fields)
    return Response(flow.status or 200, _encode(shown) + b"\n", Headers(fields))


def _shown_headers(fields: list[Field]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in fields:
        headers.setdefault(name.decode("utf-8", "replace"), []).append(value.decode("utf-8", "replace"))
    return headers


def _repeated(fields: list[Field]) -> list[Field]:
    repeated = []
    named = False
    for field in fields:
        name = field[0].lower()
        if name in _UNREPEATED:
            named = named or name == b"connection"
        elif not name.startswith(b"content-"):
            repeated.append(field)
    if named:
        words = connection_words(fields)
        repeated = [field for field in repeated if field[0].lower() not in words]
    return repeated


def _parameters(query: str) -> dict[str, list[str]]:
    parameters: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            parameters.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return {_text(name): [_text(value) for value in values] for name, values in parameters.items()}


def _text(text: str) -> str:
    """Without the surrogates that stand for bytes which are no UTF-8: JSON cannot hold them."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
