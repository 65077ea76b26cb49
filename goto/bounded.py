"""Counts by what clients send, which may be anything: memory is bounded, and what is past the bound is counted together."""

from __future__ import annotations

from collections.abc import Mapping

OTHER = "_other"
"""Where values past the limit are counted."""

VALUES_LIMIT = 4096
"""Distinct values counted apart, per header or list."""

VALUE_LENGTH = 1024
"""Characters of a value that is counted apart."""


def slot(counts: Mapping[str, object], value: str, limit: int = VALUES_LIMIT) -> str:
    """The key to count a value under: itself, or OTHER once the limit is reached."""
    if value in counts or (len(counts) < limit and len(value) <= VALUE_LENGTH):
        return value
    return OTHER
