"""What is still to be pushed to one address: the newest wish for each target's name, in the order they came.

Pure state. A push that a newer one of its name makes pointless is dropped, so that a retry never brings back a target removed
since, and the queue is bounded by the number of names. Only a removal stays in front of a newer add of its name: removed and
added again is a new target, which runs again where it is to be invoked at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["add", "remove", "clear"]


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """One change to tell a peer."""

    kind: Kind
    label: str
    revision: int
    """Of the catalog after the change. Pushes come to a queue, and leave it, in growing order of it."""
    name: str = ""
    """The target's; empty where all of a label are cleared."""
    body: bytes = b""
    """The JSON of a target that is added."""

    @property
    def key(self) -> tuple[Kind, str]:
        return self.kind, self.name or self.label


class PushQueue:
    """Pushes in order, each at most once."""

    def __init__(self) -> None:
        # an OrderedDict, since taking from the front of a dict slows with what was taken before
        self._pushes: OrderedDict[tuple[Kind, str], Push] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pushes)

    def __iter__(self) -> Iterator[Push]:
        return iter(list(self._pushes.values()))

    def __contains__(self, push: Push) -> bool:
        return self._pushes.get(push.key) is push

    def put(self, push: Push) -> None:
        """Add a push; what it makes pointless goes."""
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
        """A push is over; one that took its place meanwhile stays."""
        if push in self:
            del self._pushes[push.key]

    def drop(self, label: str | None = None) -> None:
        """Forget the pushes of a label, or all."""
        self._pushes = OrderedDict((key, push) for key, push in self._pushes.items() if label is not None and push.label != label)
