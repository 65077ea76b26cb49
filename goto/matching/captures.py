"""What variables captured, and how it is put elsewhere.

It comes from clients, so it can never end the place that it is put in: no new header, segment or parameter is made by one.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple
from urllib.parse import unquote_to_bytes

from goto.http.fields import decode, encode

CaptureSource = Literal["uri", "header", "query"]
"""The part of a request that a value was captured from."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_BUT_TAB = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")


class Capture(NamedTuple):
    """The captured value of a variable, and its source: percent-encoded for `uri`, as sent for `header`, decoded for `query`."""

    text: str
    source: CaptureSource


def in_text(capture: Capture) -> str:
    """As it was meant: what comes of a path is percent-decoded."""
    if capture.source == "uri" and "%" in capture.text:
        return decode(unquote_to_bytes(encode(capture.text)))
    return capture.text


def in_header(capture: Capture) -> str:
    """A capture in a header: decoded, except for control characters (RFC 9110, 5.5). A tab that comes from a header stays."""
    if capture.source == "header":
        return _CONTROL_BUT_TAB.sub(_escape, capture.text)
    if capture.source == "query":
        return _CONTROL.sub(_escape, capture.text)
    text = decode(_ESCAPED.sub(_unescape, encode(capture.text))) if "%" in capture.text else capture.text
    return _CONTROL.sub(_escape, text)


def _escape(control: re.Match[str]) -> str:
    return f"%{ord(control[0]):02x}"


def _unescape(escaped: re.Match[bytes]) -> bytes:
    byte = int(escaped[1], 16)
    return escaped[0] if byte < 0x20 or byte == 0x7F else bytes((byte,))
