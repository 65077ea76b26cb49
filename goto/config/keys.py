"""The keys that a document may have: the settings of listeners and services, by path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from goto.settings import Setting, settings_of

LISTENERS = "listeners"
"""The key of the list of listeners other than the first one."""

Tree = dict[str, Any]
"""Key to a tree, or to the `Key` that ends there."""


class KeyClash(Exception):
    """Two settings claim the same key, or the key of one lies within that of another."""


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A setting, and the class that declares it."""

    setting: Setting[Any]
    owner: type

    @property
    def path(self) -> str:
        return self.setting.path


class Keys:
    """The keys of listeners, which are at the top for the first one, and those that a process has once."""

    def __init__(self, listener: Iterable[type], process: Iterable[type]) -> None:
        self.listener = _by_path(listener)
        self.process = _by_path(process)
        self.listener_tree = _tree(self.listener.values())
        self.top_tree = _tree([*self.listener.values(), *self.process.values()])
        taken_below = ("port", "protocol", "tls", "open", "admin")
        for tree, taken in ((self.top_tree, (LISTENERS,)), (self.listener_tree, taken_below)):
            for name in taken:
                if name in tree:
                    raise KeyClash(f"the key {name} is taken")


def _by_path(owners: Iterable[type]) -> dict[str, Key]:
    keys: dict[str, Key] = {}
    for owner in owners:
        for setting in settings_of(owner):
            if setting.path in keys:
                raise KeyClash(f"the key {setting.path} of {owner.__name__} is {keys[setting.path].owner.__name__}'s already")
            keys[setting.path] = Key(setting, owner)
    return keys


def _tree(keys: Iterable[Key]) -> Tree:
    tree: Tree = {}
    for key in keys:
        *folders, name = key.path.split(".")
        branch: Any = tree
        for folder in folders:
            branch = branch.setdefault(folder, {})
            if isinstance(branch, Key):
                raise KeyClash(f"the key {key.path} of {key.owner.__name__} lies within {branch.path}, {branch.owner.__name__}'s")
        if name in branch:
            raise KeyClash(f"the key {key.path} of {key.owner.__name__} is taken")
        branch[name] = key
    return tree


def paths_ending(tree: Tree, name: str) -> Iterator[str]:
    """The paths of all keys and maps that have this name, at any depth."""
    for key, below in tree.items():
        if key.lower() == name.lower():
            yield key
        if isinstance(below, dict):
            yield from (f"{key}.{path}" for path in paths_ending(below, name))
