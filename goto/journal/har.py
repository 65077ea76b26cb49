"""Entries as an HTTP Archive, HAR 1.2, which the network panels of browsers open (http://www.softwareishard.com/blog/har-12-spec/).

What an archive must have is there in each entry; what is goto's own begins with `_`. Masked values stay masked.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypedDict

from goto import __version__
from goto.http.codings import codings_of, undo
from goto.http.fields import Field
from goto.http.shown import body_text, shown, shown_text
from goto.http.targets import percent_decoded
from goto.journal.entry import Entry, stamp
from goto.journal.heads import MASKED
from goto.journal.shown import in_ms, version_text

PAGE: Final = "goto"
"""The one page that all entries are of: browsers refuse archives without one."""

MOST_DECODED: Final = 1 << 20
"""Bytes that a body may have once its codings are undone."""

UNKNOWN: Final = "x-unknown"
"""The media type of what has none."""

_FORM: Final = "application/x-www-form-urlencoded"
Document = dict[str, Any]


class Archive(TypedDict):
    """A HAR 1.2, as tools of browsers read it."""

    log: dict[str, Any]
    """`version`, `creator`, `pages` and `entries`."""


def archive(entries: Sequence[Entry]) -> Archive:
    """An archive of entries, in their order."""
    began = entries[0].time if entries else time.time_ns()
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "goto", "version": __version__},
            "pages": [{"startedDateTime": stamp(began), "id": PAGE, "title": PAGE, "pageTimings": {}}],
            "entries": [_entry(entry) for entry in entries],
        }
    }


def _entry(entry: Entry) -> Document:
    timings = _timings(entry)
    made: Document = {
        "pageref": PAGE,
        "startedDateTime": entry.stamp,
        "time": round(sum(ms for name, ms in timings.items() if ms >= 0 and name != "ssl"), 3),
        "request": _request(entry),
        "response": _response(entry) if entry.status else _no_response(entry),
        "cache": {},
        "timings": timings,
        "connection": str(entry.connection),
        "_seq": entry.seq,
        "_goto": {"listener": entry.listener, "by": list(entry.by), "end": entry.end, "attempt": entry.attempt},
    }
    addresses = [call.address for call in entry.calls if call.address]
    if addresses:
        made["serverIPAddress"] = addresses[0]
    return made


def _timings(entry: Entry) -> dict[str, float]:
    """In ms; -1 for what there is not. `ssl` is inside `connect`, and what connecting took is not in `wait`."""
    held, upstream, head, end = entry.times
    connects = [call for call in entry.calls if call.connect is not None]
    connect = connects[0].connect if connects else None
    tls = connects[0].tls if connects else None
    waited = max(held + (upstream or 0.0) - (connect or 0.0), 0.0)
    last = end if end is not None else head or 0.0
    answered = head if head is not None else last
    return {
        "blocked": -1,
        "dns": -1,
        "connect": -1 if connect is None else in_ms(connect) or 0.0,
        "ssl": -1 if tls is None else in_ms(tls) or 0.0,
        "send": in_ms(max(answered - waited - (connect or 0.0), 0.0)) or 0.0,
        "wait": in_ms(waited) or 0.0,
        "receive": in_ms(max(last - answered, 0.0)) or 0.0,
    }


# ---------------------------------------------------------------- requests
def _request(entry: Entry) -> Document:
    fields, body = entry.fields, entry.request_body
    query = entry.target.partition("?")[2]
    made: Document = {
        "method": shown_text(entry.method),
        "url": _url(entry, fields),
        "httpVersion": _version(entry),
        "cookies": _cookies(fields),
        "headers": _headers(fields),
        "queryString": [{"name": name, "value": value} for name, value in _pairs(query)],
        "headersSize": entry.head_size,
        "bodySize": body.size,
    }
    data = body.data[: entry.bodies]
    if data:
        made["postData"] = _post_data(fields, data, cut=body.size > len(data))
    return made


def _url(entry: Entry, fields: Sequence[Field]) -> str:
    host = next((shown(value) for name, value in fields if name.lower() == b"host"), "") or f"localhost:{entry.listener}"
    target = shown_text(entry.target)
    return f"{entry.scheme}://{host}{target if target.startswith('/') else f'/{target}'}"


def _post_data(fields: Sequence[Field], data: bytes, *, cut: bool) -> Document:
    media = _media(fields)
    made: Document = {"mimeType": media}
    text = body_text(data, cut=cut)
    if text is None:
        made["text"], made["_encoding"] = b64encode(data).decode(), "base64"
    elif not cut and media.partition(";")[0].strip().lower() == _FORM:
        made["params"] = [{"name": name, "value": value} for name, value in _pairs(text)]
    else:
        made["text"] = text
    if cut:
        made["_truncated"] = True
    return made


# ---------------------------------------------------------------- answers
def _response(entry: Entry) -> Document:
    fields = entry.response_fields
    made: Document = {
        "status": entry.status,
        "statusText": entry.reason,
        "httpVersion": _version(entry),
        "cookies": _set_cookies(fields),
        "headers": _headers(fields),
        "content": _content(entry, fields),
        "redirectURL": _value(fields, b"location") or "",
        "headersSize": -1,
        "bodySize": entry.response_body.size,
    }
    error = _error(entry)
    if error:
        made["_error"] = error
    return made


def _no_response(entry: Entry) -> Document:
    return {
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": UNKNOWN},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
        "_error": _error(entry),
    }


def _content(entry: Entry, fields: Sequence[Field]) -> Document:
    """A body as it is shown: its codings undone, where it was kept whole."""
    body = entry.response_body
    data = body.data[: entry.bodies]
    cut = body.size > len(data)
    size, compression = body.size, None
    if not cut and data:
        decoded = _decoded(fields, data)
        if decoded is not None:
            data, size, compression = decoded, len(decoded), len(decoded) - body.size
    made: Document = {"size": size, "mimeType": _media(fields)}
    if compression is not None:
        made["compression"] = compression
    if data:
        text = body_text(data, cut=cut)
        made["text"] = b64encode(data).decode() if text is None else text
        if text is None:
            made["encoding"] = "base64"
    if cut:
        made["_truncated"] = True
    return made


def _decoded(fields: Sequence[Field], data: bytes) -> bytes | None:
    """A body with its codings undone; None where there are none, or where they cannot be."""
    codings = codings_of(fields)
    if not codings:
        return None
    for coding in reversed(codings):
        data, whole = undo(data, coding, MOST_DECODED)
        if not whole:
            return None
    return data


def _error(entry: Entry) -> str:
    """What kept the answer from coming, or a part of it; empty where nothing did."""
    rules = entry.rules
    by = f"rule {', '.join(rules)}" if rules else "goto"
    match entry.end:
        case "aborted":
            return f"{entry.cut or 'ended'} by {by}"
        case "client_gone":
            return f"the client left, held by {by}" if rules else "the client left"
        case "broke_off":
            return "the upstream broke off"
        case None:
            return "" if entry.status else "not answered yet"
        case _:
            return ""


# ---------------------------------------------------------------- heads
def _version(entry: Entry) -> str:
    return "HTTP/2" if entry.version >= (2, 0) else f"HTTP/{version_text(entry.version)}"


def _headers(fields: Sequence[Field]) -> list[Document]:
    return [{"name": shown(name), "value": shown(value)} for name, value in fields]


def _value(fields: Sequence[Field], wanted: bytes) -> str | None:
    return next((shown(value) for name, value in fields if name.lower() == wanted), None)


def _media(fields: Sequence[Field]) -> str:
    return _value(fields, b"content-type") or UNKNOWN


def _pairs(query: str) -> list[tuple[str, str]]:
    """Names and values of a query, decoded."""
    found = []
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            found.append((shown_text(percent_decoded(name)), shown_text(percent_decoded(value))))
    return found


def _cookies(fields: Sequence[Field]) -> list[Document]:
    """Those of a request (RFC 6265, 4.2.1); none where they are masked."""
    found = []
    for name, value in fields:
        if name.lower() == b"cookie" and value != MASKED:
            for pair in shown(value).split(";"):
                key, equals, text = pair.strip().partition("=")
                if equals:
                    found.append({"name": key, "value": _unquoted(text)})
    return found


def _set_cookies(fields: Sequence[Field]) -> list[Document]:
    """Those of an answer (RFC 6265, 4.1.1); none where they are masked."""
    return [
        _set_cookie(shown(value)) for name, value in fields if name.lower() == b"set-cookie" and value != MASKED and b"=" in value
    ]


def _set_cookie(text: str) -> Document:
    pair, *attributes = text.split(";")
    name, _, value = pair.strip().partition("=")
    made: Document = {"name": name, "value": _unquoted(value)}
    for attribute in attributes:
        word, _, given = attribute.strip().partition("=")
        match word.lower():
            case "path" | "domain":
                made[word.lower()] = given
            case "expires":
                with suppress(ValueError):  # a date that is none says nothing
                    made["expires"] = parsedate_to_datetime(given).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            case "httponly":
                made["httpOnly"] = True
            case "secure":
                made["secure"] = True
            case "samesite":
                made["sameSite"] = given
    return made


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
