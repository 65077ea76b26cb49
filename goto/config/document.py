"""A document as typed values: those of the first listener, of other listeners, and of the process."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

from goto.config.errors import ConfigError, Problem
from goto.config.keys import LISTENERS, Key, Keys, Tree, paths_ending
from goto.config.node import Mapping, Node, Sequence, is_null, kind_of
from goto.config.reader import BAD, Reader, join
from goto.tls.settings import ListenerTls
from goto.words import Port

NOWHERE = Node("", 0, 0)
"""The place of a value that was not written in a document."""


@dataclass(slots=True)
class ConfiguredValue:
    """The value of a setting, and its place in a document."""

    value: Any
    at: Node = NOWHERE


ConfiguredValues = dict[str, ConfiguredValue]
"""Values by the path of their setting; for those of a listener, the path within the listener."""


@dataclass(slots=True)
class ListenerPart:
    """What a document says about a listener other than the first one."""

    at: Node = NOWHERE
    path: str = LISTENERS
    protocol: str = "http"
    tls: ListenerTls | None = None
    open: bool = True
    admin: bool = True
    settings: ConfiguredValues = field(default_factory=dict)


@dataclass(slots=True)
class Document:
    """A document; settings that it does not name are missing here too."""

    first: ConfiguredValues = field(default_factory=dict)
    process: ConfiguredValues = field(default_factory=dict)
    listeners: dict[Port, ListenerPart] = field(default_factory=dict)
    """By port."""
    remarks: list[Problem] = field(default_factory=list)
    """What may be meant otherwise, once the document was checked; none of it is a mistake."""


LISTENER_KEYS: dict[str, Any] = {"port": Port, "protocol": str, "tls": ListenerTls, "open": bool, "admin": bool}
"""The keys of a listener besides those of its settings, with their types."""


def read_document(node: Node, keys: Keys) -> Document:
    """Read a node as a document. Raises `ConfigError` with every mistake."""
    reader = Reader()
    document = _DocumentReader(reader, keys).document(node)
    if reader.problems:
        raise ConfigError(reader.problems)
    return document


class _DocumentReader:
    """Reads one document. The problems are noted in `reader`."""

    def __init__(self, reader: Reader, keys: Keys) -> None:
        self._reader = reader
        self._keys = keys

    def document(self, node: Node) -> Document:
        if not isinstance(node, Mapping):
            self._reader.wrong(node, "", f"expected a map of settings, got {kind_of(node)}")
            return Document()
        document = Document()
        tree = {**self._keys.top_tree, LISTENERS: LISTENERS}
        for key, given in self._walk(node, tree, "", {LISTENERS: document.listeners}):
            (document.first if key.path in self._keys.listener else document.process)[key.path] = given
        return document

    def _elsewhere(self, key: str) -> Iterable[str]:
        return paths_ending(self._keys.top_tree, key)

    def _walk(self, node: Mapping, tree: Tree, path: str, listeners: Map[str, Any]) -> list[tuple[Key, ConfiguredValue]]:
        """The settings in a map, and the listeners in it into `listeners`."""
        found: list[tuple[Key, ConfiguredValue]] = []
        for name, at, value in self._reader.known_entries(node, list(tree), path, self._elsewhere):
            inner, below = join(path, name), tree[name]
            if is_null(value):
                continue
            if name == LISTENERS and below is LISTENERS:
                listeners[LISTENERS].update(self._listeners(value))
            elif isinstance(below, Key):
                read = self._reader.value(value, below.setting.type, inner)
                if read is not BAD and read is not None:
                    found.append((below, ConfiguredValue(read, at)))
            elif not isinstance(value, Mapping):
                known = ", ".join(below)
                self._reader.wrong(value, inner, f"expected a map of {known}, got {kind_of(value)}")
            else:
                found += self._walk(value, below, inner, listeners)
        return found

    def _listeners(self, node: Node) -> dict[Port, ListenerPart]:
        if not isinstance(node, Sequence):
            self._reader.wrong(node, LISTENERS, f"expected a list of listeners, got {kind_of(node)}")
            return {}
        self._reader.check_unique(node, LISTENERS)
        parts: dict[Port, ListenerPart] = {}
        for index, item in enumerate(node.items):
            path = f"{LISTENERS}[{index}]"
            if isinstance(item, Mapping):
                port, part = self._listener(item, path)
                parts[port] = part
            else:
                self._reader.wrong(item, path, f"expected a map with a port, got {kind_of(item)}")
        return parts

    def _listener(self, node: Mapping, path: str) -> tuple[Port, ListenerPart]:
        own = LISTENER_KEYS
        tree = {**dict.fromkeys(own), **self._keys.listener_tree}
        values: dict[str, Any] = {"port": BAD}
        settings = Mapping(node.file, node.line, node.column)
        for name, at, value in self._reader.known_entries(node, list(tree), path, self._elsewhere):
            if name not in own:
                settings.entries[name] = (at, value)
            elif not is_null(value) or name == "port":
                values[name] = self._reader.value(value, own[name], join(path, name))
        if not any(key.lower() == "port" for key in node.entries):
            self._reader.wrong(node, join(path, "port"), "missing")
        found = self._walk(settings, self._keys.listener_tree, path, {})
        if BAD in values.values():
            return Port(), ListenerPart()
        port: Port = values.pop("port")
        part = ListenerPart(node, path, **values, settings={key.path: given for key, given in found})
        part.protocol = part.protocol.lower()
        return port, part
