"""Which targets of a worker came from its registry, and which messages of the registry are outdated.

This is state alone: nothing is sent or received here. The rules:

- A message older than one already heard is dropped. Revisions count within an epoch, one life of a registry.
- An unchanged target received again is not invoked again.
- A target that was added on the worker itself, by API or file, is never touched. If the registry sends one of the same name,
  that one is refused.
- A registry removes only targets that came from a registry. Its whole list removes only those that came within the same epoch
  and under the same label; so a registry that was just restarted, and is empty, removes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from goto.client.target import ClientTarget

MOST_EPOCHS = 8
"""Epochs whose revisions are remembered; the one that was heard of longest ago is forgotten first."""

MOST_NAMES = 20_000
"""Names whose last revision is remembered between two whole lists; the oldest is forgotten first."""


@dataclass(frozen=True, slots=True)
class Source:
    """Which registry a message is from, and of when. One of the original gives no epoch: its messages are never outdated."""

    label: str
    epoch: str = ""
    revision: int = 0


class Action(Enum):
    """What to do with a target that was received."""

    NOTHING = auto()
    """The message is outdated, or the target is there already."""
    PUT = auto()
    """Store it, without invoking it."""
    INVOKE = auto()
    """Store it and invoke it."""
    REFUSE = auto()
    """A target of this name was added on this instance, and stays."""


@dataclass(slots=True)
class Changes:
    """What is to be done for a whole list, in this order."""

    remove: list[str] = field(default_factory=list)
    put: list[ClientTarget] = field(default_factory=list)
    invoke: list[ClientTarget] = field(default_factory=list)
    """Those of `put` that are to be invoked at once."""
    refused: list[str] = field(default_factory=list)
    """Names of targets that were added on this instance, and stay."""


@dataclass(slots=True)
class _Owned:
    target: ClientTarget
    label: str
    epoch: str


@dataclass(slots=True)
class _Heard:
    """Revisions of one epoch."""

    labels: dict[str, int] = field(default_factory=dict)
    """Of the last message about all targets of a label."""
    names: OrderedDict[str, tuple[int, str]] = field(default_factory=OrderedDict)
    """Of the last message about one target since then, with the label it was sent for."""


class Desired:
    """The targets that came from a registry. Callers pass what names there are now, whoever added them."""

    def __init__(self) -> None:
        self._owned: dict[str, _Owned] = {}
        self._epochs: OrderedDict[str, _Heard] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        """Whether the target of a name came from a registry."""
        return name in self._owned

    def disown(self, name: str) -> None:
        """A target was added on this instance: it takes the place of the one that came from the registry."""
        self._owned.pop(name, None)

    def receive(self, target: ClientTarget, source: Source, present: Container[str]) -> Action:
        """The registry sent one target. Returns what to do with it."""
        if self._is_old(target.name, source):
            return Action.NOTHING
        self._note(target.name, source)
        return self._take(target, source, present)

    def remove(self, name: str, source: Source) -> bool:
        """The registry removes one target. Returns whether to remove it here."""
        if self._is_old(name, source):
            return False
        self._note(name, source)
        return self._owned.pop(name, None) is not None

    def clear(self, source: Source) -> list[str]:
        """The registry removes all targets of a label. Returns the names to remove here."""
        heard = self._heard(source.epoch)
        if source.revision < heard.labels.get(source.label, 0):
            return []
        self._note_all(source)
        gone = [name for name, owned in self._owned.items() if owned.label == source.label and not self._is_old(name, source)]
        for name in gone:
            del self._owned[name]
        return gone

    def answer(
        self, targets: Iterable[ClientTarget], source: Source, present: Container[str], unread: Container[str] = ()
    ) -> Changes:
        """The registry sent all targets of a label. `unread`: names of those that could not be read; they stay as they are."""
        changes = Changes()
        heard = self._heard(source.epoch)
        if source.revision < heard.labels.get(source.label, 0):
            return changes
        named = set()
        for target in targets:
            named.add(target.name)
            if self._is_old(target.name, source):
                continue
            match self._take(target, source, present):
                case Action.INVOKE:
                    changes.put.append(target)
                    changes.invoke.append(target)
                case Action.PUT:
                    changes.put.append(target)
                case Action.REFUSE:
                    changes.refused.append(target.name)
        if source.epoch:
            for name, owned in self._owned.items():
                from_there = owned.label == source.label and owned.epoch == source.epoch
                if from_there and name not in named and name not in unread and not self._is_old(name, source):
                    changes.remove.append(name)
            for name in changes.remove:
                del self._owned[name]
        self._note_all(source)
        return changes

    # ------------------------------------------------------------ inside
    def _take(self, target: ClientTarget, source: Source, present: Container[str]) -> Action:
        owned = self._owned.get(target.name)
        if owned is None and target.name in present:
            return Action.REFUSE
        unchanged = owned is not None and owned.target == target
        self._owned[target.name] = _Owned(target, source.label, source.epoch)
        if unchanged:
            return Action.NOTHING if target.name in present else Action.PUT
        return Action.INVOKE if target.auto_invoke else Action.PUT

    def _heard(self, epoch: str) -> _Heard:
        heard = self._epochs.setdefault(epoch, _Heard())
        self._epochs.move_to_end(epoch)
        if len(self._epochs) > MOST_EPOCHS:
            self._epochs.popitem(last=False)
        return heard

    def _is_old(self, name: str, source: Source) -> bool:
        heard = self._heard(source.epoch)
        last, _ = heard.names.get(name, (0, ""))
        return source.revision < max(last, heard.labels.get(source.label, 0))

    def _note(self, name: str, source: Source) -> None:
        names = self._heard(source.epoch).names
        names[name] = source.revision, source.label
        names.move_to_end(name)
        if len(names) > MOST_NAMES:
            names.popitem(last=False)

    def _note_all(self, source: Source) -> None:
        heard = self._heard(source.epoch)
        if source.label not in heard.labels and len(heard.labels) >= MOST_NAMES:
            heard.labels.clear()
        heard.labels[source.label] = source.revision
        # what was heard of single targets before is covered by this
        covered = [n for n, (revision, label) in heard.names.items() if label == source.label and revision <= source.revision]
        for name in covered:
            del heard.names[name]
