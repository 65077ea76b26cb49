"""Bytes of messages as readable text, for JSON, counts and logs."""

from __future__ import annotations

import codecs
import re
from typing import Final

from goto.http.fields import encode

_LOOKS_ESCAPED: Final = re.compile(rb"\\(?=x[0-9a-fA-F]{2})")


def shown(data: bytes) -> str:
    """Bytes of a header, a path or a query as text. A byte that is not UTF-8 is shown as `\\xhh`, and so is a backslash that
    could be read as the beginning of one: different values never look the same.
    """
    if b"\\" in data:
        data = _LOOKS_ESCAPED.sub(rb"\\x5c", data)
    return data.decode("utf-8", "backslashreplace")


def shown_text(text: str) -> str:
    """As `shown`, for text that was made by `decode`."""
    return text if text.isascii() and "\\" not in text else shown(encode(text))


def body_text(data: bytes, *, cut: bool = False) -> str | None:
    """A body as text; None where it is not UTF-8. If it was `cut`, an incomplete character at its end is left out."""
    try:
        return codecs.utf_8_decode(data, "strict", not cut)[0]
    except UnicodeDecodeError:
        return None
