"""How `goto ctl` ends, other than well."""

from __future__ import annotations

import json
from collections.abc import Iterable

DONE, NOT_SO, BAD_USE, REFUSED, NOT_REACHED = 0, 1, 2, 3, 4
"""The exit statuses."""

PROBES = ("/goto/health", "/goto/ready")
"""Whose error says that it is not so."""


class Ended(Exception):
    """The command ends with a status, and a line on standard error."""

    def __init__(self, status: int, text: str = "", raw: bytes = b"") -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.raw = raw
        """The error as JSON, byte for byte, where the instance has said so."""

    @property
    def as_json(self) -> bytes:
        return self.raw if self.raw.startswith(b"{") else json.dumps({"error": self.text}, ensure_ascii=False).encode() + b"\n"


def bad_use(text: str) -> Ended:
    return Ended(BAD_USE, text)


def status_of(answered: int, path: str = "") -> int:
    """The exit status of an answer."""
    if answered < 400:
        return DONE
    if answered == 417 or path in PROBES:
        return NOT_SO
    return REFUSED if answered < 500 else NOT_REACHED


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing."""
    from difflib import get_close_matches  # here, since commands without mistakes do not need it

    near = get_close_matches(word, [*known], 1, 0.5)
    return f"; did you mean {near[0]}?" if near else ""
