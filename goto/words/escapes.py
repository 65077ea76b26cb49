"""Text in an encoding that does not have all of its characters: those stand in it as escapes.

Both are error handlers, as `str.encode` and `open` take them by name.
"""

from __future__ import annotations

import codecs
import re

TEXT = "goto.text"
"""`\\u20ac`, `\\U0001f600`; a byte of an argument that is no UTF-8 is `\\xff`."""

JSON = "goto.json"
"""As JSON has them, and YAML in double quotes that is read as JSON: characters past U+FFFF are two (RFC 8259, 7)."""


_BYTES = re.compile("[\udc80-\udcff]+")
"""Bytes as `surrogateescape` has them: those of arguments and of names of files that were no text to the interpreter."""


def _text(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # where the system is said to know ASCII alone, UTF-8 has come so too
    text = _BYTES.sub(lambda found: _decoded(found[0]), error.object[error.start : error.end])
    codes = ((character, ord(character)) for character in text)
    return "".join(c if n < 128 else f"\\u{n:04x}" if n <= 0xFFFF else f"\\U{n:08x}" for c, n in codes), error.end


def _decoded(escaped: str) -> str:
    return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)), error.end


def is_utf8(encoding: str) -> bool:
    """Whether an encoding has all characters in the form that JSON takes (RFC 8259, 8.1)."""
    return codecs.lookup(encoding).name == "utf-8"


codecs.register_error(TEXT, _text)
codecs.register_error(JSON, _json)
