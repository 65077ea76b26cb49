"""The formats that entries are written in: json, ndjson, har and text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypedDict

from goto.journal.entry import Entry
from goto.journal.har import archive
from goto.journal.shown import ShownEntry, entry_line, shown_entry
from goto.words.writing import json_bytes


class Entries(TypedDict):
    """Entries, oldest first, and where they stand in the journal."""

    entries: list[ShownEntry]
    next: int
    """What to give as `since` next."""
    oldest: int | None
    """The number of the oldest that there is."""
    evicted: int
    """How many were given up since the journal was turned on or cleared."""
    open: int
    """How many are under way."""


MEDIA: Final = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "har": "application/json",
    "text": "text/plain; charset=utf-8",
}
"""The media type of each format."""


def written(entries: Sequence[Entry], standing: dict[str, int | None], form: str) -> bytes:
    """Entries in a format, with where they stand where it has a place for that."""
    if form == "json":
        return json_bytes({"entries": [shown_entry(entry) for entry in entries], **standing})
    if form == "ndjson":
        return b"".join([json_bytes(shown_entry(entry)) for entry in entries])
    if form == "har":
        return json_bytes(archive(entries))
    return "".join([f"{entry_line(entry)}\n" for entry in entries]).encode("utf-8", "backslashreplace")
