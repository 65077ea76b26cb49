"""The echo: the answer that shows a request, at `/echo` and as the catch-all of the standalone host."""

from __future__ import annotations

from binascii import b2a_base64
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from goto.flow import Field, Flow, Headers, Response
from goto.http.fields import encode, field_length, field_name
from goto.http.hops import HOP_BY_HOP, connection_words
from goto.http.memo import Memo
from goto.http.shown import body_text, shown, shown_text
from goto.http.wire import NOT_MODIFIED

SHOWN_BYTES: Final = 1 << 20
"""Bytes of a body that are shown. The rest is read, counted and dropped."""

_UNREPEATED: Final = HOP_BY_HOP | {b"host", b"set-cookie"}
_JSON_TYPE: Final[Field] = (b"Content-Type", b"application/json")
_LEFT_OUT: Final = 0
_REPEATED: Final = 1
_CONNECTION: Final = 2
_json: Final = msgspec.json.Encoder().encode


def echo(flow: Flow, body: bytes, size: int) -> Response:
    """JSON that shows the request. The answer repeats the headers of the request, except those that would break it.

    `{"RequestURI", "RequestHeaders": {name as sent: [values]}, "RequestQuery": {name: [values]}, "RequestBody"}`. A body that is
    not UTF-8 is in base64, as `"RequestBodyBase64"`. Where `size` is more than what was kept of the body, `"RequestBodySize"` and
    `"RequestBodyTruncated": true` follow. Other bytes that are not UTF-8 are shown as `goto.http.shown` does.
    """
    request = flow.request
    fields = request.headers.fields
    members = []
    repeated = [] if flow.status == NOT_MODIFIED else [_JSON_TYPE]
    connection = False
    for field in fields:
        member, use = _member_of(field)
        members.append(member)
        if use == _REPEATED:
            repeated.append(field)
        elif use == _CONNECTION:
            connection = True
    if connection:
        words = connection_words(fields)
        repeated = [field for field in repeated if field[0].lower() not in words]
    if len(request.headers.index) < len(fields):
        members = _grouped(fields)
    whole = b'{"RequestURI":%b,"RequestHeaders":{%b},"RequestQuery":%b,%b%b}\n' % (
        _json(shown_text(request.target)),
        b",".join(members),
        _json(_parameters(request.query)) if request.query else b"{}",
        _shown_body(body, cut=size > len(body)) if body else b'"RequestBody":""',
        b',"RequestBodySize":%d,"RequestBodyTruncated":true' % size if size > len(body) else b"",
    )
    return Response(flow.status or 200, whole, Headers(repeated))


def _member_start(name: bytes) -> tuple[bytes, int]:
    """The beginning of a JSON member for fields of this name, and whether the answer repeats them."""
    key = name.lower()
    use = _LEFT_OUT if key in _UNREPEATED or key.startswith(b"content-") else _REPEATED
    if key == b"connection":
        use = _CONNECTION
    return _json(shown(name)) + b":[", use


_member_start_of: Final = Memo(_member_start).__getitem__


def _member(field: Field) -> tuple[bytes, int]:
    """A field as a JSON member, and whether the answer repeats it."""
    begin, use = _member_start_of(field[0])
    return b"%b%b]" % (begin, _json(shown(field[1]))), use


_member_of: Final = Memo(_member, field_length, group=field_name).__getitem__


def _grouped(fields: list[Field]) -> list[bytes]:
    """The JSON members of fields of which some have the same name: one member for each name, with all values."""
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(shown(name), []).append(shown(value))
    return [b"%b:%b" % (_json(name), _json(listed)) for name, listed in values.items()]


def _shown_body(body: bytes, *, cut: bool) -> bytes:
    """The body as a member of the JSON object."""
    text = body_text(body, cut=cut)
    if text is None:
        return b'"RequestBodyBase64":"%b"' % b2a_base64(body, newline=False)
    return b'"RequestBody":%b' % _json(text)


def _parameters(query: str) -> dict[str, list[str]]:
    """The parameters of a query, decoded, by name."""
    plain = query.isascii() and not ("%" in query or "+" in query or "\\" in query)
    parameters: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            if not plain:
                name, value = _unquoted(name), _unquoted(value)
            if name in parameters:
                parameters[name].append(value)
            else:
                parameters[name] = [value]
    return parameters


def _unquoted(text: str) -> str:
    return shown(unquote_to_bytes(encode(text.replace("+", " "))))
