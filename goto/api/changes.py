"""Which reads of the API answer otherwise than before, since a management call or a file has changed something.

Nothing is queued for anybody: each read has the number of the change that was its last, and who remembers a number asks for those
above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from goto.api.table import Route, RouteTable
from goto.settings import settings_of
from goto.traffic.listener import Listener
from goto.traffic.listeners import Listeners

_CONFIG: Final = "/goto/config"
_LISTENERS: Final = "/listeners"
_ASIDE: Final = frozenset(("/goto/journal/verify", "/goto/watch"))
"""Routes that change nothing, and that no call changes."""


class Changes:
    """The last change of each read. Reads are those that take no word in their path; a listener's are told with its port."""

    def __init__(self, table: Callable[[], RouteTable], of_listener: Callable[[type], bool]) -> None:
        """`of_listener`: whether what serves a route is a listener's own."""
        self._table = table
        self._of_listener = of_listener
        self.number = 0
        """That of the last change."""
        self.on_change: list[Callable[[], None]] = []
        """Called at each change."""
        self._last: dict[tuple[int | None, str], int] = {}
        """By port, None for the process, and path."""
        self._known: RouteTable | None = None
        self._reads: dict[type, list[str]] = {}

    def called(self, listener: Listener, route: Route) -> None:
        """A management call was carried out."""
        if route.methods != ("GET",) and route.path not in _ASIDE:
            self.changed(listener, route.owner)

    def changed(self, listener: Listener | None, owner: type) -> None:
        """Something has changed that this owner tells of, of a listener or of the process."""
        self.number += 1
        port = listener.port if listener is not None and self._of_listener(owner) else None
        for path in self._of(owner):
            self._last[port, path] = self.number
        if settings_of(owner):
            self._last[None, _CONFIG] = self.number
        if owner is Listener or owner is Listeners:
            self._last[None, _LISTENERS] = self.number  # labels are listed there
        for tell in tuple(self.on_change):
            tell()

    def since(self, number: int, ports: Iterable[int]) -> list[str]:
        """The reads that have changed after a change, of the process and of these listeners, as they are to be asked for."""
        if number >= self.number:
            return []
        wanted = set(ports)
        return [
            path if port is None else f"/goto/port/{port}{path}"
            for (port, path), last in self._last.items()
            if last > number and (port is None or port in wanted)
        ]

    def all(self, ports: Iterable[int]) -> list[str]:
        """Every read, of the process and of these listeners."""
        self._of(Listener)
        own = [path for owner, paths in self._reads.items() if not self._of_listener(owner) for path in paths]
        theirs = [path for owner, paths in self._reads.items() if self._of_listener(owner) for path in paths]
        return [*own, *[f"/goto/port/{port}{path}" for port in ports for path in theirs]]

    def _of(self, owner: type) -> list[str]:
        """The reads of an owner."""
        table = self._table()
        if self._known is not table:
            self._known, self._reads = table, {}
            for route in table.routes:
                if route.methods == ("GET",) and "{" not in route.path and route.path not in _ASIDE:
                    self._reads.setdefault(route.owner, []).append(route.path)
        return self._reads.get(owner, [])
