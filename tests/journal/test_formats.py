"""Entries in each format."""

from __future__ import annotations

import json

import pytest
from support.exchanges import a_book, exchange

from goto.journal.entry import Entry
from goto.journal.formats import MEDIA, written
from goto.journal.query import Format
from goto.journal.shown import entry_line, shown_entry

STANDING: dict[str, int | None] = {"next": 2, "oldest": 1, "evicted": 0, "open": 0}


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    book = a_book()
    return [entry for target in ("/a", "/\udcff") if (entry := exchange(book, target=target).entry) is not None]


def test_each_format_has_its_media_type() -> None:
    assert set(MEDIA) == set(Format.choices)


def test_json_tells_where_they_stand(entries: list[Entry]) -> None:
    page = json.loads(written(entries, STANDING, "json"))
    assert {name: page[name] for name in STANDING} == STANDING
    assert [entry["uri"] for entry in page["entries"]] == ["/a", "/\\xff"]


def test_an_entry_takes_a_line(entries: list[Entry]) -> None:
    lines = written(entries, STANDING, "ndjson").splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [shown_entry(entry)["seq"] for entry in entries] == [1, 2]
    assert written(entries, STANDING, "text").decode().splitlines() == [entry_line(entry) for entry in entries]


def test_har_has_them_all(entries: list[Entry]) -> None:
    assert len(json.loads(written(entries, STANDING, "har"))["log"]["entries"]) == 2


@pytest.mark.parametrize(("form", "nothing"), [("ndjson", b""), ("text", b"")])
def test_no_entries_are_no_lines(form: str, nothing: bytes) -> None:
    assert written([], STANDING, form) == nothing
