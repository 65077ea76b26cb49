"""The pushes that are still to be made to one address: the newest for each name of a target, in the order they came.

This is state alone: nothing is sent here. A push is dropped when a newer one of its name makes it pointless; so a retry never
brings back a target that was removed since, and the queue is bounded by the number of names. Only a removal stays in front of a
newer add of its name: a target that is removed and added again is a new one, and with `autoInvoke` it runs again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PushKind = Literal["add", "remove", "clear"]


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """One change to tell a peer."""

    kind: PushKind
    label: str
    revision: int
    """Of the catalog after the change. Pushes enter a queue, and leave it, in the order of their revisions."""
    name: str = ""
    """The target's; empty where all targets of a label are cleared."""
    body: bytes = b""
    """The JSON of the target that is added."""

    @property
    def key(self) -> tuple[PushKind, str]:
        return self.kind, self.name or self.label


class PushQueue:
    """Pushes in order, each at most once."""

    def __init__(self) -> None:
        # an OrderedDict, since taking from the front of a dict slows with what was taken before
        self._pushes: OrderedDict[tuple[PushKind, str], Push] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pushes)

    def __iter__(self) -> Iterator[Push]:
        return iter(list(self._pushes.values()))

    def __contains__(self, push: Push) -> bool:
        return self._pushes.get(push.key) is push

    def put(self, push: Push) -> None:
        """Add a push, and drop those that it makes pointless."""
        match push.kind:
            case "add":
                self._pushes.pop(("add", push.name), None)
            case "remove":
                self._pushes.pop(("add", push.name), None)
                self._pushes.pop(("remove", push.name), None)
            case "clear":
                self.drop(push.label)
        self._pushes[push.key] = push

    def head(self) -> Push | None:
        """The push to be made next."""
        return next(iter(self._pushes.values()), None)

    def done(self, push: Push) -> None:
        """A push is over. One that took its place meanwhile stays."""
        if push in self:
            del self._pushes[push.key]

    def drop(self, label: str | None = None) -> None:
        """Drop the pushes of a label, or all."""
        self._pushes = OrderedDict((key, push) for key, push in self._pushes.items() if label is not None and push.label != label)
