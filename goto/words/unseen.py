"""Characters that no name may hold and no log shows: readers of lines, and terminals, take them for more than text.

They are the control characters C0, DEL and C1, the separators of lines and paragraphs, and the marks of direction (Unicode
Standard Annex 9, 2), which make what follows them look like something else.
"""

from __future__ import annotations

import logging
import re
from typing import Final

UNSEEN: Final = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""Them, as they stand within the brackets of a regular expression, Python's and JSON Schema's."""

_UNSEEN: Final = re.compile(f"[{UNSEEN}]")
_BUT_LINES: Final = re.compile(f"(?![\t\n])[{UNSEEN}]")


def escaped(text: str) -> str:
    """Text for one line of a log or a terminal: each of them is `\\u202e`."""
    return text if text.isprintable() else _UNSEEN.sub(_escape, text)


def escaped_lines(text: str) -> str:
    """The same for several lines."""
    return _BUT_LINES.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class OneLine(logging.Filter):
    """Escapes what a logger is told. What is in its arguments may come from anywhere."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = escaped(record.getMessage()), ()
        return True
