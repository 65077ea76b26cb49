"""Bytes of messages as people read them: in JSON, counts and logs."""

from __future__ import annotations

import codecs
import re
from typing import Final

from goto.http.fields import encode

_LOOKS_ESCAPED: Final = re.compile(rb"\\(?=x[0-9a-fA-F]{2})")


def shown(data: bytes) -> str:
    """Bytes of a header, a path or a query as text. What is no UTF-8 is `\\xhh`, byte by byte, and so is a backslash that would
    look like the beginning of such a byte, so that no two values look alike.
    """
    if b"\\" in data:
        data = _LOOKS_ESCAPED.sub(rb"\\x5c", data)
    return data.decode("utf-8", "backslashreplace")


def shown_text(text: str) -> str:
    """The same for text that was read by `decode`."""
    return text if text.isascii() and "\\" not in text else shown(encode(text))


def body_text(data: bytes, *, cut: bool = False) -> str | None:
    """A body as text; None where it is no UTF-8. If it was `cut`, a character that is not all there is left out."""
    try:
        return codecs.utf_8_decode(data, "strict", not cut)[0]
    except UnicodeDecodeError:
        return None
