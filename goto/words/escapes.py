"""Error handlers for encodings that lack some characters: they write these as escapes.

`str.encode` and `open` take both handlers by their names.
"""

from __future__ import annotations

import codecs
import re

TEXT = "goto.text"
"""`\\u20ac`, `\\U0001f600`; a byte of an argument that is not UTF-8 is `\\xff`."""

JSON = "goto.json"
"""Escapes of JSON, which YAML reads in double quotes too: a character past U+FFFF is two of them (RFC 8259, 7)."""


_BYTES = re.compile("[\udc80-\udcff]+")
"""Surrogates of `surrogateescape`: bytes of arguments and file names that the interpreter could not decode."""


def _text(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # where the locale is ASCII, UTF-8 in arguments comes as such bytes too
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
    """Whether an encoding is UTF-8, which JSON text must be in (RFC 8259, 8.1)."""
    return codecs.lookup(encoding).name == "utf-8"


codecs.register_error(TEXT, _text)
codecs.register_error(JSON, _json)
