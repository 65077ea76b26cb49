"""The targets of each label, whether or not there is a peer with that label now."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from goto.client.target import ClientTarget
from goto.errors import Conflict

MOST_LABEL_TARGETS = 10_000
"""Targets of one label."""

MOST_REGISTRY_TARGETS = 100_000
"""Targets of all labels together."""


class Catalog:
    """Targets by label and name, in the order added.

    `epoch` names this catalog, and so one life of one process; `revision` grows with every change. Whoever gets both can tell
    which of two messages is older, and that messages of two epochs cannot be compared.
    """

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(8)
        self.revision = 0
        self._labels: dict[str, dict[str, ClientTarget]] = {}

    def __contains__(self, label: str) -> bool:
        return label in self._labels

    def __iter__(self) -> Iterator[str]:
        """The labels that have targets."""
        return iter(list(self._labels))

    def of(self, label: str) -> dict[str, ClientTarget]:
        """The targets of a label, by name. The caller must not change the dict."""
        return self._labels.get(label, {})

    def put(self, label: str, target: ClientTarget) -> bool:
        """Add a target, or replace the one of its name in its place. Returns whether the name is new. Raises `Conflict`."""
        targets = self._labels.get(label, {})
        new = target.name not in targets
        if new and len(targets) >= MOST_LABEL_TARGETS:
            raise Conflict(f"label {label} has {MOST_LABEL_TARGETS:,} targets already: remove some first")
        if new and sum(map(len, self._labels.values())) >= MOST_REGISTRY_TARGETS:
            raise Conflict(f"there are {MOST_REGISTRY_TARGETS:,} targets already: remove some first")
        self._labels.setdefault(label, targets)[target.name] = target
        self.revision += 1
        return new

    def remove(self, label: str, name: str) -> None:
        """Raises KeyError if there is no such target."""
        targets = self._labels[label]
        del targets[name]
        if not targets:
            del self._labels[label]
        self.revision += 1

    def clear(self, label: str) -> int:
        """Remove the targets of a label. Returns how many there were."""
        self.revision += 1
        return len(self._labels.pop(label, ()))

    def clear_all(self) -> int:
        """Remove the targets of all labels. Returns how many there were."""
        count = sum(map(len, self._labels.values()))
        self._labels.clear()
        self.revision += 1
        return count
