"""How long the body of an answer may pause."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Final

from goto.flow import Call, Field

DEFAULT_PAUSE: Final = 60.0
"""Seconds, where a target says nothing."""

_ENDLESS: Final = (b"text/event-stream", b"multipart/x-mixed-replace")
"""Types of bodies that come whenever there is something to say."""


def longest_pause(call: Call, fields: Iterable[Field]) -> float:
    """Seconds for which the body of the answer with these fields may pause where it goes to one client; `inf` for ever."""
    if call.body_timeout is not None:
        return call.body_timeout
    for name, value in fields:
        if name.lower() == b"content-type" and value.partition(b";")[0].strip().lower() in _ENDLESS:
            return inf
    return DEFAULT_PAUSE
