"""Header fields that belong to one connection and never cross goto (RFC 9110, 7.6.1)."""

from __future__ import annotations

from collections.abc import Iterable

from goto.flow import Field

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
FRAMING = frozenset((b"content-length",))
"""Whoever sends a message frames its body."""

_UNPASSED = HOP_BY_HOP | FRAMING | {b"expect"}


def connection_words(fields: Iterable[Field]) -> set[bytes]:
    """The lower-case words of all `Connection` fields: header names, `close`, `keep-alive`, `upgrade`."""
    return {word.strip() for name, value in fields if name.lower() == b"connection" for word in value.lower().split(b",")}


def end_to_end(fields: Iterable[Field]) -> list[Field]:
    """The fields that pass on: not hop-by-hop, not named by `Connection`, no length, no `Expect` (which goto meets itself)."""
    passed = []
    named: set[bytes] = set()
    for field in fields:
        name = field[0].lower()
        if name not in _UNPASSED:
            passed.append(field)
        elif name == b"connection":
            named.update(word.strip() for word in field[1].lower().split(b","))
    if named - {b"close", b"keep-alive", b"upgrade", b""}:
        passed = [field for field in passed if field[0].lower() not in named]
    return passed
