"""The hidden `goto ctl --names KIND`, which completion asks for: names on the instance, a line each, or none."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread
from typing import Any

from goto.command.ctl.failures import Ended
from goto.command.ctl.session import Session

SECONDS = 0.3
"""For the answer."""

KINDS: dict[str, tuple[str, Callable[[Any], list[str]]]] = {
    "rules": ("/response/rules", list),
    "targets": ("/request/proxy/targets", list),
    "client-targets": ("/client/targets", list),
    "listeners": ("/listeners", list),
    "expectations": ("/goto/journal/expectations", lambda read: [one["name"] for one in read]),
}
"""What there are names of: the read, and where it has them."""


def names(kind: str, about: Mapping[str, str]) -> int:
    """Print the names of a kind, within 300 ms or not at all. Returns 0."""
    found: list[str] = []

    def ask() -> None:
        path, read = KINDS[kind]
        with suppress(Ended, ValueError, LookupError, TypeError):
            found.extend(name for name in read(Session(about).read(path)) if name.isprintable())

    if kind in KINDS:
        asking = Thread(target=ask, daemon=True)
        asking.start()
        asking.join(SECONDS)
    if found:
        os.write(1, ("\n".join(found) + "\n").encode())
    return 0


def kind_of(path: str) -> str:
    """What the word in braces at the end of a path is the name of: `/response/rules/{rule}`; empty for no kind."""
    before, _, _ = path.rpartition("/")
    kinds = {path: kind for kind, (path, _) in KINDS.items()}
    kinds |= {"/request/proxy/targets/invoke": "targets", "/client/results": "client-targets"}
    return kinds.get(before, "")
