"""Invisible characters that are not allowed in names, and that logs show as escapes, since terminals and readers of lines act on
them.

They are the control characters C0, DEL and C1, the separators of lines and paragraphs, and the marks of direction (Unicode
Standard Annex 9, 2), which change the order in which text is displayed.
"""

from __future__ import annotations

import logging
import re
from typing import Final

UNSEEN: Final = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""The characters, as a character class of regular expressions has them between its brackets, in Python and JSON Schema."""

_UNSEEN: Final = re.compile(f"[{UNSEEN}]")
_BUT_LINES: Final = re.compile(f"(?![\t\n])[{UNSEEN}]")


def escaped(text: str) -> str:
    """Text for one line of a log or a terminal. Each such character is escaped, `\\u202e`."""
    return text if text.isprintable() else _UNSEEN.sub(_escape, text)


def escaped_lines(text: str) -> str:
    """Text for several lines: as `escaped`, but tabs and line feeds stay."""
    return _BUT_LINES.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class OneLine(logging.Filter):
    """Escapes the messages of a logger, since their arguments may come from anywhere."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = escaped(record.getMessage()), ()
        return True
