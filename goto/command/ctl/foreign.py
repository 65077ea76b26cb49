"""Routes that this goto does not know, as those of features of users: looked up in the OpenAPI document of the instance.

The document is kept by its entity tag, below `XDG_CACHE_HOME`, so that it is sent again only when it has changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from goto.command.ctl.failures import NOT_REACHED, Ended
from goto.command.ctl.session import Session
from goto.command.ctl.ways import Field, Way, ways_of
from goto.testing.asking import Ask
from goto.testing.failures import NotReached

DOCUMENT = "/goto/openapi.json"


def cached_at(url: str) -> Path:
    """The file that the document of an instance is kept in."""
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder, "goto", f"{quote(url, '')[:200]}.json")


def foreign_ways(session: Session) -> list[Way]:
    """Every way of the instance; none where it is not reached, or does not tell."""
    file = cached_at(session.url)
    tag, ways = _kept(file)
    headers = {"If-None-Match": tag} if ways else {}
    try:
        answer = session.connection.ask(Ask("GET", DOCUMENT, None, headers))
    except NotReached:
        return []
    if answer.status == 304:
        return ways
    if answer.status != 200:
        return []
    try:
        found = list(ways_of(json.loads(answer.body)))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Ended(NOT_REACHED, f"{session.url}{DOCUMENT} is no OpenAPI document: {error}") from None
    with suppress(OSError):  # a cache that cannot be written costs time, and nothing else
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps({"tag": answer.headers.get("etag", ""), "ways": found}))
        beside.replace(file)
    return found


def _kept(file: Path) -> tuple[str, list[Way]]:
    try:
        kept = json.loads(file.read_text())
        return kept["tag"], list(_read(kept["ways"]))
    except (OSError, ValueError, LookupError, TypeError):
        return "", []


def _read(rows: list[list[object]]) -> Iterator[Way]:
    for method, path, about, query, fields, raw in rows:
        yield Way(
            str(method),
            str(path),
            str(about),
            tuple(Field(*pair) for pair in query),  # type: ignore[attr-defined]  # read from a file
            tuple(Field(*pair) for pair in fields),  # type: ignore[attr-defined]  # likewise
            bool(raw),
        )
